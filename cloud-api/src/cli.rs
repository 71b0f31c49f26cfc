//! Parses the command line and runs the chosen command.

use blink_manual::{CompletionsArgs, ManArgs};
use clap::{CommandFactory as _, Parser, Subcommand, error::ErrorKind};

use crate::{
    cmd::{
        self, admin::AdminArgs, archive::ArchiveCommandArgs, attendance::AttendanceCommandArgs, backup::BackupArgs,
        purge::PurgeArgs, restore::RestoreArgs,
    },
    config::{DatabaseArgs, ServeArgs},
    failure::Failure,
};

/// Receives minutes from every machine of an organisation and shows people their history.
///
/// Settings come from flags, from the environment and from a .env file in the working directory, in this order.
#[derive(Debug, Parser)]
#[command(name = "cloud-api", version, after_help = "Example: cloud-api serve --listen 127.0.0.1:8080")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer requests until stopped; the database is brought up to date first.
    #[command(after_help = "Example: DATABASE_URL=sqlite:/var/lib/cloud-api/server.db cloud-api serve")]
    Serve(Box<ServeArgs>),
    /// Bring the database up to date and end.
    #[command(after_help = "Example: cloud-api migrate --database sqlite:/var/lib/cloud-api/server.db")]
    Migrate(DatabaseArgs),
    /// Write everything to a file, from which either kind of database can be restored.
    #[command(after_help = "Example: cloud-api backup /var/backups/cloud-api.jsonl.gz")]
    Backup(BackupArgs),
    /// Restore a backup into an empty database, and do again what people asked for since.
    #[command(after_help = "Example: cloud-api restore /var/backups/cloud-api.jsonl.gz")]
    Restore(RestoreArgs),
    /// Print the API's description, an OpenAPI document.
    #[command(after_help = "Example: cloud-api openapi > openapi.json")]
    Openapi,
    /// Remove what is past its retention, and end.
    #[command(after_help = "Example: cloud-api purge --retention-days 365")]
    Purge(PurgeArgs),
    /// Make and change accounts at the machine.
    Admin(Box<AdminArgs>),
    /// Look into the archive of raw batches and logs.
    Archive(Box<ArchiveCommandArgs>),
    /// Take records of attendance in, and give them out.
    Attendance(Box<AttendanceCommandArgs>),
    /// Print a script that completes commands in your shell.
    #[command(after_help = "Example: cloud-api completions fish > ~/.config/fish/completions/cloud-api.fish")]
    Completions(CompletionsArgs),
    /// Print the manual, or write all its pages.
    #[command(after_help = "Example: cloud-api man --dir ~/.local/share/man/man1")]
    Man(ManArgs),
}

pub fn run() -> Result<(), Failure> {
    match parse(std::env::args_os())? {
        None => Ok(()),
        Some(Cli { command: Command::Serve(args) }) => cmd::serve::run(&args),
        Some(Cli { command: Command::Migrate(args) }) => cmd::migrate::run(&args),
        Some(Cli { command: Command::Backup(args) }) => cmd::backup::run(&args),
        Some(Cli { command: Command::Restore(args) }) => cmd::restore::run(&args),
        Some(Cli { command: Command::Openapi }) => cmd::openapi::run(),
        Some(Cli { command: Command::Purge(args) }) => cmd::purge::run(&args),
        Some(Cli { command: Command::Admin(args) }) => cmd::admin::run(&args),
        Some(Cli { command: Command::Archive(args) }) => cmd::archive::run(&args),
        Some(Cli { command: Command::Attendance(args) }) => cmd::attendance::run(&args),
        Some(Cli { command: Command::Completions(args) }) => cmd::manual::completions(&args, Cli::command()),
        Some(Cli { command: Command::Man(args) }) => cmd::manual::man(&args, Cli::command()),
    }
}

/// Prints help and version itself and then returns `None`.
fn parse<T: Into<std::ffi::OsString> + Clone>(args: impl IntoIterator<Item = T>) -> Result<Option<Cli>, Failure> {
    match Cli::try_parse_from(args) {
        Ok(cli) => Ok(Some(cli)),
        Err(e) if matches!(e.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            let _ = e.print();
            Ok(None)
        }
        Err(e) => {
            let text = e.render().to_string();
            let message = match e.kind() {
                ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => "A command is missing",
                _ => text.lines().next().unwrap_or_default().trim_start_matches("error: "),
            };
            Err(Failure::usage("usage", message, "See `cloud-api --help`."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn wrong_usage_is_one_line_and_exit_2() {
        let failure = parse(["cloud-api", "serve", "--no-such-flag"]).unwrap_err();
        assert_eq!(failure.kind, crate::failure::Kind::Usage);
        assert_eq!(failure.to_string().lines().count(), 1);
        assert!(failure.to_string().contains("--no-such-flag"));
    }
}
