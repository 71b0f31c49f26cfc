//! Runs hours of footage through the whole daemon in minutes: the real source, pipeline, keeper and store, with a clock
//! that the frames advance. Memory use and the number of open files must not grow.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use blink_profile::Paths;
use blink_proto::{
    Minute, Problem,
    consent::TRACKING_VERSION,
    ipc::{Outcome, Request},
};
use blink_vision::Event;
use blinkd::{
    app::{self, AppDeps, Running},
    capture::{FrameReader, Pacing, ReadOutcome, Trouble, native::NativeReader},
    clock::{Clock as _, FakeClock},
    daemon::Daemon,
    keeper::CapturePolicy,
    owner::OwnerDesk,
    session::Buses,
};
use jiff::{Timestamp, tz::TimeZone};
use tokio::runtime::Runtime;

const FPS: u64 = 30;
/// The clip is a minute long and is repeated.
const CLIP_FRAMES: u64 = 60 * FPS;
/// The most that memory may grow after the warm-up.
const FLAT_BYTES: u64 = 5 << 20;

/// Minutes of footage in all, and how many of them are the warm-up.
fn minutes() -> (u64, u64) {
    if std::env::var_os("WAW_TEST_LONG").is_some() { (120, 12) } else { (4, 2) }
}

/// The real reader, with a clock that each frame sets to its own time. Once per second of footage it waits until the
/// keeper has processed everything, as it would have in a real second.
struct FastReader {
    reader: NativeReader,
    clock: FakeClock,
    opened: Duration,
    waited_at: Duration,
    frames: Arc<AtomicU64>,
    daemon: Arc<OnceLock<Daemon>>,
    runtime: Runtime,
}

impl FastReader {
    fn wait_for_the_keeper(&mut self) {
        let now = self.clock.mono();
        if now.saturating_sub(self.waited_at) >= Duration::from_secs(1)
            && let Some(daemon) = self.daemon.get()
        {
            self.waited_at = now;
            assert!(matches!(self.runtime.block_on(daemon.answer(Request::Status)), Outcome::Ok(_)));
        }
    }
}

impl FrameReader for FastReader {
    fn ready(&mut self) -> Result<(), Trouble> {
        self.reader.ready()
    }

    fn open(&mut self, at: Timestamp) -> Result<(), Trouble> {
        self.opened = self.clock.mono();
        self.reader.open(at)
    }

    fn read(&mut self, wanted: &mut dyn FnMut(Duration) -> Pacing) -> Result<ReadOutcome, Trouble> {
        self.wait_for_the_keeper();
        let (clock, opened) = (&self.clock, self.opened);
        let look = self.reader.read(&mut |t| {
            clock.advance((opened + t).saturating_sub(clock.mono()));
            wanted(t)
        });
        if matches!(look, Ok(ReadOutcome::Frame(_))) {
            self.frames.fetch_add(1, Ordering::SeqCst);
        }
        look
    }

    fn decided(&mut self, into: &mut Vec<Event>) {
        self.reader.decided(into);
    }

    fn close(&mut self) {
        self.reader.close();
    }

    fn needs_pacing(&self) -> bool {
        self.reader.needs_pacing()
    }

    fn repeats(&self) -> bool {
        self.reader.repeats()
    }
}

/// Resident memory in bytes and the number of open files of this process. The least of several counts is taken, so that
/// a file that is open for a moment, such as the one a figure is read from, is no leak.
fn use_of_the_machine() -> (u64, usize) {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kib: u64 = kib.trim().trim_end_matches(" kB").parse().unwrap();
    let files = (0..20).map(|_| {
        thread::sleep(Duration::from_millis(5));
        fs::read_dir("/proc/self/fd").unwrap().count()
    });
    (kib * 1024, files.min().unwrap())
}

