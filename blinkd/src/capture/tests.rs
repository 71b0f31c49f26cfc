//! The capture thread with eyes that follow a script.

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
    /// Opening fails so.
    Locked(TroubleKind),
    /// A frame at this time, and what it settles.
    Frame(u64, Vec<Event>),
    /// Reading fails so.
    Fails(TroubleKind),
}

#[derive(Default)]
struct Script {
    steps: Mutex<VecDeque<Step>>,
    paced: bool,
    repeats: bool,
    open: AtomicBool,
    openings: AtomicUsize,
}

struct ScriptedEyes {
    script: Arc<Script>,
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
        fps: None,
        reading: blink_vision::blinks::Reading::default(),
    }
}

impl Eyes for ScriptedEyes {
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
        self.script.openings.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    fn look(&mut self, wanted: &mut dyn FnMut(Duration) -> Want) -> Result<Look, Trouble> {
        let step = self.script.steps.lock().unwrap().pop_front();
        match step {
            Some(Step::Frame(ms, events)) => {
                match wanted(Duration::from_millis(ms)) {
                    Want::Look => {}
                    Want::PassOver => return Ok(Look::PassedOver),
                    Want::Stop => return Ok(Look::Unwanted),
                }
                self.events = events;
                Ok(Look::Frame(report(ms)))
            }
            Some(Step::Fails(kind)) => Err(trouble(kind)),
            Some(Step::Locked(_)) | None => {
                // As a source that has no frame yet, but with less patience.
                thread::sleep(Duration::from_millis(1));
                Ok(Look::Nothing)
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

struct Ear(mpsc::Sender<News>);

impl Sink for Ear {
    fn tell(&self, news: News) {
        let _ = self.0.send(news);
    }
}

/// A running capture thread; stopped and joined when dropped.
struct Stage {
    script: Arc<Script>,
    gate: Arc<Gate>,
    clock: FakeClock,
    news: mpsc::Receiver<News>,
    thread: Option<thread::JoinHandle<()>>,
}

const START: &str = "2026-03-01T10:00:00Z";

impl Stage {
    fn new(script: Script) -> Self {
        let (script, gate) = (Arc::new(script), Arc::new(Gate::default()));
        let clock = FakeClock::at(START.parse().unwrap());
        let (tell, news) = mpsc::channel();
        let mut eyes = ScriptedEyes { script: Arc::clone(&script), events: Vec::new() };
        let (its_gate, its_clock) = (Arc::clone(&gate), Arc::new(clock.clone()) as Arc<dyn Clock>);
        let thread = thread::spawn(move || run(&mut eyes, &its_gate, &its_clock, &Ear(tell)));
        Self { script, gate, clock, news, thread: Some(thread) }
    }

    fn with(steps: impl IntoIterator<Item = Step>) -> Self {
        Self::new(Script { steps: Mutex::new(steps.into_iter().collect()), ..Script::default() })
    }

    fn add(&self, step: Step) {
        self.script.steps.lock().unwrap().push_back(step);
    }

    fn hear(&self) -> News {
        self.news.recv_timeout(Duration::from_secs(10)).expect("news within ten seconds")
    }

    fn is_open(&self) -> bool {
        self.script.open.load(Ordering::SeqCst)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.gate.stop();
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
        stage.gate.set(true);
        assert_eq!(stage.hear(), News::Opened);
        assert!(stage.is_open());
        stage.gate.set(false);
        let asked = Instant::now();
        assert_eq!(stage.hear(), News::Closed);
        assert!(!stage.is_open() && asked.elapsed() < Duration::from_secs(1));
    }
}

#[test]
fn stream_time_becomes_wall_time() {
    let observed = Event::Observed {
        from: Duration::from_millis(100),
        to: Duration::from_millis(900),
        closed: Duration::from_millis(50),
    };
    let stage = Stage::with([Step::Frame(900, vec![observed, blink_ending(800)])]);
    stage.gate.set(true);
    assert_eq!(stage.hear(), News::Opened);
    let News::Seen(frames, settled) = stage.hear() else { panic!("frames come first") };
    assert_eq!(frames.iter().map(|frame| frame.at).collect::<Vec<_>>(), [at(900)]);
    let want = [
        Seen::Observed { from: at(100), to: at(900), closed: Duration::from_millis(50) },
        Seen::Blink { end: at(800), width: Duration::from_millis(150), complete: true },
    ];
    assert_eq!(settled, want);
}

#[rstest]
#[case(60_000)]
#[case(-60_000)]
fn when_the_clock_is_set_frames_follow_it(#[case] step_ms: i64) {
    let stage = Stage::with([Step::Frame(0, vec![blink_ending(200)])]);
    stage.gate.set(true);
    assert_eq!(stage.hear(), News::Opened);
    stage.hear();
    stage.clock.step(SignedDuration::from_millis(step_ms));
    stage.add(Step::Frame(500, vec![blink_ending(400)]));
    let News::Seen(frames, settled) = stage.hear() else { panic!("frames come next") };
    // Both clocks stand but for the step: the frame is now.
    assert_eq!(frames[0].at, at(step_ms));
    assert_eq!(settled[0], Seen::Blink { end: at(step_ms - 100), width: Duration::from_millis(150), complete: true });
}

#[test]
fn a_small_drift_is_left_alone() {
    let stage = Stage::with([]);
    stage.gate.set(true);
    assert_eq!(stage.hear(), News::Opened);
    stage.clock.step(SignedDuration::from_millis(600));
    stage.add(Step::Frame(1, vec![blink_ending(300)]));
    let News::Seen(frames, _) = stage.hear() else { panic!("frames come next") };
    assert_eq!(frames[0].at, at(1));
}

#[test]
fn a_file_is_paced_by_its_timestamps() {
    let steps = [0, 40, 80].map(|ms| Step::Frame(ms, vec![blink_ending(ms + 200)]));
    let stage = Stage::new(Script { steps: Mutex::new(steps.into()), paced: true, ..Script::default() });
    stage.gate.set(true);
    assert_eq!(stage.hear(), News::Opened);
    assert!(matches!(stage.hear(), News::Seen(..)));
    assert!(stage.news.recv_timeout(Duration::from_millis(150)).is_err(), "the second is not due yet");
    stage.clock.advance(Duration::from_millis(40));
    assert!(matches!(stage.hear(), News::Seen(..)));
    // While one waits to be due, the gate still closes at once.
    stage.gate.set(false);
    assert_eq!(stage.hear(), News::Closed);
}

#[test]
fn a_file_at_its_end_is_not_opened_again() {
    let stage = Stage::with([Step::Frame(0, vec![blink_ending(200)]), Step::Fails(TroubleKind::Ended)]);
    stage.gate.set(true);
    assert_eq!(stage.hear(), News::Opened);
    assert!(matches!(stage.hear(), News::Seen(..)));
    assert_eq!(stage.hear(), News::Trouble(trouble(TroubleKind::Ended)));
    stage.gate.set(false);
    stage.gate.set(true);
    assert!(stage.news.recv_timeout(Duration::from_millis(150)).is_err());
    assert_eq!(stage.script.openings.load(Ordering::SeqCst), 1);
}

#[test]
fn one_that_repeats_is_opened_again_but_not_if_it_is_empty() {
    let steps = [Step::Frame(0, vec![]), Step::Fails(TroubleKind::Ended), Step::Fails(TroubleKind::Ended)];
    let stage = Stage::new(Script { steps: Mutex::new(steps.into()), repeats: true, ..Script::default() });
    stage.gate.set(true);
    assert_eq!(stage.hear(), News::Opened);
    assert!(matches!(stage.hear(), News::Seen(..)));
    assert_eq!(stage.hear(), News::Trouble(trouble(TroubleKind::Ended)), "it lasted no time: not at once");
    stage.clock.advance(Duration::from_millis(500));
    assert_eq!(stage.hear(), News::Opened);
    assert_eq!(stage.hear(), News::Trouble(trouble(TroubleKind::Ended)));
    stage.clock.advance(Duration::from_secs(60));
    assert!(stage.news.recv_timeout(Duration::from_millis(150)).is_err(), "an empty one is at its end");
}

#[test]
fn a_busy_camera_is_tried_again_with_growing_waits_and_comes_back() {
    let stage = Stage::with([Step::Locked(TroubleKind::Busy), Step::Locked(TroubleKind::Busy), Step::Frame(0, vec![])]);
    stage.gate.set(true);
    assert_eq!(stage.hear(), News::Trouble(trouble(TroubleKind::Busy)));
    assert!(stage.news.recv_timeout(Duration::from_millis(150)).is_err(), "no hot loop");
    stage.clock.advance(Duration::from_millis(500));
    assert_eq!(stage.hear(), News::Trouble(trouble(TroubleKind::Busy)));
    stage.clock.advance(Duration::from_millis(500));
    assert!(stage.news.recv_timeout(Duration::from_millis(150)).is_err(), "the second wait is longer");
    stage.clock.advance(Duration::from_millis(500));
    assert_eq!(stage.hear(), News::Opened);
}

#[test]
fn a_source_that_falls_silent_is_opened_again() {
    let stage = Stage::with([Step::Frame(0, vec![blink_ending(200)])]);
    stage.gate.set(true);
    assert_eq!(stage.hear(), News::Opened);
    assert!(matches!(stage.hear(), News::Seen(..)));
    stage.clock.advance(SILENCE);
    let News::Trouble(silent) = stage.hear() else { panic!("silence is trouble") };
    assert_eq!((silent.kind, silent.problem.code.as_str()), (TroubleKind::Gone, "source_failed"));
    stage.clock.advance(Duration::from_secs(1));
    assert_eq!(stage.hear(), News::Opened);
}

#[test]
fn a_source_that_dies_after_each_first_frame_is_not_opened_in_a_hot_loop() {
    let steps = (0..1_000).flat_map(|_| [Step::Frame(0, vec![]), Step::Fails(TroubleKind::Gone)]);
    let stage = Stage::with(steps);
    stage.gate.set(true);
    for _ in 0..60 {
        stage.clock.advance(Duration::from_secs(1));
        thread::sleep(Duration::from_millis(50));
    }
    let openings = stage.script.openings.load(Ordering::SeqCst);
    // 0.5, 1, 2 and then 4 s apart.
    assert!((10..=19).contains(&openings), "{openings} openings in a minute");
}

#[test]
fn a_file_of_one_frame_that_repeats_is_not_opened_in_a_hot_loop() {
    let steps = (0..1_000).flat_map(|_| [Step::Frame(0, vec![]), Step::Fails(TroubleKind::Ended)]);
    let script = Script { steps: Mutex::new(steps.collect()), repeats: true, ..Script::default() };
    let stage = Stage::new(script);
    stage.gate.set(true);
    assert_eq!(stage.hear(), News::Opened);
    thread::sleep(Duration::from_millis(200));
    assert_eq!(stage.script.openings.load(Ordering::SeqCst), 1);
    stage.clock.advance(Duration::from_millis(500));
    for _ in 0..2 {
        stage.hear();
    }
    assert_eq!(stage.hear(), News::Opened);
}

/// Any order of locks, failures, frames, closings and openings, by a fixed sequence of arbitrary numbers.
#[test]
fn whatever_fails_it_ends_open_when_the_source_is_well() {
    let mut dice = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: u64| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        dice % below
    };
    let kinds = [TroubleKind::Busy, TroubleKind::Gone, TroubleKind::Broken];
    let stage = Stage::with([]);
    let mut toggles = 0;
    for _ in 0..200 {
        match next(6) {
            0 => stage.add(Step::Locked(kinds[next(3) as usize])),
            1 => stage.add(Step::Fails(kinds[next(3) as usize])),
            2 | 3 => stage.add(Step::Frame(next(1_000), vec![])),
            4 => {
                toggles += 1;
                stage.gate.set(next(2) == 0);
            }
            _ => stage.clock.advance(Duration::from_millis(next(700))),
        }
    }
    // It is well from now on.
    stage.script.steps.lock().unwrap().clear();
    stage.gate.set(true);
    for _ in 0..100 {
        if stage.is_open() {
            break;
        }
        stage.clock.advance(Duration::from_secs(5));
        thread::sleep(Duration::from_millis(50));
    }
    assert!(stage.is_open());
    let openings = stage.script.openings.load(Ordering::SeqCst);
    assert!(openings <= toggles + 200, "{openings}");
    stage.gate.set(false);
    assert!(stage.gate.wait_closed(Duration::from_secs(1)) && !stage.is_open());
}

#[test]
fn fewer_frames_are_looked_at_when_fewer_are_wanted() {
    let frames = |from: u64| (0..30).map(move |n| Step::Frame(from + n * 1_000 / 30, vec![]));
    let stage = Stage::with([]);
    stage.gate.set_pace(Some(15.0));
    stage.gate.set(true);
    assert_eq!(stage.hear(), News::Opened);
    frames(0).for_each(|step| stage.add(step));
    while !stage.script.steps.lock().unwrap().is_empty() {
        thread::sleep(Duration::from_millis(1));
    }
    stage.gate.set(false);
    let mut seen = 0;
    loop {
        match stage.hear() {
            News::Seen(frames, _) => seen += frames.len(),
            News::Closed => break,
            other => panic!("{other:?}"),
        }
    }
    assert!((15..=16).contains(&seen), "{seen} of 30");
}

#[test]
fn once_stopped_it_opens_nothing_whatever_is_wanted() {
    let mut stage = Stage::with([]);
    stage.gate.set(true);
    assert_eq!(stage.hear(), News::Opened);
    stage.gate.stop();
    let thread = stage.thread.take().unwrap();
    let begun = Instant::now();
    while !thread.is_finished() {
        // As the keeper does at each of its ticks.
        stage.gate.set(false);
        stage.gate.set(true);
        assert!(begun.elapsed() < Duration::from_secs(10), "it does not end");
    }
    assert!(!stage.gate.is_open() && !stage.gate.wait_open());
    assert_eq!(stage.script.openings.load(Ordering::SeqCst), 1);
    stage.thread = Some(thread);
}
