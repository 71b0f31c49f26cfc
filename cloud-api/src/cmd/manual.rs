//! `cloud-api man` and `cloud-api completions`: what packages install beside the program.

use blink_manual::{CompletionsArgs, ManArgs};
use clap::Command;

use crate::failure::Failure;

pub(crate) fn man(args: &ManArgs, program: Command) -> Result<(), Failure> {
    let Some(dir) = &args.dir else { return super::print(blink_manual::page(program)) };
    let files = blink_manual::write_pages(program, dir).map_err(|error| {
        let message = format!("The pages cannot be written to {}: {error}", dir.display());
        Failure::failed("output", message, "Choose another folder.")
    })?;
    super::print(format!("Wrote {} pages to {}.\n", files.len(), dir.display()))
}

pub(crate) fn completions(args: &CompletionsArgs, program: Command) -> Result<(), Failure> {
    super::print(blink_manual::completions(args.shell, program))
}
