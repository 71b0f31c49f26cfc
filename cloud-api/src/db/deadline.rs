//! Bounds how long anything waits for PostgreSQL.
//!
//! PostgreSQL's own limits ([`super::target`]) end a slow query, and the kernel closes a connection whose packets are
//! not acknowledged. Neither helps when something in between acknowledges packets and does not forward them, as after
//! a failover. A query that exceeds the limit here means that the network path is broken, so all connections to the
//! database are shut down: their queries fail, and the pool makes new connections.

use std::{sync::mpsc, thread, time::Duration};

use crate::config::Target;

/// Limit of one request's work in the database: longer than the 30 s that PostgreSQL allows a statement.
pub(super) const WORK: Duration = Duration::from_secs(35);

/// Limit of connecting, including the first statements: longer than libpq's own 5 s.
pub(super) const CONNECT: Duration = Duration::from_secs(10);

/// Runs `f` on this thread. If it exceeds `limit`, the connections are shut down and `f` fails.
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

/// Shuts down every socket of this process that is connected to the database.
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

/// Duplicates a descriptor, so that the socket that is examined is the one that is shut down.
#[cfg(unix)]
#[expect(unsafe_code, reason = "libpq gives no access to its socket; it is found by its number")]
fn duplicate(number: i32) -> Option<std::os::fd::OwnedFd> {
    // SAFETY: the number is used for one call of dup(2) only. The call fails if nothing is open under the number any
    // more. If the number was reused, it duplicates another file of this process, whose peer is checked like any other.
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
