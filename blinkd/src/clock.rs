//! The clocks, passed in so that tests control them: a wall clock that can be set, and a monotonic one.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

pub trait Clock: Send + Sync {
    /// The wall clock; it may jump.
    fn now(&self) -> Timestamp;
    /// Time since an arbitrary start. It never jumps, and stands still while the machine sleeps.
    fn mono(&self) -> Duration;
}

/// Notices when the wall clock and the monotonic clock diverge: the wall clock was set, or the machine slept.
#[derive(Clone, Copy, Debug)]
pub struct Jumps {
    wall: Timestamp,
    mono: Duration,
    threshold: SignedDuration,
}

/// The time between two readings of the clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed {
    /// By the monotonic clock.
    pub mono: Duration,
    /// How much the wall clock gained on it, if more than the threshold; negative where it was set back.
    pub jump: Option<SignedDuration>,
}

impl Jumps {
    /// Starts with these readings. Between two readings the clocks may diverge by `threshold`.
    #[must_use]
    pub fn from_readings(wall: Timestamp, mono: Duration, threshold: SignedDuration) -> Self {
        Self { wall, mono, threshold }
    }

    pub fn look(&mut self, wall: Timestamp, mono: Duration) -> Passed {
        let by_wall = wall.duration_since(self.wall);
        let passed = mono.saturating_sub(self.mono);
        let gained = by_wall.saturating_sub(SignedDuration::try_from(passed).unwrap_or(SignedDuration::MAX));
        (self.wall, self.mono) = (wall, mono);
        Passed { mono: passed, jump: Some(gained).filter(|gained| gained.abs() > self.threshold) }
    }
}

/// The person's time zone, read anew each time because people travel.
#[derive(Clone)]
pub struct Zone(Arc<dyn Fn() -> TimeZone + Send + Sync>);

impl Zone {
    #[must_use]
    pub fn system() -> Self {
        Self::from_fn(TimeZone::system)
    }

    #[must_use]
    pub fn from_fn(zone: impl Fn() -> TimeZone + Send + Sync + 'static) -> Self {
        Self(Arc::new(zone))
    }

    #[must_use]
    pub fn now(&self) -> TimeZone {
        (self.0)()
    }
}

impl From<TimeZone> for Zone {
    fn from(zone: TimeZone) -> Self {
        Self::from_fn(move || zone.clone())
    }
}

impl std::fmt::Debug for Zone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Zone").field(&self.now()).finish()
    }
}

#[derive(Debug)]
pub struct RealClock(Instant);

impl Default for RealClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn mono(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Clocks that move only when told to, for tests.
#[derive(Clone, Debug)]
pub struct FakeClock(Arc<Mutex<(Timestamp, Duration)>>);

impl FakeClock {
    /// Both clocks stand still, the wall clock at `now`.
    #[must_use]
    pub fn starting_at(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new((now, Duration::from_secs(1000)))))
    }

    /// Advances both clocks.
    pub fn advance(&self, by: Duration) {
        self.change(|(wall, mono)| {
            *wall += by;
            *mono += by;
        });
    }

    /// Sets the wall clock alone, as a person or NTP does.
    pub fn step(&self, by: SignedDuration) {
        self.change(|(wall, _)| *wall += by);
    }

    fn change(&self, f: impl FnOnce(&mut (Timestamp, Duration))) {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    fn mono(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::awake(10_000, 10_900, None)]
    #[case::slept(10_000, 70_000, Some(60_000))]
    #[case::set_back(10_000, -5_000, Some(-15_000))]
    #[case::the_monotonic_clock_stood_still(0, 1_001, Some(1_001))]
    fn a_jump_is_what_one_clock_gained_on_the_other(#[case] mono: u64, #[case] wall: i64, #[case] jump: Option<i64>) {
        let begun = (Timestamp::UNIX_EPOCH, Duration::from_secs(7));
        let mut jumps = Jumps::from_readings(begun.0, begun.1, SignedDuration::from_secs(1));
        let now = (begun.0 + SignedDuration::from_millis(wall), begun.1 + Duration::from_millis(mono));
        let passed = jumps.look(now.0, now.1);
        assert_eq!((passed.mono, passed.jump), (Duration::from_millis(mono), jump.map(SignedDuration::from_millis)));
        assert_eq!(jumps.look(now.0, now.1).jump, None, "it is told once");
    }
}
