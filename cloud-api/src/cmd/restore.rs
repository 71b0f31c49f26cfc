//! `cloud-api restore`: a backup becomes a database again.

use super::FileArgs;
use crate::{
    backup,
    clock::Clock,
    db::{migrate, transaction},
    failure::{Failure, chain},
    ledger, open,
};

#[expect(clippy::print_stdout, reason = "the command's output")]
pub(crate) fn run(args: &FileArgs) -> Result<(), Failure> {
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
    println!(
        "{} rows restored; {} people stay erased, {} consents since the backup kept",
        restored.rows, restored.erased, restored.consents
    );
    Ok(())
}
