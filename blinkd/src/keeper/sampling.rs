//! Sampling on battery: full rate for a window of 20 s in each minute, then the source is closed.
//!
//! The camera takes about 3 s to start and to settle the baseline of the open eye; the rest gives about five blinks at
//! an ordinary rate, and each minute passes the 10 s without which a rate means nothing. Longer and fewer windows would
//! leave minutes without a rate; shorter ones would mostly start the camera. The time between windows is unobserved and
//! counts against coverage.

use std::time::Duration;

/// Length of a window.
const LOOKS: Duration = Duration::from_secs(20);
/// Time from one window's start to the next.
const EVERY: Duration = Duration::from_secs(60);
/// By this time a window has found the face, or there is none.
const FINDS_WITHIN: Duration = Duration::from_secs(4);

/// Position in the cycle; `begun` is `None` while the source stays open.
#[derive(Debug, Default)]
pub(super) struct Sampling {
    begun: Option<Duration>,
    now: Duration,
    /// Whether a face was followed when the source was last closed.
    followed: bool,
}

impl Sampling {
    /// Moves on to `mono`; `samples` says whether to sample at all.
    pub(super) fn turn(&mut self, mono: Duration, samples: bool) {
        if samples != self.begun.is_some() {
            tracing::info!(samples, "windows instead of looking all the time");
        }
        self.begun = if samples { Some(self.begun.unwrap_or(mono)) } else { None };
        self.now = mono;
    }

    fn phase(&self, mono: Duration) -> Option<Duration> {
        let since = mono.saturating_sub(self.begun?);
        Some(since - EVERY * u32::try_from(since.as_secs() / EVERY.as_secs()).unwrap_or(0))
    }

    /// Whether the source is to be closed now, between two windows.
    pub(super) fn rests(&self) -> bool {
        self.phase(self.now).is_some_and(|phase| phase >= LOOKS)
    }

    /// Notes that the source was closed; `followed` says whether a face was followed then.
    pub(super) fn closed(&mut self, followed: bool) {
        self.followed = followed;
    }

    /// Whether a face was followed in the last window, and this one cannot tell yet.
    pub(super) fn was_tracking(&self, mono: Duration) -> bool {
        self.followed && self.phase(mono).is_some_and(|phase| phase >= LOOKS || phase < FINDS_WITHIN)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, sync::atomic::Ordering};

    use blink_proto::status::State;

    use crate::{
        capture::{CaptureEvent, Trouble, TroubleKind},
        cost::Profile,
        keeper::CapturePolicy,
        testing::TempProfile,
    };

    fn sampling() -> TempProfile {
        TempProfile::new().with(CapturePolicy { profile: Profile::Battery, ..CapturePolicy::default() })
    }

    #[test]
    fn a_third_of_the_time_is_looked_at_and_the_rest_counts_against_coverage() {
        let place = sampling();
        let mut keeper = place.consenting();
        let mut open = 0;
        for _ in 0..30 {
            // In each window the camera starts, a face is followed, and the camera is closed again.
            assert!(place.control.is_open());
            place.watch(&mut keeper, 20, 4);
            assert!(!place.control.is_open());
            for _ in 0..40 {
                assert_eq!(keeper.state(), State::Tracking, "between the windows it is as in the last one");
                place.idle(&mut keeper, 1);
                open += u32::from(place.control.is_open());
            }
        }
        assert_eq!(open, 30, "open only at the end of each rest");
        let status = keeper.status();
        assert_eq!((status.today.observed_ms, status.today.blink_count), (600_000, 150));
        assert_eq!(status.coverage, Some(0.333));
        assert_eq!(status.today.rate_per_minute, Some(15.0), "a rate is over observed time");
    }

    #[test]
    fn there_is_no_rest_while_the_owner_is_enrolled() {
        let place = sampling();
        let mut keeper = place.consenting();
        place.watch(&mut keeper, 25, 4);
        assert!(!place.control.is_open());
        place.enrols.store(true, Ordering::SeqCst);
        for _ in 0..20 {
            place.idle(&mut keeper, 1);
            assert!(place.control.is_open());
        }
        place.enrols.store(false, Ordering::SeqCst);
        place.idle(&mut keeper, 1);
        assert!(!place.control.is_open(), "and then it rests as before");
    }

    #[test]
    fn without_a_face_it_does_not_say_tracking() {
        let place = sampling();
        let mut keeper = place.consenting();
        keeper.news(CaptureEvent::Opened);
        place.idle(&mut keeper, 20);
        keeper.news(CaptureEvent::Closed);
        place.idle(&mut keeper, 10);
        assert_eq!(keeper.state(), State::NoFace);
        let problem = blink_proto::Problem::new("no_camera", "m", "f");
        place.idle(&mut keeper, 30);
        keeper.news(CaptureEvent::Trouble(Trouble { kind: TroubleKind::Gone, problem }));
        place.idle(&mut keeper, 25);
        assert_eq!(keeper.state(), State::NoCamera, "trouble stands until a window shows otherwise");
    }

    #[test]
    fn by_itself_it_samples_on_battery_alone() {
        let place = TempProfile::new();
        let supply = |name: &str, value: &str| {
            let path = place.supplies().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, value).unwrap();
        };
        supply("AC/type", "Mains\n");
        supply("AC/online", "1\n");
        supply("BAT0/type", "Battery\n");
        supply("BAT0/status", "Charging\n");
        let mut keeper = place.consenting();
        place.idle(&mut keeper, 300);
        assert!(place.control.is_open());
        supply("AC/online", "0\n");
        supply("BAT0/status", "Discharging\n");
        place.idle(&mut keeper, 4);
        assert!(place.control.is_open(), "it begins with a window");
        place.idle(&mut keeper, 30);
        assert!(!place.control.is_open());
        supply("AC/online", "1\n");
        supply("BAT0/status", "Charging\n");
        place.idle(&mut keeper, 4);
        assert!(place.control.is_open(), "and ends at once");
    }
}
