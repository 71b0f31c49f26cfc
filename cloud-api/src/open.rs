//! Opens what the server and the operator's commands work on: the database, its keys and the ledger. Each failure says
//! what to do.

use std::{fs, io, path::Path};

use diesel::r2d2::ManageConnection as _;

use crate::{
    auth::{
        key_file, key_rows,
        keys::{KeyError, Keyring},
        master::MasterKey,
    },
    config::{DatabaseConfig, Target},
    db::{
        conn::Conn,
        housekeeping::{self, ClockTrust},
        link::Link,
        migrate, transaction,
    },
    domain::time::UtcMs,
    failure::{Failure, Kind, chain},
    ledger::Ledger,
};

/// Opens and rotates the signing keys; `forced` makes a new one.
pub fn open_keys(conn: &mut Conn, config: &DatabaseConfig, now: UtcMs, forced: bool) -> Result<Keyring, Failure> {
    // With a doubted clock no key is due. The table is missing before a database's first start.
    let now = match housekeeping::trust(conn, now) {
        Ok(ClockTrust::Doubted { last_run }) if !forced => last_run.unwrap_or(UtcMs(0)),
        _ => now,
    };
    let master = config.master_key_file.as_deref().map(MasterKey::read).transpose().map_err(|e| {
        Failure::usage("bad_master_key", chain(&e), "Make one with: openssl rand -base64 32 > FILE; chmod 600 FILE.")
    })?;
    let (keys, fix) = match &config.target {
        Target::Sqlite(path) => {
            let fix = "Restore the file, or remove it: everybody signs in again.";
            (key_file::open(&path.with_extension("keys.json"), now, forced), fix)
        }
        Target::Postgres(_) => {
            let keys = transaction(conn, |conn| match conn {
                Conn::Postgres(conn) => key_rows::open(conn, master.as_ref(), now, forced),
                Conn::Sqlite(_) => Err(KeyError::DamagedRows),
            });
            (keys, "Set CLOUD_API_MASTER_KEY_FILE to the key that sealed them.")
        }
    };
    keys.map_err(|e| Failure::failed("bad_keys", chain(&e), fix))
}

pub fn open_ledger(path: &Path) -> Result<Ledger, Failure> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        // A fault of the folder shows when the file is opened.
        let _ = fs::create_dir_all(folder);
    }
    Ledger::open(path).map_err(|e| {
        let fix = "Set CLOUD_API_LEDGER to a file that can be written, outside the database.";
        Failure::failed("ledger_unwritable", chain(&e), fix)
    })
}

/// Makes the folder and the file of an SQLite database, accessible to this user only.
pub fn prepare_folder(target: &Target) -> Result<(), Failure> {
    let Some(path) = target.sqlite_path() else { return Ok(()) };
    let failed = |e: io::Error| unwritable(path, &e);
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
        blink_files::private_folder(folder).map_err(failed)?;
    }
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(failed)?;
    Ok(())
}

fn unwritable(path: &Path, e: &io::Error) -> Failure {
    let message = format!("The database {} cannot be opened: {e}", path.display());
    Failure::failed("database_unwritable", message, "Make its folder writable, or set DATABASE_URL=sqlite:PATH.")
}

/// Removes other users' access to the database file and its logs, which contain people's minutes and addresses.
#[cfg(unix)]
fn keep_private(database: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let database = fs::canonicalize(database)?;
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let mut path = database.as_os_str().to_owned();
        path.push(suffix);
        let path = Path::new(&path);
        let mode = match fs::metadata(path) {
            Ok(there) => there.permissions().mode(),
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            Err(e) => return Err(e),
        };
        if mode & 0o077 != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
            tracing::warn!(file = %path.display(), "the database could be read by others; it no longer can");
        }
    }
    Ok(())
}

/// Locks an SQLite database against a second server, because each would assume that it alone has the counters and keys.
/// The lock holds until the file is dropped. PostgreSQL needs none.
pub fn claim(target: &Target) -> Result<Option<fs::File>, Failure> {
    let Some(path) = target.sqlite_path() else { return Ok(None) };
    // Two symbolic links to one file are the same database.
    let lock = fs::canonicalize(path).unwrap_or_else(|_| path.clone()).with_extension("serve.lock");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&lock).map_err(|e| {
        let message = format!("The lock {} cannot be used: {e}", lock.display());
        Failure::failed("database_unwritable", message, "Make its folder writable, or set DATABASE_URL=sqlite:PATH.")
    })?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(fs::TryLockError::WouldBlock) => Err(Failure {
            problem: blink_proto::Problem::new(
                "database_in_use",
                format!("Another server runs on {}", path.display()),
                "Stop that server, choose another database, or use PostgreSQL for several servers.",
            ),
            kind: Kind::InUse,
        }),
        Err(fs::TryLockError::Error(e)) => {
            // Some network file systems have no locks; using SQLite there is the operator's choice.
            tracing::warn!(cause = %e, "whether another server runs on this database cannot be told");
            Ok(Some(file))
        }
    }
}

/// As [`connect`], for commands on a database that is there: SQLite would make a file at a mistyped path.
pub fn existing(target: &Target) -> Result<Conn, Failure> {
    match target.sqlite_path() {
        Some(path) if !path.exists() => Err(Failure::failed(
            "no_database",
            format!("There is no database at {}", path.display()),
            "Check DATABASE_URL; `cloud-api migrate` makes a new database.",
        )),
        _ => connect(target),
    }
}

/// Connects outside the pools, so that start-up fails at once and with the reason. Fails also if a newer program has
/// changed the database.
pub fn connect(target: &Target) -> Result<Conn, Failure> {
    let mut conn = link(target)?.into_conn();
    match migrate::newer(&mut conn) {
        None => Ok(conn),
        Some(found) => Err(Failure::failed(
            "database_newer",
            format!("The database is at {found}, and this program knows {} and before", migrate::newest_known()),
            "Use the newer program, or restore a backup from before it.",
        )),
    }
}

/// Connects outside the pools, whatever program has changed the database.
pub(crate) fn link(target: &Target) -> Result<Link, Failure> {
    let link = target.connect().map_err(|e| {
        let message = format!("The database cannot be opened: {}", target.without_secrets(&chain(&e)));
        Failure::failed(
            "database_unreachable",
            message,
            "Check that DATABASE_URL is right and the database is up and whole.",
        )
    })?;
    #[cfg(unix)]
    if let Some(path) = target.sqlite_path() {
        keep_private(path).map_err(|e| unwritable(path, &e))?;
    }
    Ok(link)
}
