//! The end of blinkctl: the exit code tells the kind of failure, the problem says what to do.

use std::{any::Any, process::ExitCode};

use blink_proto::{Problem, problem::code};

/// The exit codes (SPEC 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExitStatus {
    Done = 0,
    /// The request was refused or failed, with a reason.
    Failed = 1,
    /// The command line is wrong or incomplete.
    Usage = 2,
    NotRunning = 3,
    /// The command needs an account, but nobody is signed in.
    NotSignedIn = 4,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status as u8)
    }
}

#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) problem: Problem,
    pub(crate) status: ExitStatus,
}

impl Failure {
    /// A failure with exit code 1.
    pub(crate) fn failed(code: &str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { problem: Problem::new(code, message, fix), status: ExitStatus::Failed }
    }

    /// A failure with exit code 2.
    pub(crate) fn usage(code: &str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { problem: Problem::new(code, message, fix), status: ExitStatus::Usage }
    }

    pub(crate) fn not_running(message: &str) -> Self {
        let fix = "Start it with `blinkd run`.";
        Self { problem: Problem::new("not_running", message, fix), status: ExitStatus::NotRunning }
    }

    /// A failure that reports a defect of blinkctl itself.
    pub(crate) fn from_panic(payload: &(dyn Any + Send)) -> Self {
        let what = payload
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| payload.downcast_ref::<&str>().copied())
            .unwrap_or("no reason was given");
        Self::failed("internal", format!("blinkctl has a defect: {what}"), "Please report it with the command you ran.")
    }
}

/// A problem reported by the daemon. Two of its codes have exit codes of their own.
impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        let status = match problem.code.as_str() {
            code::NOT_SIGNED_IN => ExitStatus::NotSignedIn,
            // An address that cannot be valid is wrong usage, whoever finds that out.
            code::BAD_SERVER => ExitStatus::Usage,
            _ => ExitStatus::Failed,
        };
        Self { problem, status }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn being_signed_out_and_a_wrong_address_have_codes_of_their_own() {
        let status = |code: &str| Failure::from(Problem::new(code, "", "")).status as u8;
        assert_eq!(status("not_signed_in"), 4);
        assert_eq!(status("bad_server"), 2);
        assert_eq!(status("server_unreachable"), 1);
    }

    #[test]
    fn a_panic_is_told_in_one_line() {
        let failure = Failure::from_panic(&"index out\nof range");
        assert_eq!(failure.problem.to_string().lines().count(), 1);
        assert_eq!(failure.status as u8, 1);
    }
}
