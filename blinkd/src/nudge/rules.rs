//! Decides when to remind, as a pure function of the statuses so far.
//!
//! Reminders are not queued: one that comes due while it must not be shown counts as shown, and its cool-down begins.

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
use crate::{clock::Jumps, keeper::LEFT_AFTER};

/// The rate is used only if at least this share of the time was observed.
const OBSERVED_SHARE: f64 = 0.5;
/// An absence of a minute counts as a break. The keeper tells of it when [`LEFT_AFTER`] of it has passed.
const AWAY_IS_BREAK: Duration = Duration::from_secs(60).saturating_sub(LEFT_AFTER);
/// Trouble is reported once it has lasted this long.
const TROUBLE_LASTS: Duration = Duration::from_secs(5 * 60);
/// Minutes are stuck when uploads have failed for this long.
const UPLOAD_STUCK: Duration = Duration::from_secs(24 * 3600);
/// The shortest time between two reports of the same trouble.
const TROUBLE_COOL_DOWN: Duration = Duration::from_secs(24 * 3600);
/// The longest time between two statuses of a daemon that is awake.
const AWAKE: Duration = Duration::from_secs(10);
/// The largest difference between the clocks' progress meanwhile.
const CLOCKS_AGREE: SignedDuration = SignedDuration::from_secs(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// Fewer blinks than usual.
    LowRate,
    /// A while at the screen without a break (20-20-20 rule).
    Break,
    /// The camera has been missing for some time.
    Camera,
    /// The server accepts nothing until the person signs in again.
    SignIn,
    /// Minutes do not reach the server.
    Upload,
}

/// Blinks, and the observed time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counted {
    blinks: u64,
    observed_ms: u64,
}

/// The state of the rules. Times are those of one monotonic clock.
#[derive(Debug)]
pub(crate) struct Rules {
    settings: Settings,
    /// Sums of blinks and observed time since the start, about one per second, as far back as the rules need.
    course: VecDeque<(Duration, Counted)>,
    today: Counted,
    sums: Counted,
    seated: Duration,
    away: Duration,
    jumps: Option<Jumps>,
    tracked: bool,
    since: HashMap<Kind, Duration>,
    quiet_until: HashMap<Kind, Duration>,
    /// When the last reminder of a low rate was, by the wall clock, which goes on while blinkd does not run.
    reminded: Option<Timestamp>,
}

impl Rules {
    /// Begins with the time of the last reminder of a low rate, which may be an earlier process's.
    #[must_use]
    pub(crate) fn new(settings: Settings, reminded: Option<Timestamp>) -> Self {
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
            reminded,
        }
    }

    /// Replaces the settings.
    pub(crate) fn change(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// Takes `status` at `now`, when the wall clock shows `wall`, and returns what is due. `baseline` is the person's
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
            // The machine slept, during which the monotonic clock may have stood still, so the earlier course is
            // dropped.
            self.course.clear();
            self.seated = Duration::ZERO;
            passed = Duration::ZERO;
        }
        self.count(now, status);
        self.sit(passed, status.at_screen);
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
            let quiet = self.quiet_until.get(&kind).is_some_and(|until| now < *until)
                || (kind == Kind::LowRate && self.cools_down(wall));
            if due.is_none() && !quiet && now.saturating_sub(since) >= lasts {
                due = Some(kind);
            }
        }
        due
    }

    /// Notes that a due reminder was shown or had to be dropped; its cool-down begins.
    pub(crate) fn done(&mut self, kind: Kind, now: Duration, wall: Timestamp) {
        let cool_down = match kind {
            Kind::LowRate => {
                self.reminded = Some(wall);
                self.settings.cool_down
            }
            Kind::Break => Duration::ZERO,
            Kind::Camera | Kind::SignIn | Kind::Upload => TROUBLE_COOL_DOWN,
        };
        self.begin_anew(kind);
        self.quiet_until.insert(kind, now + cool_down);
    }

    /// Postpones a reminder by `span`; it comes again if its cause still holds.
    pub(crate) fn snooze(&mut self, kind: Kind, now: Duration, span: Duration) {
        self.quiet_until.insert(kind, now + span);
        match kind {
            Kind::Break => self.seated = self.settings.break_after.saturating_sub(span),
            Kind::LowRate => self.reminded = None,
            Kind::Camera | Kind::SignIn | Kind::Upload => {}
        }
    }

    /// Whether the last reminder of a low rate is too recent by the wall clock. A time to come is a clock's mistake, and
    /// holds nothing back.
    fn cools_down(&self, wall: Timestamp) -> bool {
        let passed = self.reminded.and_then(|at| Duration::try_from(wall.duration_since(at)).ok());
        passed.is_some_and(|passed| passed < self.settings.cool_down)
    }

    fn begin_anew(&mut self, kind: Kind) {
        match kind {
            Kind::Break => self.seated = Duration::ZERO,
            Kind::LowRate => self.course.clear(),
            Kind::Camera | Kind::SignIn | Kind::Upload => {}
        }
    }

    /// Adds the difference to the last status; the day's figures restart at midnight.
    fn count(&mut self, now: Duration, status: &Status) {
        let today = Counted { blinks: status.today.blink_count, observed_ms: status.today.observed_ms };
        let blinks = today.blinks.checked_sub(self.today.blinks);
        if let (Some(blinks), Some(observed_ms)) = (blinks, today.observed_ms.checked_sub(self.today.observed_ms)) {
            // What was counted before the first status is left out.
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

    fn sit(&mut self, passed: Duration, at_screen: bool) {
        if at_screen {
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

/// Whether the server has ended the account's session.
fn needs_sign_in(status: &Status) -> bool {
    status.account.is_some() && status.queue.last_error.as_ref().is_some_and(|problem| problem.is(code::NOT_SIGNED_IN))
}

fn cannot_upload(status: &Status) -> bool {
    status.account.is_some() && status.queue.pending > 0 && status.queue.last_error.is_some()
}
