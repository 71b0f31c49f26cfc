//! When to remind: a pure function of what `status` said so far.
//!
//! Nothing is saved up. A reminder that comes due while it must not be shown counts as shown, and its cool-down begins.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use blink_proto::{
    problem::code,
    rate_per_minute,
    status::{State, Status},
};
use jiff::{SignedDuration, Timestamp};

use super::Settings;
use crate::clock::Jumps;

/// Of the minutes looked at, at least half must have been observed, or the rate says nothing about them.
const OBSERVED_SHARE: f64 = 0.5;
/// Away for so long is a break.
const AWAY_IS_BREAK: Duration = Duration::from_secs(60);
/// Trouble is reported once it lasted so long.
const TROUBLE_LASTS: Duration = Duration::from_secs(5 * 60);
/// Minutes that wait for so long are stuck.
const UPLOAD_STUCK: Duration = Duration::from_secs(24 * 3600);
/// What is wrong is not said again sooner.
const TROUBLE_COOL_DOWN: Duration = Duration::from_secs(24 * 3600);
/// Between two statuses of a daemon that is awake.
const AWAKE: Duration = Duration::from_secs(10);
/// How far both clocks part meanwhile at most.
const CLOCKS_AGREE: SignedDuration = SignedDuration::from_secs(10);

/// What a reminder is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// Fewer blinks than usual.
    LowRate,
    /// A while at the screen without a break (20-20-20).
    Break,
    /// The camera has been gone for some time.
    Camera,
    /// The server takes nothing until the person signs in again.
    SignIn,
    /// Minutes do not reach the server.
    Upload,
}

/// Blinks, and how long was observed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counted {
    blinks: u64,
    observed_ms: u64,
}

/// All that was seen and said so far. Times are those of one monotonic clock.
#[derive(Debug)]
pub(crate) struct Rules {
    settings: Settings,
    /// Blinks and observed milliseconds since the start, about a second apart, no older than what a rule looks at.
    course: VecDeque<(Duration, Counted)>,
    today: Counted,
    sums: Counted,
    seated: Duration,
    away: Duration,
    jumps: Option<Jumps>,
    tracked: bool,
    since: HashMap<Kind, Duration>,
    quiet_until: HashMap<Kind, Duration>,
}

