//! `blinkctl man`: the manual.

use blink_manual::ManArgs as Args;
use clap::CommandFactory;
use serde_json::json;

use crate::{cli::Cli, context::Context, exit::Failure, output::path_text};

pub(crate) fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    let Some(dir) = &args.dir else {
        let page = blink_manual::page(Cli::command());
        return context.output.result(&json!({ "page": page }), |_| page.clone());
    };
    let files = blink_manual::write_pages(Cli::command(), dir).map_err(|error| {
        let message = format!("The pages cannot be written to {}: {error}", dir.display());
        Failure::failed("unwritable", message, "Choose another folder.")
    })?;
    let json = json!({ "dir": path_text(dir), "files": files });
    context.output.result(&json, |_| format!("Wrote {} pages to {}.\n", files.len(), dir.display()))
}
