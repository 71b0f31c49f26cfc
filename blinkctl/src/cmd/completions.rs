//! `blinkctl completions`: prints a completion script for a shell.

use blink_manual::CompletionsArgs as Args;
use serde_json::json;

use crate::{complete, context::Context, exit::Failure};

pub(crate) fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    let script = complete::script(args.shell).map_err(|error| {
        let message = format!("There is no script for {}: {error}", args.shell);
        Failure::failed("no_script", message, "Choose another shell.")
    })?;
    let json = json!({ "shell": args.shell.to_string(), "script": script });
    context.output.result(&json, |_| script.clone())
}
