//! Closings and openings in a stream of (time, closure).
//!
//! A blink rises from the open level by at least [`Limits::prominence`] and falls back by at least half of that, and
//! its width at half depth is within limits. Everything is measured in time and interpolated between frames, so the
//! frame rate only limits the precision: a width is known to half a frame at its either side, so as much is tolerated.

use std::{collections::VecDeque, time::Duration};

/// Half of the time between frames at 14.5 frames per second, below which nothing is observed.
const MOST_TOLERANCE: Duration = Duration::from_millis(35);

/// How long before the eyes are half shut the lids' level is the open one, unless they are on their way by more than
/// [`DROOP`] then.
const CLOSING: Duration = Duration::from_millis(250);
const DROOP: f32 = 0.25;

/// What counts as a blink.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The least rise of the closure, on a scale where 1 is closed.
    pub prominence: f32,
    /// The least and greatest width at half depth.
    pub width: [Duration; 2],
    /// How long before a rise its foot, the lowest closure, is looked for.
    pub foot: Duration,
    /// The longest wait for the end after the eye has opened by half.
    pub settle: Duration,
    /// The most that a dip must be deeper for its width: see [`crate::evidence`].
    pub most_for_width: f32,
}

impl Limits {
    /// Those of blinks that somebody makes because they are asked to: up to 1,500 ms wide. Beyond 500 ms a greater width
    /// asks for no greater depth.
    #[must_use]
    pub fn deliberate() -> Self {
        Self {
            width: [Duration::from_millis(50), Duration::from_millis(1_500)],
            most_for_width: 0.24,
            ..Self::default()
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            prominence: 0.25,
            width: [Duration::from_millis(50), Duration::from_millis(500)],
            foot: Duration::from_millis(500),
            settle: Duration::from_millis(120),
            most_for_width: f32::INFINITY,
        }
    }
}

/// A closing followed by an opening.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dip {
    /// Frame and time of the first movement.
    pub start: (u64, Duration),
    /// Frame and time of the reopening.
    pub end: (u64, Duration),
    /// Width at half depth.
    pub width: Duration,
    /// The greatest closure reached.
    pub peak: f32,
    /// The rise from the open level.
    pub prominence: f32,
}

/// One frame's closure.
#[derive(Clone, Copy, Debug)]
struct Sample {
    frame: u64,
    t: Duration,
    c: f32,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    /// The eyes are open, as far as known.
    Open,
    /// The closure has risen from `foot`; the peak so far is `peak`.
    Closing { foot: Sample, peak: Sample },
    /// The eyes have opened by half at `half`; `low` is the lowest closure since.
    Opening { foot: Sample, peak: Sample, rise: Duration, half: Duration, low: Sample },
    /// The eyes stay closed for longer than a blink.
    Closed { peak: f32, foot: f32 },
}

/// Finds dips as samples come.
#[derive(Clone, Debug)]
pub struct DipDetector {
    limits: Limits,
    past: VecDeque<Sample>,
    phase: Phase,
}

