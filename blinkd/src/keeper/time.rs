//! Wall clock changes, sleep and time zone changes.
//!
//! Figures go by the monotonic clock, minutes by the wall clock. When the two diverge, nothing is sealed for a moment,
//! because decisions made before the step may still arrive, and no history is pruned, because the clock may be wrong.

use std::time::Duration;

use blink_proto::MinuteStart;
use jiff::{SignedDuration, Timestamp, civil::Date};

use super::{Keeper, figures};
use crate::{clock::Jumps, store::history::day_of};

/// A difference between the clocks' progress above this is a step: the wall clock was set, or the machine slept.
const STEP: SignedDuration = SignedDuration::from_secs(1);
/// Nothing is sealed for this long after a step: decisions arrive up to two seconds late.
const SETTLES_WITHIN: Duration = Duration::from_secs(2);
/// A clock by which all of the history but today is too old is trusted only after it has run this long.
const BELIEVED_AFTER: Duration = Duration::from_secs(3_600);
/// A step above this is longer than a night's sleep, so the clock is doubted.
const FAR: SignedDuration = SignedDuration::from_hours(20);
/// How often pruning is considered again until then.
const LOOK_EVERY: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Clocks {
    jumps: Jumps,
    mono: Duration,
    /// Time of the last step, or of the start.
    steady_since: Duration,
    stepped: bool,
    doubted: bool,
    /// Whether the person changed the retention, which is then applied without the wait.
    asked: bool,
    look_at: Duration,
}

impl Clocks {
    pub(super) fn from_readings(wall: Timestamp, mono: Duration) -> Self {
        let jumps = Jumps::from_readings(wall, mono, STEP);
        Self { jumps, mono, steady_since: mono, stepped: false, doubted: false, asked: false, look_at: mono }
    }

    fn look(&mut self, wall: Timestamp, mono: Duration) {
        if let Some(jump) = self.jumps.look(wall, mono).jump {
            tracing::info!(seconds = jump.as_secs(), "the clock was set or the machine slept");
            (self.steady_since, self.stepped) = (mono, true);
            self.doubted |= jump.abs() > FAR;
        }
        self.mono = mono;
    }

    /// Trusts the clock once without the wait, because the person has just changed the retention; a clock that leapt
    /// stays doubted.
    pub(super) fn take_at_its_word(&mut self) {
        self.asked = true;
    }

    /// Whether the decisions from before the last step have arrived.
    pub(super) fn settled(&self) -> bool {
        !self.stepped || self.mono.saturating_sub(self.steady_since) >= SETTLES_WITHIN
    }
}

impl Keeper {
    pub(super) fn watch_time(&mut self, now: Timestamp, mono: Duration) {
        self.clocks.look(now, mono);
        let tz = self.deps.tz.now();
        if tz != self.counting.figures.tz {
            tracing::info!("the time zone changed");
            self.counting.figures.tz = tz;
            self.recount(now);
            // How long tracking was wanted in the new zone's day is not known; it was at least the observed time.
            self.counting.figures.unpaused = self
                .counting
                .figures
                .unpaused
                .max(self.counting.figures.observed_today(self.counting.minutes.open_minutes()));
        }
    }

    /// Whether days before `first_kept` may be deleted by this clock: it has run for long, or the history also holds a
    /// day before `today` that is kept. By a clock that is far ahead by mistake everything looks old but what was
    /// counted under it.
    pub(super) fn clock_is_believed(&mut self, first_kept: Date, today: Date) -> bool {
        let clocks = &mut self.clocks;
        if clocks.mono.saturating_sub(clocks.steady_since) >= BELIEVED_AFTER {
            clocks.doubted = false;
            return true;
        }
        if clocks.doubted {
            return false;
        }
        if std::mem::take(&mut clocks.asked) {
            return true;
        }
        if clocks.mono < clocks.look_at {
            return false;
        }
        clocks.look_at = clocks.mono + LOOK_EVERY;
        self.records.history.days().is_ok_and(|days| days.range(first_kept..today).next().is_some())
    }

    /// Forgets which minutes of other days are sealed, to bound memory; a clock that goes back there reads them again.
    pub(super) fn forget_other_days(&mut self, now: Timestamp) {
        let near: Vec<Date> = figures::days_around(now).collect();
        self.records.known_days.retain(|day| near.contains(day));
        self.counting.minutes.forget_sealed(|minute: MinuteStart| !near.contains(&day_of(minute)));
    }
}

#[cfg(test)]
mod tests;
