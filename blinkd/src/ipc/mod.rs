//! The local socket: only the same user can connect, and no client can harm another.

mod client;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use blink_proto::problem::code;
use interprocess::local_socket::{
    GenericFilePath, ListenerOptions,
    tokio::{Listener, Stream, prelude::*},
};
use tokio::sync::Semaphore;

use crate::{daemon::Daemon, exit::Failure};

/// The most clients at once.
const MAX_CLIENTS: usize = 512;
/// The most further clients that are told so at once; beyond these, connections are closed without a word.
const MAX_TURNED_AWAY: usize = 64;
/// The longest path of a socket on Linux, in bytes (`sun_path` without the final zero).
const MAX_PATH_BYTES: usize = 107;

/// The socket, which is removed when dropped.
#[derive(Debug)]
pub(crate) struct Socket {
    listener: Listener,
    path: PathBuf,
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

impl Socket {
    /// Listens at `path`, in a folder that only this user can enter. The socket of a killed daemon is replaced, which
    /// is safe because the caller holds the profile's lock. It must be called inside the runtime.
    pub(crate) fn listen(path: &Path) -> Result<Self, Failure> {
        let length = path.as_os_str().len();
        if length > MAX_PATH_BYTES {
            return Err(Failure::failed(
                code::SOCKET_PATH,
                format!(
                    "The socket's path is {length} bytes long, and {MAX_PATH_BYTES} are possible: {}.",
                    path.display()
                ),
                "Set XDG_RUNTIME_DIR to a folder with a shorter path.",
            ));
        }
        let unusable = |error: io::Error| {
            Failure::failed(
                code::SOCKET,
                format!("The socket {} cannot be made: {error}.", path.display()),
                "Check the permissions of its folder, or unset XDG_RUNTIME_DIR: the socket is then in the data folder.",
            )
        };
        private_folder(path.parent().unwrap_or(Path::new("."))).map_err(unusable)?;
        let name = path.to_fs_name::<GenericFilePath>().map_err(unusable)?;
        let mut options = ListenerOptions::new().name(name).try_overwrite(true).reclaim_name(false);
        #[cfg(target_os = "linux")]
        {
            options = interprocess::os::unix::local_socket::ListenerOptionsExt::mode(options, 0o600);
        }
        let listener = options.create_tokio().map_err(unusable)?;
        Ok(Self { listener, path: path.to_owned() })
    }

    /// Serves clients for ever.
    pub(crate) async fn serve(self, daemon: Daemon) {
        let places = Arc::new(Semaphore::new(MAX_CLIENTS));
        let doorstep = Arc::new(Semaphore::new(MAX_TURNED_AWAY));
        loop {
            let stream = match self.listener.accept().await {
                Ok(stream) => stream,
                Err(error) => {
                    // Most likely the descriptors are used up; without the wait this would be a busy loop.
                    tracing::warn!(%error, "a client could not be let in");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            if !is_ours(&stream) {
                tracing::warn!("a client of another user was turned away");
                continue;
            }
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                tracing::warn!("too many clients");
                if let Ok(place) = Arc::clone(&doorstep).try_acquire_owned() {
                    tokio::spawn(async move {
                        client::turn_away(stream).await;
                        drop(place);
                    });
                }
                continue;
            };
            let daemon = daemon.clone();
            tokio::spawn(async move {
                client::serve(stream, daemon).await;
                drop(place);
            });
        }
    }
}

/// Creates the folder, or makes it private.
fn private_folder(folder: &Path) -> io::Result<()> {
    blink_files::private_folder(folder)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
        let meta = fs::symlink_metadata(folder)?;
        if !meta.is_dir() || meta.uid() != rustix::process::geteuid().as_raw() {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "its folder belongs to somebody else"));
        }
        if meta.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
        }
    }
    Ok(())
}

#[cfg(unix)]
fn is_ours(stream: &Stream) -> bool {
    stream.peer_creds().ok().and_then(|creds| creds.euid()) == Some(rustix::process::geteuid().as_raw())
}

#[cfg(not(unix))]
fn is_ours(_stream: &Stream) -> bool {
    // The pipe's security descriptor already restricts access.
    true
}
