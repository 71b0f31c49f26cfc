//! The command line, parsed by clap. The doc comments of its types are the texts of `--help`.

use std::{
    env,
    ffi::OsStr,
    io::{self, Write},
};

use blink_proto::{Problem, text::capitalised};
use clap::{Parser, Subcommand, error::ErrorKind};

use crate::{
    cmd,
    exit::ExitStatus,
    output::{Output, unwritten},
};

/// blinkd in the terminal: what your eyes do, and what the daemon does.
#[derive(Debug, Parser)]
#[command(
    name = "blinkctl",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "Examples:
  blinkctl setup                 the first time
  blinkctl status --watch        what is happening now, redrawn as it changes
  blinkctl pause --for 30m       no counting for half an hour
  blinkctl consent withdraw      close the camera and stop sending, at once

Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 blinkd is not running, 4 not signed in."
)]
pub(crate) struct Cli {
    /// Print one JSON object instead of text; a failure is one on stderr
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Every command.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show state, counts, rate, account, queue and cost
    Status(cmd::status::Args),
    /// Watch your eyes full screen: the trace, each blink, rate and cost
    Live(cmd::live::Args),
    /// Set everything up, step by step: consent, camera, account, start at sign-in
    Setup(cmd::setup::Args),
    /// Stop counting for a while; the camera is closed
    Pause(cmd::pause::Args),
    /// Go on counting
    Resume(cmd::pause::ResumeArgs),
    /// Pause, or go on when paused
    Toggle(cmd::pause::ToggleArgs),
    /// Hand the camera to another program for a while
    Yield(cmd::hand_over::Args),
    /// Open the dashboard of your account in the browser
    Open(cmd::open::Args),
    /// Stop blinkd; it stays stopped until started again
    Quit(cmd::quit::Args),
    /// Show charts of the last days: rate, coverage, hours of the week
    Report(cmd::report::Args),
    /// Write a week's letter: what changed against your usual, and how sure that is
    Letter(cmd::letter::Args),
    /// Ask a language model of your choice about your figures; nothing leaves that you cannot see before
    Ask(cmd::ask::Args),
    /// Let an assistant on this machine read your figures, over the Model Context Protocol
    Mcp(cmd::mcp::Args),
    /// Show, grant or withdraw this machine's consent
    Consent(cmd::consent::Args),
    /// Make an account on a server and sign in
    Register(cmd::account::RegisterArgs),
    /// Sign in to an account
    Login(cmd::account::LoginArgs),
    /// Sign out; minutes not sent yet are kept for your return
    Logout(cmd::account::LogoutArgs),
    /// Show who is signed in
    Whoami(cmd::account::WhoamiArgs),
    /// Send what waits, and wait until it is there
    Sync(cmd::sync::Args),
    /// Write your minutes as JSON, CSV or Parquet
    Export(cmd::export::Args),
    /// Take an export back into this machine's history
    Import(cmd::import::Args),
    /// Erase your minutes, your account, or everything, and print a receipt
    Delete(cmd::delete::Args),
    /// Learn or forget your face, to follow you among several people
    Owner(cmd::owner::Args),
    /// Show which cameras there are, and who uses them
    Cameras(cmd::cameras::Args),
    /// Look for every cause of trouble, and say what mends it
    Doctor(cmd::doctor::Args),
    /// Show or change blinkd's settings
    Config(cmd::config::Args),
    /// Start blinkd with every sign-in, or no longer
    Service(cmd::service::Args),
    /// Print a script that completes commands in your shell
    #[command(after_help = "Examples:
  blinkctl completions bash > ~/.local/share/bash-completion/completions/blinkctl
  blinkctl completions zsh > ~/.zfunc/_blinkctl
  blinkctl completions fish > ~/.config/fish/completions/blinkctl.fish")]
    Completions(blink_manual::CompletionsArgs),
    /// Print the manual, or write all its pages
    #[command(after_help = "Examples:
  blinkctl man | man -l -
  blinkctl man --dir ~/.local/share/man/man1")]
    Man(blink_manual::ManArgs),
}

/// Parses the command line, or prints help, version or the error.
pub(crate) fn parse() -> Result<Cli, ExitStatus> {
    Cli::try_parse().map_err(|error| {
        let json = env::args_os().skip(1).take_while(|arg| arg != "--").any(|arg| arg == OsStr::new("--json"));
        match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => match error.print() {
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                    Output::new(json).failure(&unwritten(&error).problem);
                    ExitStatus::Failed
                }
                _ => ExitStatus::Done,
            },
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand if !json => {
                let _ = write!(anstream::stderr(), "{}", error.render().ansi());
                ExitStatus::Usage
            }
            _ => {
                Output::new(json).failure(&usage_problem(&error));
                ExitStatus::Usage
            }
        }
    })
}

/// clap's message without the usage that follows it, which `--help` shows in full.
fn usage_problem(error: &clap::Error) -> Problem {
    let fix = "`blinkctl --help` and `blinkctl COMMAND --help` show what there is.";
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return Problem::new("usage", "The command is missing", fix);
    }
    let text = error.render().to_string();
    let text = text.split("\n\nUsage:").next().unwrap_or_default();
    let text = text.split("\n\nFor more information").next().unwrap_or_default();
    let message = text.trim().trim_start_matches("error: ").replace("\n\n  tip:", ";");
    Problem::new("usage", capitalised(&message.split_whitespace().collect::<Vec<_>>().join(" ")), fix)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound_and_every_command_has_an_example() {
        let mut cli = Cli::command();
        cli.clone().debug_assert();
        for command in cli.get_subcommands_mut() {
            let mut leaves: Vec<_> = command.get_subcommands_mut().map(|c| c.clone()).collect();
            if leaves.is_empty() {
                leaves.push(command.clone());
            }
            for mut leaf in leaves {
                let help = leaf.render_long_help().to_string();
                assert!(help.contains("Example"), "{} has no example:\n{help}", leaf.get_name());
            }
        }
    }
}
