//! `blinkctl`: blinkd in the terminal.
//!
//! - `cli`: the command line
//! - `cmd`: the commands, a file per noun
//! - `complete`: what a shell offers while a command is typed
//! - `context`: what every command gets
//! - `client`, `unreachable`: a connection to the daemon, and why there is none
//! - `blinkd`, `start`: the program blinkd, for what needs no running daemon, and to start one
//! - `days`, `own`, `record`: the local history by days and as hours, and a record of the account
//! - `ask`: questions to the person at the terminal
//! - `output`, `target`, `progress`, `browser`: results on stdout and in files, progress, and the browser
//! - `exit`, `signal`: exit codes, and signals that end the program

mod ask;
mod blinkd;
mod browser;
mod cli;
mod client;
mod cmd;
mod complete;
mod context;
mod days;
mod exit;
mod output;
mod own;
mod progress;
mod record;
mod signal;
mod start;
mod target;
mod unreachable;
mod when;

use std::{panic, process::ExitCode};

use exit::Failure;
use output::Output;

fn main() -> ExitCode {
    match complete::answered() {
        Ok(false) => {}
        Ok(true) => return ExitCode::SUCCESS,
        Err(error) => error.exit(),
    }
    let cli = match cli::parse() {
        Ok(cli) => cli,
        Err(status) => return status.into(),
    };
    let output = Output::new(cli.json);
    // The hook is silenced, because the one line below says what a person can do; a backtrace does not help them.
    panic::set_hook(Box::new(|_| {}));
    let ended = panic::catch_unwind(panic::AssertUnwindSafe(|| cmd::run(cli.command, output)))
        .unwrap_or_else(|payload| Err(Failure::from_panic(payload.as_ref())));
    match ended {
        Ok(status) => status.into(),
        Err(failure) => {
            output.failure(&failure.problem);
            failure.status.into()
        }
    }
}
