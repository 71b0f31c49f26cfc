//! The command line.

use blink_manual::{CompletionsArgs, ManArgs};
use clap::{Parser, Subcommand};

use crate::{cmd, exit::Failure};

/// Counts real blinks from a webcam without ever storing a picture.
#[derive(Debug, Parser)]
#[command(
    name = "blinkd",
    version,
    after_help = "Examples:\n  blinkd run --headless\n  blinkd run --source synthetic:bpm=12"
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// What blinkd can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Count blinks until stopped
    Run(cmd::run::Args),
    /// Count the blinks of a video file
    Analyze(cmd::analyze::Args),
    /// Say how right and how fast counting is on a video file, or how right on many
    Bench(cmd::bench::Args),
    /// Show which cameras there are
    Cameras(cmd::cameras::Args),
    /// Print a script that completes commands in your shell
    #[command(after_help = "Example:\n  blinkd completions fish > ~/.config/fish/completions/blinkd.fish")]
    Completions(CompletionsArgs),
    /// Show or change the settings
    Config(cmd::config::Args),
    /// Look for every cause of trouble
    Doctor(cmd::doctor::Args),
    /// Erase what is kept on this machine
    #[command(hide = true)]
    Erase(cmd::erase::Args),
    /// Print the manual, or write all its pages
    #[command(after_help = "Examples:\n  blinkd man | man -l -\n  blinkd man --dir ~/.local/share/man/man1")]
    Man(ManArgs),
    /// Show where the models are, or get them
    Models(cmd::models::Args),
    /// Write the synthetic face to a video file
    Synthesize(cmd::synthesize::Args),
}

impl Command {
    pub fn run(self) -> Result<(), Failure> {
        match self {
            Self::Run(args) => cmd::run::run(args),
            Self::Analyze(args) => cmd::analyze::run(&args),
            Self::Bench(args) => cmd::bench::run(&args),
            Self::Cameras(args) => cmd::cameras::run(&args),
            Self::Completions(args) => cmd::manual::completions(&args),
            Self::Config(args) => cmd::config::run(&args),
            Self::Doctor(args) => cmd::doctor::run(&args),
            Self::Erase(args) => cmd::erase::run(&args),
            Self::Man(args) => cmd::manual::man(&args),
            Self::Models(args) => cmd::models::run(&args),
            Self::Synthesize(args) => cmd::synthesize::run(&args),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_sound_and_every_command_has_an_example() {
        let command = Cli::command();
        command.clone().debug_assert();
        for sub in command.get_subcommands() {
            let help = sub.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains(&format!("blinkd {}", sub.get_name())), "{} has no example", sub.get_name());
        }
    }
}
