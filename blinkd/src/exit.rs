//! The end of the program: [`ExitStatus`], and [`Failure`], which is printed once and says what to do.

use std::io::{self, Write as _};

use blink_proto::{Problem, problem::code};

use crate::stderr;

/// The exit codes of blinkd. Its systemd units do not restart it on [`Self::Usage`] and [`Self::Taken`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitStatus {
    Done = 0,
    Failed = 1,
    /// Wrong usage or configuration.
    Usage = 2,
    /// Another blinkd of this profile is running.
    Taken = 5,
}

impl ExitStatus {
    /// Ends the process at once, without destructors: an abandoned thread may still be using what the native libraries
    /// would tear down.
    pub fn leave(self) -> ! {
        // If standard output is closed, there is nobody to tell.
        let _ = io::stdout().flush();
        end(self as i32)
    }
}

#[cfg(unix)]
#[expect(unsafe_code, reason = "there is no safe way past the handlers of a normal exit")]
fn end(code: i32) -> ! {
    // SAFETY: `_exit` takes a number and does not return.
    unsafe { libc::_exit(code) }
}

#[cfg(not(unix))]
fn end(code: i32) -> ! {
    std::process::exit(code)
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct Failure {
    #[source]
    pub problem: Problem,
    pub status: ExitStatus,
}

impl Failure {
    /// A failure with exit code 1.
    pub fn failed(code: impl Into<String>, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { problem: Problem::new(code, message, fix), status: ExitStatus::Failed }
    }

    /// Wrong usage or configuration, with exit code 2.
    pub fn usage(code: impl Into<String>, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { problem: Problem::new(code, message, fix), status: ExitStatus::Usage }
    }

    /// Another daemon runs, with exit code 5.
    pub fn taken(code: impl Into<String>, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { problem: Problem::new(code, message, fix), status: ExitStatus::Taken }
    }

    /// Prints one line to standard error: the message and the fix, or with `json` the error object.
    pub fn print(&self, json: bool) {
        let line = if json { self.problem.to_json_line() } else { format!("blinkd: {}", self.problem) };
        stderr::say(&line);
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self { problem, status: ExitStatus::Failed }
    }
}

/// Failures to read or write that have no more specific error.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::failed(code::IO, error.to_string(), "Check the disk and the permissions, then try again.")
    }
}

/// Folds clap's message to one line. Help and version are no failures and must not be passed here.
impl From<&clap::Error> for Failure {
    fn from(error: &clap::Error) -> Self {
        let rendered = error.render().to_string();
        let mut message = String::new();
        let mut command = String::from("blinkd");
        for line in rendered.lines().map(str::trim).filter(|line| !line.is_empty()) {
            if let Some(usage) = line.strip_prefix("Usage:") {
                let words = usage.split_whitespace().take_while(|word| !word.starts_with(['[', '<', '-']));
                command = words.filter(|word| word.chars().any(char::is_lowercase)).collect::<Vec<_>>().join(" ");
                break;
            }
            if line.starts_with("For more information") {
                break;
            }
            let line = line.strip_prefix("error: ").unwrap_or(line);
            if !message.is_empty() {
                message.push(' ');
            }
            message.push_str(line);
        }
        Self::usage(code::USAGE, message, format!("Run `{command} --help` for what may stand there."))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn what_clap_refuses_is_one_line_and_names_the_help() {
        let error = Cli::try_parse_from(["blinkd", "run", "--nonsense"]).unwrap_err();
        let failure = Failure::from(&error);
        assert_eq!(failure.status, ExitStatus::Usage);
        let line = failure.problem.to_string();
        assert!(line.contains("--nonsense") && line.contains("`blinkd run --help`"), "{line}");
        assert_eq!(line.lines().count(), 1);
    }
}
