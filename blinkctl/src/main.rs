//! `blinkctl`: blinkd in the terminal.
//!
//! - `cli`: the words of the command line
//! - `cmd`: what each command does, a file per noun
//! - `client`: one connection to the daemon
//! - `consent_file`: this machine's consent, for when no daemon runs
//! - `ask`: questions to the person at the terminal
//! - `output`: results on stdout, failures on stderr
//! - `exit`: how a failure becomes an exit code

mod ask;
mod cli;
mod client;
mod cmd;
mod consent_file;
mod exit;
mod output;
mod when;

use std::{panic, process::ExitCode};

use exit::{ExitStatus, Failure};
use output::Output;

fn main() -> ExitCode {
    let cli = match cli::parse() {
        Ok(cli) => cli,
        Err(status) => return status.into(),
    };
    let output = Output::new(cli.json);
    // The one line below says what a person can do; a backtrace says nothing to them.
    panic::set_hook(Box::new(|_| {}));
    let ended = panic::catch_unwind(panic::AssertUnwindSafe(|| cmd::run(cli.command, output)))
        .unwrap_or_else(|payload| Err(Failure::from_panic(payload.as_ref())));
    match ended {
        Ok(()) => ExitStatus::Done.into(),
        Err(failure) => {
            output.failure(&failure.problem);
            failure.status.into()
        }
    }
}
