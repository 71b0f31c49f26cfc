//! Conversion of stream time to wall time while the wall clock is set or the machine sleeps.
//!
//! Times before a jump of the clock keep the old mapping, times after it get the new one. So a blink before three hours
//! of sleep is three hours before one after them, however late it was decided.

use std::{collections::VecDeque, time::Duration};

use jiff::{SignedDuration, Timestamp};

/// If a frame's wall time differs from the clock by more than this, the clock is right: it was set, the machine slept,
/// or the source lags.
const DRIFT: SignedDuration = SignedDuration::from_secs(1);
/// Mappings are kept this long: everything older has been decided.
const KEPT: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct WallTime {
    /// Wall time of the stream's zero, for times after the given stream time; oldest first, never empty.
    zeros: VecDeque<(Option<Duration>, Timestamp)>,
    last: Option<Duration>,
}

impl From<Timestamp> for WallTime {
    /// A stream that was opened at `zero`.
    fn from(zero: Timestamp) -> Self {
        Self { zeros: VecDeque::from([(None, zero)]), last: None }
    }
}

impl WallTime {
    /// Takes a frame of time `t` that came when the clock read `now`.
    pub(super) fn frame(&mut self, t: Duration, now: Timestamp) {
        if let Ok(by_clock) = now.checked_sub(t)
            && by_clock.duration_since(self.zero_of(t)).abs() > DRIFT
        {
            self.zeros.push_back((self.last, by_clock));
            // What was undecided then is decided within seconds.
            let old = |after: &Option<Duration>| after.is_some_and(|after| t.saturating_sub(after) > KEPT);
            while self.zeros.len() > 1 && (old(&self.zeros[1].0) || self.zeros[1].0.is_none()) {
                self.zeros.pop_front();
            }
        }
        self.last = Some(t);
    }

    fn zero_of(&self, t: Duration) -> Timestamp {
        let holds = |(after, _): &&(Option<Duration>, Timestamp)| after.is_none_or(|after| t > after);
        let zero = self.zeros.iter().rev().find(holds).or(self.zeros.front());
        zero.map_or(Timestamp::UNIX_EPOCH, |(_, zero)| *zero)
    }

    pub(super) fn at(&self, t: Duration) -> Timestamp {
        self.zero_of(t).checked_add(t).unwrap_or(Timestamp::MAX)
    }

    /// The wall time of a span. One that contains a jump keeps its length and lies after the jump.
    pub(super) fn of_stretch(&self, from: Duration, to: Duration) -> (Timestamp, Timestamp) {
        let to_wall = self.at(to);
        (to_wall.checked_sub(to.saturating_sub(from)).unwrap_or(Timestamp::MIN), to_wall)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(1_772_359_200_000 + ms).unwrap()
    }

    #[test]
    fn what_was_decided_late_keeps_the_time_before_the_sleep() {
        const SLEPT: i64 = 3 * 3_600_000;
        let mut wall = WallTime::from(at(0));
        wall.frame(ms(1_000), at(1_000));
        // The next frame comes three hours later, but the stream's clock stood still meanwhile.
        wall.frame(ms(1_040), at(SLEPT + 1_040));
        assert_eq!(wall.at(ms(900)), at(900));
        assert_eq!(wall.at(ms(1_040)), at(SLEPT + 1_040));
        assert_eq!(wall.of_stretch(ms(960), ms(1_000)), (at(960), at(1_000)));
        // The interval that contains the sleep is as long as the stream says, not three hours.
        assert_eq!(wall.of_stretch(ms(1_000), ms(1_040)), (at(SLEPT + 1_000), at(SLEPT + 1_040)));
    }

    #[test]
    fn a_clock_that_is_set_again_and_again_leaves_nothing_behind() {
        let mut wall = WallTime::from(at(0));
        for n in 1..100_000u64 {
            let there_and_back = if n % 2 == 0 { 0 } else { 5_000 };
            wall.frame(ms(n * 40), at(n as i64 * 40 + there_and_back));
        }
        assert!(wall.zeros.len() <= 1_502, "{}", wall.zeros.len());
    }

    #[test]
    fn a_small_drift_is_left_alone() {
        let mut wall = WallTime::from(at(0));
        wall.frame(ms(1_000), at(1_900));
        assert_eq!(wall.at(ms(1_000)), at(1_000));
    }

    proptest! {
        #[test]
        fn a_stretch_is_as_long_as_it_was_whatever_the_clock_does(
            steps in proptest::collection::vec((1u64..500, -90_000i64..90_000, any::<bool>()), 2..200),
        ) {
            let (mut t, mut offset, mut wall) = (0, 0, WallTime::from(at(0)));
            for (step, jump, jumps) in steps {
                let from = t;
                t += step;
                offset += if jumps { jump } else { 0 };
                wall.frame(ms(t), at(t as i64 + offset));
                let (a, b) = wall.of_stretch(ms(from), ms(t));
                prop_assert_eq!(b.duration_since(a), SignedDuration::from_millis(step as i64));
                prop_assert!(b.duration_since(at(t as i64 + offset)).abs() <= DRIFT);
            }
        }
    }
}
