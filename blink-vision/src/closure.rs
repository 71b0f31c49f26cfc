//! Closure of the lids: what the lid model and the eye aspect ratio (EAR) say of each eye, against the same eye's own
//! baseline, weighted by how sure they are.
//!
//! The baseline of an open eye is a high quantile of the last seconds, but never less than the narrowest eye that is
//! open: a person who begins with the eyes shut is seen to have them shut.

use std::{collections::VecDeque, time::Duration};

use crate::lid::Lid;

/// One eye in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EyeSeen {
    /// What the lid model says.
    pub lid: Lid,
    /// The eye aspect ratio of its landmarks.
    pub ear: f32,
}

/// Time span of the baselines. They recover from glasses put on within 70 % of it.
const BASELINE_SPAN: Duration = Duration::from_secs(12);
/// The baseline is this quantile of the samples.
const OPEN_QUANTILE: f32 = 0.7;
/// A sample less sure than this says nothing about the open eye.
const LEARN_BELOW_SD: f32 = 0.12;
/// Shares of the openness, the aperture and the EAR in the closure of an eye.
const OPENNESS_SHARE: f32 = 0.425;
const APERTURE_SHARE: f32 = 0.425;
const EAR_SHARE: f32 = 0.15;
/// In 68-point landmarks the EAR of a closed eye is about half of the open one's.
const EAR_SPAN: f32 = 0.5;
/// Variance of the closure of an eye that the lid model is sure of.
const LEAST_VARIANCE: f32 = 0.02;

/// Number of steps in which a figure's range is counted.
const STEPS: usize = 120;

/// A quantile over the last seconds, from a histogram.
#[derive(Clone, Debug)]
struct Baseline {
    range: f32,
    least: f32,
    past: VecDeque<(Duration, u8)>,
    counts: [u32; STEPS],
    value: f32,
}

impl Baseline {
    /// `range` is the greatest value that is told apart, `least` the value of the narrowest open eye.
    fn new(range: f32, least: f32) -> Self {
        Self { range, least, past: VecDeque::new(), counts: [0; STEPS], value: least }
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a step below 120, and a count of frames"
    )]
    fn learn(&mut self, t: Duration, value: f32) {
        while let Some(&(old, step)) = self.past.front()
            && t.saturating_sub(old) > BASELINE_SPAN
        {
            self.counts[usize::from(step)] -= 1;
            self.past.pop_front();
        }
        let width = self.range / STEPS as f32;
        let step = (value / width).clamp(0.0, (STEPS - 1) as f32) as u8;
        self.counts[usize::from(step)] += 1;
        self.past.push_back((t, step));
        let wanted = (self.past.len() as f32 * (1.0 - OPEN_QUANTILE)) as u32;
        let mut above = 0;
        let step = self.counts.iter().rposition(|&count| {
            above += count;
            above > wanted
        });
        self.value = ((step.unwrap_or_default() as f32 + 0.5) * width).max(self.least);
    }
}

#[derive(Clone, Debug)]
struct EyeBaseline {
    openness: Baseline,
    aperture: Baseline,
    ear: Baseline,
}

impl Default for EyeBaseline {
    fn default() -> Self {
        // The ranges, and the values of the narrowest open eyes.
        Self { openness: Baseline::new(1.2, 0.35), aperture: Baseline::new(0.6, 0.08), ear: Baseline::new(0.6, 0.1) }
    }
}

impl EyeBaseline {
    fn learn(&mut self, t: Duration, seen: &EyeSeen) {
        if seen.lid.aperture_sd < LEARN_BELOW_SD {
            self.openness.learn(t, seen.lid.openness);
            self.aperture.learn(t, seen.lid.aperture);
        }
        self.ear.learn(t, seen.ear);
    }

