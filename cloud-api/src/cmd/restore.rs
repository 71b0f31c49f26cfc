//! `cloud-api restore` reads a backup into an empty database.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::{
    backup,
    clock::Clock,
    config::DatabaseArgs,
    db::{migrate, transaction},
    failure::{Failure, chain},
    ledger::{self, Entry},
    open,
};

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The backup; - is standard input
    file: PathBuf,
    /// There is no ledger: people who were erased or withdrew since the backup are back as they were
    #[arg(long)]
    no_ledger: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

pub(crate) fn run(args: &RestoreArgs) -> Result<(), Failure> {
    let config = args.database.resolve()?;
    let ledger = if args.no_ledger { Vec::new() } else { read_ledger(&config.ledger)? };
    open::prepare_folder(&config.target)?;
    let mut conn = open::connect(&config.target)?;
    let failed = |e: &dyn std::error::Error, fix: &str| Failure::failed("restore_failed", chain(e), fix);
    migrate::run_saying(&mut conn, &config.target, super::say).map_err(|e| failed(&e, "Give an empty database."))?;
    let now = Clock::System.now();
    let restored = transaction(&mut conn, |conn| backup::restore(conn, &args.file, &ledger, now))
        .map_err(|e| failed(&e, "Give a whole backup and an empty database; nothing was changed."))?;
    if args.no_ledger {
        super::print("No ledger was read\n")?;
    } else {
        super::print(format!("{} lines of the ledger {} read\n", ledger.len(), config.ledger.display()))?;
    }
    super::print(format!(
        "{} rows restored; {} people stay erased, {} consents stay withdrawn\n",
        restored.rows, restored.erased, restored.withdrawals
    ))?;
    if restored.grants > 0 {
        super::print(format!(
            "{} consents that the ledger says were given since the backup are not restored: whoever has not withdrawn \
             since is asked again\n",
            restored.grants
        ))?;
    }
    if restored.early_erasures > 0 {
        super::print(format!(
            "{} of these people were erased more than an hour before the backup was made, says the ledger: the clocks \
             differed, or those erasures failed and were not taken back\n",
            restored.early_erasures
        ))?;
    }
    Ok(())
}

fn read_ledger(path: &Path) -> Result<Vec<Entry>, Failure> {
    ledger::read(path).map_err(|e| {
        let fix = "Set CLOUD_API_LEDGER to the newest ledger: without it people who were erased would be back. If there \
                   is none, say so with --no-ledger.";
        Failure::failed("ledger_unreadable", chain(&e), fix)
    })
}