impl Rules {
    /// Nothing was seen yet.
    #[must_use]
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            settings,
            course: VecDeque::new(),
            today: Counted::default(),
            sums: Counted::default(),
            seated: Duration::ZERO,
            away: Duration::ZERO,
            jumps: None,
            tracked: false,
            since: HashMap::new(),
            quiet_until: HashMap::new(),
        }
    }

    /// From now on these hold.
    pub(crate) fn change(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// Takes `status` at `now`, when the wall clock shows `wall`, and says what is due. `baseline` is the person's own
    /// usual rate, where it is known.
    pub(crate) fn look(
        &mut self,
        now: Duration,
        wall: Timestamp,
        status: &Status,
        baseline: Option<f64>,
    ) -> Option<Kind> {
        let jumps = self.jumps.get_or_insert_with(|| Jumps::from_readings(wall, now, CLOCKS_AGREE));
        let between = jumps.look(wall, now);
        let mut passed = between.mono;
        if passed > AWAKE || between.jump.is_some() {
            // The machine slept, while the monotonic clock may have stood still: what was before says nothing about now.
            self.course.clear();
            self.seated = Duration::ZERO;
            passed = Duration::ZERO;
        }
        self.count(now, status);
        self.sit(passed, status.state);
        self.tracked |= status.state == State::Tracking;
        let held = [
            (Kind::SignIn, self.settings.sign_in && needs_sign_in(status), TROUBLE_LASTS),
            (Kind::Camera, self.settings.camera && self.tracked && camera_gone(status.state), TROUBLE_LASTS),
            (Kind::Upload, self.settings.upload && cannot_upload(status), UPLOAD_STUCK),
            (Kind::Break, self.settings.breaks && self.seated >= self.settings.break_after, Duration::ZERO),
            (Kind::LowRate, self.settings.low_rate && self.is_low(now, status, baseline), Duration::ZERO),
        ];
        let mut due = None;
        for (kind, holds, lasts) in held {
            if !holds {
                self.since.remove(&kind);
                continue;
            }
            let since = *self.since.entry(kind).or_insert(now);
            let quiet = self.quiet_until.get(&kind).is_some_and(|until| now < *until);
            if due.is_none() && !quiet && now.saturating_sub(since) >= lasts {
                due = Some(kind);
            }
        }
        due
    }

    /// What was due was shown, or must not be shown now.
    pub(crate) fn done(&mut self, kind: Kind, now: Duration) {
        let cool_down = match kind {
            Kind::LowRate => self.settings.cool_down,
            Kind::Break => Duration::ZERO,
            Kind::Camera | Kind::SignIn | Kind::Upload => TROUBLE_COOL_DOWN,
        };
        self.begin_anew(kind);
        self.quiet_until.insert(kind, now + cool_down);
    }

    /// The person wants to be reminded again after `span`, if it is still so.
    pub(crate) fn snooze(&mut self, kind: Kind, now: Duration, span: Duration) {
        self.quiet_until.insert(kind, now + span);
        if kind == Kind::Break {
            self.seated = self.settings.break_after.saturating_sub(span);
        }
    }

    fn begin_anew(&mut self, kind: Kind) {
        match kind {
            Kind::Break => self.seated = Duration::ZERO,
            Kind::LowRate => self.course.clear(),
            Kind::Camera | Kind::SignIn | Kind::Upload => {}
        }
    }

    /// Adds what came since the last status; the day's figures begin again at midnight.
    fn count(&mut self, now: Duration, status: &Status) {
        let today = Counted { blinks: status.today.blink_count, observed_ms: status.today.observed_ms };
        let blinks = today.blinks.checked_sub(self.today.blinks);
        if let (Some(blinks), Some(observed_ms)) = (blinks, today.observed_ms.checked_sub(self.today.observed_ms)) {
            // What was counted before we looked is not part of the course.
            if !self.course.is_empty() || self.sums != Counted::default() {
                self.sums.blinks += blinks;
                self.sums.observed_ms += observed_ms;
            }
        }
        self.today = today;
        self.course.push_back((now, self.sums));
        let window = self.settings.low_rate_after;
        while self.course.get(1).is_some_and(|(at, ..)| now.saturating_sub(*at) >= window) {
            self.course.pop_front();
        }
    }

    fn sit(&mut self, passed: Duration, state: State) {
        if state == State::Tracking {
            self.away = Duration::ZERO;
            self.seated += passed;
        } else {
            self.away += passed;
            if self.away >= AWAY_IS_BREAK {
                self.seated = Duration::ZERO;
            }
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "milliseconds of some minutes")]
    fn is_low(&self, now: Duration, status: &Status, baseline: Option<f64>) -> bool {
        let window = self.settings.low_rate_after;
        let (Some(baseline), Some(&(at, before)), State::Tracking) = (baseline, self.course.front(), status.state)
        else {
            return false;
        };
        let observed_ms = self.sums.observed_ms - before.observed_ms;
        if now.saturating_sub(at) < window || (observed_ms as f64) < OBSERVED_SHARE * window.as_millis() as f64 {
            return false;
        }
        let floor = baseline * f64::from(self.settings.low_rate_percent) / 100.0;
        rate_per_minute(self.sums.blinks - before.blinks, observed_ms).is_some_and(|rate| rate < floor)
    }
}

fn camera_gone(state: State) -> bool {
    matches!(state, State::CameraBusy | State::NoCamera | State::Error)
}

/// An account whose session the server has ended.
fn needs_sign_in(status: &Status) -> bool {
    status.account.is_some() && status.queue.last_error.as_ref().is_some_and(|problem| problem.is(code::NOT_SIGNED_IN))
}

fn cannot_upload(status: &Status) -> bool {
    status.account.is_some() && status.queue.pending > 0 && status.queue.last_error.is_some()
}
