//! `GET /api/user/me/export`: everything stored about a person, in one document.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Consent, ExportedAttendance, User};
use crate::{DeviceId, Minute};

/// The document. The server streams it; `minutes` comes last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Export {
    /// When it was made.
    pub exported_at: Timestamp,
    /// Whether the account has a password.
    pub has_password: bool,
    /// The person.
    pub user: User,
    /// Every consent and withdrawal, oldest first.
    pub consents: Vec<Consent>,
    /// Where the person is signed in.
    pub sessions: Vec<ExportedSession>,
    /// Machines the minutes came from.
    pub devices: Vec<ExportedDevice>,
    /// Teams the person is in, or invited to.
    pub teams: Vec<ExportedTeam>,
    /// Sign-ins through a provider.
    pub identities: Vec<Identity>,
    /// Encrypted copies of the minutes below; what they hold is not repeated.
    pub archive: ArchiveSummary,
    /// What the attendance desk holds; null for somebody who is nobody there.
    #[cfg_attr(feature = "schema", schema(required))]
    pub attendance: Option<ExportedAttendance>,
    /// Every minute, oldest first.
    pub minutes: Vec<Minute>,
}

/// A sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ExportedSession {
    /// Names it.
    pub id: Uuid,
    /// What the client called itself, or null.
    #[cfg_attr(feature = "schema", schema(required))]
    pub user_agent: Option<String>,
    /// When the person proved who they are.
    pub signed_in_at: Timestamp,
    /// When tokens were last handed out.
    pub last_used_at: Timestamp,
    /// When it ends unless it is used.
    pub expires_at: Timestamp,
}

/// A machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ExportedDevice {
    /// Names it.
    pub device_id: DeviceId,
    /// When its first minute came.
    pub first_seen_at: Timestamp,
    /// When its last one did.
    pub last_seen_at: Timestamp,
    /// The program that sent its last minutes, or null.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(required))]
    pub user_agent: Option<String>,
}

/// A team of the person's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ExportedTeam {
    /// Names it.
    pub id: Uuid,
    /// What it is called.
    pub name: String,
    /// When the person accepted; null while invited.
    #[cfg_attr(feature = "schema", schema(required))]
    pub accepted_at: Option<Timestamp>,
}

/// Who the person is to a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Identity {
    /// The provider.
    pub issuer: String,
    /// Its id of the person.
    pub subject: String,
}

/// What the archive holds of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ArchiveSummary {
    /// Whether this server archives at all.
    pub on: bool,
    /// Objects.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Minutes in them.
    pub minutes: u64,
    /// The oldest of those, or null.
    #[cfg_attr(feature = "schema", schema(required))]
    pub oldest_minute: Option<Timestamp>,
    /// Batches that wait to become part of an object.
    pub batches_waiting: u64,
}
