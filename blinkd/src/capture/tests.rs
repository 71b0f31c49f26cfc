//! Tests of the capture thread with a reader that follows a script.

mod failures;

use std::{
    collections::VecDeque,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Instant,
};

use blink_vision::Blink;
use jiff::SignedDuration;
use rstest::rstest;

use super::*;
use crate::clock::FakeClock;

#[derive(Clone, Debug)]
enum Step {
    Locked(TroubleKind),
    /// A frame at this time in ms, and the events decided with it.
    Frame(u64, Vec<Event>),
    Fails(TroubleKind),
}

#[derive(Default)]
struct Script {
    steps: Mutex<VecDeque<Step>>,
    paced: bool,
    repeats: bool,
    open: AtomicBool,
    openings: AtomicUsize,
    /// Monotonic times.
    opened_at: Mutex<Vec<Duration>>,
}

struct ScriptedReader {
    script: Arc<Script>,
    clock: FakeClock,
    events: Vec<Event>,
}

fn trouble(kind: TroubleKind) -> Trouble {
    Trouble { kind, problem: Problem::new("scripted", "It is in the script.", "Change it.") }
}

fn report(ms: u64) -> FrameReport {
    FrameReport {
        index: 0,
        timestamp: Duration::from_millis(ms),
        sight: FaceSight::Measurable,
        stands_still: false,
        hint: None,
        fps: None,
        reading: blink_vision::Reading::default(),
    }
}

impl FrameReader for ScriptedReader {
    fn ready(&mut self) -> Result<(), Trouble> {
        Ok(())
    }

    fn open(&mut self, _at: Timestamp) -> Result<(), Trouble> {
        let mut steps = self.script.steps.lock().unwrap();
        if let Some(Step::Locked(kind)) = steps.front().cloned() {
            steps.pop_front();
            return Err(trouble(kind));
        }
        self.script.open.store(true, Ordering::SeqCst);
        self.script.opened_at.lock().unwrap().push(self.clock.mono());
        self.script.openings.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    fn read(&mut self, wanted: &mut dyn FnMut(Duration) -> Pacing) -> Result<ReadOutcome, Trouble> {
        let step = self.script.steps.lock().unwrap().pop_front();
        match step {
            Some(Step::Frame(ms, events)) => {
                match wanted(Duration::from_millis(ms)) {
                    Pacing::Process => {}
                    Pacing::Skip => return Ok(ReadOutcome::Skipped),
                    Pacing::Stop => return Ok(ReadOutcome::Stopped),
                }
                self.events = events;
                Ok(ReadOutcome::Frame(report(ms)))
            }
            Some(Step::Fails(kind)) => Err(trouble(kind)),
            Some(Step::Locked(_)) | None => {
                // A real source without frames waits longer.
                thread::sleep(Duration::from_millis(1));
                Ok(ReadOutcome::NoFrame)
            }
        }
    }

    fn decided(&mut self, into: &mut Vec<Event>) {
        into.append(&mut self.events);
    }

    fn close(&mut self) {
        self.script.open.store(false, Ordering::SeqCst);
    }

    fn needs_pacing(&self) -> bool {
        self.script.paced
    }

    fn repeats(&self) -> bool {
        self.script.repeats
    }
}

struct Ear(mpsc::Sender<CaptureEvent>);

impl CaptureEvents for Ear {
    fn tell(&self, news: CaptureEvent) {
        let _ = self.0.send(news);
    }
}

/// A running capture thread; it is stopped and joined when dropped.
struct Stage {
    script: Arc<Script>,
    control: Arc<CaptureControl>,
    clock: FakeClock,
    news: mpsc::Receiver<CaptureEvent>,
    thread: Option<thread::JoinHandle<()>>,
}

const START: &str = "2026-03-01T10:00:00Z";

impl Stage {
    fn new(script: Script) -> Self {
        let (script, control) = (Arc::new(script), Arc::new(CaptureControl::default()));
        let clock = FakeClock::starting_at(START.parse().unwrap());
        let (tell, news) = mpsc::channel();
        let mut reader = ScriptedReader { script: Arc::clone(&script), clock: clock.clone(), events: Vec::new() };
        let (its_control, its_clock) = (Arc::clone(&control), Arc::new(clock.clone()) as Arc<dyn Clock>);
        let thread = thread::spawn(move || run(&mut reader, &its_control, &its_clock, &Ear(tell)));
        Self { script, control, clock, news, thread: Some(thread) }
    }

    fn with(steps: impl IntoIterator<Item = Step>) -> Self {
        Self::new(Script { steps: Mutex::new(steps.into_iter().collect()), ..Script::default() })
    }

    fn add(&self, step: Step) {
        self.script.steps.lock().unwrap().push_back(step);
    }

    fn hear(&self) -> CaptureEvent {
        self.news.recv_timeout(Duration::from_secs(10)).expect("news within ten seconds")
    }

