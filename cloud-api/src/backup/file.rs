//! Where a backup goes, and where it comes from: a plain file, which appears whole or not at all, or a pipe for `-`.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use blink_files::{Draft, PRIVATE};
use jiff::Timestamp;

use super::{BackupError, WriteError};
use crate::db::conn::Conn;

/// The word for standard output, and for standard input.
pub const PIPE: &str = "-";

/// Writes a backup to `path`, or to standard output for `-`, and returns how many rows it holds. A link is followed; a
/// file that is there is replaced only when `force` says so.
///
/// Fails when there is something else than a plain file, or the database or the file fails.
pub fn write(conn: &mut Conn, path: &Path, force: bool, now: Timestamp) -> Result<u64, BackupError> {
    let failed = |e: WriteError| match e {
        WriteError::Database(e) => e.into(),
        WriteError::Output(e) => BackupError::Io(path.to_owned(), e),
    };
    if path == Path::new(PIPE) {
        return super::write(conn, io::stdout().lock(), now).map_err(failed);
    }
    let io_failed = |e| BackupError::Io(path.to_owned(), e);
    let target = destination(path, force)?;
    let draft = Draft::beside(&target).map_err(io_failed)?;
    let rows = super::write(conn, draft.file(), now).map_err(failed)?;
    let placed = if force { draft.replace(PRIVATE) } else { draft.create(PRIVATE) };
    placed.map_err(|e| match e.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Exists(path.to_owned()),
        _ => io_failed(e),
    })?;
    Ok(rows)
}

/// The file itself, behind links.
fn destination(path: &Path, force: bool) -> Result<PathBuf, BackupError> {
    match fs::metadata(path) {
        Ok(there) if !there.is_file() => Err(BackupError::NoPlainFile(path.to_owned())),
        Ok(_) if !force => Err(BackupError::Exists(path.to_owned())),
        Ok(_) => fs::canonicalize(path).map_err(|e| BackupError::Io(path.to_owned(), e)),
        // A link into nothing: its own place would be taken, and the disk that it leads to may be away.
        Err(_) if fs::symlink_metadata(path).is_ok() => Err(BackupError::NoPlainFile(path.to_owned())),
        Err(_) => Ok(path.to_owned()),
    }
}

/// Opens a backup, or standard input for `-`.
pub fn open(path: &Path) -> Result<Box<dyn Read>, BackupError> {
    if path == Path::new(PIPE) {
        return Ok(Box::new(io::stdin().lock()));
    }
    Ok(Box::new(fs::File::open(path).map_err(|e| BackupError::Io(path.to_owned(), e))?))
}
