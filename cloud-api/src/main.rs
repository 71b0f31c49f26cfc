//! Start: settings, then the command, then the exit code.

use std::process::ExitCode;

use cloud_api::{cli, config::env_file, failure::Failure};

fn main() -> ExitCode {
    // One TLS provider for every library, before any of them asks.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match env_file::load().and_then(|()| cli::run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => fail(&failure),
    }
}

#[expect(clippy::print_stderr, reason = "the one line that says what to do")]
fn fail(failure: &Failure) -> ExitCode {
    eprintln!("cloud-api: {failure}");
    failure.exit_code()
}
