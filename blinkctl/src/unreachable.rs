//! Finds out from the profile's lock and the socket why no daemon answers.

use std::{
    io,
    path::{Path, PathBuf},
};

use blink_profile::{Paths, lock};

use crate::exit::{ExitStatus, Failure};

/// Why the daemon of a profile cannot be reached.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreachable {
    #[error("blinkd is not running")]
    NotRunning,
    #[error("blinkd is not running, and could not be: the path of its socket is too long ({} bytes), {}", .0.as_os_str().len(), .0.display())]
    PathTooLong(PathBuf),
    #[error("blinkd is not running, and {} cannot be used: {source}", .socket.display())]
    Unusable {
        socket: PathBuf,
        #[source]
        source: io::Error,
    },
    /// It was started with another `XDG_RUNTIME_DIR`.
    #[error("blinkd runs (process {pid}), but at {}", .socket.display())]
    Elsewhere { pid: u32, socket: PathBuf, fix: String },
    /// It holds the profile, but does not listen yet, or no longer.
    #[error("blinkd (process {pid}) does not answer yet: it is starting or stopping")]
    NotYet { pid: u32 },
    /// It closed the connection before its hello, which it does when there are too many clients.
    #[error("blinkd runs (process {pid}), but is busy: too many programs are connected to it, or it is stopping")]
    Busy { pid: u32 },
    #[error("blinkd runs (process {pid}), but {} cannot be used: {source}", .socket.display())]
    Refused {
        pid: u32,
        socket: PathBuf,
        #[source]
        source: io::Error,
    },
    /// It serves only its own user.
    #[error("blinkd runs as another user (user id {uid})")]
    OtherUser { uid: u32 },
}

impl Unreachable {
    /// Whether no daemon holds this profile, so that its files may be used.
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::NotRunning | Self::PathTooLong(_) | Self::Unusable { .. })
    }

    /// The reason when connecting failed.
    pub(crate) fn at_connecting(paths: &Paths, error: io::Error) -> Self {
        // Without a daemon there is no socket, or that of a killed one, which refuses connections.
        let nobody = matches!(
            error.kind(),
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused | io::ErrorKind::NotADirectory
        );
        let socket = paths.socket();
        let Some(holder) = lock::holder(paths) else {
            return match error.kind() {
                _ if nobody => Self::NotRunning,
                io::ErrorKind::InvalidInput => Self::PathTooLong(socket),
                _ => Self::Unusable { socket, source: error },
            };
        };
        let pid = holder.pid;
        match (holder.elsewhere(paths), holder.socket) {
            (Some(fix), Some(socket)) => Self::Elsewhere { pid, socket, fix },
            _ if nobody => Self::NotYet { pid },
            _ => Self::Refused { pid, socket, source: error },
        }
    }

    /// The reason when the daemon closed the connection before its hello.
    pub(crate) fn at_hello(paths: &Paths) -> Self {
        match (another_owner(&paths.socket()), lock::holder(paths)) {
            (Some(uid), _) => Self::OtherUser { uid },
            (None, Some(holder)) => Self::Busy { pid: holder.pid },
            (None, None) => Self::NotRunning,
        }
    }
}

#[cfg(unix)]
fn another_owner(socket: &Path) -> Option<u32> {
    let owner = std::os::unix::fs::MetadataExt::uid(&socket.metadata().ok()?);
    (owner != rustix::process::geteuid().as_raw()).then_some(owner)
}

#[cfg(not(unix))]
fn another_owner(_: &Path) -> Option<u32> {
    None
}

impl From<Unreachable> for Failure {
    fn from(error: Unreachable) -> Self {
        let message = error.to_string();
        let not_running = |message: String, fix: &str| Self {
            status: ExitStatus::NotRunning,
            ..Self::failed("not_running", message, fix)
        };
        let own = "Unset XDG_RUNTIME_DIR, or set it to a folder of your own.";
        match error {
            Unreachable::NotRunning => Self::not_running(&message),
            Unreachable::PathTooLong(_) => {
                not_running(message, "Set XDG_RUNTIME_DIR to a folder with a shorter path, then start `blinkd run`.")
            }
            Unreachable::Unusable { .. } => not_running(message, own),
            Unreachable::Elsewhere { fix, .. } => Self::failed("elsewhere", message, fix),
            Unreachable::NotYet { .. } => Self::failed("not_yet", message, "Try again in a moment."),
            Unreachable::Busy { .. } => {
                Self::failed("busy", message, "Close some of the programs that ask blinkd, then try again.")
            }
            Unreachable::Refused { .. } => Self::failed("connection", message, own),
            Unreachable::OtherUser { uid } => {
                Self::failed("other_user", message, format!("Run it as that user: `sudo -u '#{uid}' blinkctl ..`."))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use blink_profile::LockHolder;

    use super::*;

    fn held(paths: &Paths, socket: Option<&str>) -> File {
        fs::create_dir_all(&paths.data).unwrap();
        let holder = LockHolder { pid: 41, socket: socket.map(PathBuf::from) };
        fs::write(paths.lock(), holder.to_string()).unwrap();
        let lock = File::open(paths.lock()).unwrap();
        lock.lock().unwrap();
        lock
    }

    fn told(paths: &Paths, kind: io::ErrorKind) -> (u8, String) {
        let failure = Failure::from(Unreachable::at_connecting(paths, kind.into()));
        (failure.status as u8, failure.problem.to_string())
    }

    #[test]
    fn a_daemon_that_runs_is_never_said_not_to() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        let lock = held(&paths, Some("/run/user/7/blinkd/blinkd.sock"));
        for kind in [io::ErrorKind::NotFound, io::ErrorKind::PermissionDenied, io::ErrorKind::InvalidInput] {
            let (code, text) = told(&paths, kind);
            assert_eq!(code, 1);
            assert!(text.contains("process 41") && text.contains("XDG_RUNTIME_DIR=/run/user/7,"), "{text}");
        }
        drop(lock);
        let lock = held(&paths, None);
        assert!(told(&paths, io::ErrorKind::ConnectionRefused).1.contains("starting or stopping"));
        assert!(told(&paths, io::ErrorKind::PermissionDenied).1.contains("Unset XDG_RUNTIME_DIR"));
        assert!(matches!(Unreachable::at_hello(&paths), Unreachable::Busy { pid: 41 }));
        drop(lock);
        assert!(matches!(Unreachable::at_hello(&paths), Unreachable::NotRunning));
    }

    #[test]
    fn without_a_daemon_what_stands_in_its_way_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        let cases = [
            (io::ErrorKind::NotFound, "Start it with `blinkd run`."),
            (io::ErrorKind::PermissionDenied, "Unset XDG_RUNTIME_DIR"),
            (io::ErrorKind::InvalidInput, "a shorter path"),
        ];
        for (kind, fix) in cases {
            let (code, text) = told(&paths, kind);
            assert_eq!(code, 3);
            assert!(text.starts_with("blinkd is not running") && text.contains(fix), "{text}");
            assert!(Unreachable::at_connecting(&paths, kind.into()).is_absent());
        }
    }
}
