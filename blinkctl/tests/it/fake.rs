//! A daemon that answers as the test tells it to, on a socket in a profile of its own.

use std::{
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use blink_profile::Paths;
use blink_proto::{
    Minute, Problem, UserId,
    consent::{ConsentRecord, TRACKING_TEXT, TRACKING_VERSION},
    example,
    ipc::{
        Answer, ConsentShown, Erase, Event, FromDaemon, Hello, JsonCodec, Outcome, Reply, Request, SignedIn, SyncDone,
        ToDaemon,
    },
    status::{Queue, State, Status},
};
use futures_util::{SinkExt, StreamExt};
use tokio::{net::UnixListener, runtime, sync::oneshot};
use tokio_util::codec::Framed;

/// A test that failed lets go of nothing, and must end nevertheless.
const AT_MOST: Duration = Duration::from_secs(20);

/// How the daemon answers; it may keep what it was asked.
pub(crate) type Handler = dyn Fn(&Request) -> Outcome + Send + Sync;

/// What the daemon does besides answering.
pub(crate) struct Manner {
    /// Its first frame; `None` hangs for ever.
    pub(crate) hello: Option<FromDaemon>,
    /// Sent after a subscription's answer; then the connection is closed.
    pub(crate) events: Vec<Event>,
    /// Keeps the connection of a subscriber instead, after its events.
    pub(crate) stay: bool,
    /// Answers calls; after `quit` and the erasure of everything the connection is closed.
    pub(crate) handler: Box<Handler>,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            hello: Some(FromDaemon::Hello(Hello::of("blinkd", "0.1.0"))),
            events: Vec::new(),
            stay: false,
            handler: Box::new(healthy),
        }
    }
}

/// A running daemon; dropping it stops it.
pub(crate) struct Fake {
    asked: Arc<Mutex<Vec<Request>>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Fake {
    /// Listens on the socket of `paths` before it returns.
    pub(crate) fn start(paths: &Paths, manner: Manner) -> Self {
        std::fs::create_dir_all(&paths.runtime).unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (stop, stopped) = oneshot::channel();
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let listener = {
            let _in_runtime = runtime.enter();
            UnixListener::bind(paths.socket()).unwrap()
        };
        let (manner, log) = (Arc::new(manner), asked.clone());
        let thread = thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, manner, log) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { asked, stop: Some(stop), thread: Some(thread) }
    }

    /// Everything asked so far.
    pub(crate) fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

async fn accept(listener: UnixListener, manner: Arc<Manner>, asked: Arc<Mutex<Vec<Request>>>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (manner, asked) = (manner.clone(), asked.clone());
        tokio::spawn(async move {
            let frames = Framed::new(stream, JsonCodec::<ToDaemon, FromDaemon>::default());
            serve(frames, &manner, &asked).await;
        });
    }
}

async fn serve(
    mut frames: Framed<tokio::net::UnixStream, JsonCodec<ToDaemon, FromDaemon>>,
    manner: &Manner,
    asked: &Mutex<Vec<Request>>,
) {
    assert!(matches!(frames.next().await, Some(Ok(ToDaemon::Hello(_)))), "the hello comes first");
    match &manner.hello {
        Some(hello) => frames.send(hello.clone()).await.unwrap(),
        None => std::future::pending().await,
    }
    while let Some(Ok(ToDaemon::Call(call))) = frames.next().await {
        asked.lock().unwrap().push(call.request.clone());
        // A daemon may say other things first; a client must not take them for its answer.
        frames.send(FromDaemon::Event(Event::Unknown)).await.unwrap();
        let outcome = (manner.handler)(&call.request);
        frames.send(FromDaemon::Answer(Answer { id: call.id, outcome })).await.unwrap();
        match call.request {
            Request::Quit | Request::Delete { what: Erase::Everything, .. } => return,
            Request::Subscribe { .. } => {
                for event in &manner.events {
                    // A client that has seen enough may leave before the end.
                    if frames.send(FromDaemon::Event(event.clone())).await.is_err() {
                        return;
                    }
                }
                if manner.stay {
                    while frames.next().await.is_some() {}
                }
                return;
            }
            _ => {}
        }
    }
}

/// Grants everything.
pub(crate) fn healthy(request: &Request) -> Outcome {
    ok(match request {
        Request::Status => Reply::Status(tracking()),
        Request::ConsentShow => Reply::Consent(consent(true)),
        Request::Register { .. } | Request::Login { .. } | Request::Whoami => Reply::SignedIn(ada()),
        Request::Sync => Reply::Sync(SyncDone { uploaded: 3, set_aside: 0, held: 0 }),
        _ => Reply::Done,
    })
}

pub(crate) fn ok(reply: Reply) -> Outcome {
    Outcome::Ok(Box::new(reply))
}

/// An answer that does not come while the first half is held: what it returns waits until that is dropped. Whoever holds
/// it drops it before the daemon, which ends with its last answer.
pub(crate) fn held_back() -> (mpsc::Sender<()>, impl Fn() + Send + Sync) {
    let (held, released) = mpsc::channel();
    let released = Mutex::new(released);
    (held, move || {
        let _ = released.lock().unwrap().recv_timeout(AT_MOST);
    })
}

pub(crate) fn refused(code: &str, message: &str, fix: &str) -> Outcome {
    Outcome::Error(Problem::new(code, message, fix))
}

/// A person who signed in on a machine with consent.
pub(crate) fn ada() -> SignedIn {
    SignedIn {
        user_id: "01890a5d-ac96-774b-bcce-b302099a8057".parse::<UserId>().unwrap(),
        email: "ada@example.org".into(),
        server: "https://waw.example.org".into(),
        adopted: 0,
        consent: true,
    }
}

/// Consent that was granted or withdrawn.
pub(crate) fn consent(granted: bool) -> ConsentShown {
    let at = "2026-03-01T10:00:00Z".parse().unwrap();
    let record = if granted { ConsentRecord::granted(at) } else { ConsentRecord::withdrawn(at) };
    ConsentShown { version: TRACKING_VERSION.into(), text: TRACKING_TEXT.into(), record: Some(record) }
}

/// A closed minute of the history, without one of its figures.
pub(crate) fn minute(number: i64) -> Minute {
    Minute { perclos: None, ..example::minute(number) }
}

/// All is well.
pub(crate) fn tracking() -> Status {
    let queue = Queue { last_success: Some("2026-03-01T10:04:07Z".parse().unwrap()), ..Queue::default() };
    Status { queue, ..example::status(State::Tracking) }
}
