//! Blinks and observed time from (timestamp, landmarks, lids): a pure function of its input, frame by frame.
//!
//! When a face is found, the frames of the first [`WARM_UP`] are kept until the open eye's baseline is known, and are
//! then processed. After that each frame is processed as it comes, and a blink is decided at most 200 ms after its end.
//! The observation is interrupted by a loss of the face, a head turned too far, eyes that cannot be read or a gap between
//! frames: that time is not observed, and a blink that it cuts is not counted. After [`FORGET`] without a face, the next
//! face starts anew.

use std::time::Duration;

use crate::{
    closure::{EyeSeen, Fusion},
    dip::{Dip, DipDetector, Limits},
    event::{Blink, Event, Reading, Wink},
    evidence::{Evidence, Moment, Verdict},
    eye_patch::Patch,
    frame_rate::FrameRate,
    geometry::{Eye, Landmarks, eye_aspect_ratio},
    lid::Lid,
    pose::Pose,
    smooth::{Smooth, Smoother},
};

/// How long a new face is watched before its baseline is used. This is less than the two seconds after which a minute
/// is sealed, so that a blink of the first frames is still decided before its minute is sealed.
pub const WARM_UP: Duration = Duration::from_millis(1_900);
/// Without a face for longer than this, the next one may be another person's.
pub const FORGET: Duration = Duration::from_millis(1_500);
/// A longer gap between frames is not observed.
pub(crate) const MAX_GAP: Duration = Duration::from_millis(250);
/// A blink that begins sooner than this after the observation does, or in its first frames, may have begun before it, and
/// is not counted.
const OPEN_BEFORE: Duration = Duration::from_millis(34);
const OPEN_FRAMES: u64 = 2;
/// Below this frame rate blinks are missed between frames (SPEC: 14.5 fps).
const MIN_FPS: f64 = 14.5;
/// A head turned further than this hides an eye.
pub(crate) const MAX_YAW_DEG: f32 = 45.0;
/// A head pitched further than this from its usual pitch hides the eyes behind lids or rims.
const MAX_PITCH_CHANGE_DEG: f32 = 25.0;
/// Time constants of the usual pitch, and of the pose, which is smoothed so that one wrong frame is no turn.
const PITCH_TIME: Duration = Duration::from_secs(8);
const POSE_TIME: Duration = Duration::from_millis(250);
/// Eyes cannot be read when the surer one's [`Lid::doubt`] is greater; a grey wall's is 1.
const UNREADABLE_FROM: f32 = 0.95;
/// Time constant with which that is smoothed, so that one blurred frame is no loss.
const READABLE_TIME: Duration = Duration::from_millis(300);
/// PERCLOS P80 counts time with the lids at least this far down (Wierwille et al. 1994).
const P80: f32 = 0.8;
/// A blink that reaches this closure counts as complete (experimental).
const COMPLETE_FROM: f32 = 0.5;

/// The eyes of one followed face in one frame.
#[derive(Clone, Copy, Debug)]
pub struct EyesSeen<'a> {
    /// The landmarks of the face, in pixels.
    pub landmarks: &'a Landmarks,
    /// The lids of the right and left eye.
    pub lids: [Lid; 2],
    /// Their pictures.
    pub patches: &'a [Patch; 2],
}

#[derive(Clone, Debug)]
struct Sample {
    index: u64,
    t: Duration,
    eyes: [EyeSeen; 2],
    patches: [Patch; 2],
    pose: Pose,
}

/// Detects blinks and observed time, frame by frame.
#[derive(Debug, Default)]
pub struct BlinkDetector {
    limits: Limits,
    rate: FrameRate,
    last_seen: Option<Duration>,
    /// The recent pose, and the usual pitch.
    poses: Option<(Pose, f32)>,
    /// How doubtful the surer eye's figures have been lately.
    unsure: Option<f32>,
    warm_up: Vec<Sample>,
    warm: Option<Warm>,
    events: Vec<Event>,
}

/// The state once the open eye is known.
#[derive(Debug)]
struct Warm {
    fusion: Fusion,
    evidence: Evidence,
    dips: DipDetector,
    smoother: Smoother,
    /// The last frame.
    last: Option<(u64, Duration)>,
    /// The first frame of the current span of observed time.
    observed_since: Option<(u64, Duration)>,
}

