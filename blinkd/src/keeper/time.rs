//! What the keeper does when the wall clock is set, the machine slept, or the person travelled.
//!
//! Figures go by the monotonic clock, minutes by the wall clock. Where the two part company nothing is sealed for a
//! moment, because the last decisions of the old time are still on their way, and nothing is thrown away for being old,
//! because it may be the clock that is wrong.

use std::time::Duration;

use blink_proto::MinuteStart;
use jiff::{SignedDuration, Timestamp, civil::Date};

use super::{Keeper, figures};
use crate::{clock::Jumps, store::history::day_of};

/// The clocks apart by more than this from one look to the next: the wall clock was set, or the machine slept.
const STEP: SignedDuration = SignedDuration::from_secs(1);
/// For so long after a step nothing is sealed: decisions come up to two seconds late.
const SETTLES_WITHIN: Duration = Duration::from_secs(2);
/// A clock by which all of the history but today is too old is believed only when it has run for so long.
const BELIEVED_AFTER: Duration = Duration::from_secs(3_600);
/// A step further than the machine sleeps at night is a clock to be doubted.
const FAR: SignedDuration = SignedDuration::from_hours(20);
/// Until then the history is looked at this often.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// The clocks at the last look.
#[derive(Debug)]
pub(super) struct Clocks {
    jumps: Jumps,
    mono: Duration,
    /// The last step, or the start.
    steady_since: Duration,
    stepped: bool,
    doubted: bool,
    /// The person changed how long the history is kept: they are not kept waiting.
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

    /// The person has just said what is to go, so the clock is believed once, unless it has leapt.
    pub(super) fn take_at_its_word(&mut self) {
        self.asked = true;
    }

    /// Whether what was decided before the last step has come.
    pub(super) fn settled(&self) -> bool {
        !self.stepped || self.mono.saturating_sub(self.steady_since) >= SETTLES_WITHIN
    }
}

impl Keeper {
    /// Looks at both clocks and at the time zone.
    pub(super) fn watch_time(&mut self, now: Timestamp, mono: Duration) {
        self.clocks.look(now, mono);
        let tz = self.deps.tz.now();
        if tz != self.counting.figures.tz {
            tracing::info!("the time zone changed");
            self.counting.figures.tz = tz;
            self.recount(now);
            // How long tracking was wanted on a day that begins and ends elsewhere is not known: at least so long.
            self.counting.figures.unpaused = self
                .counting
                .figures
                .unpaused
                .max(self.counting.figures.observed_today(self.counting.minutes.open_minutes()));
        }
    }

    /// Whether days before `first_kept` may be thrown away by this clock: it has run for long, or an earlier day would
    /// be kept too. A clock that is far off by mistake finds everything old but what was counted under it.
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

    /// Forgets which minutes of other days are sealed: a clock that goes back there has them read again.
    pub(super) fn forget_other_days(&mut self, now: Timestamp) {
        let near: Vec<Date> = figures::days_around(now).collect();
        self.records.known_days.retain(|day| near.contains(day));
        self.counting.minutes.forget_sealed(|minute: MinuteStart| !near.contains(&day_of(minute)));
    }
}

#[cfg(test)]
mod tests;
