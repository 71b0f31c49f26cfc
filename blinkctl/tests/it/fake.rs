//! A fake daemon that answers as the test tells it to, on a socket in a profile of its own.

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
        Answer, ConsentShown, Elsewhere, Erase, Event, FromDaemon, Hello, JsonCodec, Outcome, Reply, Request, SignedIn,
        SyncDone, ToDaemon,
    },
    status::{Queue, State, Status},
};
use futures_util::{SinkExt, StreamExt};
use tokio::{net::UnixListener, runtime, sync::oneshot};
use tokio_util::codec::Framed;

/// The longest hold of [`held_back`], so that the daemon of a failed test ends.
const AT_MOST: Duration = Duration::from_secs(20);

/// Answers a request; it may record it.
pub(crate) type Handler = dyn Fn(&Request) -> Outcome + Send + Sync;

/// The fake daemon's behaviour.
pub(crate) struct Behaviour {
    /// Its first frame; `None` hangs for ever.
    pub(crate) hello: Option<FromDaemon>,
    /// Sent after a subscription's answer; then the connection is closed.
    pub(crate) events: Vec<Event>,
    /// Keeps a subscriber's connection open after its events instead.
    pub(crate) stay: bool,
    /// Answers calls; after `quit` and the erasure of everything the connection is closed.
    pub(crate) handler: Box<Handler>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            hello: Some(FromDaemon::Hello(Hello::of("blinkd", "0.1.0"))),
            events: Vec::new(),
            stay: false,
            handler: Box::new(healthy),
        }
    }
}

/// A running fake daemon; dropping it stops it.
pub(crate) struct Fake {
    asked: Arc<Mutex<Vec<Request>>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Fake {
    /// Starts the daemon, which listens on the socket of `paths` when this returns.
    pub(crate) fn start(paths: &Paths, behaviour: Behaviour) -> Self {
        std::fs::create_dir_all(&paths.runtime).unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (stop, stopped) = oneshot::channel();
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let listener = {
            let _in_runtime = runtime.enter();
            UnixListener::bind(paths.socket()).unwrap()
        };
        let (behaviour, log) = (Arc::new(behaviour), asked.clone());
        let thread = thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, behaviour, log) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { asked, stop: Some(stop), thread: Some(thread) }
    }

    /// The requests so far.
    pub(crate) fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }

    /// The requests so far, without the question of a sign-in what other machines have.
    pub(crate) fn asked_to_sign_in(&self) -> Vec<Request> {
        self.asked().into_iter().filter(|request| *request != Request::Elsewhere { from: None }).collect()
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

async fn accept(listener: UnixListener, behaviour: Arc<Behaviour>, asked: Arc<Mutex<Vec<Request>>>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (behaviour, asked) = (behaviour.clone(), asked.clone());
        tokio::spawn(async move {
            let frames = Framed::new(stream, JsonCodec::<ToDaemon, FromDaemon>::default());
            serve(frames, &behaviour, &asked).await;
        });
    }
}

async fn serve(
    mut frames: Framed<tokio::net::UnixStream, JsonCodec<ToDaemon, FromDaemon>>,
    behaviour: &Behaviour,
    asked: &Mutex<Vec<Request>>,
) {
    assert!(matches!(frames.next().await, Some(Ok(ToDaemon::Hello(_)))), "the hello comes first");
    match &behaviour.hello {
        Some(hello) => frames.send(hello.clone()).await.unwrap(),
        None => std::future::pending().await,
    }
    while let Some(Ok(ToDaemon::Call(call))) = frames.next().await {
        asked.lock().unwrap().push(call.request.clone());
        // A daemon may send other frames first; a client must not take them for its answer.
        frames.send(FromDaemon::Event(Event::Unknown)).await.unwrap();
        let outcome = (behaviour.handler)(&call.request);
        frames.send(FromDaemon::Answer(Answer { id: call.id, outcome })).await.unwrap();
        match call.request {
            Request::Quit | Request::Delete { what: Erase::Everything, .. } => return,
            Request::Subscribe { .. } => {
                for event in &behaviour.events {
                    // The client may disconnect before the last event.
                    if frames.send(FromDaemon::Event(event.clone())).await.is_err() {
                        return;
                    }
                }
                if behaviour.stay {
                    while frames.next().await.is_some() {}
                }
                return;
            }
            _ => {}
        }
    }
}

/// Answers every request with success.
pub(crate) fn healthy(request: &Request) -> Outcome {
    ok(match request {
        Request::Status => Reply::Status(tracking()),
        Request::ConsentShow => Reply::Consent(consent(true)),
        Request::Register { .. } | Request::Login { .. } | Request::Whoami => Reply::SignedIn(ada()),
        Request::Sync => Reply::Sync(SyncDone { uploaded: 3, set_aside: 0, held: 0 }),
        Request::Elsewhere { .. } => Reply::Elsewhere(Elsewhere::default()),
        _ => Reply::Done,
    })
}

pub(crate) fn ok(reply: Reply) -> Outcome {
    Outcome::Ok(Box::new(reply))
}

/// Returns a sender and a function that blocks until the sender is dropped. The sender must be dropped before the
/// daemon, which stops only after its last answer.
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

/// The account of a person who signed in on a machine with consent.
pub(crate) fn ada() -> SignedIn {
    SignedIn {
        user_id: "01890a5d-ac96-774b-bcce-b302099a8057".parse::<UserId>().unwrap(),
        email: "ada@example.org".into(),
        server: "https://waw.example.org".into(),
        adopted: 0,
        consent: true,
    }
}

pub(crate) fn consent(granted: bool) -> ConsentShown {
    let at = "2026-03-01T10:00:00Z".parse().unwrap();
    let record = if granted { ConsentRecord::granted(at) } else { ConsentRecord::withdrawn(at) };
    ConsentShown { version: TRACKING_VERSION.into(), text: TRACKING_TEXT.into(), record: Some(record) }
}

/// A sealed minute of the history, with one of its figures missing.
pub(crate) fn minute(number: i64) -> Minute {
    Minute { perclos: None, ..example::minute(number) }
}

/// The status of a daemon without any problem.
pub(crate) fn tracking() -> Status {
    let queue = Queue { last_success: Some("2026-03-01T10:04:07Z".parse().unwrap()), ..Queue::default() };
    Status { queue, ..example::status(State::Tracking) }
}
