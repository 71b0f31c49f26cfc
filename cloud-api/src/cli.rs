//! The command line.

use std::{path::PathBuf, sync::Arc};

use clap::{Args, Parser, Subcommand, error::ErrorKind};

use crate::{
    admin::{self, AdminArgs},
    archive::{
        command::{self, ArchiveCommandArgs},
        spool::Spool,
    },
    backup,
    clock::Clock,
    config::{Config, DatabaseArgs, ServeArgs},
    db::{migrate, purge, transaction, types::UtcMs},
    failure::{Failure, chain},
    ledger, logging,
    startup::{self, Application},
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
    Backup(FileArgs),
    /// Restore a backup into an empty database, and do again what people asked for since.
    #[command(after_help = "Example: cloud-api restore /var/backups/cloud-api.jsonl.gz")]
    Restore(FileArgs),
    /// Print the API's description, an OpenAPI document.
    #[command(after_help = "Example: cloud-api openapi > openapi.json")]
    Openapi,
    /// Remove what is past its retention, and end.
    #[command(after_help = "Example: cloud-api purge --retention-days 365")]
    Purge(DatabaseArgs),
    /// Make and change accounts at the machine.
    Admin(Box<AdminArgs>),
    /// Look into the archive of raw batches and logs.
    Archive(Box<ArchiveCommandArgs>),
}

#[derive(Debug, Args)]
struct FileArgs {
    /// The backup
    file: PathBuf,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Runs the command that the command line names.
///
/// # Errors
/// With the line to print and the exit code.
pub fn run() -> Result<(), Failure> {
    match parse(std::env::args_os())? {
        None => Ok(()),
        Some(Cli { command: Command::Serve(args) }) => serve(&args),
        Some(Cli { command: Command::Migrate(args) }) => run_migrate(&args),
        Some(Cli { command: Command::Backup(args) }) => run_backup(&args),
        Some(Cli { command: Command::Restore(args) }) => run_restore(&args),
        Some(Cli { command: Command::Openapi }) => print_description(),
        Some(Cli { command: Command::Purge(args) }) => run_purge(&args),
        Some(Cli { command: Command::Admin(args) }) => admin::run(&args),
        Some(Cli { command: Command::Archive(args) }) => command::run(&args),
    }
}

/// Help and version are printed here and give `None`.
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

fn serve(args: &ServeArgs) -> Result<(), Failure> {
    let config = Config::from_args(args)?;
    let spool = config.archive.is_some().then(|| open_spool(&config)).transpose()?;
    logging::start(&config.log, spool.clone())?;
    actix_web::rt::System::new().block_on(async {
        let application = Application::build(config, Clock::System).await?.with_spool(spool);
        startup::announce(&application);
        application.run_until_stopped(startup::stop_signal()?).await
    })
}

/// Beside the ledger: the place outside the database that must be there and be written anyway.
fn open_spool(config: &Config) -> Result<Arc<Spool>, Failure> {
    let folder = config.database.ledger.with_extension("log-spool");
    Spool::new(&folder).map(Arc::new).map_err(|e| {
        let message = format!("The log on its way into the archive cannot be kept in {}: {e}", folder.display());
        Failure::failed(
            "spool_unwritable",
            message,
            "Make its folder writable, or set CLOUD_API_LEDGER=FILE elsewhere.",
        )
    })
}

#[expect(clippy::print_stdout, reason = "the command's output")]
fn run_migrate(args: &DatabaseArgs) -> Result<(), Failure> {
    let config = args.resolve()?;
    startup::prepare_folder(&config.target)?;
    let mut conn = startup::connect(&config.target)?;
    let done = migrate::run(&mut conn, &config.target).map_err(|e| {
        Failure::failed(
            "migration_failed",
            chain(&e),
            "Nothing of the failed migration was kept; restore a backup or report it.",
        )
    })?;
    println!("{done} migrations applied");
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the command's output")]
fn print_description() -> Result<(), Failure> {
    println!("{:#}", crate::openapi::document());
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the command's output")]
fn run_purge(args: &DatabaseArgs) -> Result<(), Failure> {
    let config = args.resolve()?;
    let mut conn = startup::connect(&config.target)?;
    let now = Clock::System.now();
    let keep_from = UtcMs((now.0.div_euclid(86_400_000) - i64::from(config.retention_days)) * 86_400_000);
    let purged = transaction(&mut conn, |conn| purge::run(conn, keep_from, now)).map_err(|e| {
        Failure::failed("database_failed", chain(&e), "Run `cloud-api migrate`, and check DATABASE_URL.")
    })?;
    println!("{} minutes, {} sessions, {} links removed", purged.minutes, purged.sessions, purged.links);
    if purged.objects > 0 {
        println!(
            "{} objects of the archive marked; the server, or `cloud-api archive check`, removes them",
            purged.objects
        );
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the command's output")]
fn run_backup(args: &FileArgs) -> Result<(), Failure> {
    let mut conn = startup::connect(&args.database.resolve()?.target)?;
    let rows = backup::write(&mut conn, &args.file, Clock::System.now().timestamp()).map_err(|e| {
        Failure::failed("backup_failed", chain(&e), "Check DATABASE_URL, and that the folder can be written.")
    })?;
    println!("{rows} rows in {}", args.file.display());
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the command's output")]
fn run_restore(args: &FileArgs) -> Result<(), Failure> {
    let config = args.database.resolve()?;
    startup::prepare_folder(&config.target)?;
    let mut conn = startup::connect(&config.target)?;
    let failed = |e: &dyn std::error::Error, fix: &str| Failure::failed("restore_failed", chain(e), fix);
    migrate::run(&mut conn, &config.target).map_err(|e| failed(&e, "Give an empty database."))?;
    let ledger = ledger::read(&config.ledger)
        .map_err(|e| failed(&e, "Mend the ledger: without it people who were erased would be back."))?;
    let now = Clock::System.now();
    let restored = transaction(&mut conn, |conn| backup::restore(conn, &args.file, &ledger, now))
        .map_err(|e| failed(&e, "Give a whole backup and an empty database; nothing was changed."))?;
    println!(
        "{} rows restored; {} people stay erased, {} consents since the backup kept",
        restored.rows, restored.erased, restored.consents
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

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
