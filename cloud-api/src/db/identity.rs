//! Whether the file that an SQLite connection has open is still the one at its path. SQLite goes on in a file that was
//! removed or replaced, and everything it says yes to there is lost with the process.

use std::path::{Path, PathBuf};

use crate::config::Target;

/// The file as it was when the pools were made.
#[derive(Clone)]
pub(super) struct Identity {
    path: PathBuf,
    file: (u64, u64),
    /// Beside the file itself, wherever a link to it is.
    log: PathBuf,
}

impl Identity {
    /// None for PostgreSQL, and for a file that is not there yet.
    pub(super) fn of(target: &Target) -> Option<Self> {
        let path = target.sqlite_path()?.clone();
        let mut log = path.canonicalize().ok()?.into_os_string();
        log.push("-wal");
        Some(Self { file: file_at(&path)?, path, log: log.into() })
    }

    /// Whether the file is still there. `written` asks for the log of recent writes too, which is there as long as a
    /// connection that has written is open.
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

/// Where an open file cannot be removed, being there is enough.
#[cfg(not(unix))]
fn file_at(path: &Path) -> Option<(u64, u64)> {
    path.exists().then_some((0, 0))
}
