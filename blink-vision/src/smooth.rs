//! Smooths the closure over time with a triangle of 66 ms: it has no effect up to 30 fps, and covers three frames at 60.

use std::{collections::VecDeque, time::Duration};

/// Half the width of the triangle.
const HALF_WIDTH: Duration = Duration::from_millis(33);

/// Which samples to smooth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Smooth {
    /// Only samples whose later neighbours are all known.
    AsFarAsKnown,
    /// All samples, because no more will come.
    ToTheEnd,
}

/// Smooths a stream of (frame, time, value) in order.
#[derive(Clone, Debug, Default)]
pub struct Smoother {
    samples: VecDeque<(u64, Duration, f32)>,
    /// How many of `samples` were returned and are kept as neighbours.
    done: usize,
}

impl Smoother {
    /// Takes the next sample.
    pub fn push(&mut self, frame: u64, t: Duration, value: f32) {
        self.samples.push_back((frame, t, value));
    }

    /// The next smoothed sample; `None` until its later neighbours are known.
    pub fn next(&mut self, end: Smooth) -> Option<(u64, Duration, f32)> {
        let &(frame, t, _) = self.samples.get(self.done)?;
        let last = self.samples.back()?.1;
        if end == Smooth::AsFarAsKnown && last < t + HALF_WIDTH {
            return None;
        }
        let (mut sum, mut weights) = (0.0, 0.0);
        for &(_, at, value) in &self.samples {
            let weight = 1.0 - at.abs_diff(t).div_duration_f32(HALF_WIDTH);
            if weight > 0.0 {
                sum += weight * value;
                weights += weight;
            }
        }
        self.done += 1;
        while self.samples.front().is_some_and(|front| front.1 + HALF_WIDTH < t) {
            self.samples.pop_front();
            self.done -= 1;
        }
        Some((frame, t, sum / weights))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn smoothed(step_ms: u64, values: &[f32]) -> Vec<f32> {
        let mut smoother = Smoother::default();
        let mut out = Vec::new();
        for (i, &value) in values.iter().enumerate() {
            smoother.push(i as u64, Duration::from_millis(step_ms * i as u64), value);
            out.extend(std::iter::from_fn(|| smoother.next(Smooth::AsFarAsKnown)));
        }
        out.extend(std::iter::from_fn(|| smoother.next(Smooth::ToTheEnd)));
        out.into_iter().map(|(_, _, value)| value).collect()
    }

    #[test]
    fn slow_frames_are_left_alone() {
        assert_eq!(smoothed(66, &[0.0, 1.0, 0.0, 2.0]), [0.0, 1.0, 0.0, 2.0]);
    }

    #[test]
    fn fast_frames_share_with_their_neighbours() {
        let out = smoothed(11, &[0.0, 0.0, 0.0, 9.0, 0.0, 0.0, 0.0]);
        let rounded: Vec<i32> = out.iter().map(|value| value.round() as i32).collect();
        assert_eq!(rounded, [0, 1, 2, 3, 2, 1, 0]);
    }
}
