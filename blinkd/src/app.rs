//! Wiring: starts the threads in order and stops them in reverse, each within its time.
//!
//! The order is lock, socket, keeper, upload, capture, session. The daemon needs the keeper and the upload thread: if
//! one of them panics, it stops with exit code 1 and its unit starts it again. The capture thread is restarted instead.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
    time::Duration,
};

use blink_profile::Paths;
use blink_proto::{Problem, ipc::Event, problem::code};
use tokio::{
    runtime::Runtime,
    sync::{broadcast, watch},
};

use crate::{
    capture::{self, CaptureControl, CaptureEvent, CaptureEvents as _, FrameReader, Trouble, TroubleKind},
    clock::{Clock, Zone},
    config::Settings,
    cost::Meter,
    daemon::{self, Daemon},
    exit::{ExitStatus, Failure},
    ipc::Socket,
    keeper::{self, CapturePolicy, Keeper, KeeperHandle},
    lock::Lock,
    owner::OwnerDesk,
    profile::Vault,
    session::{self, Buses},
    signals,
    store::erase,
    upload::{self, Connect, UploadHandle, Uploader},
};

/// How many events a subscriber may lag behind.
const EVENTS_KEPT: usize = 512;
/// How long each thread may take to end when told to; together less than two seconds.
const CAPTURE_ENDS: Duration = Duration::from_millis(900);
const UPLOAD_ENDS: Duration = Duration::from_millis(150);
const KEEPER_ENDS: Duration = Duration::from_millis(600);
const RUNTIME_ENDS: Duration = Duration::from_millis(150);

/// Makes the reader; called on the capture thread.
pub type MakeReader = Box<dyn Fn() -> Box<dyn FrameReader> + Send>;

pub struct AppDeps {
    pub paths: Paths,
    pub clock: Arc<dyn Clock>,
    /// The person's time zone.
    pub tz: Zone,
    pub machine: Option<String>,
    /// The source as `status` shows it.
    pub source: String,
    pub reader: MakeReader,
    /// Decides whom to follow among several people.
    pub owner: Arc<OwnerDesk>,
    pub connect: Connect,
    pub server: String,
    /// Whether plain HTTP to other machines is allowed.
    pub insecure: bool,
    /// The history keeps this many days.
    pub retention_days: u32,
    pub policy: CapturePolicy,
    /// The D-Bus buses of the desktop session.
    pub buses: Buses,
    /// Whether reminders are shown, which needs a desktop.
    pub reminds: bool,
    pub vault: Vault,
    /// The settings; `None` where they cannot be read again.
    pub settings: Option<Arc<Settings>>,
}

/// The running daemon. It must be ended with [`Running::stop`].
pub struct Running {
    daemon: Daemon,
    keeper: KeeperHandle,
    upload: UploadHandle,
    control: Arc<CaptureControl>,
    stop: Arc<watch::Sender<bool>>,
    threads: Threads,
    runtime: Runtime,
    paths: Paths,
    socket: PathBuf,
    _lock: Lock,
}

struct Threads {
    keeper: JoinHandle<()>,
    upload: JoinHandle<()>,
    capture: JoinHandle<()>,
}

#[expect(clippy::needless_pass_by_value, reason = "used with map_err")]
fn no_threads(error: std::io::Error) -> Failure {
    Failure::failed(
        code::THREADS,
        format!("The system lets no thread start: {error}."),
        "Free some memory or processes.",
    )
}

