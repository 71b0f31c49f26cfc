//! `blinkctl completions`: prints a completion script for a shell.

use clap::CommandFactory;
use clap_complete::Shell;
use serde_json::json;

use crate::{cli::Cli, context::Context, exit::Failure};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  blinkctl completions bash > ~/.local/share/bash-completion/completions/blinkctl
  blinkctl completions zsh > ~/.zfunc/_blinkctl
  blinkctl completions fish > ~/.config/fish/completions/blinkctl.fish")]
pub(crate) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "blinkctl", &mut script);
    let script = String::from_utf8_lossy(&script);
    let json = json!({ "shell": args.shell.to_string(), "script": script });
    context.output.result(&json, |_| script.clone().into_owned())
}
