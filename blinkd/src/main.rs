//! The order of the program: silence the libraries, install TLS, parse the arguments, run the command, exit.

use std::{env, panic};

use blink_proto::problem::code;
use blinkd::{
    cli::Cli,
    exit::{ExitStatus, Failure},
    quiet, resident, stderr, stdout,
};
use clap::Parser as _;

#[expect(unsafe_code, reason = "the environment can only be set before threads start")]
fn main() -> ! {
    // SAFETY: no thread has been started yet.
    unsafe { quiet::silence_libraries() };
    resident::share_heaps();
    resident::release_loader_pages();
    stderr::take();
    quiet::log_panics();
    // An error means that a provider is installed already, which is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    run().leave()
}

fn run() -> ExitStatus {
    let json = env::args_os().take_while(|arg| arg != "--").any(|arg| arg == "--json");
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(help) if !help.use_stderr() => {
            return finish(stdout::text(&help.render().to_string()), json);
        }
        Err(error) => return finish(Err(Failure::from(&error)), json),
    };
    let outcome = panic::catch_unwind(|| cli.command.run()).unwrap_or_else(|_| {
        Err(Failure::failed(
            code::INTERNAL,
            "blinkd stopped on a mistake of its own",
            "Please report it with the newest file of the log folder.",
        ))
    });
    finish(outcome, json)
}

fn finish(outcome: Result<(), Failure>, json: bool) -> ExitStatus {
    match outcome {
        Ok(()) => ExitStatus::Done,
        Err(failure) => {
            failure.print(json);
            failure.status
        }
    }
}