/// Starts everything. Fails when another daemon of the profile runs, or its folders cannot be used.
pub fn start(deps: AppDeps) -> Result<Running, Failure> {
    finish_erasing(&deps.paths)?;
    let mut lock = Lock::take(&deps.paths)?;
    erase::sweep_half_written(&deps.paths);
    let runtime = runtime()?;
    let path = deps.paths.socket();
    let socket = {
        let _inside = runtime.enter();
        Socket::listen(&path)?
    };
    lock.listens_at(&path);
    let stop = Arc::new(watch::Sender::new(false));
    let (events, _) = broadcast::channel(EVENTS_KEPT);
    let control = Arc::new(CaptureControl::default());
    let (upload, inbox) = UploadHandle::new();

    let keeper = Keeper::begin(keeper_deps(&deps, &control, &events, &upload)).map_err(unusable_profile)?;
    let guard = StopOnPanic(Arc::clone(&stop));
    let (keeper, keeper_thread) = keeper.start(move || drop(guard)).map_err(no_threads)?;

    let uploader = Uploader::begin(upload::UploadDeps {
        keeper: keeper.clone(),
        clock: Arc::clone(&deps.clock),
        connect: deps.connect,
        vault: deps.vault.clone(),
        server: deps.server,
        insecure: deps.insecure,
    });
    let uploader = uploader.map_err(|gone| Failure::failed(code::INTERNAL, gone.to_string(), "See the log."))?;
    let guard = StopOnPanic(Arc::clone(&stop));
    let upload_thread = uploader.start(inbox, move || drop(guard)).map_err(no_threads)?;

    let capture =
        Capture { reader: deps.reader, control: Arc::clone(&control), clock: deps.clock, keeper: keeper.clone() };
    let capture =
        thread::Builder::new().name("blinkd-capture".into()).spawn(move || capture.run()).map_err(no_threads)?;

    let daemon = Daemon::new(daemon::DaemonDeps {
        keeper: keeper.clone(),
        upload: upload.clone(),
        owner: deps.owner,
        control: Arc::clone(&control),
        settings: deps.settings,
        paths: deps.paths.clone(),
        vault: deps.vault,
        session: deps.buses.session.clone(),
        reminds: deps.reminds,
        events,
        stop: Arc::clone(&stop),
    });
    runtime.spawn(socket.serve(daemon.clone()));
    let session_deps =
        session::SessionDeps { keeper: keeper.clone(), upload: upload.clone(), control: Arc::clone(&control) };
    runtime.spawn(session::follow(deps.buses, session_deps));
    let threads = Threads { keeper: keeper_thread, upload: upload_thread, capture };
    let paths = deps.paths;
    Ok(Running { daemon, keeper, upload, control, stop, threads, runtime, paths, socket: path, _lock: lock })
}

fn keeper_deps(
    deps: &AppDeps,
    control: &Arc<CaptureControl>,
    events: &broadcast::Sender<Event>,
    upload: &UploadHandle,
) -> keeper::KeeperDeps {
    let (upload, owner) = (upload.clone(), Arc::clone(&deps.owner));
    keeper::KeeperDeps {
        paths: deps.paths.clone(),
        clock: Arc::clone(&deps.clock),
        tz: deps.tz.clone(),
        machine: deps.machine.clone(),
        source: deps.source.clone(),
        retention_days: deps.retention_days,
        policy: deps.policy.clone(),
        meter: Meter::default(),
        control: Arc::clone(control),
        events: events.clone(),
        enrols: Box::new(move || owner.enrols()),
        on_sealed: Box::new(move || upload.queued()),
    }
}

/// The runtime of the local socket and of D-Bus; blocking work has threads of its own.
fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("blinkd-ipc")
        .enable_all()
        .build()
        .map_err(no_threads)
}

fn unusable_profile(error: keeper::KeeperError) -> Failure {
    if let keeper::KeeperError::Newer(problem) = error {
        return Failure { problem, status: ExitStatus::Usage };
    }
    let message = format!("The profile cannot be used: {error}.");
    Failure::failed(code::DATA_FOLDER, message, "Check the data folder's permissions.")
}

/// Finishes an interrupted erasure before anything of the profile is read. Fails when another daemon runs, or something
/// cannot be erased.
pub fn finish_erasing(paths: &Paths) -> Result<(), Failure> {
    if !erase::is_begun(paths) {
        return Ok(());
    }
    let _lock = Lock::take(paths)?;
    erase::finish(paths).map(drop).map_err(|error| {
        let fix = "Check the folder's permissions and the disk, then start again.";
        Failure::failed(code::NOT_ERASED, format!("An erasure that was begun cannot be finished: {error}."), fix)
    })
}