    /// Lets each of these waits pass after a failure, and expects the source to be opened exactly when it ends.
    fn expect_waits(&self, waits_ms: &[u64]) {
        for wait_ms in waits_ms {
            while !matches!(self.hear(), CaptureEvent::Trouble(_)) {}
            self.clock.advance(Duration::from_millis(wait_ms - 1));
            thread::yield_now();
            self.clock.advance(Duration::from_millis(1));
            while self.hear() != CaptureEvent::Opened {}
        }
        let opened_at = self.script.opened_at.lock().unwrap();
        let waited: Vec<_> = opened_at.windows(2).map(|pair| (pair[1] - pair[0]).as_millis()).collect();
        assert_eq!(waited, waits_ms.iter().map(|wait_ms| u128::from(*wait_ms)).collect::<Vec<_>>());
    }

    fn is_open(&self) -> bool {
        self.script.open.load(Ordering::SeqCst)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.control.stop();
        self.thread.take().unwrap().join().unwrap();
        assert!(!self.is_open());
    }
}

fn at(ms: i64) -> Timestamp {
    START.parse::<Timestamp>().unwrap() + SignedDuration::from_millis(ms)
}

fn blink_ending(ms: u64) -> Event {
    Event::Blink(Blink {
        start_frame: 0,
        end_frame: 1,
        start: Duration::from_millis(ms - 200),
        end: Duration::from_millis(ms),
        width: Duration::from_millis(150),
        depth: 0.8,
        complete: true,
    })
}

#[test]
fn the_source_is_open_only_while_the_gate_is() {
    let stage = Stage::with([]);
    assert_eq!(stage.script.openings.load(Ordering::SeqCst), 0);
    for _ in 0..50 {
        stage.control.allow(true);
        assert_eq!(stage.hear(), CaptureEvent::Opened);
        assert!(stage.is_open());
        stage.control.allow(false);
        let asked = Instant::now();
        assert_eq!(stage.hear(), CaptureEvent::Closed);
        assert!(!stage.is_open() && asked.elapsed() < Duration::from_secs(1));
    }
}

#[rstest]
#[case(FaceSight::None, Sight::Nobody)]
#[case(FaceSight::Several, Sight::Several)]
#[case(FaceSight::Turned, Sight::Turned)]
#[case(FaceSight::Measurable, Sight::Measurable)]
fn what_a_frame_shows_is_told_as_it_is(#[case] seen: FaceSight, #[case] told: Sight) {
    assert_eq!(sight(seen), told);
}

#[rstest]
#[case(geometry::Eye::Left, Eye::Left)]
#[case(geometry::Eye::Right, Eye::Right)]
fn a_wink_is_handed_on_with_its_eye(#[case] seen: geometry::Eye, #[case] told: Eye) {
    let (start, end) = (Duration::from_millis(600), Duration::from_millis(800));
    let wink = blink_vision::Wink { eye: seen, start_frame: 18, end_frame: 24, start, end };
    let stage = Stage::with([Step::Frame(900, vec![Event::Wink(wink)])]);
    stage.control.allow(true);
    assert_eq!(stage.hear(), CaptureEvent::Opened);
    let CaptureEvent::Seen(_, settled) = stage.hear() else { panic!("frames come first") };
    assert_eq!(settled, [Observation::Wink { end: at(800), eye: told }]);
}

#[rstest]
#[case(blink_vision::Hint::TooFar)]
#[case(blink_vision::Hint::TooNear)]
#[case(blink_vision::Hint::TooDark)]
#[case(blink_vision::Hint::TurnedAway)]
#[case(blink_vision::Hint::CameraTooFarToTheSide)]
#[case(blink_vision::Hint::PictureFrozen)]
fn a_hint_has_one_name_in_traces_and_on_the_socket(#[case] given: blink_vision::Hint) {
    assert_eq!(serde_json::to_value(hint(given)).unwrap(), given.as_str());
}

#[test]
fn stream_time_becomes_wall_time() {
    let observed = Event::Observed {
        from: Duration::from_millis(100),
        to: Duration::from_millis(900),
        closed: Duration::from_millis(50),
    };
    let stage = Stage::with([Step::Frame(900, vec![observed, blink_ending(800)])]);
    stage.control.allow(true);
    assert_eq!(stage.hear(), CaptureEvent::Opened);
    let CaptureEvent::Seen(frames, settled) = stage.hear() else { panic!("frames come first") };
    assert_eq!(frames.iter().map(|frame| frame.at).collect::<Vec<_>>(), [at(900)]);
    let want = [
        Observation::Observed { from: at(100), to: at(900), closed: Duration::from_millis(50) },
        Observation::Blink { end: at(800), width: Duration::from_millis(150), complete: true },
    ];
    assert_eq!(settled, want);
}

#[rstest]
#[case(60_000)]
#[case(-60_000)]
fn when_the_clock_is_set_frames_follow_it(#[case] step_ms: i64) {
    let stage = Stage::with([Step::Frame(0, vec![blink_ending(200)])]);
    stage.control.allow(true);
    assert_eq!(stage.hear(), CaptureEvent::Opened);
    stage.hear();
    stage.clock.step(SignedDuration::from_millis(step_ms));
    stage.add(Step::Frame(500, vec![blink_ending(400)]));
    let CaptureEvent::Seen(frames, settled) = stage.hear() else { panic!("frames come next") };
    // Both clocks stand still but for the step, so the frame's time is now.
    assert_eq!(frames[0].at, at(step_ms));
    assert_eq!(
        settled[0],
        Observation::Blink { end: at(step_ms - 100), width: Duration::from_millis(150), complete: true }
    );
}

#[test]
fn a_small_drift_is_left_alone() {
    let stage = Stage::with([]);
    stage.control.allow(true);
    assert_eq!(stage.hear(), CaptureEvent::Opened);
    stage.clock.step(SignedDuration::from_millis(600));
    stage.add(Step::Frame(1, vec![blink_ending(300)]));
    let CaptureEvent::Seen(frames, _) = stage.hear() else { panic!("frames come next") };
    assert_eq!(frames[0].at, at(1));
}

#[test]
fn a_file_is_paced_by_its_timestamps() {
    let steps = [0, 40, 80].map(|ms| Step::Frame(ms, vec![blink_ending(ms + 200)]));
    let stage = Stage::new(Script { steps: Mutex::new(steps.into()), paced: true, ..Script::default() });
    stage.control.allow(true);
    assert_eq!(stage.hear(), CaptureEvent::Opened);
    assert!(matches!(stage.hear(), CaptureEvent::Seen(..)));
    assert!(stage.news.recv_timeout(Duration::from_millis(150)).is_err(), "the second is not due yet");
    stage.clock.advance(Duration::from_millis(40));
    assert!(matches!(stage.hear(), CaptureEvent::Seen(..)));
    // The source is closed at once even while a frame waits until it is due.
    stage.control.allow(false);
    assert_eq!(stage.hear(), CaptureEvent::Closed);
}

#[test]
fn a_file_at_its_end_is_not_opened_again() {
    let stage = Stage::with([Step::Frame(0, vec![blink_ending(200)]), Step::Fails(TroubleKind::Ended)]);
    stage.control.allow(true);
    assert_eq!(stage.hear(), CaptureEvent::Opened);
    assert!(matches!(stage.hear(), CaptureEvent::Seen(..)));
    assert_eq!(stage.hear(), CaptureEvent::Trouble(trouble(TroubleKind::Ended)));
    stage.control.allow(false);
    stage.control.allow(true);
    assert!(stage.news.recv_timeout(Duration::from_millis(150)).is_err());
    assert_eq!(stage.script.openings.load(Ordering::SeqCst), 1);
}

#[test]
fn one_that_repeats_is_opened_again_but_not_if_it_is_empty() {
    let steps = [Step::Frame(0, vec![]), Step::Fails(TroubleKind::Ended), Step::Fails(TroubleKind::Ended)];
    let stage = Stage::new(Script { steps: Mutex::new(steps.into()), repeats: true, ..Script::default() });
    stage.control.allow(true);
    assert_eq!(stage.hear(), CaptureEvent::Opened);
    assert!(matches!(stage.hear(), CaptureEvent::Seen(..)));
    assert_eq!(stage.hear(), CaptureEvent::Trouble(trouble(TroubleKind::Ended)), "it lasted no time: not at once");
    stage.clock.advance(Duration::from_millis(500));
    assert_eq!(stage.hear(), CaptureEvent::Opened);
    assert_eq!(stage.hear(), CaptureEvent::Trouble(trouble(TroubleKind::Ended)));
    stage.clock.advance(Duration::from_secs(60));
    assert!(stage.news.recv_timeout(Duration::from_millis(150)).is_err(), "an empty one is at its end");
}

#[test]
fn a_busy_camera_is_tried_again_with_growing_waits_and_comes_back() {
    let stage = Stage::with([Step::Locked(TroubleKind::Busy), Step::Locked(TroubleKind::Busy), Step::Frame(0, vec![])]);
    stage.control.allow(true);
    assert_eq!(stage.hear(), CaptureEvent::Trouble(trouble(TroubleKind::Busy)));
    assert!(stage.news.recv_timeout(Duration::from_millis(150)).is_err(), "no hot loop");
    stage.clock.advance(Duration::from_millis(500));
    assert_eq!(stage.hear(), CaptureEvent::Trouble(trouble(TroubleKind::Busy)));
    stage.clock.advance(Duration::from_millis(500));
    assert!(stage.news.recv_timeout(Duration::from_millis(150)).is_err(), "the second wait is longer");
    stage.clock.advance(Duration::from_millis(500));
    assert_eq!(stage.hear(), CaptureEvent::Opened);
}

#[test]
fn a_source_that_falls_silent_is_opened_again() {
    let stage = Stage::with([Step::Frame(0, vec![blink_ending(200)])]);
    stage.control.allow(true);
    assert_eq!(stage.hear(), CaptureEvent::Opened);
    assert!(matches!(stage.hear(), CaptureEvent::Seen(..)));
    stage.clock.advance(SILENCE);
    let CaptureEvent::Trouble(silent) = stage.hear() else { panic!("silence is trouble") };
    assert_eq!((silent.kind, silent.problem.code.as_str()), (TroubleKind::Gone, "source_failed"));
    stage.clock.advance(Duration::from_secs(1));
    assert_eq!(stage.hear(), CaptureEvent::Opened);
}
