//! The sled database under the store: what a crash leaves behind is swept, and what is only damaged is mended.

use std::{
    fs, io,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use super::{StoreError, guarded, keys};

/// How long another process's lock is waited for: a killed one can hold it for a moment.
const LOCK_PATIENCE: Duration = Duration::from_millis(500);

/// A full disk or a missing permission is no damage.
pub(super) fn is_environment(error: &StoreError) -> bool {
    let (StoreError::Io(error) | StoreError::Sled(sled::Error::Io(error))) = error else { return false };
    use io::ErrorKind as K;
    matches!(
        error.kind(),
        K::StorageFull | K::PermissionDenied | K::ReadOnlyFilesystem | K::WouldBlock | K::QuotaExceeded
    ) || is_lock(error)
}

/// sled words a held lock so, whatever kind the system gave it.
fn is_lock(error: &io::Error) -> bool {
    error.to_string().contains("acquire lock")
}

/// A snapshot that a crash left half written makes sled refuse the whole store.
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

/// Opens; where that fails, again without the snapshots, and again without the configuration: both only repeat what
/// the log says.
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

/// The schema it was written in; `None` where that cannot be told.
pub(super) fn schema_of(db: &sled::Db) -> Option<u32> {
    #[derive(serde::Deserialize)]
    struct Only {
        schema: u32,
    }
    let value = guarded(|| Ok(db.get(keys::META)?)).ok()??;
    serde_json::from_slice::<Only>(&value).ok().map(|meta| meta.schema)
}

/// Closing a damaged database may panic.
pub(crate) fn drop_quietly<T>(db: T) {
    let _ = guarded(|| {
        drop(db);
        Ok(())
    });
}
