//! Tests from outside that the real program, with a file as its source, closes the source whenever it must.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use blink_profile::Paths;
use blink_proto::{
    consent::TRACKING_VERSION,
    ipc::{PauseSpan, Reply, Request},
    status::State,
};

use crate::{
    bus::{Desktop, PrivateBus},
    fixture::{Client, until},
    program::{Program, blinkd},
};

/// The source must be closed within this time of whatever forbids it.
const CLOSED_WITHIN: Duration = Duration::from_secs(1);

/// The source counts as closed when it was not open for this long.
const SEEN_CLOSED_FOR: Duration = Duration::from_millis(150);

fn toggles() -> u32 {
    if std::env::var_os("WAW_TEST_LONG").is_some() { 1_000 } else { 60 }
}

/// A clip of the synthetic face of `seconds`.
fn clip(folder: &Path, seconds: u32) -> PathBuf {
    let path = folder.join("face.avi");
    let mut command = Command::new(env!("CARGO_BIN_EXE_blinkd"));
    command.arg("synthesize").arg(&path).args(["--seconds", &seconds.to_string(), "--bpm", "20"]);
    assert!(command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success());
    path
}

/// A running blinkd whose source is a repeating file.
struct Watcher {
    root: tempfile::TempDir,
    clip: PathBuf,
    program: Program,
    client: Client,
}

impl Watcher {
    fn new(bus: &PrivateBus) -> Self {
        let root = tempfile::tempdir().unwrap();
        let clip = clip(root.path(), 20);
        let (program, client) = start(root.path(), &clip, bus);
        Self { root, clip, program, client }
    }

    /// Kills the program and starts it again at once.
    fn again(self, bus: &PrivateBus) -> Self {
        let Self { root, clip, program, .. } = self;
        drop(program);
        let (program, client) = start(root.path(), &clip, bus);
        Self { root, clip, program, client }
    }

    /// Whether the process has the source open, as the system reports it.
    fn is_open(&self) -> bool {
        let files = fs::read_dir(format!("/proc/{}/fd", self.program.0.id())).unwrap().flatten();
        files.into_iter().any(|file| fs::read_link(file.path()).is_ok_and(|target| target == self.clip))
    }

    fn ask(&mut self, request: Request) {
        assert_eq!(self.client.call(request), Ok(Reply::Done));
    }

    fn never_opens(&self, within: Duration) {
        let begun = Instant::now();
        while begun.elapsed() < within {
            assert!(!self.is_open());
            thread::sleep(Duration::from_millis(2));
        }
    }
}

fn start(root: &Path, clip: &Path, bus: &PrivateBus) -> (Program, Client) {
    look_at(root, &format!("file:{},loop", clip.display()), &bus.address())
}

fn look_at(root: &Path, source: &str, bus: &str) -> (Program, Client) {
    let mut command = blinkd(root, &["run", "--headless", "--source", source]);
    command.env("DBUS_SYSTEM_BUS_ADDRESS", bus).env("BLINKD_COST__PROFILE", "normal");
    let program = Program::run(root, &mut command);
    let mut client = Client::connect(&Paths::under(root).socket());
    client.greet();
    (program, client)
}

/// The current wishes of the person and reports of the desktop.
#[derive(Clone, Copy, Debug, Default)]
struct Conditions {
    consent: bool,
    paused: bool,
    locked: bool,
    yielded: bool,
}

impl Conditions {
    fn open(self) -> bool {
        self.consent && !self.paused && !self.locked && !self.yielded
    }

    /// Whether `state` is right; while the source is allowed, it is tracking or no face.
    fn allows(self, state: State) -> bool {
        match self {
            Self { consent: false, .. } => state == State::NoConsent,
            Self { paused: true, .. } => state == State::Paused,
            Self { locked: true, .. } => state == State::Locked,
            Self { yielded: true, .. } => state == State::Yielded,
            _ => matches!(state, State::NoFace | State::Tracking),
        }
    }
}

