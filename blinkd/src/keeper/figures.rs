//! The figures of `status`: blinks of this session and of the local day, the rate over five minutes, frames per second.

use std::{collections::VecDeque, time::Duration};

use blink_proto::{Hint, Minute, MinuteStart, rate_per_minute, status::Today};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::{
    capture::Sighting,
    minutes::{Accepted, OpenMinute},
};

/// Window of the blink rate in `status`.
const RATE_WINDOW_MS: i64 = 300_000;
/// Window over which frames per second are measured.
const FPS_WINDOW: Duration = Duration::from_secs(2);
/// How long after its last frame a face still counts as followed, and a hint holds.
const FOLLOWED_FOR: Duration = Duration::from_secs(1);

/// Blinks and observed time counted within one second.
#[derive(Clone, Copy, Debug)]
struct Second {
    /// Monotonic time; negative for what was counted before the clock began.
    at_ms: i64,
    blinks: u64,
    observed_us: u64,
}

/// Running figures. Only those of the day are restored from the history; the others begin with the process.
#[derive(Debug)]
pub(super) struct Figures {
    pub(super) tz: TimeZone,
    pub(super) session_blinks: u64,
    pub(super) date: Date,
    /// How long tracking was wanted today, the denominator of coverage.
    pub(super) unpaused: Duration,
    sealed_blinks: u64,
    sealed_observed_ms: u64,
    /// The last five minutes, oldest first.
    recent: VecDeque<Second>,
    frames: VecDeque<(Duration, Timestamp)>,
    followed: Option<Duration>,
    /// The last frame's hint.
    hint: Option<Hint>,
}

fn ms(mono: Duration) -> i64 {
    i64::try_from(mono.as_millis()).unwrap_or(i64::MAX)
}

impl Figures {
    pub(super) fn new(tz: TimeZone, now: Timestamp) -> Self {
        let date = now.to_zoned(tz.clone()).date();
        Self {
            tz,
            session_blinks: 0,
            date,
            unpaused: Duration::ZERO,
            sealed_blinks: 0,
            sealed_observed_ms: 0,
            recent: VecDeque::new(),
            frames: VecDeque::new(),
            followed: None,
            hint: None,
        }
    }

    pub(super) fn local_date(&self, t: Timestamp) -> Date {
        t.to_zoned(self.tz.clone()).date()
    }

    pub(super) fn begin_day(&mut self, date: Date) {
        self.date = date;
        self.unpaused = Duration::ZERO;
        self.sealed_blinks = 0;
        self.sealed_observed_ms = 0;
    }

    pub(super) fn forget(&mut self) {
        self.session_blinks = 0;
        self.recent.clear();
        self.begin_day(self.date);
    }

    /// Adds a sealed minute of today, whichever process sealed it. Minutes of other days are ignored.
    pub(super) fn sealed(&mut self, minute: &Minute) {
        if self.local_date(minute.from_timestamp) == self.date {
            self.sealed_blinks += u64::from(minute.blink_count);
            self.sealed_observed_ms += u64::from(minute.observed_ms);
        }
    }

    /// Adds a minute from before a restart to the last five minutes, as if all of it happened at its end.
    pub(super) fn recall(&mut self, to: Timestamp, blinks: u32, observed_us: u64, now: Timestamp, mono: Duration) {
        let age_ms = now.duration_since(to).as_millis().max(0);
        if let Ok(age_ms) = i64::try_from(age_ms)
            && age_ms < RATE_WINDOW_MS
        {
            self.recent.push_back(Second { at_ms: ms(mono) - age_ms, blinks: blinks.into(), observed_us });
        }
    }

    pub(super) fn counted(&mut self, taken: Accepted, mono: Duration) {
        self.session_blinks += u64::from(taken.blinks);
        if taken.blinks == 0 && taken.observed_us == 0 {
            return;
        }
        let now = ms(mono);
        match self.recent.back_mut() {
            Some(last) if now - last.at_ms < 1_000 => {
                last.blinks += u64::from(taken.blinks);
                last.observed_us += taken.observed_us;
            }
            _ => {
                let (blinks, observed_us) = (taken.blinks.into(), taken.observed_us);
                self.recent.push_back(Second { at_ms: now, blinks, observed_us });
            }
        }
        while self.recent.front().is_some_and(|second| now - second.at_ms > RATE_WINDOW_MS) {
            self.recent.pop_front();
        }
    }

