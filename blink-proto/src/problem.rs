//! A failure as people and programs see it: what went wrong, and what to do.

pub mod code;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text;

/// The form of every failure: `last_error` in `status`, an IPC error, and the line that `--json` prints on stderr.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub struct Problem {
    /// A stable code for programs, such as `no_camera`.
    pub code: String,
    /// One plain sentence without a line break.
    pub message: String,
    /// What the person can do about it.
    pub fix: String,
}

impl Problem {
    /// A problem with its code, message and fix.
    pub fn new(code: impl Into<String>, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), fix: fix.into() }
    }

    /// Whether it has this [code].
    #[must_use]
    pub fn is(&self, code: &str) -> bool {
        self.code == code
    }

    /// The `{"error": {..}}` object that `--json` prints on stderr.
    #[must_use]
    pub fn to_json_line(&self) -> String {
        #[derive(Serialize)]
        struct Line<'a> {
            error: &'a Problem,
        }
        text::json_line(&Line { error: self }).unwrap_or_default()
    }
}

/// One line: the message, then the fix. Line breaks inside either are folded to spaces.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fold = |s: &str| s.split_whitespace().collect::<Vec<_>>().join(" ");
        let message = fold(&self.message);
        let fix = fold(&self.fix);
        if fix.is_empty() {
            return f.write_str(&message);
        }
        let stop = if message.ends_with(['.', '!', '?', ':']) { "" } else { "." };
        write!(f, "{message}{stop} {fix}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_always_one_line() {
        let problem = Problem::new("x", "it\nbroke", "mend\r\nit.");
        assert_eq!(problem.to_string(), "it broke. mend it.");
        assert_eq!(problem.to_json_line().lines().count(), 1);
    }
}
