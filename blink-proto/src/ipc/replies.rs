//! The contents of replies.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Minute, UserId,
    consent::ConsentRecord,
    http::{DeviceMinutes, HistoryItem},
};

/// The consent text and this machine's record of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentShown {
    /// The version of `text`.
    pub version: String,
    /// The consent text.
    pub text: String,
    /// The record; null where nothing was ever recorded.
    pub record: Option<ConsentRecord>,
}

/// The signed-in account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIn {
    /// The account's id on its server.
    pub user_id: UserId,
    /// The account's e-mail address.
    pub email: String,
    /// The server's base URL.
    pub server: String,
    /// Number of minutes of nobody that this sign-in gave to the account.
    #[serde(default)]
    pub adopted: u64,
    /// Whether tracking is consented to on this machine.
    pub consent: bool,
}

/// The result of `sync`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncDone {
    /// Minutes that the server acknowledged during this call.
    pub uploaded: u64,
    /// Minutes that the server rejected during this call.
    pub set_aside: u64,
    /// Minutes that stay here because they belong to nobody or to another account.
    #[serde(default)]
    pub held: u64,
}

/// A sign-in that waits for its approval in the browser (RFC 8628, section 3.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceCode {
    /// The code that the person types, such as `WDJB-MJHT`.
    pub user_code: String,
    /// The address where they type it.
    pub verification_uri: String,
    /// The address with the code filled in.
    pub verification_uri_complete: Option<String>,
    /// When the code expires.
    pub expires_at: Timestamp,
}

/// A minute that the server rejected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SetAside {
    /// The rejected minute.
    pub minute: Minute,
    /// The server's code, such as `too_old`.
    pub code: String,
    /// The server's explanation.
    pub detail: String,
    /// When it was rejected.
    pub at: Option<Timestamp>,
}

/// How many minutes `sync --set-aside retry` or `drop` moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAsideCount {
    /// The number of minutes.
    pub minutes: u64,
}

/// The result of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// Minutes that were added to the history.
    pub imported: u64,
    /// Minutes that were already there with the same content.
    pub duplicates: u64,
    /// How many of the added minutes will be uploaded.
    pub queued: u64,
    /// Minutes that were refused.
    pub rejected: Vec<ImportRejection>,
}

/// A minute that an import refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportRejection {
    /// Its index in the call, from 0.
    pub index: u64,
    /// A code for programs: `invalid`, `conflict`, `not_over`, `too_old`.
    pub code: String,
    /// The reason, in words.
    pub detail: String,
}

/// A page of minutes as the server returns them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RemotePage {
    /// Items of `GET /api/user/{id}/blinks` with `group=minute`.
    pub items: Vec<HistoryItem>,
    /// The cursor of the next page; null on the last.
    pub next_cursor: Option<String>,
}

/// Minutes of the account's other machines on the server that were not brought here before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elsewhere {
    /// Their number. A few that are here already may be among them.
    pub minutes: u64,
    /// Number of machines that counted them.
    pub machines: u64,
}

/// What one page of a pull brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pulled {
    /// Minutes that were not here before, by the machine that counted them.
    pub machines: Vec<DeviceMinutes>,
    /// Minutes that cannot be true, or are another person's, and were not taken.
    pub left_out: u64,
    /// The first start that is asked for: `from`, or the first day that the history keeps.
    pub from: Timestamp,
    /// Whether everything is here now.
    pub done: bool,
}