    pub(super) fn sighting(&mut self, sighting: &Sighting, mono: Duration) {
        self.frames.push_back((mono, sighting.at));
        while self.frames.front().is_some_and(|(at, _)| mono.saturating_sub(*at) > FPS_WINDOW) {
            self.frames.pop_front();
        }
        self.hint = sighting.hint;
        if sighting.sight.is_followed() {
            self.followed = Some(mono);
        }
    }

    /// Notes that the source is closed: no face is followed and no frames come.
    pub(super) fn closed(&mut self) {
        self.frames.clear();
        self.followed = None;
        self.hint = None;
    }

    pub(super) fn followed(&self, mono: Duration) -> bool {
        self.followed.is_some_and(|at| mono.saturating_sub(at) <= FOLLOWED_FOR)
    }

    pub(super) fn hint(&self, mono: Duration) -> Option<Hint> {
        let is_recent = |(at, _): &(Duration, Timestamp)| mono.saturating_sub(*at) <= FOLLOWED_FOR;
        self.hint.filter(|_| self.frames.back().is_some_and(is_recent))
    }

    #[expect(clippy::cast_precision_loss, reason = "frames of two seconds fit a double exactly")]
    pub(super) fn fps(&self, mono: Duration) -> f64 {
        let recent: Vec<_> =
            self.frames.iter().filter(|(at, _)| mono.saturating_sub(*at) <= FPS_WINDOW).map(|(_, t)| *t).collect();
        let (Some(first), Some(last)) = (recent.first(), recent.last()) else { return 0.0 };
        let seconds = last.duration_since(*first).as_secs_f64();
        if seconds <= 0.0 { 0.0 } else { ((recent.len() - 1) as f64 / seconds * 10.0).round() / 10.0 }
    }

    pub(super) fn rate(&self, mono: Duration) -> Option<f64> {
        let now = ms(mono);
        let window = self.recent.iter().filter(|second| now - second.at_ms <= RATE_WINDOW_MS);
        let (blinks, observed_us) = window.fold((0, 0_u64), |(blinks, observed_us), second| {
            (blinks + second.blinks, observed_us.saturating_add(second.observed_us))
        });
        rate_per_minute(blinks, observed_us / 1000).map(tenth)
    }

    pub(super) fn today<'a>(&self, open: impl Iterator<Item = &'a OpenMinute>) -> Today {
        let (mut blink_count, mut observed_ms) = (self.sealed_blinks, self.sealed_observed_ms);
        for minute in open.filter(|minute| self.local_date(minute.from.start()) == self.date) {
            blink_count += u64::from(minute.blinks);
            observed_ms += u64::from(minute.observed_ms());
        }
        Today { blink_count, observed_ms, rate_per_minute: rate_per_minute(blink_count, observed_ms).map(tenth) }
    }

    pub(super) fn observed_today<'a>(&self, open: impl Iterator<Item = &'a OpenMinute>) -> Duration {
        Duration::from_millis(self.today(open).observed_ms)
    }

    /// Observed over unpaused time today, to three decimals; `None` for less than one second.
    #[expect(clippy::cast_precision_loss, reason = "the milliseconds of a day fit a double exactly")]
    pub(super) fn coverage(&self, today: &Today) -> Option<f64> {
        let unpaused_ms = self.unpaused.as_millis() as f64;
        (unpaused_ms >= 1_000.0).then(|| {
            let share = (today.observed_ms as f64 / unpaused_ms).min(1.0);
            (share * 1000.0).round() / 1000.0
        })
    }
}

fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// The days of the history, which go by UTC, that can hold minutes of the local date around `now`, or of a clock set
/// back by hours.
pub(super) fn days_around(now: Timestamp) -> impl Iterator<Item = Date> {
    let today = crate::store::history::day_of(MinuteStart::containing(now));
    let neighbours = [today.yesterday().ok(), Some(today), today.tomorrow().ok()];
    neighbours.into_iter().flatten()
}
