//! The receipt of an erasure.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The output of `blinkctl delete`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// When the erasure was made.
    pub at: Timestamp,
    /// What was erased on this machine; null where only the account was.
    pub local: Option<LocalErasure>,
    /// The server's own receipt; null where nothing was erased there.
    pub remote: Option<serde_json::Value>,
    /// What could not be erased, as paths or descriptions; empty when nothing is left.
    pub left: Vec<String>,
    /// What stays in the profile's folders, as paths: models, and files that are not blinkd's. blinkctl adds them when
    /// everything was erased.
    #[serde(default)]
    pub kept: Vec<String>,
}

/// What was erased on this machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalErasure {
    /// Number of minutes, including the open one.
    pub minutes: u64,
    /// How many of them no server had acknowledged.
    pub unsent: u64,
    /// Whether configuration, tokens, enrolment and logs were erased too.
    pub everything: bool,
}