impl BlinkDetector {
    /// A detector with other limits than the defaults, for measuring their effect.
    #[must_use]
    pub fn with_limits(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// What counts as a blink.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Processes the next frame: its number, its timestamp, and the eyes of the followed face if there is one.
    pub fn push(&mut self, index: u64, t: Duration, seen: Option<EyesSeen<'_>>) -> Reading {
        self.rate.push(t);
        let Some(seen) = seen else {
            self.interrupt(t);
            return Reading::default();
        };
        let pose = Pose::from_landmarks(seen.landmarks);
        let turned = self.turned_away(t, &pose);
        let unreadable = self.unreadable(t, &seen.lids);
        let ear = Eye::BOTH.map(|eye| eye_aspect_ratio(&eye.points(seen.landmarks)));
        let mut reading = Reading { ear: Some(ear), pose: Some(pose), turned, unreadable, ..Reading::default() };
        let broken = self.last_seen.is_none_or(|last| t.saturating_sub(last) > MAX_GAP || t <= last);
        if turned || unreadable || broken {
            self.interrupt(t);
        }
        self.last_seen = Some(t);
        if turned || unreadable {
            return reading;
        }
        let eyes = [0, 1].map(|i| EyeSeen { lid: seen.lids[i], ear: ear[i] });
        let sample = Sample { index, t, eyes, patches: *seen.patches, pose };
        let fast_enough = self.fast_enough();
        if let Some(warm) = &mut self.warm {
            reading.closure = Some(warm.advance(&sample, fast_enough, true, &mut self.events));
        } else {
            self.warm_up.push(sample);
            if self.warm_up.first().is_some_and(|first| t - first.t >= WARM_UP) {
                self.warm();
            }
        }
        if let Some(warm) = &self.warm {
            reading.baseline = Some(warm.fusion.open_ear());
            reading.eyes_closed = warm.dips.long_closed();
        }
        reading
    }

    /// The events decided since the last call.
    pub fn drain(&mut self) -> impl Iterator<Item = Event> + '_ {
        self.events.drain(..)
    }

    /// Frames per second over the last two seconds; `None` before half a second of frames.
    #[must_use]
    pub fn fps(&self) -> Option<f64> {
        self.rate.fps()
    }

    /// Ends the stream: decides what was waiting for further frames.
    pub fn finish(&mut self) {
        if self.warm.is_none() && self.warm_up.len() > 1 {
            self.warm();
        }
        if let Some(warm) = &mut self.warm {
            warm.finish(&mut self.events);
        }
    }

    fn fast_enough(&self) -> bool {
        self.rate.fps().is_some_and(|fps| fps >= MIN_FPS)
    }

    fn turned_away(&mut self, t: Duration, pose: &Pose) -> bool {
        let dt = self.last_seen.map_or(Duration::ZERO, |last| t.saturating_sub(last)).min(MAX_GAP);
        let share = |time: Duration| dt.div_duration_f32(time).min(1.0);
        let (lately, usual) = self.poses.get_or_insert((*pose, pose.pitch));
        lately.yaw += (pose.yaw - lately.yaw) * share(POSE_TIME);
        lately.pitch += (pose.pitch - lately.pitch) * share(POSE_TIME);
        *usual += (pose.pitch - *usual) * share(PITCH_TIME);
        lately.yaw.abs() > MAX_YAW_DEG || (lately.pitch - *usual).abs() > MAX_PITCH_CHANGE_DEG
    }

    /// Whether neither eye can be read.
    fn unreadable(&mut self, t: Duration, lids: &[Lid; 2]) -> bool {
        let surer = lids[0].doubt().min(lids[1].doubt());
        let dt = self.last_seen.map_or(MAX_GAP, |last| t.saturating_sub(last));
        let lately = self.unsure.get_or_insert(surer);
        *lately += (surer - *lately) * dt.div_duration_f32(READABLE_TIME).min(1.0);
        *lately > UNREADABLE_FROM
    }

    /// Ends the observed span at `t`.
    fn interrupt(&mut self, t: Duration) {
        self.warm_up.clear();
        if let Some(warm) = &mut self.warm {
            warm.interrupt(&mut self.events);
        }
        if self.last_seen.is_some_and(|last| t.saturating_sub(last) > FORGET) {
            self.warm = None;
            self.last_seen = None;
            self.poses = None;
            self.unsure = None;
        }
    }

