//! The program's commands, each in its own file.

pub(crate) mod admin;
pub(crate) mod archive;
pub(crate) mod attendance;
pub(crate) mod backup;
pub(crate) mod manual;
pub(crate) mod migrate;
pub(crate) mod openapi;
pub(crate) mod purge;
pub(crate) mod restore;
pub(crate) mod serve;
mod signals;

use std::io::Write as _;

use crate::failure::Failure;

/// Says on standard error why nothing happens yet.
#[expect(clippy::print_stderr, reason = "it is no part of the command's output")]
fn say(text: &str) {
    eprintln!("cloud-api: {text}");
}

/// Prints a command's output. A reader that stops reading (a broken pipe) is no failure.
pub(crate) fn print(text: impl AsRef<[u8]>) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_ref()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::failed("output", format!("Standard output: {e}"), "Check where the output goes."))
        }
        _ => Ok(()),
    }
}
