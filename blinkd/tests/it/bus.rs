//! A private D-Bus bus with a fake logind and a fake screen saver.

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use blinkd::session::{Bus, Buses};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use zbus::{
    Connection, fdo,
    object_server::{InterfaceRef, SignalEmitter},
    zvariant::{ObjectPath, OwnedFd, OwnedObjectPath},
};

/// A D-Bus daemon of the test's own; ended when dropped.
pub(crate) struct PrivateBus {
    folder: TempDir,
    daemon: Option<Child>,
}

impl PrivateBus {
    pub(crate) fn start() -> Self {
        let mut bus = Self { folder: tempfile::tempdir().unwrap(), daemon: None };
        bus.run();
        bus
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("bus")
    }

    pub(crate) fn address(&self) -> String {
        format!("unix:path={}", self.socket().display())
    }

    /// Starts the bus; a restarted bus has the same address.
    pub(crate) fn run(&mut self) {
        let config = self.folder.path().join("bus.conf");
        let text = format!(
            r#"<busconfig><type>session</type><listen>{}</listen><policy context="default">
            <allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy></busconfig>"#,
            self.address()
        );
        std::fs::write(&config, text).unwrap();
        let _ = std::fs::remove_file(self.socket());
        let mut command = Command::new("dbus-daemon");
        command.arg("--nofork").arg("--nopidfile").arg("--print-address").arg("--config-file").arg(config);
        let mut daemon =
            command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("dbus-daemon is installed");
        // The daemon prints its address when it is ready.
        let mut line = String::new();
        BufReader::new(daemon.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("unix:path="), "{line}");
        self.daemon = Some(daemon);
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.kill().unwrap();
            daemon.wait().unwrap();
        }
    }

    /// The buses for a daemon that uses this one as both the machine's and the person's.
    pub(crate) fn as_both(&self) -> Buses {
        Buses { system: Bus::At(self.address()), session: Bus::At(self.address()) }
    }
}

impl Drop for PrivateBus {
    fn drop(&mut self) {
        self.kill();
    }
}

const SESSION: &str = "/org/freedesktop/login1/session/c7";

struct Manager {
    held: Arc<AtomicUsize>,
    ever: Arc<AtomicUsize>,
}

#[zbus::interface(name = "org.freedesktop.login1.Manager")]
impl Manager {
    fn get_user(&self, _uid: u32) -> OwnedObjectPath {
        ObjectPath::from_static_str_unchecked("/org/freedesktop/login1/user/self").into()
    }

    /// The delay holds while the other end of the pipe is open.
    fn inhibit(&self, what: &str, _who: &str, _why: &str, mode: &str) -> fdo::Result<OwnedFd> {
        if (what, mode) != ("sleep", "delay") {
            return Err(fdo::Error::InvalidArgs(format!("{what} {mode}")));
        }
        let (mut ours, theirs) = std::io::pipe().map_err(|error| fdo::Error::IOError(error.to_string()))?;
        self.held.fetch_add(1, Ordering::SeqCst);
        self.ever.fetch_add(1, Ordering::SeqCst);
        let held = Arc::clone(&self.held);
        std::thread::spawn(move || {
            let _ = std::io::Read::read(&mut ours, &mut [0]);
            held.fetch_sub(1, Ordering::SeqCst);
        });
        Ok(std::os::fd::OwnedFd::from(theirs).into())
    }

    #[zbus(property)]
    fn preparing_for_sleep(&self) -> bool {
        false
    }

    #[zbus(signal)]
    async fn prepare_for_sleep(emitter: &SignalEmitter<'_>, start: bool) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn session_new(emitter: &SignalEmitter<'_>, id: &str, path: ObjectPath<'_>) -> zbus::Result<()>;
}

struct User;

#[zbus::interface(name = "org.freedesktop.login1.User")]
impl User {
    #[zbus(property)]
    fn display(&self) -> (String, OwnedObjectPath) {
        ("c7".to_owned(), ObjectPath::from_static_str_unchecked(SESSION).into())
    }
}

struct Session {
    locked: bool,
    read_locked: Arc<AtomicUsize>,
}

#[zbus::interface(name = "org.freedesktop.login1.Session")]
impl Session {
    #[zbus(property)]
    fn locked_hint(&self) -> bool {
        self.read_locked.fetch_add(usize::from(self.locked), Ordering::SeqCst);
        self.locked
    }

    #[zbus(signal)]
    async fn lock(emitter: &SignalEmitter<'_>) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn unlock(emitter: &SignalEmitter<'_>) -> zbus::Result<()>;
}

struct Saver;

#[zbus::interface(name = "org.freedesktop.ScreenSaver")]
impl Saver {
    fn get_active(&self) -> bool {
        false
    }

