//! Liveness and readiness.

use serde::{Deserialize, Serialize};

/// `GET /health`: the process lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Health {
    /// `ok`.
    #[cfg_attr(feature = "schema", schema(pattern = "^ok$"))]
    pub status: String,
    /// Seconds since it started.
    pub uptime_s: u64,
    /// Of the program.
    pub version: String,
}

/// `GET /healthz`: the process can work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Ready {
    /// `ready`.
    #[cfg_attr(feature = "schema", schema(pattern = "^ready$"))]
    pub status: String,
    /// `ok`: without its database the answer is 503.
    #[cfg_attr(feature = "schema", schema(pattern = "^ok$"))]
    pub database: String,
    /// Whether what is past its retention is deleted.
    pub retention: Retention,
    /// `ok` or `unavailable`: the attendance desk's models.
    #[cfg_attr(feature = "schema", schema(pattern = "^(ok|unavailable)$"))]
    pub attendance: String,
    /// The attendance desk's CSV files.
    pub exports: ExportsReadiness,
    /// What runs.
    pub versions: Versions,
    /// Seconds since it started.
    pub uptime_s: u64,
    /// Of the program.
    pub version: String,
}

/// Whether what is past its retention is deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Retention {
    /// True while nothing is deleted for its age.
    pub held: bool,
    /// Why not; absent unless it is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub reason: Option<String>,
    /// When it was last done, or null.
    #[cfg_attr(feature = "schema", schema(required))]
    pub last_run_at: Option<jiff::Timestamp>,
}

/// The state of the exports folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ExportsReadiness {
    /// Whether it can be read; null while there is none.
    #[cfg_attr(feature = "schema", schema(required))]
    pub readable: Option<bool>,
}

/// What runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Versions {
    /// The program.
    pub cloud_api: String,
    /// The newest migration of the database.
    pub schema: String,
}