/// blinkd whole, on `clip` again and again, by a clock that its frames drive.
fn start(paths: &Paths, clip: &Path, frames: &Arc<AtomicU64>, daemon: &Arc<OnceLock<Daemon>>) -> Running {
    let clock = FakeClock::starting_at("2026-03-01T10:00:00Z".parse().unwrap());
    let owner = Arc::new(OwnerDesk::open(paths.owner_file()));
    let source = format!("file:{},loop", clip.display());
    let running = app::start(AppDeps {
        paths: paths.clone(),
        clock: Arc::new(clock.clone()),
        tz: TimeZone::UTC.into(),
        machine: Some("this machine".to_owned()),
        source: source.clone(),
        reader: {
            let (clock, frames, daemon) = (clock.clone(), Arc::clone(frames), Arc::clone(daemon));
            let owner = Arc::clone(&owner);
            Box::new(move || {
                Box::new(FastReader {
                    reader: NativeReader::new(source.parse().unwrap(), Arc::clone(&owner)),
                    clock: clock.clone(),
                    opened: Duration::ZERO,
                    waited_at: Duration::ZERO,
                    frames: Arc::clone(&frames),
                    daemon: Arc::clone(&daemon),
                    runtime: tokio::runtime::Builder::new_current_thread().build().unwrap(),
                })
            })
        },
        owner,
        connect: Box::new(|_| Err(Problem::new("no_server", "There is no server here.", "Do without."))),
        server: "http://127.0.0.1:9".to_owned(),
        insecure: false,
        retention_days: 90,
        // CPU use in per cent is meaningless with this clock.
        policy: CapturePolicy { max_cpu_percent: 0, ..CapturePolicy::default() },
        buses: Buses::none(),
        reminds: false,
        vault: blinkd::profile::Vault::open(paths, false),
        settings: None,
    })
    .unwrap();
    assert!(daemon.set(running.daemon().clone()).is_ok());
    running
}

#[test]
fn hours_of_footage_leave_memory_and_open_files_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("face.avi");
    let mut synthesize = Command::new(env!("CARGO_BIN_EXE_blinkd"));
    synthesize.arg("synthesize").arg(&clip).args(["--seconds", "60", "--bpm", "15", "--fps", "30"]);
    assert!(synthesize.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success());

    let paths = Paths::under(folder.path());
    let (frames, daemon) = (Arc::new(AtomicU64::new(0)), Arc::new(OnceLock::new()));
    let running = start(&paths, &clip, &frames, &daemon);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let version = TRACKING_VERSION.to_owned();
    let granted = runtime.block_on(running.daemon().answer(Request::ConsentGrant { version }));
    assert!(matches!(granted, Outcome::Ok(_)));

    let (all, warm) = minutes();
    let wait_for = |minutes: u64| {
        let (mut seen, mut idle) = (0, 0);
        while seen < minutes * CLIP_FRAMES {
            thread::sleep(Duration::from_millis(20));
            let now = frames.load(Ordering::SeqCst);
            idle = if now == seen { idle + 1 } else { 0 };
            assert!(idle < 1_500, "no frame for half a minute: {:?}", running.state());
            seen = now;
        }
    };
    wait_for(warm);
    let first = use_of_the_machine();
    wait_for(all);
    let last = use_of_the_machine();
    let seen = frames.load(Ordering::SeqCst);
    daemon.get().unwrap().stop();
    running.stop().unwrap();

    println!(
        "{seen} frames, {all} min of footage: after {warm} min {:.1} MB and {} open files, at the end {:.1} MB and {}",
        first.0 as f64 / 1e6,
        first.1,
        last.0 as f64 / 1e6,
        last.1
    );
    assert!(last.0 <= first.0 + FLAT_BYTES, "memory grows");
    assert!(last.1 <= first.1, "open files grow");
    println!("{} minutes sealed", sealed_whole(&paths, all));
}

/// Counts the sealed minutes. Every minute must be complete, with its blinks: the footage was really counted.
fn sealed_whole(paths: &Paths, minutes: u64) -> usize {
    let days = fs::read_dir(paths.history()).unwrap().map(|day| fs::read_to_string(day.unwrap().path()).unwrap());
    let text: String = days.collect();
    let sealed: Vec<Minute> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(sealed.len() as u64 + 1 >= minutes && sealed.len() as u64 <= minutes + 1);
    for minute in &sealed[..sealed.len().min(minutes as usize - 1)] {
        assert!((59_000..=60_000).contains(&minute.observed_ms), "{minute:?}");
        assert!((14..=16).contains(&minute.blink_count), "{minute:?}");
        assert!((29.0..=31.0).contains(&minute.mean_fps), "{minute:?}");
    }
    sealed.len()
}
