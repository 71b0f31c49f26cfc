//! Checks that the file an SQLite connection has open is still the one at its path. SQLite keeps working on a file that
//! was removed or replaced, and everything it commits there is lost when the process ends.

use std::path::{Path, PathBuf};

use crate::config::Target;

/// Device and inode of the file when the pools were made.
#[derive(Clone)]
pub(super) struct Identity {
    path: PathBuf,
    file: (u64, u64),
    /// The write-ahead log, which lies beside the file itself even if `path` is a symbolic link.
    log: PathBuf,
}

impl Identity {
    /// `None` for PostgreSQL, and for a file that does not exist yet.
    pub(super) fn of(target: &Target) -> Option<Self> {
        let path = target.sqlite_path()?.clone();
        let mut log = path.canonicalize().ok()?.into_os_string();
        log.push("-wal");
        Some(Self { file: file_at(&path)?, path, log: log.into() })
    }

    /// Whether the file is still there. With `written` the write-ahead log must exist too: it does while a connection
    /// that has written is open.
    pub(super) fn holds(&self, written: bool) -> bool {
        file_at(&self.path) == Some(self.file) && (!written || file_at(&self.log).is_some())
    }
}

#[cfg(unix)]
fn file_at(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    let data = std::fs::metadata(path).ok()?;
    Some((data.dev(), data.ino()))
}

/// On systems where an open file cannot be removed it is enough that it exists.
#[cfg(not(unix))]
fn file_at(path: &Path) -> Option<(u64, u64)> {
    path.exists().then_some((0, 0))
}
