//! The capture thread: opens the source while it may, and converts stream times to wall time.
//!
//! - [`CaptureControl`]: whether a source may be open
//! - [`FrameReader`]: source and pipeline as a trait; [`native`] implements it
//! - [`device`]: who else has the camera open
//! - [`CaptureEvents`]: the receiver of events, which is the keeper

mod control;
pub(crate) mod device;
pub mod native;
mod pace;
mod reader;
mod wall;

use std::{sync::Arc, time::Duration};

use blink_proto::{
    Hint, Problem,
    ipc::{Eye, Sight},
    problem::code,
};
use blink_vision::{Event, FaceSight, FrameReport, geometry};
use jiff::Timestamp;

pub use control::CaptureControl;
pub use reader::{FrameReader, Pacing, ReadOutcome, Trouble, TroubleKind};

use crate::{clock::Clock, minutes::Observation};
use pace::Pace;
use wall::WallTime;

/// Frames are passed on at least this often, and at once when an event was decided.
const HAND_ON_EVERY: Duration = Duration::from_millis(100);
/// A source has failed when it gives no frame for this long; before the first frame the second value holds.
const SILENCE: Duration = Duration::from_secs(3);
const SLOW_START: Duration = Duration::from_secs(10);
/// A source that fails sooner than this after opening is retried with growing waits, like one that cannot be opened.
const STEADY: Duration = Duration::from_secs(10);
const RETRY_MS: [u64; 4] = [500, 1_000, 2_000, 4_000];
/// The same for trouble that is costly to retry and will not go away by itself: models are read whole for verification.
const RETRY_BROKEN_MS: [u64; 4] = [2_000, 5_000, 15_000, 30_000];

/// A frame's measurement, with its wall time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sighting {
    pub at: Timestamp,
    pub sight: Sight,
    /// Mean EAR of the measurable eyes.
    pub ear: Option<f64>,
    pub baseline: Option<f64>,
    pub hint: Option<Hint>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum CaptureEvent {
    Opened,
    /// Frames, and the observations other than [`Observation::Frame`] decided with them.
    Seen(Vec<Sighting>, Vec<Observation>),
    /// The source was closed because the keeper or the stop required it.
    Closed,
    /// There is no source, for this reason.
    Trouble(Trouble),
}

pub trait CaptureEvents {
    /// Takes an event; must not block.
    fn tell(&self, news: CaptureEvent);
}

/// Runs until the control tells it to stop.
pub fn run(reader: &mut dyn FrameReader, control: &CaptureControl, clock: &Arc<dyn Clock>, sink: &dyn CaptureEvents) {
    let mut failures = 0;
    while control.wait_open() {
        let mut watch = Settling::new(clock.as_ref(), control, sink, reader.needs_pacing());
        let outcome = watch.run(reader);
        control.end_use();
        let (frames, steady) = (watch.frames, watch.gave_frames_for >= STEADY);
        failures = if steady { 0 } else { failures };
        match outcome {
            Ok(()) => {
                // A pause that closes the source does not reset the failures of one that gave no frame.
                failures = if frames > 0 { 0 } else { failures };
                sink.tell(CaptureEvent::Closed);
            }
            Err(trouble) if trouble.kind == TroubleKind::Ended && !(reader.repeats() && frames > 0) => {
                tracing::info!("the file is at its end");
                sink.tell(CaptureEvent::Trouble(trouble));
                return control.wait_stop();
            }
            // A repeating source that ended after a steady run starts again at once; one that ends in an instant waits,
            // or this would be a busy loop.
            Err(trouble) if trouble.kind == TroubleKind::Ended && steady => {}
            Err(trouble) => {
                if failures == 0 {
                    tracing::warn!(code = trouble.problem.code, "no source");
                }
                let waits = if trouble.kind == TroubleKind::Broken { RETRY_BROKEN_MS } else { RETRY_MS };
                let due = clock.mono() + Duration::from_millis(waits[failures.min(waits.len() - 1)]);
                failures += 1;
                sink.tell(CaptureEvent::Trouble(trouble));
                // The wait ends early when the source must be closed, which it already is.
                let _ = control.wait_until(clock.as_ref(), due);
            }
        }
    }
}

/// One opening of the source.
struct Settling<'a> {
    clock: &'a dyn Clock,
    control: &'a CaptureControl,
    sink: &'a dyn CaptureEvents,
    paced: bool,
    wall: WallTime,
    frames: u64,
    /// Time from opening to the last frame.
    gave_frames_for: Duration,
    sightings: Vec<Sighting>,
    events: Vec<Event>,
    settled: Vec<Observation>,
    handed_on: Duration,
}

impl<'a> Settling<'a> {
    fn new(clock: &'a dyn Clock, control: &'a CaptureControl, sink: &'a dyn CaptureEvents, paced: bool) -> Self {
        Self {
            clock,
            control,
            sink,
            paced,
            wall: WallTime::from(clock.now()),
            frames: 0,
            gave_frames_for: Duration::ZERO,
            sightings: Vec::new(),
            events: Vec::new(),
            settled: Vec::new(),
            handed_on: Duration::ZERO,
        }
    }