    #[zbus(signal)]
    async fn active_changed(emitter: &SignalEmitter<'_>, active: bool) -> zbus::Result<()>;
}

/// The fake logind and screen saver, while this exists.
pub(crate) struct Desktop {
    runtime: Runtime,
    connection: Connection,
    /// Number of delay inhibitors held now, and ever taken.
    pub(crate) held: Arc<AtomicUsize>,
    pub(crate) ever: Arc<AtomicUsize>,
    /// How often `LockedHint` was read as locked.
    pub(crate) read_locked: Arc<AtomicUsize>,
}

impl Desktop {
    /// Starts on `bus`; `locked` is the session's initial state.
    pub(crate) fn on(bus: &PrivateBus, locked: bool) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (held, ever) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let read_locked = Arc::new(AtomicUsize::new(0));
        let session = Session { locked, read_locked: Arc::clone(&read_locked) };
        let manager = Manager { held: Arc::clone(&held), ever: Arc::clone(&ever) };
        let connection = runtime.block_on(async {
            zbus::connection::Builder::address(bus.address().as_str())?
                .method_timeout(Duration::from_secs(10))
                .serve_at("/org/freedesktop/login1", manager)?
                .serve_at("/org/freedesktop/login1/user/self", User)?
                .serve_at(SESSION, session)?
                .serve_at("/org/freedesktop/ScreenSaver", Saver)?
                .name("org.freedesktop.login1")?
                .name("org.freedesktop.ScreenSaver")?
                .build()
                .await
        });
        Self { runtime, connection: connection.unwrap(), held, ever, read_locked }
    }

    fn at<I: zbus::object_server::Interface>(&self, path: &'static str) -> InterfaceRef<I> {
        self.runtime.block_on(self.connection.object_server().interface(path)).unwrap()
    }

    pub(crate) fn set_hint(&self, locked: bool) {
        let session: InterfaceRef<Session> = self.at(SESSION);
        self.runtime.block_on(async {
            let mut guard = session.get_mut().await;
            guard.locked = locked;
            guard.locked_hint_changed(session.signal_emitter()).await.unwrap();
        });
    }

    /// Changes the hint without a signal, and announces another session, after which the daemon reads the hint.
    pub(crate) fn hint_unsaid(&self, locked: bool) {
        let session: InterfaceRef<Session> = self.at(SESSION);
        let manager: InterfaceRef<Manager> = self.at("/org/freedesktop/login1");
        let other = ObjectPath::from_static_str_unchecked("/org/freedesktop/login1/session/c8");
        self.runtime.block_on(async {
            session.get_mut().await.locked = locked;
            Manager::session_new(manager.signal_emitter(), "c8", other).await.unwrap();
        });
    }

    pub(crate) fn ask_to(&self, lock: bool) {
        let session: InterfaceRef<Session> = self.at(SESSION);
        let emitter = session.signal_emitter();
        self.runtime
            .block_on(async { if lock { Session::lock(emitter).await } else { Session::unlock(emitter).await } })
            .unwrap();
    }

    pub(crate) fn sleep(&self, start: bool) {
        let manager: InterfaceRef<Manager> = self.at("/org/freedesktop/login1");
        self.runtime.block_on(Manager::prepare_for_sleep(manager.signal_emitter(), start)).unwrap();
    }

    pub(crate) fn save_screen(&self, active: bool) {
        let saver: InterfaceRef<Saver> = self.at("/org/freedesktop/ScreenSaver");
        self.runtime.block_on(Saver::active_changed(saver.signal_emitter(), active)).unwrap();
    }
}

/// Another program on the bus claims that the session is unlocked and the machine awake.
pub(crate) fn lie(bus: &PrivateBus) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let liar = zbus::connection::Builder::address(bus.address().as_str()).unwrap().build().await.unwrap();
        let none = None::<&str>;
        let hint = std::collections::HashMap::from([("LockedHint", zbus::zvariant::Value::from(false))]);
        let body = ("org.freedesktop.login1.Session", hint, Vec::<String>::new());
        liar.emit_signal(none, SESSION, "org.freedesktop.DBus.Properties", "PropertiesChanged", &body).await.unwrap();
        liar.emit_signal(none, SESSION, "org.freedesktop.login1.Session", "Unlock", &()).await.unwrap();
        let manager = "org.freedesktop.login1.Manager";
        liar.emit_signal(none, "/org/freedesktop/login1", manager, "PrepareForSleep", &(false,)).await.unwrap();
        let saver = "org.freedesktop.ScreenSaver";
        liar.emit_signal(none, "/org/freedesktop/ScreenSaver", saver, "ActiveChanged", &(false,)).await.unwrap();
        // An answer means that all signals before it were sent.
        let bus = fdo::DBusProxy::new(&liar).await.unwrap();
        bus.get_id().await.unwrap();
    });
}
