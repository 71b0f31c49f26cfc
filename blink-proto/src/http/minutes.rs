//! Uploading minutes.

use serde::{Deserialize, Serialize};

use crate::{DeviceId, Minute};

/// The most minutes in one `/api/blink/sync` request.
pub const MAX_SYNC_BUCKETS: usize = 10_000;

/// `POST /api/blink/sync`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SyncRequest {
    /// The machine all of them come from.
    pub device_id: DeviceId,
    /// At most [`MAX_SYNC_BUCKETS`] sealed minutes; each that is none is rejected by its index.
    #[cfg_attr(feature = "schema", schema(value_type = Vec<serde_json::Value>))]
    pub buckets: Vec<Minute>,
}

/// Its answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SyncResponse {
    /// Minutes that are new and durably stored.
    pub accepted: u64,
    /// Minutes that were there already.
    pub duplicates: u64,
    /// Minutes that will never be taken, each by its place in the request.
    pub rejected: Vec<Rejected>,
    /// The server asks this machine to leave so many seconds between its uploads. Absent when it does not mind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send_every_s: Option<u32>,
}

/// One minute that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Rejected {
    /// Its place in `buckets`, from 0.
    pub index: usize,
    /// A [`RejectionCode`], or a word of a newer server.
    #[cfg_attr(feature = "schema", schema(value_type = RejectionCode))]
    pub code: String,
    /// A sentence that says which value and why.
    pub detail: String,
}

/// Why a minute is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum RejectionCode {
    /// It has not the form of a minute.
    Invalid,
    /// `to_timestamp` is not 60 s after `from_timestamp`.
    BadInterval,
    /// `from_timestamp` is not the start of a UTC minute.
    Unaligned,
    /// A value that cannot be.
    Implausible,
    /// More than five minutes ahead of the server's clock.
    InFuture,
    /// Older than what the server keeps.
    TooOld,
    /// It names another person.
    WrongUser,
}

impl RejectionCode {
    /// All codes.
    pub const ALL: [Self; 7] = [
        Self::Invalid,
        Self::BadInterval,
        Self::Unaligned,
        Self::Implausible,
        Self::InFuture,
        Self::TooOld,
        Self::WrongUser,
    ];

    /// The code on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::BadInterval => "bad_interval",
            Self::Unaligned => "unaligned",
            Self::Implausible => "implausible",
            Self::InFuture => "in_future",
            Self::TooOld => "too_old",
            Self::WrongUser => "wrong_user",
        }
    }
}
