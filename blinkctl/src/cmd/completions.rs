//! `blinkctl completions`: prints a completion script for a shell.

use blink_manual::CompletionsArgs as Args;
use clap::CommandFactory;
use serde_json::json;

use crate::{cli::Cli, context::Context, exit::Failure};

pub(crate) fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    let script = blink_manual::completions(args.shell, Cli::command());
    let json = json!({ "shell": args.shell.to_string(), "script": script });
    context.output.result(&json, |_| script.clone())
}
