//! Nothing waits for PostgreSQL longer than its limit, whatever the other side does.
//!
//! The server's own limits ([`super::target`]) end a slow query, and the kernel gives up a connection whose packets
//! nobody acknowledges. Neither helps where something in between acknowledges and passes nothing on, as after a
//! failover. A query over its limit here means that the way is broken, so every connection to the database is cut: the
//! queries on them fail, and the pool makes new ones.

use std::{sync::mpsc, thread, time::Duration};

use crate::config::Target;

/// For a request's work in the database: more than the 30 s that the server allows a statement.
pub(super) const WORK: Duration = Duration::from_secs(35);

/// For making a connection, its first statements included: more than libpq's own 5 s.
pub(super) const CONNECT: Duration = Duration::from_secs(10);

/// Runs `f` on this thread; when it takes longer than `limit`, the connections are cut under it.
pub(super) fn within<T>(target: &Target, limit: Duration, f: impl FnOnce() -> T) -> T {
    let (done, is_done) = mpsc::channel::<()>();
    let watched = target.clone();
    let watch = thread::Builder::new().name("db-deadline".to_owned()).spawn(move || {
        if is_done.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout) {
            cut(&watched);
        }
    });
    let result = f();
    drop(done);
    if let Ok(watch) = watch {
        let _ = watch.join();
    }
    result
}

/// Shuts every socket of this process down that is connected to the database.
#[cfg(unix)]
pub(super) fn cut(target: &Target) {
    let ports = target.postgres_ports();
    let Ok(open) = std::fs::read_dir("/dev/fd") else { return };
    let numbers: Vec<i32> = open.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    let mut cut = 0;
    for socket in numbers.into_iter().filter_map(duplicate) {
        if rustix::net::getpeername(&socket).is_ok_and(|peer| peer.is_some_and(|peer| is_database(peer, &ports))) {
            cut += usize::from(rustix::net::shutdown(&socket, rustix::net::Shutdown::Both).is_ok());
        }
    }
    tracing::error!(connections = cut, "the database did not answer in time; the connections to it are cut");
}

#[cfg(not(unix))]
pub(super) fn cut(_: &Target) {}

/// A descriptor of our own to the same socket, so that what is looked at is what is shut down.
#[cfg(unix)]
#[expect(unsafe_code, reason = "libpq gives no access to its socket; it is found by its number")]
fn duplicate(number: i32) -> Option<std::os::fd::OwnedFd> {
    // SAFETY: the number is used for one call of dup(2), which fails where nothing is open under it any more, and gives
    // another file of this process where the number was taken anew; its peer is then looked at as any other's.
    let borrowed = unsafe { std::os::fd::BorrowedFd::borrow_raw(number) };
    rustix::io::dup(borrowed).ok()
}

#[cfg(unix)]
fn is_database(peer: rustix::net::SocketAddrAny, ports: &[u16]) -> bool {
    if let Ok(peer) = std::net::SocketAddr::try_from(peer.clone()) {
        return ports.contains(&peer.port());
    }
    let path = rustix::net::SocketAddrUnix::try_from(peer).ok();
    let path = path.as_ref().and_then(|peer| peer.path()).map(|path| path.to_string_lossy().into_owned());
    path.is_some_and(|path| ports.iter().any(|port| path.ends_with(&format!("/.s.PGSQL.{port}"))))
}
