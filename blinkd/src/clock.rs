//! Time, passed in: a wall clock that people set, and a monotonic one that only runs.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

/// The two clocks of the machine.
pub trait Clock: Send + Sync {
    /// The wall clock; it may jump.
    fn now(&self) -> Timestamp;
    /// Time since some start; it never jumps and stands still while the machine sleeps.
    fn mono(&self) -> Duration;
}

/// Where the person is: their time zone, which changes when they travel. It is asked for again and again.
#[derive(Clone)]
pub struct Zone(Arc<dyn Fn() -> TimeZone + Send + Sync>);

impl Zone {
    /// The system's.
    #[must_use]
    pub fn system() -> Self {
        Self::of(TimeZone::system)
    }

    /// What `zone` says.
    #[must_use]
    pub fn of(zone: impl Fn() -> TimeZone + Send + Sync + 'static) -> Self {
        Self(Arc::new(zone))
    }

    /// The zone now.
    #[must_use]
    pub fn now(&self) -> TimeZone {
        (self.0)()
    }
}

impl From<TimeZone> for Zone {
    fn from(zone: TimeZone) -> Self {
        Self::of(move || zone.clone())
    }
}

impl std::fmt::Debug for Zone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Zone").field(&self.now()).finish()
    }
}

/// The machine's own clocks.
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

/// Clocks that move only when told, for tests.
#[derive(Clone, Debug)]
pub struct FakeClock(Arc<Mutex<(Timestamp, Duration)>>);

impl FakeClock {
    /// Both clocks standing, the wall clock at `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new((now, Duration::from_secs(1000)))))
    }

    /// Lets time pass on both clocks.
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