    /// The closure of this eye, and the inverse of its variance.
    fn closure(&self, seen: &EyeSeen) -> (f32, f32) {
        let (lid, openness, aperture) = (&seen.lid, self.openness.value, self.aperture.value);
        let part = |share: f32, closure: f32| share * closure.clamp(-0.5, 1.1);
        let closure = part(OPENNESS_SHARE, 1.0 - lid.openness / openness)
            + part(APERTURE_SHARE, 1.0 - lid.aperture / aperture)
            + part(EAR_SHARE, (1.0 - seen.ear / self.ear.value) / EAR_SPAN);
        let sd = lid.openness_sd / openness + lid.aperture_sd / aperture;
        (closure, 1.0 / (sd * sd + LEAST_VARIANCE))
    }
}

/// The closure of both eyes together and of each.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Closure {
    /// Of both, 0 open to about 1 closed.
    pub both: f32,
    /// Of the right and of the left eye.
    pub each: [f32; 2],
}

/// The baselines of both eyes.
#[derive(Clone, Debug, Default)]
pub struct Fusion {
    eyes: [EyeBaseline; 2],
}

impl Fusion {
    /// Adds a frame's figures to the baselines.
    pub fn learn(&mut self, t: Duration, seen: &[EyeSeen; 2]) {
        for (eye, seen) in self.eyes.iter_mut().zip(seen) {
            eye.learn(t, seen);
        }
    }

    /// The open-eye EAR, right and left.
    #[must_use]
    pub fn open_ear(&self) -> [f32; 2] {
        self.eyes.each_ref().map(|eye| eye.ear.value)
    }

    /// The openness of the open eye, right and left.
    #[must_use]
    pub fn open_lid(&self) -> [f32; 2] {
        self.eyes.each_ref().map(|eye| eye.openness.value)
    }

    /// The closure of this frame.
    #[must_use]
    pub fn closure(&self, seen: &[EyeSeen; 2]) -> Closure {
        let [right, left] = [0, 1].map(|i| self.eyes[i].closure(&seen[i]));
        Closure { both: (right.0 * right.1 + left.0 * left.1) / (right.1 + left.1), each: [right.0, left.0] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eye(openness: f32) -> EyeSeen {
        let lid = Lid { openness, openness_sd: 0.05, aperture: 0.3 * openness, aperture_sd: 0.05 };
        EyeSeen { lid, ear: 0.15 + 0.15 * openness }
    }

    /// The closure of `now` after `seconds` of each of the given opennesses, at 10 frames per second.
    fn closure_after(past: &[(f32, u64)], now: f32) -> f32 {
        let mut fusion = Fusion::default();
        let mut frame = 0;
        for &(openness, seconds) in past {
            for _ in 0..10 * seconds {
                fusion.learn(Duration::from_millis(100 * frame), &[eye(openness); 2]);
                frame += 1;
            }
        }
        fusion.closure(&[eye(now); 2]).both
    }

    #[test]
    fn an_open_eye_is_open_and_a_shut_one_closed() {
        assert!(closure_after(&[(0.8, 2)], 0.8).abs() < 0.05);
        assert!(closure_after(&[(0.8, 2)], 0.0) > 0.9);
    }

    #[test]
    fn eyes_that_were_shut_from_the_start_are_shut() {
        assert!(closure_after(&[(0.02, 30)], 0.02) > 0.75);
        // Four seconds after they opened, open is open.
        assert!(closure_after(&[(0.02, 30), (0.8, 4)], 0.8).abs() < 0.1);
        assert!(closure_after(&[(0.02, 30), (0.8, 4)], 0.0) > 0.9);
    }

    #[test]
    fn an_eye_that_nothing_is_known_of_counts_little() {
        let mut fusion = Fusion::default();
        let blind =
            EyeSeen { lid: Lid { openness: 0.5, openness_sd: 0.4, aperture: 0.2, aperture_sd: 0.13 }, ear: 0.3 };
        for frame in 0..30 {
            fusion.learn(Duration::from_millis(100 * frame), &[eye(0.8), blind]);
        }
        assert!(fusion.closure(&[eye(0.0), blind]).both > 0.85);
    }
}
