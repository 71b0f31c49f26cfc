//! What replies carry.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Minute, UserId, consent::ConsentRecord, http::HistoryItem};

/// The consent text and this machine's record of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentShown {
    /// The version of `text`.
    pub version: String,
    /// The text.
    pub text: String,
    /// What was recorded, or null where nothing ever was.
    pub record: Option<ConsentRecord>,
}

/// Who is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIn {
    /// The account's id on its server.
    pub user_id: UserId,
    /// Its address.
    pub email: String,
    /// The server's base URL.
    pub server: String,
    /// Minutes of nobody that became this account's just now.
    #[serde(default)]
    pub adopted: u64,
    /// Whether tracking is consented to on this machine.
    pub consent: bool,
}

/// What `sync` did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncDone {
    /// Minutes the server acknowledged during this call.
    pub uploaded: u64,
    /// Minutes set aside now, with a reason each.
    pub set_aside: u64,
    /// Minutes that stay here because they are nobody's or another account's.
    #[serde(default)]
    pub held: u64,
}

/// A sign-in that waits for its approval in the browser (RFC 8628, section 3.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceCode {
    /// What the person types, such as `WDJB-MJHT`.
    pub user_code: String,
    /// Where.
    pub verification_uri: String,
    /// The same with the code filled in.
    pub verification_uri_complete: Option<String>,
    /// When the code is void.
    pub expires_at: Timestamp,
}

/// A minute that the server rejected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SetAside {
    /// The minute.
    pub minute: Minute,
    /// The server's code, such as `too_old`.
    pub code: String,
    /// Its words.
    pub detail: String,
    /// When it was rejected.
    pub at: Option<Timestamp>,
}

/// How many minutes `sync --set-aside retry` or `drop` changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAsideCount {
    /// Minutes.
    pub minutes: u64,
}

/// What an import did with each minute it was given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// New in the history.
    pub imported: u64,
    /// There already, as they are.
    pub duplicates: u64,
    /// Of those imported, the ones that will be uploaded.
    pub queued: u64,
    /// Not taken.
    pub rejected: Vec<ImportRejection>,
}

/// A minute that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportRejection {
    /// Its place in the call.
    pub index: u64,
    /// A word for programs: `invalid`, `conflict`, `not_over`, `too_old`.
    pub code: String,
    /// Why.
    pub detail: String,
}

/// Minutes as the server shows them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RemotePage {
    /// Items of `GET /api/user/{id}/blinks` with `group=minute`.
    pub items: Vec<HistoryItem>,
    /// Names the next page; null on the last.
    pub next_cursor: Option<String>,
}
