//! The lock that makes the daemon the only one of its profile. The system releases it when the process ends in any way.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Seek as _, Write as _},
    path::Path,
    process, thread,
    time::{Duration, Instant},
};

use blink_profile::{LockHolder, Paths, lock::holder};
use blink_proto::problem::code;

use crate::exit::Failure;

/// How long to wait for a lock: a process that was just killed may hold it for a moment.
const PATIENCE: Duration = Duration::from_millis(500);

/// Held while the daemon runs.
#[derive(Debug)]
pub(crate) struct Lock {
    /// The locked file, which contains a [`LockHolder`].
    file: File,
}

impl Lock {
    /// Takes the lock of the profile. Fails when another daemon has it (exit code 5), or the file cannot be made.
    pub(crate) fn take(paths: &Paths) -> Result<Self, Failure> {
        let path = paths.lock();
        let unusable = |error: io::Error| {
            Failure::failed(
                code::DATA_FOLDER,
                format!("The data folder cannot be used: {}: {error}.", path.display()),
                "Check its permissions and the disk.",
            )
        };
        let deadline = Instant::now() + PATIENCE;
        let file = loop {
            let file = open(&path).map_err(unusable)?;
            match try_take(&file, &path) {
                Ok(true) => break file,
                Ok(false) if Instant::now() < deadline => thread::sleep(Duration::from_millis(20)),
                Ok(false) => return Err(taken(paths)),
                Err(error) => return Err(unusable(error)),
            }
        };
        let mut lock = Self { file };
        lock.write(None).map_err(unusable)?;
        Ok(lock)
    }

    /// Writes the socket's path into the lock file, for clients whose environment names another path.
    pub(crate) fn listens_at(&mut self, socket: &Path) {
        if let Err(error) = self.write(Some(socket)) {
            tracing::warn!(why = error.kind().to_string(), "the lock file does not say where the socket is");
        }
    }

    fn write(&mut self, socket: Option<&Path>) -> io::Result<()> {
        let holder = LockHolder { pid: process::id(), socket: socket.map(Path::to_owned) };
        self.file.set_len(0)?;
        self.file.rewind()?;
        // Written in one piece, so that a reader finds the old text, the new one or none.
        self.file.write_all(holder.to_string().as_bytes())
    }
}

/// Locks the open file. False when another process holds it, or when an erasure that held it has removed the file.
fn try_take(file: &File, path: &Path) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(is_at(file, path)),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn open(path: &Path) -> io::Result<File> {
    blink_files::private_folder(blink_files::folder_of(path))?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, blink_files::PRIVATE);
    options.open(path)
}

/// Whether this open file is still the one at `path`.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let (Ok(open), Ok(there)) = (file.metadata(), path.metadata()) else { return false };
    (open.dev(), open.ino()) == (there.dev(), there.ino())
}

/// Windows removes no file that is open.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

fn taken(paths: &Paths) -> Failure {
    let holder = holder(paths);
    let who = holder.as_ref().map_or_else(String::new, |holder| format!(" (process {})", holder.pid));
    let elsewhere = holder.and_then(|holder| holder.elsewhere(paths));
    let fix = elsewhere.unwrap_or_else(|| "See `blinkctl status`, or stop it with `blinkctl quit`.".to_owned());
    Failure::taken(code::ALREADY_RUNNING, format!("blinkd is already running for this profile{who}."), fix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::ExitStatus;

    #[test]
    fn there_is_one_and_the_second_hears_whose_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        let mut first = Lock::take(&paths).unwrap();
        let failure = Lock::take(&paths).unwrap_err();
        assert_eq!(failure.status, ExitStatus::Taken);
        assert!(failure.problem.message.contains(&process::id().to_string()), "{failure}");
        assert!(failure.problem.fix.contains("blinkctl status"), "{failure}");
        first.listens_at(&paths.socket());
        assert_eq!(Lock::take(&paths).unwrap_err(), failure);
        first.listens_at(Path::new("/run/user/7/blinkd/blinkd.sock"));
        let failure = Lock::take(&paths).unwrap_err();
        assert!(failure.problem.fix.contains("XDG_RUNTIME_DIR=/run/user/7,"), "{failure}");
        assert_eq!(holder(&paths).map(|holder| holder.pid), Some(process::id()));
        drop(first);
        assert_eq!(holder(&paths), None);
        Lock::take(&paths).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_lock_that_an_erasure_removed_is_no_lock() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        let erasing = Lock::take(&paths).unwrap();
        let waiting = open(&paths.lock()).unwrap();
        assert!(!try_take(&waiting, &paths.lock()).unwrap());
        assert!(blink_profile::contents::remove_last(&paths).is_empty());
        drop(erasing);
        assert!(!try_take(&waiting, &paths.lock()).unwrap(), "it takes a file that is gone");
        let next = Lock::take(&paths).unwrap();
        assert!(is_at(&next.file, &paths.lock()) && !is_at(&waiting, &paths.lock()));
        assert_eq!(Lock::take(&paths).unwrap_err().status, ExitStatus::Taken);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_said() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("data"), "a file").unwrap();
        assert_eq!(Lock::take(&Paths::under(folder.path())).unwrap_err().status, ExitStatus::Failed);
    }
}
