//! Decides whether nobody can be in front of the camera, because the screen is locked or the machine is about to sleep.
//!
//! A lock holds until its source says otherwise, so a bus that dies behind a locked screen does not open the camera.
//! Two claims also end by themselves: a sleep that never came, and a requested lock that was never confirmed. The
//! latter ends when the person resumes, or when a bus that was away is back and reports the session as unlocked.

use std::{collections::BTreeSet, time::Duration};

use super::Keeper;

/// An announced sleep is ignored after this time on the monotonic clock, which stands still during sleep: the machine
/// is awake or never slept. logind itself waits at most 5 s by default.
const ABOUT_TO_SLEEP: Duration = Duration::from_secs(60);

/// Where a report of a locked screen comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LockedBy {
    /// logind's `LockedHint`.
    Hint,
    /// logind's `Lock` signal: the locker was told to lock, and not every locker says that it has.
    Request,
    /// The screen saver with this D-Bus name.
    Saver(&'static str),
}

#[derive(Debug, Default)]
pub(super) struct Absence {
    locks: BTreeSet<LockedBy>,
    asleep_since: Option<Duration>,
}

impl Absence {
    pub(super) fn holds(&self, mono: Duration) -> bool {
        !self.locks.is_empty() || self.asleep_since.is_some_and(|since| mono.saturating_sub(since) < ABOUT_TO_SLEEP)
    }
}

impl Keeper {
    /// Takes a report from `by` that the screen is locked, or no longer is.
    pub fn locked(&mut self, by: LockedBy, locked: bool) {
        let changed = if locked { self.absence.locks.insert(by) } else { self.absence.locks.remove(&by) };
        if changed {
            tracing::info!(?by, locked, "screen lock");
            self.tick();
        }
    }

    /// Takes logind's report that the machine is about to sleep, or is awake again.
    pub fn sleeping(&mut self, asleep: bool) {
        if asleep != self.absence.asleep_since.is_some() {
            tracing::info!(asleep, "sleep");
        }
        self.absence.asleep_since = asleep.then(|| self.deps.clock.mono());
        self.tick();
    }

    /// Notes that the person is present, so a requested lock that was never confirmed did not happen.
    pub(super) fn somebody_is_there(&mut self) {
        self.absence.locks.remove(&LockedBy::Request);
    }
}

#[cfg(test)]
mod tests {
    use blink_proto::{consent::TRACKING_VERSION, ipc::PauseSpan, status::State};

    use super::*;
    use crate::testing::TempProfile;

    #[test]
    fn every_claim_must_end_before_the_camera_opens_again() {
        let place = TempProfile::new();
        let mut keeper = place.consenting();
        let claims = [LockedBy::Hint, LockedBy::Request, LockedBy::Saver("org.gnome.ScreenSaver")];
        for by in claims {
            keeper.locked(by, true);
            assert_eq!((keeper.state(), place.control.is_open()), (State::Locked, false));
        }
        for by in claims {
            assert_eq!(keeper.state(), State::Locked);
            keeper.locked(by, false);
        }
        assert!(place.control.is_open() && keeper.state() != State::Locked);
        keeper.locked(LockedBy::Hint, false);
        assert!(place.control.is_open());
    }

    #[test]
    fn consent_and_pause_come_before_a_lock() {
        let place = TempProfile::new();
        let mut keeper = place.consenting();
        keeper.locked(LockedBy::Hint, true);
        keeper.pause(PauseSpan::default()).unwrap();
        assert_eq!(keeper.state(), State::Paused);
        keeper.withdraw().unwrap();
        assert_eq!(keeper.state(), State::NoConsent);
        keeper.locked(LockedBy::Hint, false);
        assert!(!place.control.is_open());
        keeper.grant(TRACKING_VERSION).unwrap();
        keeper.resume().unwrap();
        assert!(place.control.is_open());
    }

    #[test]
    fn sleep_closes_waking_opens_and_a_sleep_that_never_came_is_forgotten() {
        let place = TempProfile::new();
        let mut keeper = place.consenting();
        keeper.sleeping(true);
        assert_eq!((keeper.state(), place.control.is_open()), (State::Locked, false));
        keeper.sleeping(false);
        assert!(place.control.is_open());
        keeper.sleeping(true);
        place.idle(&mut keeper, 59);
        assert!(!place.control.is_open());
        place.idle(&mut keeper, 1);
        assert!(place.control.is_open(), "nothing sleeps for a minute of waking time");
    }

    #[test]
    fn resume_ends_a_lock_that_was_only_asked_for() {
        let place = TempProfile::new();
        let mut keeper = place.consenting();
        keeper.locked(LockedBy::Request, true);
        keeper.resume().unwrap();
        assert!(place.control.is_open());
        keeper.locked(LockedBy::Hint, true);
        keeper.resume().unwrap();
        assert_eq!((keeper.state(), place.control.is_open()), (State::Locked, false), "that one is known");
    }

    #[test]
    fn locked_time_does_not_count_against_coverage() {
        let place = TempProfile::new();
        let mut keeper = place.consenting();
        place.watch(&mut keeper, 60, 10);
        keeper.locked(LockedBy::Hint, true);
        place.idle(&mut keeper, 3_600);
        assert_eq!(keeper.status().coverage, Some(1.0));
    }
}
