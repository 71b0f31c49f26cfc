//! What `doctor` finds: one [`Check`] for each cause of trouble.

use serde::{Deserialize, Serialize};

/// How bad it is. The order is from harmless to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Nothing is wrong.
    Ok,
    /// Something is missing that the person can do without.
    Warning,
    /// Counting or uploading does not work until it is mended.
    Problem,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// A stable word for programs, such as `camera`.
    pub id: String,
    /// How bad it is.
    pub level: Level,
    /// What was found, in one sentence.
    pub message: String,
    /// What to do about it; null where nothing is wrong.
    pub fix: Option<String>,
}

impl Check {
    /// Nothing is wrong.
    pub fn ok(id: impl Into<String>, message: impl Into<String>) -> Self {
        Self { id: id.into(), level: Level::Ok, message: message.into(), fix: None }
    }

    /// Something is, and this mends it.
    pub fn found(id: impl Into<String>, level: Level, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { id: id.into(), level, message: message.into(), fix: Some(fix.into()) }
    }
}
