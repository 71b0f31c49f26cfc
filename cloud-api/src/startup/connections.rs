//! Bounds connections: how many there are in all and from one address, and how long one may be silent between requests.
//!
//! actix bounds the first head alone, and reads on after an answer for as long as the client sends the chunks of its
//! body. A connection past a bound is shut down, which actix takes for its end.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    hash::Hash,
    os::fd::{AsFd as _, OwnedFd},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::{
    Error, HttpMessage as _,
    body::{BodySize, BoxBody, MessageBody},
    dev::{Extensions, Payload, ServiceRequest, ServiceResponse},
    middleware::Next,
    rt::net::TcpStream,
    web::Bytes,
};
use futures_util::{FutureExt as _, Stream as _, stream};
use rustix::{
    net::{Shutdown, shutdown},
    process::{Resource, Rlimit, getrlimit, setrlimit},
};

use super::AbortOnDrop;
use crate::{
    address::{self, Network, Peer},
    config::AccessConfig,
    limits::turns::{Turn, Turns},
};

/// Most connections at once. Each has buffers of 16 KB even when it is silent.
const MOST: usize = 4_000;

/// Most connections of one address at once, and at most a quarter of all.
const MOST_OF_ADDRESS: usize = 500;

/// Files that connections must leave for the database, the archive and the rest.
const OTHER_FILES: usize = 256;

/// How much longer than actix keeps a connection it may be without a request. With that it is longer than actix's limit for
/// a first head too, which has an answer.
const BEYOND_KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Raises the soft limit of open files to the hard one and returns what holds.
pub(super) fn open_files() -> usize {
    let hard = getrlimit(Resource::Nofile).maximum;
    // Where it fails, the soft limit holds.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: hard, maximum: hard });
    getrlimit(Resource::Nofile).current.and_then(|files| files.try_into().ok()).unwrap_or(usize::MAX)
}

/// The places of connections, for all workers.
pub(super) struct Connections {
    all: Turns<()>,
    of_address: Turns<Peer>,
    /// Proxies, whose connections are many people's.
    trusted: Vec<Network>,
    /// Longest time without a request.
    silence: Duration,
}

impl Connections {
    pub(super) fn new(open_files: usize, access: &AccessConfig, keep_alive: Duration) -> Self {
        // A connection takes two files: actix's and the watch's.
        let all = (open_files.saturating_sub(OTHER_FILES) / 2).clamp(16, MOST);
        let of_address = if access.rate_limit { MOST_OF_ADDRESS.min(all / 4) } else { all };
        Self {
            all: Turns::new(all, 0),
            of_address: Turns::new(of_address, 0),
            trusted: access.trusted_proxies.clone(),
            silence: keep_alive + BEYOND_KEEP_ALIVE,
        }
    }

    /// Gives a new connection its place, kept with the connection's data, or shuts it down.
    pub(super) fn begin(&self, io: &dyn Any, data: &mut Extensions) {
        let tls = io.downcast_ref::<TlsStream<TcpStream>>().map(|tls| tls.get_ref().0);
        let Some(stream) = io.downcast_ref::<TcpStream>().or(tls) else { return };
        match self.place(stream) {
            Some(connection) => drop(data.insert(connection)),
            None => drop(shutdown(stream, Shutdown::Both)),
        }
    }

    fn place(&self, stream: &TcpStream) -> Option<Connection> {
        let peer = stream.peer_addr().ok()?.ip();
        let all = at_once(&self.all, ())?;
        let of_address =
            if address::is_trusted(peer, &self.trusted) { None } else { Some(at_once(&self.of_address, peer.into())?) };
        let socket = stream.as_fd().try_clone_to_owned().ok()?;
        let quiet = Rc::new(Quiet { running: Cell::new(0), since: Cell::new(Instant::now()) });
        let watch = AbortOnDrop(actix_web::rt::spawn(watch(socket, quiet.clone(), self.silence)));
        Some(Connection { quiet, _watch: watch, _places: (all, of_address) })
    }
}

fn at_once<K: Clone + Eq + Hash>(turns: &Turns<K>, key: K) -> Option<Turn<K>> {
    turns.take(key).now_or_never().flatten()
}

/// A connection's data, dropped with it.
struct Connection {
    quiet: Rc<Quiet>,
    _watch: AbortOnDrop,
    _places: (Turn<()>, Option<Turn<Peer>>),
}

struct Quiet {
    /// Requests whose answers are not all handed over yet.
    running: Cell<usize>,
    /// When the last of them ended.
    since: Cell<Instant>,
}

/// Shuts the connection down when it has been silent for too long.
async fn watch(socket: OwnedFd, quiet: Rc<Quiet>, longest: Duration) {
    loop {
        let silent = if quiet.running.get() == 0 { quiet.since.get().elapsed() } else { Duration::ZERO };
        if silent >= longest {
            let _ = shutdown(&socket, Shutdown::Both);
            return;
        }
        tokio::time::sleep(longest - silent).await;
    }
}

struct Running(Rc<Quiet>);

impl Running {
    fn begin(quiet: &Rc<Quiet>) -> Self {
        quiet.running.set(quiet.running.get() + 1);
        Self(quiet.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.set(self.0.running.get() - 1);
        self.0.since.set(Instant::now());
    }
}

/// The outermost middleware: holds the request's body until the answer has been handed over. actix closes a connection
/// whose body is held and has not ended; it reads on when the body was dropped.
pub(super) async fn around(
    mut req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<Held>, Error> {
    let running = req.conn_data::<Connection>().map(|connection| Running::begin(&connection.quiet));
    let request_body = shared(&mut req);
    let res = next.call(req).await?;
    Ok(res.map_body(|_, body| Held { body: body.boxed(), _request_body: request_body, _running: running }))
}

/// Replaces the request's body by one that reads the same stream.
fn shared(req: &mut ServiceRequest) -> Option<Rc<RefCell<Payload>>> {
    let payload = req.take_payload();
    if matches!(payload, Payload::None) {
        return None;
    }
    let payload = Rc::new(RefCell::new(payload));
    let read = payload.clone();
    let stream = stream::poll_fn(move |cx| Pin::new(&mut *read.borrow_mut()).poll_next(cx));
    req.set_payload(Payload::Stream { payload: Box::pin(stream) });
    Some(payload)
}

/// An answer's body, and what must last as long.
pub(super) struct Held {
    body: BoxBody,
    _request_body: Option<Rc<RefCell<Payload>>>,
    _running: Option<Running>,
}

impl MessageBody for Held {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(cx)
    }
}
