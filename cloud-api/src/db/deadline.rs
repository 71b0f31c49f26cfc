//! Bounds how long anything waits for PostgreSQL.
//!
//! PostgreSQL's own limits ([`super::target`]) end a slow query, and the kernel closes a connection whose packets are
//! not acknowledged. Neither helps when something in between acknowledges packets and does not forward them, as after
//! a failover. So a connection whose work exceeds its limit is shut down by its socket, and that work fails. Work on
//! other connections goes on.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, Once, PoisonError},
    thread,
    time::{Duration, Instant},
};

use crate::config::Target;

/// Limit of one request's work in the database: longer than the 30 s that PostgreSQL allows a statement.
pub(super) const WORK: Duration = Duration::from_secs(35);

/// Limit of connecting, including the first statements: longer than libpq's own 5 s.
pub(super) const CONNECT: Duration = Duration::from_secs(10);

/// Limit of asking an idle connection whether it works. It is no work, so only a dead connection takes long.
pub(super) const PING: Duration = Duration::from_secs(3);

/// How often limits are checked.
const TICK: Duration = Duration::from_millis(100);

type Cut = Box<dyn FnOnce() + Send>;

struct Watched {
    last: u64,
    due: BTreeMap<u64, (Instant, Cut)>,
}

static WATCHED: Mutex<Watched> = Mutex::new(Watched { last: 0, due: BTreeMap::new() });

/// One connection is made at a time, so that its socket is the only new one.
static CONNECTING: Mutex<()> = Mutex::new(());

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A limit that is in force until this is dropped.
pub(super) struct Watch(u64);

impl Watch {
    /// Runs `cut` when `limit` is over.
    pub(super) fn new(limit: Duration, cut: impl FnOnce() + Send + 'static) -> Self {
        static STARTED: Once = Once::new();
        STARTED.call_once(|| {
            if let Err(e) = thread::Builder::new().name("db-deadline".to_owned()).spawn(watch) {
                tracing::error!(cause = %e, "nothing watches how long PostgreSQL takes");
            }
        });
        let mut watched = lock(&WATCHED);
        watched.last += 1;
        let id = watched.last;
        watched.due.insert(id, (Instant::now() + limit, Box::new(cut)));
        Self(id)
    }

    pub(super) fn is_over(&self) -> bool {
        !lock(&WATCHED).due.contains_key(&self.0)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        lock(&WATCHED).due.remove(&self.0);
    }
}

fn watch() {
    loop {
        thread::sleep(TICK);
        // The lock is held while cutting, so that a connection whose watch was dropped is never cut.
        let mut watched = lock(&WATCHED);
        let now = Instant::now();
        for (_, (_, cut)) in watched.due.extract_if(.., |_, (due, _)| *due <= now) {
            tracing::error!("the database did not answer in time; the connection is cut");
            cut();
        }
    }
}

/// A second descriptor of a connection's socket. Where a proxy to the database runs in this process, as in tests, its
/// sockets come with the connection.
#[derive(Clone)]
pub(super) struct Socket(Arc<Vec<Found>>);

impl Socket {
    pub(super) fn cut(&self) {
        #[cfg(unix)]
        for (_, socket) in &*self.0 {
            let _ = rustix::net::shutdown(socket, rustix::net::Shutdown::Both);
        }
    }
}

/// A socket and its inode.
#[cfg(unix)]
type Found = (u64, std::os::fd::OwnedFd);

#[cfg(not(unix))]
type Found = (u64, ());

/// Runs `connect` with its limit and returns its connection and the connection's socket.
pub(super) fn connecting<T, E>(target: &Target, connect: impl FnOnce() -> Result<T, E>) -> Result<(T, Socket), E> {
    let _alone = lock(&CONNECTING);
    let before: HashSet<u64> = sockets(target).into_iter().map(|(inode, _)| inode).collect();
    let target = target.clone();
    let fresh = Arc::new(move || {
        let mut sockets = sockets(&target);
        sockets.retain(|(inode, _)| !before.contains(inode));
        Socket(Arc::new(sockets))
    });
    let cut = fresh.clone();
    let watch = Watch::new(CONNECT, move || cut().cut());
    let made = connect()?;
    drop(watch);
    Ok((made, fresh()))
}

/// This process's sockets that are connected to the database.
#[cfg(unix)]
fn sockets(target: &Target) -> Vec<Found> {
    let ports = target.postgres_ports();
    let Ok(open) = std::fs::read_dir("/dev/fd") else { return Vec::new() };
    let numbers: Vec<i32> = open.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    let is_ours = |socket: &std::os::fd::OwnedFd| {
        rustix::net::getpeername(socket).is_ok_and(|peer| peer.is_some_and(|peer| is_database(peer, &ports)))
    };
    let found = numbers.into_iter().filter_map(duplicate).filter(is_ours);
    found.filter_map(|socket| Some((rustix::fs::fstat(&socket).ok()?.st_ino, socket))).collect()
}

#[cfg(not(unix))]
fn sockets(_: &Target) -> Vec<Found> {
    Vec::new()
}

/// Duplicates a descriptor, so that the socket that is examined is the one that is shut down.
#[cfg(unix)]
#[expect(unsafe_code, reason = "libpq gives no access to its socket; it is found by its number")]
fn duplicate(number: i32) -> Option<std::os::fd::OwnedFd> {
    // SAFETY: the number is used for one call of fcntl(2) only. The call fails if nothing is open under the number any
    // more. If the number was reused, it duplicates another file of this process, whose peer is checked like any other.
    let borrowed = unsafe { std::os::fd::BorrowedFd::borrow_raw(number) };
    rustix::io::fcntl_dupfd_cloexec(borrowed, 0).ok()
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
