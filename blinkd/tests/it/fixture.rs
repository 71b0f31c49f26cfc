//! A daemon with a fake reader that sees blinks, and a client of its socket.

use std::{
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use blink_profile::Paths;
use blink_proto::{
    Problem,
    consent::TRACKING_VERSION,
    ipc::{Answer, Call, FromDaemon, Hello, JsonCodec, Outcome, Reply, Request, ToDaemon},
    status::Status,
};
use blink_vision::{Blink, Event, FaceSight, FrameReport, Reading};
use blinkd::{
    app::{self, AppDeps, Running},
    capture::{FrameReader, Pacing, ReadOutcome, Trouble},
    clock::RealClock,
    exit::Failure,
    keeper::CapturePolicy,
    owner::OwnerDesk,
    profile::Vault,
    session::Buses,
};
use bytes::BytesMut;
use jiff::{Timestamp, tz::TimeZone};
use tempfile::TempDir;
use tokio_util::codec::{Decoder as _, Encoder as _};

/// State shared between a test and the fake reader.
#[derive(Default)]
pub(crate) struct EyeFlags {
    pub(crate) open: AtomicBool,
    /// Whether the head is turned away; a detector still gives an EAR then.
    pub(crate) turned: AtomicBool,
}

/// A reader with a face in every frame, 50 per second, that blinks every 200 ms.
pub(crate) struct BlinkingReader {
    flags: Arc<EyeFlags>,
    opened: Instant,
    frames: u64,
    events: Vec<Event>,
}

const FRAME: Duration = Duration::from_millis(20);

impl FrameReader for BlinkingReader {
    fn ready(&mut self) -> Result<(), Trouble> {
        Ok(())
    }

    fn open(&mut self, _at: Timestamp) -> Result<(), Trouble> {
        self.opened = Instant::now();
        self.frames = 0;
        self.flags.open.store(true, Ordering::SeqCst);
        Ok(())
    }

    fn read(&mut self, wanted: &mut dyn FnMut(Duration) -> Pacing) -> Result<ReadOutcome, Trouble> {
        self.frames += 1;
        let timestamp = FRAME * u32::try_from(self.frames).unwrap();
        // Like a camera, it waits until the frame is due.
        thread::sleep(timestamp.saturating_sub(self.opened.elapsed()));
        match wanted(timestamp) {
            Pacing::Process => {}
            Pacing::Skip => return Ok(ReadOutcome::Skipped),
            Pacing::Stop => return Ok(ReadOutcome::Stopped),
        }
        self.events.push(Event::Observed { from: timestamp - FRAME, to: timestamp, closed: Duration::ZERO });
        if self.frames.is_multiple_of(10) {
            self.events.push(Event::Blink(Blink {
                start_frame: self.frames - 5,
                end_frame: self.frames,
                start: timestamp - 5 * FRAME,
                end: timestamp,
                width: Duration::from_millis(60),
                depth: 0.9,
                complete: true,
            }));
        }
        let turned = self.flags.turned.load(Ordering::SeqCst);
        let reading = Reading { ear: Some([0.3, 0.32]), turned, ..Reading::default() };
        let sight = if turned { FaceSight::Turned } else { FaceSight::Measurable };
        Ok(ReadOutcome::Frame(FrameReport {
            index: self.frames,
            timestamp,
            sight,
            stands_still: false,
            hint: None,
            fps: Some(50.0),
            reading,
        }))
    }

    fn decided(&mut self, into: &mut Vec<Event>) {
        into.append(&mut self.events);
    }

    fn close(&mut self) {
        self.flags.open.store(false, Ordering::SeqCst);
    }

    fn needs_pacing(&self) -> bool {
        false
    }

    fn repeats(&self) -> bool {
        false
    }
}

/// A running daemon and its reader's flags.
pub(crate) struct Fixture {
    pub(crate) folder: Arc<TempDir>,
    pub(crate) reader: Arc<EyeFlags>,
    running: Option<Running>,
}

impl Fixture {
    /// A daemon with a new profile, and a client of it.
    pub(crate) fn new() -> (Client, Self) {
        Self::of(Arc::new(tempfile::tempdir().unwrap()))
    }

    /// A daemon with the profile in `folder`.
    pub(crate) fn of(folder: Arc<TempDir>) -> (Client, Self) {
        Self::on(folder, Buses::none())
    }

    /// A daemon with the profile in `folder`, on these buses.
    pub(crate) fn on(folder: Arc<TempDir>, buses: Buses) -> (Client, Self) {
        let reader = Arc::<EyeFlags>::default();
        let running = start_on(folder.path(), &reader, buses).unwrap();
        let fixture = Self { folder, reader, running: Some(running) };
        (fixture.client(), fixture)
    }

    pub(crate) fn paths(&self) -> Paths {
        Paths::under(self.folder.path())
    }

    pub(crate) fn client(&self) -> Client {
        let mut client = Client::connect(&self.paths().socket());
        client.greet();
        client
    }

    pub(crate) fn source_is_open(&self) -> bool {
        self.reader.open.load(Ordering::SeqCst)
    }

    /// Waits until a client asks for the end.
    pub(crate) fn wait(&self) {
        self.running.as_ref().unwrap().wait(false);
    }

    /// Stops the daemon; returns how long that took.
    pub(crate) fn stop(mut self) -> Duration {
        let begun = Instant::now();
        self.running.take().unwrap().stop().unwrap();
        begun.elapsed()
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            let _ = running.stop();
        }
    }
}

