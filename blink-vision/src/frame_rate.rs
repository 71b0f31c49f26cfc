//! Frames per second over the last two seconds, by the frames' timestamps.

use std::{collections::VecDeque, time::Duration};

/// Length of the sliding window.
const WINDOW: Duration = Duration::from_secs(2);
/// The least span that gives a rate.
const ENOUGH: Duration = Duration::from_millis(500);

/// Counts the frames in a sliding window.
#[derive(Clone, Debug, Default)]
pub struct FrameRate {
    times: VecDeque<Duration>,
}

impl FrameRate {
    /// Takes a frame's timestamp; one that is earlier than the last starts anew.
    pub fn push(&mut self, t: Duration) {
        if self.times.back().is_some_and(|&last| t < last) {
            self.times.clear();
        }
        while self.times.front().is_some_and(|&old| t - old > WINDOW) {
            self.times.pop_front();
        }
        self.times.push_back(t);
    }

    /// Frames per second; `None` before half a second of frames.
    #[must_use]
    pub fn fps(&self) -> Option<f64> {
        let span = self.times.back()?.saturating_sub(*self.times.front()?);
        #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
        (span >= ENOUGH).then(|| (self.times.len() - 1) as f64 / span.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_intervals() {
        let mut rate = FrameRate::default();
        for i in 0..100 {
            rate.push(Duration::from_millis(50 * i));
        }
        assert!((rate.fps().unwrap() - 20.0).abs() < 1e-9);
        rate.push(Duration::ZERO);
        assert_eq!(rate.fps(), None);
    }
}
