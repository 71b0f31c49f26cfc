//! `blinkd man` and `blinkd completions`: what packages install beside the program.

use blink_manual::{CompletionsArgs, ManArgs};
use blink_proto::problem::code;
use clap::CommandFactory as _;

use crate::{cli::Cli, exit::Failure, stdout};

pub(crate) fn man(args: &ManArgs) -> Result<(), Failure> {
    let Some(dir) = &args.dir else { return stdout::text(&blink_manual::page(Cli::command())) };
    let files = blink_manual::write_pages(Cli::command(), dir).map_err(|error| {
        let message = format!("The pages cannot be written to {}: {error}", dir.display());
        Failure::failed(code::OUTPUT, message, "Choose another folder.")
    })?;
    stdout::text(&format!("Wrote {} pages to {}.\n", files.len(), dir.display()))
}

pub(crate) fn completions(args: &CompletionsArgs) -> Result<(), Failure> {
    stdout::text(&blink_manual::completions(args.shell, Cli::command()))
}
