//! The bodies of cloud-api that its clients use.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{DeviceId, Minute, Secret, UserId};

/// The most minutes one `/api/blink/sync` takes.
pub const MAX_SYNC_BUCKETS: usize = 10_000;

/// The error envelope of every failed answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorEnvelope {
    /// What went wrong.
    pub error: ErrorDetail,
}

/// The inside of [`ErrorEnvelope`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorDetail {
    /// A stable word for programs.
    pub code: String,
    /// A sentence for people.
    pub message: String,
    /// Which fields were at fault, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<BTreeMap<String, String>>,
    /// Names this request in the server's log.
    pub request_id: String,
}

/// Consent sent with a registration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterConsent {
    /// Must be true.
    pub tracking: bool,
    /// The version of the text that was shown.
    pub version: String,
}

/// `POST /api/auth/register`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RegisterRequest {
    /// The account's address.
    pub email: String,
    /// 12 to 128 characters.
    pub password: Secret,
    /// What the person is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// An IANA time zone name, such as `Europe/Berlin`; UTC if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Without it there is no account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<RegisterConsent>,
}

/// `POST /api/auth/login`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LoginRequest {
    /// The account's address.
    pub email: String,
    /// Its password.
    pub password: Secret,
}

/// `POST /api/auth/refresh`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RefreshRequest {
    /// The newest refresh token received.
    pub refresh_token: Secret,
}

/// A person as `/api/user/me` and the sign-in answers show them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The account.
    pub id: UserId,
    /// Its address.
    pub email: String,
    /// What the person is called, or null.
    pub name: Option<String>,
    /// Their IANA time zone.
    pub timezone: String,
    /// `member`, `kiosk`, `manager` or `admin`.
    pub role: String,
    /// When the account was made.
    pub created_at: Timestamp,
}

/// The answer of register, login and refresh.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TokenResponse {
    /// Who signed in.
    pub user: User,
    /// A JWT for the `Authorization: Bearer` header.
    pub access_token: Secret,
    /// Exchanged at `/api/auth/refresh`, once.
    pub refresh_token: Secret,
    /// `Bearer`.
    pub token_type: String,
    /// Seconds until `access_token` ends.
    pub expires_in: u64,
}

/// `POST /api/blink/sync`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SyncRequest {
    /// The machine all of them come from.
    pub device_id: DeviceId,
    /// At most [`MAX_SYNC_BUCKETS`] sealed minutes.
    pub buckets: Vec<Minute>,
}

/// Its answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncResponse {
    /// Minutes that are new and durably stored.
    pub accepted: u64,
    /// Minutes that were there already.
    pub duplicates: u64,
    /// Minutes that will never be taken, each by its place in the request.
    pub rejected: Vec<Rejected>,
}

/// One minute that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// Its place in `buckets`, from 0.
    pub index: usize,
    /// `invalid`, `bad_interval`, `unaligned`, `implausible`, `in_future`, `too_old` or `wrong_user`.
    pub code: String,
    /// A sentence that says which value and why.
    pub detail: String,
}