    /// Learns the open eye from the kept frames, and processes them.
    fn warm(&mut self) {
        let samples = std::mem::take(&mut self.warm_up);
        let fast_enough = self.fast_enough();
        let mut warm = Warm::from(&samples, self.limits);
        for sample in &samples {
            warm.advance(sample, fast_enough, false, &mut self.events);
        }
        self.warm = Some(warm);
    }
}

impl Warm {
    /// Learns the open eye from the samples of a warm-up.
    fn from(samples: &[Sample], limits: Limits) -> Self {
        let mut fusion = Fusion::default();
        for sample in samples {
            fusion.learn(sample.t, &sample.eyes);
        }
        Self {
            fusion,
            evidence: Evidence::default(),
            dips: DipDetector::new(limits),
            smoother: Smoother::default(),
            last: None,
            observed_since: None,
        }
    }

    /// Processes one frame; returns its closure.
    fn advance(&mut self, sample: &Sample, fast_enough: bool, learn: bool, events: &mut Vec<Event>) -> f32 {
        if learn {
            self.fusion.learn(sample.t, &sample.eyes);
        }
        let closure = self.fusion.closure(&sample.eyes);
        let lids = sample.eyes.map(|eye| eye.lid);
        self.evidence.push(Moment {
            frame: sample.index,
            t: sample.t,
            both: closure.both,
            each: closure.each,
            doubt: lids.map(|lid| lid.doubt()),
            patches: sample.patches,
            openness_sd: lids[0].openness_sd.min(lids[1].openness_sd),
            pose: sample.pose,
        });
        let closure = closure.both;
        if let (Some(last), true) = (self.last, fast_enough) {
            let (_, from) = last;
            self.observed_since.get_or_insert(last);
            let closed = if closure >= P80 { sample.t.saturating_sub(from) } else { Duration::ZERO };
            events.push(Event::Observed { from, to: sample.t, closed });
        } else {
            self.observed_since = None;
        }
        self.last = Some((sample.index, sample.t));
        self.smoother.push(sample.index, sample.t, closure);
        self.look_for_dips(Smooth::AsFarAsKnown, events);
        closure
    }

    /// Passes the smoothed closures that are ready to the dip detector.
    fn look_for_dips(&mut self, end: Smooth, events: &mut Vec<Event>) {
        while let Some((index, t, closure)) = self.smoother.next(end) {
            let dip = self.dips.push(index, t, closure);
            self.count(dip, events);
        }
    }

    /// Counts a dip if all of it was observed, and the open eye before it.
    fn count(&self, dip: Option<Dip>, events: &mut Vec<Event>) {
        let observed = |dip: &Dip| {
            self.observed_since
                .is_some_and(|(frame, t)| frame + OPEN_FRAMES <= dip.start.0 && t + OPEN_BEFORE <= dip.start.1)
        };
        let Some(dip) = dip.filter(observed) else { return };
        let ((start_frame, start), (end_frame, end)) = (dip.start, dip.end);
        match self.evidence.judge(&dip, self.dips.limits(), self.fusion.open_lid()) {
            Verdict::Blink => events.push(Event::Blink(Blink {
                start_frame,
                end_frame,
                start,
                end,
                width: dip.width,
                depth: dip.prominence.clamp(0.0, 1.0),
                complete: dip.peak >= COMPLETE_FROM,
            })),
            Verdict::Wink(eye) => events.push(Event::Wink(Wink { eye, start_frame, end_frame, start, end })),
            Verdict::Nothing => {}
        }
    }

    fn interrupt(&mut self, events: &mut Vec<Event>) {
        self.look_for_dips(Smooth::ToTheEnd, events);
        self.smoother = Smoother::default();
        self.dips.reset();
        self.evidence.reset();
        self.last = None;
        self.observed_since = None;
    }

    fn finish(&mut self, events: &mut Vec<Event>) {
        self.look_for_dips(Smooth::ToTheEnd, events);
        let dip = self.dips.finish();
        self.count(dip, events);
    }
}

#[cfg(test)]
mod tests;
