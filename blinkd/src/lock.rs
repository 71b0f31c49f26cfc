//! The lock that makes the daemon the only one of its profile. It dies with its process, however that ends.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, Write as _},
    path::Path,
    process, thread,
    time::{Duration, Instant},
};

use crate::exit::Failure;

/// A process that was just killed may hold its lock for a moment.
const PATIENCE: Duration = Duration::from_millis(500);

/// Held for as long as the daemon runs.
#[derive(Debug)]
pub struct Lock {
    /// Locked, with our process id in it.
    _file: File,
}

impl Lock {
    /// Takes the lock at `path`.
    ///
    /// # Errors
    ///
    /// Another daemon has it (exit code 5), or the file cannot be made.
    pub fn take(path: &Path) -> Result<Self, Failure> {
        let unusable = |error: io::Error| {
            Failure::failed(
                "data_folder",
                format!("The data folder cannot be used: {}: {error}.", path.display()),
                "Check its permissions and the disk.",
            )
        };
        blink_files::private_folder(path.parent().unwrap_or(Path::new("."))).map_err(unusable)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(unusable)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(std::fs::TryLockError::Error(error)) => return Err(unusable(error)),
                Err(std::fs::TryLockError::WouldBlock) if Instant::now() < deadline => {
                    thread::sleep(Duration::from_millis(20));
                }
                Err(std::fs::TryLockError::WouldBlock) => return Err(taken(&mut file)),
            }
        }
        let write = |file: &mut File| {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{}", process::id())
        };
        write(&mut file).map_err(unusable)?;
        Ok(Self { _file: file })
    }
}

fn taken(file: &mut File) -> Failure {
    let mut text = String::new();
    let _ = file.read_to_string(&mut text);
    let who = text.trim().parse::<u32>().map_or_else(|_| String::new(), |pid| format!(" (process {pid})"));
    Failure::taken(
        "already_running",
        format!("blinkd is already running for this profile{who}."),
        "See `blinkctl status`, or stop it with `blinkctl quit`.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::ExitStatus;

    #[test]
    fn there_is_one_and_the_second_hears_whose_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data/blinkd.lock");
        let first = Lock::take(&path).unwrap();
        let failure = Lock::take(&path).unwrap_err();
        assert_eq!(failure.status, ExitStatus::Taken);
        assert!(failure.problem.message.contains(&process::id().to_string()), "{failure}");
        drop(first);
        Lock::take(&path).unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_said() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("data"), "a file").unwrap();
        assert_eq!(Lock::take(&folder.path().join("data/x.lock")).unwrap_err().status, ExitStatus::Failed);
    }
}