/// Stops the whole daemon in order when a thread that it needs panics.
struct StopOnPanic(Arc<watch::Sender<bool>>);

impl Drop for StopOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.send_replace(true);
        }
    }
}

struct Capture {
    reader: MakeReader,
    control: Arc<CaptureControl>,
    clock: Arc<dyn Clock>,
    keeper: KeeperHandle,
}

impl Capture {
    fn run(self) {
        loop {
            let watch = || capture::run((self.reader)().as_mut(), &self.control, &self.clock, &self.keeper);
            if catch_unwind(AssertUnwindSafe(watch)).is_ok() {
                if self.control.take_renewed() {
                    continue;
                }
                return;
            }
            let fix = "Please report it with the newest log file; looking is begun anew by itself.";
            let problem = Problem::new(code::INTERNAL, "Looking stopped on a mistake of blinkd's own.", fix);
            self.keeper.tell(CaptureEvent::Trouble(Trouble { kind: TroubleKind::Broken, problem }));
            thread::sleep(Duration::from_secs(1));
        }
    }
}

impl Running {
    #[must_use]
    pub fn daemon(&self) -> &Daemon {
        &self.daemon
    }

    /// Runs `task` beside the daemon until either ends.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(task);
    }

    /// The current state; `None` when the daemon is stopping.
    #[must_use]
    pub fn state(&self) -> Option<blink_proto::status::State> {
        self.keeper.call(|keeper| keeper.state()).ok()
    }

    /// Waits until a client asks for a stop or, with `signals`, until a signal does.
    pub fn wait(&self, signals: bool) {
        let mut asked = self.stop.subscribe();
        self.runtime.block_on(async {
            let signal =
                async { if signals { signals::stop_asked(&self.daemon).await } else { std::future::pending().await } };
            tokio::select! {
                _ = asked.wait_for(|asked| *asked) => {}
                () = signal => {}
            }
        });
    }

    /// Stops everything within two seconds. The open minute is saved, not sealed. Fails when a thread that the daemon
    /// needs had panicked.
    pub fn stop(self) -> Result<(), Failure> {
        let Self { daemon, keeper, upload, control, threads, runtime, paths, socket, _lock, .. } = self;
        tracing::info!("stopping");
        control.stop();
        let captured = ended(threads.capture, CAPTURE_ENDS);
        upload.stop();
        let uploaded = ended(threads.upload, UPLOAD_ENDS);
        keeper.post(|keeper| keeper.finish());
        let kept = ended(threads.keeper, KEEPER_ENDS);
        tracing::info!(?captured, ?uploaded, ?kept, "stopped");
        let erasing = erase::is_everything(&paths);
        if erasing {
            // All writers have stopped, so the erasure can be finished. Clients notice its end when the connection
            // closes.
            let _ = std::fs::remove_file(&socket);
            if let Err(error) = erase::finish(&paths) {
                tracing::error!(why = error.why(), "something is left; the next start removes it");
            }
        }
        drop((keeper, upload, daemon));
        runtime.shutdown_timeout(RUNTIME_ENDS);
        // The listener may have outlived its runtime.
        let _ = std::fs::remove_file(socket);
        if [captured, uploaded, kept].contains(&Ended::Panicked) {
            return Err(Failure::failed(
                code::INTERNAL,
                "blinkd stopped on a mistake of its own.",
                "Please report it with the newest file of the log folder.",
            ));
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    InOrder,
    Panicked,
    /// The thread is abandoned when the process ends; its work is repeated at the next start.
    NotYet,
}

fn ended(thread: JoinHandle<()>, within: Duration) -> Ended {
    let (tell, told) = mpsc::sync_channel(1);
    let waiter = thread::Builder::new().name("blinkd-wait".into()).spawn(move || drop(tell.send(thread.join())));
    if waiter.is_err() {
        return Ended::NotYet;
    }
    match told.recv_timeout(within) {
        Ok(Ok(())) => Ended::InOrder,
        Ok(Err(_)) => Ended::Panicked,
        Err(_) => Ended::NotYet,
    }
}
