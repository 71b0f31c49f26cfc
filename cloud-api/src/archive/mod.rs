//! The archive: raw batches as they were accepted, and the server's log, encrypted, in a folder or in S3.
//!
//! A batch is sealed with its person's key and queued in the transaction that stores its minutes, so neither a crash
//! nor an outage of the store loses it. No fault of the archive fails an upload: while the queue is full, or when the
//! key cannot be had, a batch is stored but never archived, which is logged and counted. A job writes queued batches
//! into objects. Erasing a person destroys their key in the same transaction, which makes every copy of their objects
//! unreadable; a job then removes the objects and tries until they are gone.
//!
//! - [`codec`]: the format of an object; [`keys`]: a key for each person
//! - [`store`]: a folder, or S3
//! - [`outbox`]: seals batches; [`worker`]: writes them into objects; [`removals`]: removes objects
//! - [`spool`], [`logs`]: the log's way into the archive
//! - [`rewrap`]: changing the master key

pub mod codec;
pub(crate) mod keys;
pub mod logs;
pub(crate) mod outbox;
pub(crate) mod removals;
pub(crate) mod rewrap;
pub mod spool;
pub mod store;
pub mod worker;

use std::{
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
};

use crate::{
    auth::master::MasterKey,
    config::Target,
    config::{ArchiveConfig, DatabaseConfig},
    db::{archive, conn::Conn},
    failure::{Failure, chain},
};
use keys::Keys;
use store::Stores;

pub struct Archive {
    pub stores: Stores,
    pub keys: Keys,
    /// Batches of one person are gathered for this long before they become an object.
    pub gather_ms: i64,
    queue_max_bytes: i64,
    full: AtomicBool,
}

impl Archive {
    /// Opens the archive. A store that does not answer does not keep the server from starting.
    ///
    /// Fails when there is no master key, when it is not the one that sealed the archive's keys, or when the folder
    /// cannot be made.
    pub fn open(config: &ArchiveConfig, database: &DatabaseConfig, conn: &mut Conn) -> Result<Self, Failure> {
        let keys = Keys::new(master(database)?);
        let row = archive::any_key(conn).map_err(|e| {
            Failure::failed("database_failed", chain(&e), "Run `cloud-api migrate`, and check DATABASE_URL.")
        })?;
        if let Some(row) = row {
            keys.open(&row).map_err(|e| {
                let fix = "Give CLOUD_API_MASTER_KEY_FILE, or put back the .archive.key file beside the database.";
                Failure::failed("bad_master_key", chain(&e), fix)
            })?;
        }
        Ok(Self {
            stores: Stores::open(config)?,
            keys,
            gather_ms: config.gather_ms,
            queue_max_bytes: config.queue_max_bytes,
            full: AtomicBool::new(false),
        })
    }

    /// Whether the queue has reached its limit. While it has, batches are not archived.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    fn set_full(&self, full: bool) -> bool {
        self.full.swap(full, Ordering::Relaxed)
    }
}

/// The master key of the attendance desk's keys: as [`master`]; on PostgreSQL without an operator's key, which is on
/// loopback alone, a file beside the ledger.
pub fn desk_master(database: &DatabaseConfig) -> Result<MasterKey, Failure> {
    let bare = database.master_key_file.is_none() && database.target.sqlite_path().is_none();
    if !bare {
        return master(database);
    }
    keys::own_master(&desk_key_file(database)).map_err(|e| {
        let fix = "Make the ledger's folder writable, or set CLOUD_API_MASTER_KEY_FILE.";
        Failure::failed("bad_master_key", chain(&e), fix)
    })
}

/// The file beside the ledger.
pub fn desk_key_file(database: &DatabaseConfig) -> PathBuf {
    database.ledger.with_extension("attendance.key")
}

/// The operator's master key; with SQLite, without one, a file beside the database.
pub fn master(database: &DatabaseConfig) -> Result<MasterKey, Failure> {
    let read = match (&database.master_key_file, &database.target) {
        (Some(path), _) => MasterKey::read(path),
        (None, Target::Sqlite(path)) => keys::own_master(&path.with_extension("archive.key")),
        (None, Target::Postgres(_)) => {
            return Err(Failure::usage(
                "no_master_key",
                "On PostgreSQL the archive's keys need a master key",
                "Make one with: openssl rand -base64 32 > FILE; then set CLOUD_API_MASTER_KEY_FILE=FILE.",
            ));
        }
    };
    read.map_err(|e| {
        Failure::usage("bad_master_key", chain(&e), "Make one with: openssl rand -base64 32 > FILE; chmod 600 FILE.")
    })
}
