//! The results of `doctor`: one [`Check`] for each possible cause of trouble.

use serde::{Deserialize, Serialize};

/// The severity of a check's result, ordered from harmless to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Nothing is wrong.
    Ok,
    /// Something optional is missing or unusual.
    Warning,
    /// Counting or uploading does not work until it is fixed.
    Problem,
}

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// A stable name for programs, such as `camera`.
    pub id: String,
    /// The severity.
    pub level: Level,
    /// What was found, in one sentence.
    pub message: String,
    /// How to fix it; null where nothing is wrong.
    pub fix: Option<String>,
}

impl Check {
    /// A check that found nothing wrong.
    pub fn ok(id: impl Into<String>, message: impl Into<String>) -> Self {
        Self { id: id.into(), level: Level::Ok, message: message.into(), fix: None }
    }

    /// A check that found something, with its fix.
    pub fn found(id: impl Into<String>, level: Level, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { id: id.into(), level, message: message.into(), fix: Some(fix.into()) }
    }
}
