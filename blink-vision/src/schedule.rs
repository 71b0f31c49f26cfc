//! When the synthetic face blinks, and the closure of its lids at any instant.
//!
//! It is a pure function of seed, rate and time, so that a test knows every blink beforehand, and a restarted daemon
//! sees the same schedule.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::split_mix::split_mix;

/// The shape of one blink in seconds: closing 80 ms, closed 50 ms, opening 150 ms, the proportions of spontaneous
/// blinks (VanderWerf et al. 2003), with a width of 165 ms at half depth.
const CLOSING_S: f64 = 0.080;
const CLOSED_S: f64 = 0.050;
const OPENING_S: f64 = 0.150;

/// The first blink comes after half an interval, but at least this many seconds after the start: the baseline is learnt
/// first.
const QUIET_S: f64 = 2.0;

/// A blink of the schedule, in seconds of its clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Planned {
    /// When the lid begins to move.
    pub start_s: f64,
    /// When the eye is open again.
    pub end_s: f64,
    /// How far the lid goes down, 0 to 1.
    pub depth: f64,
}

/// The blinks for a rate and a seed. Its clock starts at opening, or at the epoch if there is one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    interval_s: f64,
    seed: u64,
}

impl Schedule {
    /// A schedule of `bpm` blinks a minute, 0 for none.
    #[must_use]
    pub fn new(bpm: f64, seed: u64) -> Self {
        Self { interval_s: if bpm > 0.0 { 60.0 / bpm } else { f64::INFINITY }, seed }
    }

    /// The blink number `n`, from 0. It is shifted from its regular time by at most a tenth of the interval, so that
    /// neighbours are one interval apart, plus or minus 20 %.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "2^52 blinks take longer than there have been people")]
    pub fn blink(&self, n: u64) -> Planned {
        let shift = if n == 0 { 0.0 } else { 0.1 * self.interval_s * self.unit(2 * n) };
        let start_s = self.first_s() + self.interval_s * n as f64 + shift;
        let depth = 0.94 + 0.06 * self.unit(2 * n + 1).abs();
        Planned { start_s, end_s: start_s + CLOSING_S + CLOSED_S + OPENING_S, depth }
    }

    fn first_s(&self) -> f64 {
        (self.interval_s / 2.0).max(QUIET_S)
    }

    /// The blinks that begin and end between `from_s` and `to_s`.
    #[must_use]
    pub fn within(&self, from_s: f64, to_s: f64) -> Vec<Planned> {
        if !self.interval_s.is_finite() {
            return Vec::new();
        }
        (self.near(from_s)..)
            .map(|n| self.blink(n))
            .take_while(|blink| blink.start_s < to_s)
            .filter(|blink| blink.start_s >= from_s && blink.end_s <= to_s)
            .collect()
    }

    /// How far the lids are down at `t_s`, 0 open to 1 closed.
    #[must_use]
    pub fn closure(&self, t_s: f64) -> f64 {
        if !self.interval_s.is_finite() {
            return 0.0;
        }
        let first = self.near(t_s);
        (first..first + 3).map(|n| self.blink(n)).fold(0.0, |most, blink| {
            let t = t_s - blink.start_s;
            let share = if t <= 0.0 || t >= blink.end_s - blink.start_s {
                0.0
            } else if t < CLOSING_S {
                ease(t / CLOSING_S)
            } else if t < CLOSING_S + CLOSED_S {
                1.0
            } else {
                ease(1.0 - (t - CLOSING_S - CLOSED_S) / OPENING_S)
            };
            f64::max(most, share * blink.depth)
        })
    }

    /// The number of a blink at or before the first one that can matter at `t_s`.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates at 0, which is meant")]
    fn near(&self, t_s: f64) -> u64 {
        ((t_s - self.first_s()) / self.interval_s - 1.0).max(0.0) as u64
    }

    /// A number from -1 to 1 that depends on the seed and `k` alone.
    #[expect(clippy::cast_precision_loss, reason = "53 bits")]
    fn unit(&self, k: u64) -> f64 {
        (split_mix(self.seed, k) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

/// A smooth step from 0 to 1.
fn ease(x: f64) -> f64 {
    x * x * (3.0 - 2.0 * x)
}

/// The truth file that `blinkd synthesize --truth` writes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    /// Frames per second.
    pub fps: f64,
    /// Number of frames in the file.
    pub frames: u64,
    /// The rate in blinks per minute that was asked for.
    pub bpm: f64,
    /// The seed of the schedule.
    pub seed: u64,
    /// Every blink that lies completely in the file.
    pub blinks: Vec<TrueBlink>,
}

/// One blink of the truth file. Frame numbers are 0-based and inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrueBlink {
    /// The first frame in which the lid has moved.
    pub start_frame: u64,
    /// The last frame before the eye is open again.
    pub end_frame: u64,
    /// When the lid begins to move, in seconds.
    pub start_s: f64,
    /// When the eye is open again, in seconds.
    pub end_s: f64,
    /// How far the lid goes down, 0 to 1.
    pub depth: f64,
    /// Whether the lid closes fully.
    pub complete: bool,
}

impl Truth {
    /// The truth of `frames` frames at `fps`, for a source that shows the face from `present_from` on.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "frame numbers"
    )]
    pub fn new(bpm: f64, seed: u64, fps: f64, frames: u64, present_from: Duration) -> Self {
        let end_s = frames.saturating_sub(1) as f64 / fps;
        let blinks = Schedule::new(bpm, seed).within(present_from.as_secs_f64(), end_s);
        let blinks = blinks.into_iter().map(|blink| TrueBlink {
            start_frame: (blink.start_s * fps).floor() as u64 + 1,
            end_frame: ((blink.end_s * fps).ceil() as u64).saturating_sub(1),
            start_s: blink.start_s,
            end_s: blink.end_s,
            depth: blink.depth,
            complete: true,
        });
        Self { fps, frames, bpm, seed, blinks: blinks.collect() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_minute_at_twenty_has_twenty_blinks() {
        let blinks = Schedule::new(20.0, 7).within(0.0, 60.0);
        assert_eq!(blinks.len(), 20);
        assert_eq!(blinks[0].start_s, QUIET_S);
    }

    #[test]
    fn the_first_comes_after_half_an_interval() {
        assert_eq!(Schedule::new(10.0, 3).blink(0).start_s, 3.0);
    }

    #[test]
    fn no_rate_is_no_blink() {
        assert!(Schedule::new(0.0, 1).within(0.0, 1e6).is_empty());
        assert_eq!(Schedule::new(0.0, 1).closure(100.0), 0.0);
    }

    proptest! {
        #[test]
        fn intervals_stay_within_a_fifth(bpm in 1.0f64..60.0, seed: u64, n in 0u64..100_000) {
            let schedule = Schedule::new(bpm, seed);
            let apart = schedule.blink(n + 1).start_s - schedule.blink(n).start_s;
            let interval = 60.0 / bpm;
            prop_assert!((0.8 * interval - 1e-6..=1.2 * interval + 1e-6).contains(&apart));
        }

        #[test]
        fn closure_and_plan_agree(bpm in 1.0f64..60.0, seed: u64, t in 2.0f64..1e6) {
            let schedule = Schedule::new(bpm, seed);
            let inside = schedule.within(t - 1.0, t + 1.0).iter().any(|b| b.start_s < t && t < b.end_s);
            prop_assert!(!inside || schedule.closure(t) > 0.0);
            prop_assert!((0.0..=1.0).contains(&schedule.closure(t)));
        }
    }
}
