//! `cloud-api restore` reads a backup into an empty database.

use std::path::PathBuf;

use clap::Args;

use crate::{
    backup,
    clock::Clock,
    config::DatabaseArgs,
    db::{migrate, transaction},
    failure::{Failure, chain},
    ledger, open,
};

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The backup; - is standard input
    file: PathBuf,
    #[command(flatten)]
    database: DatabaseArgs,
}

pub(crate) fn run(args: &RestoreArgs) -> Result<(), Failure> {
    let config = args.database.resolve()?;
    open::prepare_folder(&config.target)?;
    let mut conn = open::connect(&config.target)?;
    let failed = |e: &dyn std::error::Error, fix: &str| Failure::failed("restore_failed", chain(e), fix);
    migrate::run(&mut conn, &config.target).map_err(|e| failed(&e, "Give an empty database."))?;
    let ledger = ledger::read(&config.ledger)
        .map_err(|e| failed(&e, "Mend the ledger: without it people who were erased would be back."))?;
    let now = Clock::System.now();
    let restored = transaction(&mut conn, |conn| backup::restore(conn, &args.file, &ledger, now))
        .map_err(|e| failed(&e, "Give a whole backup and an empty database; nothing was changed."))?;
    super::print(format!(
        "{} rows restored; {} people stay erased, {} consents since the backup kept\n",
        restored.rows, restored.erased, restored.consents
    ))?;
    if restored.early_erasures > 0 {
        super::print(format!(
            "{} of these people were erased more than an hour before the backup was made, says the ledger: the clocks \
             differed, or those erasures failed and were not taken back\n",
            restored.early_erasures
        ))?;
    }
    Ok(())
}