/// The next number below `below` of a fixed pseudo-random sequence (Marsaglia's xorshift).
fn next(state: &mut u64, below: u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state % below
}

#[derive(Clone, Copy)]
enum Toggle {
    Pause,
    Consent,
    Lock,
    Yield,
    Resume,
}

/// What is toggled next. Mostly what forbids looking is lifted, so that there is something to close.
fn pick(conditions: Conditions, dice: &mut u64) -> Toggle {
    let lift = !conditions.open() && next(dice, 4) > 0;
    if lift {
        return match conditions {
            Conditions { consent: false, .. } => Toggle::Consent,
            Conditions { locked: true, .. } => Toggle::Lock,
            _ => Toggle::Resume,
        };
    }
    match next(dice, 7) {
        0 | 1 => Toggle::Pause,
        2 | 3 => Toggle::Consent,
        4 | 5 => Toggle::Lock,
        _ if conditions.yielded => Toggle::Resume,
        _ => Toggle::Yield,
    }
}

fn carry_out(toggle: Toggle, conditions: &mut Conditions, watcher: &mut Watcher, desktop: &Desktop) {
    match toggle {
        Toggle::Pause => {
            conditions.paused = !conditions.paused;
            conditions.yielded &= conditions.paused;
            let pause = Request::Pause(PauseSpan::default());
            watcher.ask(if conditions.paused { pause } else { Request::Resume });
        }
        Toggle::Consent => {
            conditions.consent = !conditions.consent;
            let version = TRACKING_VERSION.to_owned();
            watcher.ask(if conditions.consent { Request::ConsentGrant { version } } else { Request::ConsentWithdraw });
        }
        Toggle::Lock => {
            conditions.locked = !conditions.locked;
            desktop.set_hint(conditions.locked);
        }
        Toggle::Yield => {
            conditions.yielded = true;
            watcher.ask(Request::Yield);
        }
        Toggle::Resume => {
            (conditions.paused, conditions.yielded) = (false, false);
            watcher.ask(Request::Resume);
        }
    }
}

/// How long after `since` the source was last seen open: an opening that was under way may show for an instant.
fn closing_time(watcher: &Watcher, since: Instant, conditions: Conditions) -> Duration {
    let mut last_open = Duration::ZERO;
    while since.elapsed() < last_open + SEEN_CLOSED_FOR {
        if watcher.is_open() {
            last_open = since.elapsed();
        }
        thread::sleep(Duration::from_millis(1));
        assert!(last_open < 10 * CLOSED_WITHIN, "it does not close: {conditions:?}");
    }
    last_open
}

#[test]
fn whatever_is_toggled_the_source_is_closed_within_a_second_and_the_state_is_right() {
    let bus = PrivateBus::start();
    let desktop = Desktop::on(&bus, false);
    let mut watcher = Watcher::new(&bus);
    until("logind is heard", || desktop.held.load(std::sync::atomic::Ordering::SeqCst) == 1);
    let (mut conditions, mut dice) = (Conditions::default(), 0x9e37_79b9_7f4a_7c15);
    let (mut worst, mut closings, mut wrong) = (Duration::ZERO, 0, 0);
    for _ in 0..toggles() {
        let was_open = conditions.open();
        let toggle = pick(conditions, &mut dice);
        carry_out(toggle, &mut conditions, &mut watcher, &desktop);
        let since = Instant::now();
        if conditions.open() {
            // In half of the cases there is no wait for the opening, so that the next toggle interrupts it.
            if next(&mut dice, 2) == 0 {
                until("opening", || watcher.is_open());
            }
            continue;
        }
        closings += u32::from(was_open);
        worst = worst.max(closing_time(&watcher, since, conditions));
        // The last toggle must show in the state within the time limit.
        let mut state = watcher.client.status().state;
        while !conditions.allows(state) && since.elapsed() < CLOSED_WITHIN + SEEN_CLOSED_FOR {
            state = watcher.client.status().state;
        }
        wrong += u32::from(!conditions.allows(state));
    }
    println!(
        "toggles {}, of these closing {closings}, worst closing time {} ms, wrong states {wrong}",
        toggles(),
        worst.as_millis()
    );
    assert!(worst <= CLOSED_WITHIN && wrong == 0);
    // At the end everything is allowed again, and it tracks.
    desktop.set_hint(false);
    watcher.ask(Request::ConsentGrant { version: TRACKING_VERSION.to_owned() });
    watcher.ask(Request::Resume);
    until("tracking", || watcher.client.status().state == State::Tracking);
    assert!(watcher.is_open());
    assert_eq!(watcher.client.status().last_error, None);
}

