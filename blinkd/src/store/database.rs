//! The sled database under the store: opens it, and repairs what a crash may leave behind.

use std::{
    fs, io,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use super::{StoreError, guarded, keys};

/// How long to wait for another process's lock: a killed process can hold it for a moment.
const LOCK_PATIENCE: Duration = Duration::from_millis(500);

/// Whether the environment is at fault and not the data, as with a full disk or a missing permission.
pub(super) fn is_environment(error: &StoreError) -> bool {
    let (StoreError::Io(error) | StoreError::Sled(sled::Error::Io(error))) = error else { return false };
    use io::ErrorKind as K;
    matches!(
        error.kind(),
        K::StorageFull | K::PermissionDenied | K::ReadOnlyFilesystem | K::WouldBlock | K::QuotaExceeded
    ) || is_lock(error)
}

/// Recognises sled's message for a held lock, because the kind of the error varies with the system.
fn is_lock(error: &io::Error) -> bool {
    error.to_string().contains("acquire lock")
}

/// Removes snapshots that a crash left half written: sled refuses the whole store because of one.
pub(super) fn sweep(folder: &Path) -> io::Result<()> {
    remove_named(folder, |name| name.starts_with("snap.") && name.ends_with(".generating")).map(drop)
}

fn remove_named(folder: &Path, goes: impl Fn(&str) -> bool) -> io::Result<usize> {
    let mut removed = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(&goes) {
            fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Opens the database. If that fails, tries again without the snapshots, then without the configuration: both only
/// repeat what the log holds.
pub(super) fn open_mending(folder: &Path) -> Result<sled::Db, StoreError> {
    let first = match open_patiently(folder) {
        Err(error) if !is_environment(&error) => error,
        other => return other,
    };
    let repeats: [fn(&str) -> bool; 2] = [|name| name.starts_with("snap."), |name| name == "conf"];
    for goes in repeats {
        if remove_named(folder, goes)? > 0
            && let Ok(db) = open_patiently(folder)
        {
            return Ok(db);
        }
    }
    Err(first)
}

pub(super) fn open_patiently(folder: &Path) -> Result<sled::Db, StoreError> {
    let config = sled::Config::new().path(folder).cache_capacity(8 << 20).flush_every_ms(Some(5_000));
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        match guarded(|| Ok(config.open()?)) {
            Err(StoreError::Sled(sled::Error::Io(error))) if is_lock(&error) && Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(20));
            }
            other => return other,
        }
    }
}

/// The schema of the store; `None` where it cannot be read.
pub(super) fn schema_of(db: &sled::Db) -> Option<u32> {
    #[derive(serde::Deserialize)]
    struct Only {
        schema: u32,
    }
    let value = guarded(|| Ok(db.get(keys::META)?)).ok()??;
    serde_json::from_slice::<Only>(&value).ok().map(|meta| meta.schema)
}

/// Drops a database, which may panic when it is damaged.
pub(crate) fn drop_quietly<T>(db: T) {
    let _ = guarded(|| {
        drop(db);
        Ok(())
    });
}
