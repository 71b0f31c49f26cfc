//! Does everything that may fail before the server answers: migrates the database and opens keys, ledger and archive.

use std::fs;

use crate::{
    archive::Archive,
    auth::{keys::Keyring, password},
    config::{ArchiveConfig, DatabaseConfig},
    db::{Db, migrate},
    desk::keys::DeskKeys,
    domain::time::UtcMs,
    failure::{Failure, chain},
    ledger::Ledger,
    open,
};

pub(super) struct Prepared {
    pub(super) db: Db,
    pub(super) keys: Keyring,
    pub(super) ledger: Ledger,
    pub(super) archive: Option<Archive>,
    pub(super) desk_keys: DeskKeys,
    /// The lock that keeps other servers off an SQLite database.
    pub(super) claim: Option<fs::File>,
}

pub(super) fn prepare(
    config: &DatabaseConfig,
    archive: Option<&ArchiveConfig>,
    now: UtcMs,
) -> Result<Prepared, Failure> {
    open::prepare_folder(&config.target)?;
    let claim = if config.alone { open::claim(&config.target)? } else { None };
    let mut conn = open::connect(&config.target)?;
    if config.migrate {
        migrate::run(&mut conn, &config.target).map_err(|e| {
            Failure::failed(
                "migration_failed",
                format!("The database cannot be brought up to date: {}", chain(&e)),
                "Nothing of the failed migration was kept; check the disk, or restore a backup.",
            )
        })?;
    } else if migrate::pending(&mut conn).map_err(|e| {
        Failure::failed("database_unreadable", chain(&e), "Check DATABASE_URL, or run `cloud-api migrate`.")
    })? {
        return Err(Failure::failed(
            "migrations_missing",
            "The database is older than this program",
            "Run `cloud-api migrate`, or start without --no-migrate.",
        ));
    }
    if config.target.sqlite_path().is_none() && config.master_key_file.is_none() {
        tracing::warn!("CLOUD_API_MASTER_KEY_FILE is not set: signing keys are in the database in the clear");
    }
    let keys = open::open_keys(&mut conn, config, now, false)?;
    let archive = archive.map(|archive| Archive::open(archive, config, &mut conn)).transpose()?;
    // The ledger makes its folder, in which the desk may keep its key.
    let ledger = open::open_ledger(&config.ledger)?;
    let desk_keys = DeskKeys::open(config, &mut conn)?;
    password::warm_up();
    Ok(Prepared { db: Db::new(&config.target, config.connections), keys, ledger, archive, desk_keys, claim })
}