    /// Captures until the source must be closed. The source is closed in any case.
    fn run(&mut self, reader: &mut dyn FrameReader) -> Result<(), Trouble> {
        reader.ready()?;
        if !self.control.begin_use() {
            return Ok(());
        }
        let now = self.clock.now();
        self.wall = WallTime::from(now);
        let opened = self.clock.mono();
        reader.open(now)?;
        self.sink.tell(CaptureEvent::Opened);
        let outcome = self.read_on(reader, opened);
        reader.close();
        reader.decided(&mut self.events);
        self.settle();
        self.hand_on();
        outcome
    }

    fn read_on(&mut self, reader: &mut dyn FrameReader, opened: Duration) -> Result<(), Trouble> {
        let (clock, control, paced) = (self.clock, self.control, self.paced);
        let mut pace = Pace::default();
        let mut wanted = |t: Duration| {
            if !pace.takes(t, control.pace()) {
                return Pacing::Skip;
            }
            let may = if paced { control.wait_until(clock, opened + t) } else { control.is_open() };
            if may { Pacing::Process } else { Pacing::Stop }
        };
        let mut last_frame = clock.mono();
        while control.is_open() {
            match reader.read(&mut wanted)? {
                ReadOutcome::Frame(report) => {
                    last_frame = clock.mono();
                    self.gave_frames_for = last_frame.saturating_sub(opened);
                    self.frame(&report);
                    reader.decided(&mut self.events);
                    self.settle();
                    if !self.settled.is_empty() || last_frame.saturating_sub(self.handed_on) >= HAND_ON_EVERY {
                        self.handed_on = last_frame;
                        self.hand_on();
                    }
                }
                ReadOutcome::Skipped => last_frame = clock.mono(),
                ReadOutcome::NoFrame => {
                    let patience = if self.frames == 0 { SLOW_START } else { SILENCE };
                    if clock.mono().saturating_sub(last_frame) >= patience {
                        return Err(silent());
                    }
                }
                ReadOutcome::Stopped => break,
            }
        }
        Ok(())
    }

    fn frame(&mut self, report: &FrameReport) {
        self.frames += 1;
        self.wall.frame(report.timestamp, self.clock.now());
        let mean = |reader: [f32; 2]| {
            let measured = reader.iter().filter(|ear| ear.is_finite());
            let (sum, n) = measured.fold((0.0, 0.0), |(sum, n), ear| (sum + f64::from(*ear), n + 1.0));
            (n > 0.0).then(|| sum / n)
        };
        self.sightings.push(Sighting {
            at: self.wall.at(report.timestamp),
            sight: sight(report.sight),
            ear: report.reading.ear.and_then(mean),
            baseline: report.reading.baseline.and_then(mean),
            hint: report.hint.map(hint),
        });
    }

    fn settle(&mut self) {
        for event in std::mem::take(&mut self.events) {
            self.settled.push(match event {
                Event::Observed { from, to, closed } => {
                    let (from, to) = self.wall.of_stretch(from, to);
                    Observation::Observed { from, to, closed }
                }
                Event::Blink(blink) => {
                    Observation::Blink { end: self.wall.at(blink.end), width: blink.width, complete: blink.complete }
                }
                Event::Wink(wink) => Observation::Wink { end: self.wall.at(wink.end), eye: eye(wink.eye) },
            });
        }
    }

    fn hand_on(&mut self) {
        if !self.sightings.is_empty() || !self.settled.is_empty() {
            let news = CaptureEvent::Seen(std::mem::take(&mut self.sightings), std::mem::take(&mut self.settled));
            self.sink.tell(news);
        }
    }
}

/// Converts to the clients' type, as [`hint`] and [`eye`] do. They are functions because all types belong to other crates.
fn sight(seen: FaceSight) -> Sight {
    match seen {
        FaceSight::None => Sight::Nobody,
        FaceSight::Several => Sight::Several,
        FaceSight::Turned => Sight::Turned,
        FaceSight::Measurable => Sight::Measurable,
    }
}

fn hint(seen: blink_vision::Hint) -> Hint {
    match seen {
        blink_vision::Hint::TooFar => Hint::TooFar,
        blink_vision::Hint::TooNear => Hint::TooNear,
        blink_vision::Hint::TooDark => Hint::TooDark,
        blink_vision::Hint::TurnedAway => Hint::TurnedAway,
        blink_vision::Hint::CameraTooFarToTheSide => Hint::CameraTooFarToTheSide,
        blink_vision::Hint::PictureFrozen => Hint::PictureFrozen,
    }
}

fn eye(seen: geometry::Eye) -> Eye {
    match seen {
        geometry::Eye::Left => Eye::Left,
        geometry::Eye::Right => Eye::Right,
    }
}

fn silent() -> Trouble {
    let problem = Problem::new(
        code::SOURCE_FAILED,
        "The source stopped giving pictures.",
        "Check the camera's cable or the stream; it is opened again by itself.",
    );
    Trouble { kind: TroubleKind::Gone, problem }
}

#[cfg(test)]
mod tests;
