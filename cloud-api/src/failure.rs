//! The failure of a command: one line that says what to do, and an exit code for each kind of failure.

use std::process::ExitCode;

use blink_proto::Problem;

/// The values are the exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Failed = 1,
    /// Wrong usage or configuration, so that starting again will not help.
    Usage = 2,
    /// The port or the database is in use.
    InUse = 5,
}

#[derive(Clone, Debug, thiserror::Error)]
#[error("{problem}")]
pub struct Failure {
    pub problem: Problem,
    pub kind: Kind,
}

impl Failure {
    pub fn failed(code: &str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { problem: Problem::new(code, message, fix), kind: Kind::Failed }
    }

    pub fn usage(code: &str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { problem: Problem::new(code, message, fix), kind: Kind::Usage }
    }

    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.kind as u8)
    }
}

/// Joins an error and its causes on one line. A cause whose text is contained already is left out.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(e) = cause {
        let text = e.to_string();
        if !line.contains(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        cause = e.source();
    }
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}