impl DipDetector {
    /// A detector without any samples.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, past: VecDeque::new(), phase: Phase::Open }
    }

    /// What counts as a blink.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Forgets all samples.
    pub fn reset(&mut self) {
        self.past.clear();
        self.phase = Phase::Open;
    }

    /// Whether the eyes are closed for longer than a blink.
    #[must_use]
    pub fn long_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed { .. })
    }

    /// Takes the next sample in order of time; returns the dip that it completes, if any.
    pub fn push(&mut self, frame: u64, t: Duration, c: f32) -> Option<Dip> {
        let keep = self.limits.foot + 2 * self.limits.width[1] + self.limits.settle;
        while self.past.front().is_some_and(|old| t.saturating_sub(old.t) > keep) {
            self.past.pop_front();
        }
        let now = Sample { frame, t, c };
        self.past.push_back(now);
        self.step(now)
    }

    /// Ends the stream; returns a dip that was half open again.
    pub fn finish(&mut self) -> Option<Dip> {
        let last = *self.past.back()?;
        self.step_opening(last, true)
    }

    fn step(&mut self, now: Sample) -> Option<Dip> {
        match self.phase {
            Phase::Open => {
                let foot = self.foot_before(now)?;
                if now.c - foot.c >= self.limits.prominence {
                    self.phase = Phase::Closing { foot, peak: now };
                }
                None
            }
            Phase::Closing { foot, peak } => {
                let peak = if now.c > peak.c { now } else { peak };
                let half_level = (foot.c + peak.c) / 2.0;
                let rise = self.rise_through(half_level, peak.t);
                if now.c <= half_level {
                    let half = self.fall_through(half_level, now);
                    if half.saturating_sub(rise) > self.longest() {
                        self.start_afresh(now);
                        return None;
                    }
                    self.phase = Phase::Opening { foot, peak, rise, half, low: now };
                    return self.step_opening(now, false);
                }
                self.phase = if now.t.saturating_sub(rise) > self.longest() {
                    Phase::Closed { peak: peak.c, foot: foot.c }
                } else {
                    Phase::Closing { foot, peak }
                };
                None
            }
            Phase::Opening { .. } => self.step_opening(now, false),
            Phase::Closed { peak, foot } => {
                let peak = peak.max(now.c);
                if now.c <= (foot + peak) / 2.0 {
                    self.start_afresh(now);
                } else {
                    self.phase = Phase::Closed { peak, foot };
                }
                None
            }
        }
    }

    /// Starts anew after a closure that was no blink, so that earlier samples are not taken for a foot.
    fn start_afresh(&mut self, now: Sample) {
        self.phase = Phase::Open;
        self.past.clear();
        self.past.push_back(now);
    }

    fn step_opening(&mut self, now: Sample, at_end: bool) -> Option<Dip> {
        let Phase::Opening { foot, peak, rise, half, low } = self.phase else { return None };
        let tolerance = self.tolerance();
        let low = if now.c <= low.c { now } else { low };
        self.phase = Phase::Opening { foot, peak, rise, half, low };
        let depth = peak.c - foot.c;
        let open_again = now.c <= foot.c + 0.15 * depth;
        let turned_up = now.c - low.c > 0.2 * depth;
        let waited = now.t.saturating_sub(half) >= self.limits.settle;
        if !(open_again || turned_up || waited || at_end) {
            return None;
        }
        self.phase = Phase::Open;
        let dip = Dip {
            start: self.start_of(foot, rise, peak),
            end: (low.frame, low.t),
            width: half.saturating_sub(rise),
            peak: peak.c,
            prominence: depth,
        };
        while self.past.front().is_some_and(|old| old.t < low.t) {
            self.past.pop_front();
        }
        (dip.width + tolerance >= self.limits.width[0]).then_some(dip)
    }

    /// The greatest width that is accepted.
    fn longest(&self) -> Duration {
        self.limits.width[1] + self.tolerance()
    }

    /// Half of the time between the last two frames, and no more than at the lowest frame rate.
    fn tolerance(&self) -> Duration {
        let mut latest = self.past.iter().rev().map(|sample| sample.t);
        let interval = latest.next().zip(latest.next()).map(|(last, before)| last.saturating_sub(before));
        (interval.unwrap_or_default() / 2).min(MOST_TOLERANCE)
    }

    /// The lowest sample within [`Limits::foot`] before `now`.
    fn foot_before(&self, now: Sample) -> Option<Sample> {
        let near = self.past.iter().filter(|s| now.t.saturating_sub(s.t) <= self.limits.foot);
        near.copied().reduce(|low, s| if s.c <= low.c { s } else { low })
    }

    /// When the closure last rose through `level` before `until`.
    fn rise_through(&self, level: f32, until: Duration) -> Duration {
        let mut after: Option<Sample> = None;
        for s in self.past.iter().rev().filter(|s| s.t <= until) {
            if s.c <= level {
                return after.map_or(s.t, |after| between(*s, after, level));
            }
            after = Some(*s);
        }
        after.map_or(until, |after| after.t)
    }

    /// When the closure fell through `level` just before `now`.
    fn fall_through(&self, level: f32, now: Sample) -> Duration {
        let before = self.past.iter().rev().find(|s| s.t < now.t);
        before.filter(|before| before.c > level).map_or(now.t, |before| between(*before, now, level))
    }

    /// The first frame of the rise to the peak that has left the open level. That is the lowest closure shortly before the
    /// eyes are half shut: lids that droop before they close have not begun to. Where they are far on their way by then,
    /// they close slowly, and it is the foot's.
    fn start_of(&self, foot: Sample, rise: Duration, peak: Sample) -> (u64, Duration) {
        let closing = || self.past.iter().rev().skip_while(|s| s.t > peak.t);
        let shortly = closing().skip_while(|s| s.t > rise).take_while(|s| rise.saturating_sub(s.t) <= CLOSING);
        let drooping = shortly.copied().reduce(|low, s| if s.c < low.c { s } else { low });
        let open = drooping.filter(|s| s.c - foot.c <= DROOP * (peak.c - foot.c)).unwrap_or(foot);
        let near = open.c + 0.07 * (peak.c - open.c);
        let moved = closing().take_while(|s| s.t > open.t && s.c > near).last().copied().unwrap_or(peak);
        (moved.frame, moved.t)
    }
}