/// Starts a daemon with the profile under `root`, without buses.
pub(crate) fn start(root: &Path, reader: &Arc<EyeFlags>) -> Result<Running, Failure> {
    start_on(root, reader, Buses::none())
}

/// Starts a daemon with the profile under `root`, on these buses.
pub(crate) fn start_on(root: &Path, reader: &Arc<EyeFlags>, buses: Buses) -> Result<Running, Failure> {
    let reader = Arc::clone(reader);
    app::start(AppDeps {
        paths: Paths::under(root),
        clock: Arc::new(RealClock::default()),
        tz: TimeZone::UTC.into(),
        machine: Some("this machine".to_owned()),
        source: "synthetic".to_owned(),
        reader: Box::new(move || {
            let flags = Arc::clone(&reader);
            Box::new(BlinkingReader { flags, opened: Instant::now(), frames: 0, events: Vec::new() })
        }),
        owner: Arc::new(OwnerDesk::open(Paths::under(root).owner_file())),
        connect: Box::new(|_| Err(Problem::new("no_server", "There is no server here.", "Do without."))),
        server: "http://127.0.0.1:9".to_owned(),
        insecure: false,
        retention_days: 90,
        policy: CapturePolicy::default(),
        buses,
        reminds: false,
        vault: Vault::open(&Paths::under(root), false),
        settings: None,
    })
}

/// An independent client, written from the protocol's document alone.
pub(crate) struct Client {
    pub(crate) stream: UnixStream,
    codec: JsonCodec<FromDaemon, ToDaemon>,
    buffer: BytesMut,
    calls: u64,
}

impl Client {
    pub(crate) fn connect(socket: &Path) -> Self {
        Self::on(UnixStream::connect(socket).unwrap())
    }

    fn on(stream: UnixStream) -> Self {
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Self { stream, codec: JsonCodec::default(), buffer: BytesMut::new(), calls: 0 }
    }

    /// A client that was greeted; `None` where the daemon ends at any step of that.
    pub(crate) fn try_greeted(socket: &Path) -> Option<Self> {
        let mut client = Self::on(UnixStream::connect(socket).ok()?);
        client.write(ToDaemon::Hello(Hello::of("test", "0"))).ok()?;
        client.receive().map(|_| client)
    }

    pub(crate) fn greet(&mut self) {
        self.send(ToDaemon::Hello(Hello::of("test", "0")));
        assert!(matches!(self.receive(), Some(FromDaemon::Hello(_))));
    }

    pub(crate) fn send(&mut self, message: ToDaemon) {
        self.write(message).unwrap();
    }

    fn write(&mut self, message: ToDaemon) -> std::io::Result<()> {
        let mut bytes = BytesMut::new();
        self.codec.encode(message, &mut bytes).unwrap();
        self.stream.write_all(&bytes)
    }

    /// The answer to a call; `None` if the daemon refused this client.
    pub(crate) fn try_call(&mut self, request: Request) -> Option<Outcome> {
        self.write(ToDaemon::Call(Call { id: 1, request })).ok()?;
        match self.receive() {
            Some(FromDaemon::Answer(Answer { outcome, .. })) => Some(outcome),
            _ => None,
        }
    }

    /// The next frame; `None` when the daemon has closed the connection.
    pub(crate) fn receive(&mut self) -> Option<FromDaemon> {
        loop {
            if let Some(message) = self.codec.decode(&mut self.buffer).unwrap() {
                return Some(message);
            }
            let mut bytes = [0; 4096];
            match self.stream.read(&mut bytes) {
                Ok(0) => return None,
                Ok(n) => self.buffer.extend_from_slice(&bytes[..n]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("nothing came: {error}"),
            }
        }
    }

    /// Calls and waits for the answer; events before it are dropped.
    pub(crate) fn call(&mut self, request: Request) -> Result<Reply, Problem> {
        self.calls += 1;
        let id = self.calls;
        self.send(ToDaemon::Call(Call { id, request }));
        loop {
            match self.receive().expect("an answer") {
                FromDaemon::Answer(Answer { id: of, outcome }) if of == id => {
                    return match outcome {
                        Outcome::Ok(reply) => Ok(*reply),
                        Outcome::Error(problem) => Err(problem),
                    };
                }
                FromDaemon::Event(_) => {}
                other => panic!("not an answer: {other:?}"),
            }
        }
    }

    pub(crate) fn status(&mut self) -> Status {
        match self.call(Request::Status) {
            Ok(Reply::Status(status)) => status,
            other => panic!("no status: {other:?}"),
        }
    }

    pub(crate) fn consent(&mut self) {
        let version = TRACKING_VERSION.to_owned();
        assert_eq!(self.call(Request::ConsentGrant { version }), Ok(Reply::Done));
    }
}

/// Waits until `holds` returns true; fails after ten seconds.
pub(crate) fn until(what: &str, holds: impl FnMut() -> bool) {
    until_within(Duration::from_secs(10), what, holds);
}

/// Waits until `holds` returns true; fails after `patience`.
pub(crate) fn until_within(patience: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + patience;
    while !holds() {
        assert!(Instant::now() < deadline, "{what} did not happen");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Prints a figure, or why a test was skipped.
#[expect(clippy::print_stdout, reason = "a test's own report")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}
