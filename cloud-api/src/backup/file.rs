//! Opens the file of a backup: a plain file, which is written atomically, or standard input and output for `-`.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use super::{BackupError, WriteError, unfinished::Unfinished};
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
        if leads_nowhere() {
            return Err(BackupError::Nowhere);
        }
        return super::write(conn, io::stdout().lock(), now).map_err(failed);
    }
    let io_failed = |e| BackupError::Io(path.to_owned(), e);
    let target = destination(path, force)?;
    let unfinished = Unfinished::beside(&target).map_err(io_failed)?;
    let rows = super::write(conn, unfinished.file(), now).map_err(failed)?;
    unfinished.place(&target, force).map_err(|e| match e.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Exists(path.to_owned()),
        _ => io_failed(e),
    })?;
    Ok(rows)
}

/// Whether standard output is `/dev/null`, as which Rust's runtime opens a closed one.
fn leads_nowhere() -> bool {
    #[cfg(unix)]
    if let (Ok(out), Ok(null)) = (rustix::fs::fstat(io::stdout()), rustix::fs::stat("/dev/null")) {
        return (out.st_dev, out.st_ino) == (null.st_dev, null.st_ino);
    }
    false
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
