//! `cloud-api purge` deletes what is past retention.

use clap::Args;

use crate::{
    clock::Clock,
    config::DatabaseArgs,
    db::{
        DbError,
        housekeeping::{self, ClockTrust},
        purge, transaction,
    },
    failure::{Failure, chain},
    open,
};

#[derive(Debug, Args)]
pub(crate) struct PurgeArgs {
    /// This machine's clock is right, although much time has passed since the last time
    #[arg(long)]
    trust_clock: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

pub(crate) fn run(args: &PurgeArgs) -> Result<(), Failure> {
    let config = args.database.resolve()?;
    let mut conn = open::existing(&config.target)?;
    let now = Clock::System.now();
    let failed =
        |e: DbError| Failure::failed("database_failed", chain(&e), "Run `cloud-api migrate`, and check DATABASE_URL.");
    let trust = transaction(&mut conn, |conn| housekeeping::begin_run(conn, now, args.trust_clock)).map_err(failed)?;
    if let ClockTrust::Doubted { last_run } = trust {
        let last = last_run.map_or_else(|| "never".to_owned(), |at| at.timestamp().to_string());
        return Err(Failure::failed(
            "clock_doubted",
            format!("It is {} by this machine's clock, and retention last ran: {last}", now.timestamp()),
            "Set the clock; if it is right, run `cloud-api purge --trust-clock`.",
        ));
    }
    let purged = purge::run(&mut conn, purge::keep_from(now, config.retention_days), now).map_err(failed)?;
    super::print(format!(
        "{} minutes, {} sessions, {} links removed\n",
        purged.minutes, purged.sessions, purged.links
    ))?;
    if purged.months > 0 {
        super::print(format!("{} whole months of minutes removed\n", purged.months))?;
    }
    if purged.objects > 0 {
        super::print(format!(
            "{} objects of the archive marked; the server, or `cloud-api archive check`, removes them\n",
            purged.objects
        ))?;
    }
    Ok(())
}