/// When the line from `a` to `b` passes `level`.
fn between(a: Sample, b: Sample, level: f32) -> Duration {
    let span = b.c - a.c;
    let share = if span.abs() > f32::EPSILON { ((level - a.c) / span).clamp(0.0, 1.0) } else { 1.0 };
    a.t + b.t.saturating_sub(a.t).mul_f32(share)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// The start of the blink in a course of the closure, given by its corners (s, closure), in seconds.
    fn start_s(corners: &[(f64, f32)], rate: f64) -> f64 {
        let mut dips = DipDetector::new(Limits::deliberate());
        let end_s = corners[corners.len() - 1].0;
        let course = |t_s: f64| {
            let next = corners.partition_point(|(at_s, _)| *at_s <= t_s);
            let ((from_s, from), (to_s, to)) = (corners[next - 1], corners[next]);
            from + (to - from) * ((t_s - from_s) / (to_s - from_s)) as f32
        };
        let frames =
            (0..).map(|frame: u32| (u64::from(frame), f64::from(frame) / rate)).take_while(|(_, t_s)| *t_s < end_s);
        let found = frames.filter_map(|(frame, t_s)| dips.push(frame, Duration::from_secs_f64(t_s), course(t_s)));
        let found: Vec<Dip> = found.collect();
        assert_eq!(found.len(), 1);
        found[0].start.1.as_secs_f64()
    }

    #[rstest]
    #[case::at_once(&[(0.0, 0.0), (1.0, 0.0), (1.1, 1.0), (1.3, 0.0), (2.0, 0.0)], 1.0)]
    #[case::after_a_droop(&[(0.0, 0.0), (0.9, 0.0), (1.0, 0.12), (1.4, 0.12), (1.5, 1.0), (1.7, 0.0), (2.4, 0.0)], 1.4)]
    #[case::slowly(&[(0.0, 0.0), (1.0, 0.0), (2.4, 1.0), (2.6, 0.0), (3.6, 0.0)], 1.098)]
    fn a_blink_begins_where_the_lids_close(
        #[case] corners: &[(f64, f32)],
        #[case] begins_s: f64,
        #[values(30.0, 60.0)] rate: f64,
    ) {
        let start_s = start_s(corners, rate);
        assert!((0.0..=1.05 / rate).contains(&(start_s - begins_s)), "{start_s}");
    }
}
