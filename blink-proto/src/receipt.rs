//! The receipt of an erasure: what is gone, from where.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What `blinkctl delete` prints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// When.
    pub at: Timestamp,
    /// What was erased on this machine; null where only the account was.
    pub local: Option<LocalErasure>,
    /// The server's own receipt; null where only this machine was cleaned.
    pub remote: Option<serde_json::Value>,
    /// What could not be erased, as paths or words; empty when nothing is left.
    pub left: Vec<String>,
    /// What stands in the profile's folders and stays, as paths: models, and files that are not blinkd's. blinkctl adds
    /// them when everything was erased.
    #[serde(default)]
    pub kept: Vec<String>,
}

/// What was erased on this machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalErasure {
    /// Minutes, the open one among them.
    pub minutes: u64,
    /// Those of them that no server had acknowledged.
    pub unsent: u64,
    /// Configuration, tokens, enrolment and logs as well.
    pub everything: bool,
}
