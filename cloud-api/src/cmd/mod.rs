//! A file for each command of the program.

pub mod admin;
pub mod archive;
pub mod backup;
pub mod migrate;
pub mod openapi;
pub mod purge;
pub mod restore;
pub mod serve;
mod signals;

use std::io::Write as _;

use crate::failure::Failure;

/// Prints what a command says. Whoever reads may stop reading; any other failure is one.
pub(crate) fn print(text: impl AsRef<[u8]>) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_ref()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::failed("output", format!("Standard output: {e}"), "Check where the output goes."))
        }
        _ => Ok(()),
    }
}