#[test]
fn a_pause_and_a_withdrawal_survive_a_kill_and_a_yield_does_not() {
    let bus = PrivateBus::start();
    let mut watcher = Watcher::new(&bus);
    watcher.ask(Request::ConsentGrant { version: TRACKING_VERSION.to_owned() });
    until("opening", || watcher.is_open());
    watcher.ask(Request::Yield);
    until("yielding", || !watcher.is_open() && watcher.client.status().state == State::Yielded);
    let mut watcher = watcher.again(&bus);
    until("opening after a yield", || watcher.is_open());

    watcher.ask(Request::Pause(PauseSpan::default()));
    until("pausing", || !watcher.is_open());
    let mut watcher = watcher.again(&bus);
    watcher.never_opens(Duration::from_millis(700));
    assert_eq!(watcher.client.status().state, State::Paused);
    watcher.ask(Request::Resume);
    until("opening after a pause", || watcher.is_open());

    watcher.ask(Request::ConsentWithdraw);
    until("closing", || !watcher.is_open());
    let mut watcher = watcher.again(&bus);
    watcher.never_opens(Duration::from_millis(700));
    assert_eq!(watcher.client.status().state, State::NoConsent);
}

fn state_and_code(client: &mut Client) -> (State, Option<String>) {
    let status = client.status();
    (status.state, status.last_error.map(|problem| problem.code))
}

#[test]
fn a_file_that_is_missing_comes_and_ends() {
    let root = tempfile::tempdir().unwrap();
    let made = clip(root.path(), 3);
    let path = root.path().join("later.avi");
    let (_program, mut client) = look_at(root.path(), &format!("file:{}", path.display()), "unix:path=/nowhere");
    let version = TRACKING_VERSION.to_owned();
    assert_eq!(client.call(Request::ConsentGrant { version }), Ok(Reply::Done));
    let unreadable = (State::NoCamera, Some("source_unreadable".to_owned()));
    until("that it is missing", || state_and_code(&mut client) == unreadable);
    fs::rename(made, path).unwrap();
    until("a face", || state_and_code(&mut client) == (State::Tracking, None));
    let ended = (State::NoCamera, Some("end_of_file".to_owned()));
    until("its end", || state_and_code(&mut client) == ended);
}

#[test]
fn a_stream_that_breaks_off_again_and_again_is_said_and_tried_again() {
    let root = tempfile::tempdir().unwrap();
    let source = "gst:videotestsrc is-live=true num-buffers=45 ! video/x-raw,width=160,height=120,framerate=30/1";
    let (_program, mut client) = look_at(root.path(), source, "unix:path=/nowhere");
    let version = TRACKING_VERSION.to_owned();
    assert_eq!(client.call(Request::ConsentGrant { version }), Ok(Reply::Done));
    let failed = (State::NoCamera, Some("source_failed".to_owned()));
    for _ in 0..2 {
        until("breaking off", || state_and_code(&mut client) == failed);
        until("frames again", || client.status().fps > 0.0);
    }
    assert_eq!(client.call(Request::Pause(PauseSpan::default())), Ok(Reply::Done));
    assert_eq!(state_and_code(&mut client), (State::Paused, None));
}
