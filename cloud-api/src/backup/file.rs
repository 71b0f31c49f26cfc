//! Opens the file of a backup: a plain file, which is written atomically, or standard input and output for `-`.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use blink_files::{Draft, PRIVATE};
use jiff::Timestamp;

use super::{BackupError, WriteError};
use crate::db::conn::Conn;

/// This path stands for standard output or standard input.
pub const PIPE: &str = "-";

/// Writes a backup and returns its number of rows. A symbolic link is followed. An existing file is replaced only with
/// `force`, and anything that is no plain file is refused.
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

/// The file itself, behind symbolic links.
fn destination(path: &Path, force: bool) -> Result<PathBuf, BackupError> {
    match fs::metadata(path) {
        Ok(there) if !there.is_file() => Err(BackupError::NoPlainFile(path.to_owned())),
        Ok(_) if !force => Err(BackupError::Exists(path.to_owned())),
        Ok(_) => fs::canonicalize(path).map_err(|e| BackupError::Io(path.to_owned(), e)),
        // A dangling link: replacing it would be wrong, since the disk that it leads to may just be away.
        Err(_) if fs::symlink_metadata(path).is_ok() => Err(BackupError::NoPlainFile(path.to_owned())),
        Err(_) => Ok(path.to_owned()),
    }
}

pub fn open(path: &Path) -> Result<Box<dyn Read>, BackupError> {
    if path == Path::new(PIPE) {
        return Ok(Box::new(io::stdin().lock()));
    }
    Ok(Box::new(fs::File::open(path).map_err(|e| BackupError::Io(path.to_owned(), e))?))
}
