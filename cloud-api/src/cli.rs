//! The command line.

use clap::{Parser, Subcommand, error::ErrorKind};

use crate::{
    admin::{self, AdminArgs},
    clock::Clock,
    config::{Config, DatabaseArgs, ServeArgs},
    db::{migrate, purge, transaction, types::UtcMs},
    failure::{Failure, chain},
    logging,
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
    /// Print the API's description, an OpenAPI document.
    #[command(after_help = "Example: cloud-api openapi > openapi.json")]
    Openapi,
    /// Remove what is past its retention, and end.
    #[command(after_help = "Example: cloud-api purge --retention-days 365")]
    Purge(DatabaseArgs),
    /// Make and change accounts at the machine.
    Admin(Box<AdminArgs>),
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
        Some(Cli { command: Command::Openapi }) => print_description(),
        Some(Cli { command: Command::Purge(args) }) => run_purge(&args),
        Some(Cli { command: Command::Admin(args) }) => admin::run(&args),
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
    logging::start(&config.log)?;
    actix_web::rt::System::new().block_on(async {
        let application = Application::build(config, Clock::System).await?;
        startup::announce(&application);
        application.run_until_stopped(startup::stop_signal()?).await
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
