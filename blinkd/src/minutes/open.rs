//! A minute that is still being counted, and the record made of it.

use std::time::Duration;

use blink_profile::Owner;
use blink_proto::{
    DeviceId, Minute, MinuteId, MinuteStart, Quality,
    minute::{MAX_FPS, MINUTE_MS},
};
use serde::{Deserialize, Serialize};

/// The most a minute can observe, in microseconds.
const FULL_US: u64 = MINUTE_MS as u64 * 1000;

/// When more observed time than this (in microseconds) was refused because the minute was full, its blinks are refused
/// too: a clock that was set back is repeating the minute.
const REPEATED_US: u64 = 1_000_000;

/// The sums of one minute. Times are in microseconds, so that splitting at boundaries loses nothing visible. The sums
/// saturate, since they are also read from a file that may hold anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenMinute {
    pub from: MinuteStart,
    /// The id of its record.
    pub id: MinuteId,
    pub owner: Option<Owner>,
    pub device_id: DeviceId,
    /// Blinks that ended in it.
    pub blinks: u32,
    /// How many of these blinks were incomplete.
    pub incomplete: u32,
    /// Sum of the blinks' widths.
    pub width_us: u64,
    pub observed_us: u64,
    /// How much of the observed time the eyes were at least 80 % closed.
    pub closed_us: u64,
    /// Observed time that was refused because the minute was full.
    pub excess_us: u64,
    /// Number of intervals between frames that ended in it.
    pub frames: u64,
    /// Sum of these intervals.
    pub framed_us: u64,
    /// Whether any frame had a face; without one the minute is not recorded.
    pub face: bool,
}

impl OpenMinute {
    #[must_use]
    pub fn new(from: MinuteStart, owner: Option<Owner>, device_id: DeviceId) -> Self {
        Self {
            from,
            id: MinuteId::new(),
            owner,
            device_id,
            blinks: 0,
            incomplete: 0,
            width_us: 0,
            observed_us: 0,
            closed_us: 0,
            excess_us: 0,
            frames: 0,
            framed_us: 0,
            face: false,
        }
    }

    /// Adds observed time, `closed_us` of it with closed eyes, up to the length of a minute.
    pub(super) fn observe(&mut self, observed_us: u64, closed_us: u64) {
        let taken = observed_us.min(FULL_US - self.observed_us.min(FULL_US));
        self.face = true;
        self.observed_us += taken;
        self.closed_us = self.closed_us.saturating_add(closed_us.min(taken)).min(self.observed_us);
        self.excess_us = self.excess_us.saturating_add(observed_us - taken);
    }

    /// Adds a blink; `false` where the minute takes no more.
    pub(super) fn blink(&mut self, width: Duration, complete: bool) -> bool {
        if self.excess_us > REPEATED_US {
            return false;
        }
        self.face = true;
        self.blinks = self.blinks.saturating_add(1);
        self.incomplete = self.incomplete.saturating_add(u32::from(!complete));
        self.width_us = self.width_us.saturating_add(micros(width));
        true
    }

    /// Adds the sums that another process counted of the same minute later.
    pub(super) fn add(&mut self, later: &Self) {
        if later.observed_us > 0 {
            self.observe(later.observed_us, later.closed_us);
        }
        self.excess_us = self.excess_us.saturating_add(later.excess_us);
        self.blinks = self.blinks.saturating_add(later.blinks);
        self.incomplete = self.incomplete.saturating_add(later.incomplete);
        self.width_us = self.width_us.saturating_add(later.width_us);
        self.frames = self.frames.saturating_add(later.frames);
        self.framed_us = self.framed_us.saturating_add(later.framed_us);
        self.face |= later.face;
    }

    /// The observed time. A blink was observed: where one ended in the minute's first instant, that is a millisecond.
    #[must_use]
    pub fn observed_ms(&self) -> u32 {
        let rounded = u32::try_from(self.observed_us.saturating_add(500) / 1000).unwrap_or(MINUTE_MS);
        rounded.clamp((self.blinks > 0).into(), MINUTE_MS)
    }

    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "the sums of a minute fit a double exactly")]
    pub fn record(&self) -> Option<Minute> {
        let ratio = |part: f64, whole: f64| (whole > 0.0).then(|| round(part / whole));
        let observed_ms = self.observed_ms();
        self.face.then(|| Minute {
            id: self.id,
            user_id: self.owner.as_ref().map(|owner| owner.user_id),
            blink_count: self.blinks,
            from_timestamp: self.from.start(),
            to_timestamp: self.from.end(),
            device_id: self.device_id,
            observed_ms,
            mean_fps: ratio(self.frames as f64 * 1e6, self.framed_us as f64).unwrap_or(0.0).min(MAX_FPS),
            quality: Quality::of_observed(observed_ms.into()),
            mean_blink_ms: ratio(self.width_us as f64 / 1e3, self.blinks.into()),
            incomplete_share: ratio(self.incomplete.into(), self.blinks.into()),
            perclos: ratio(self.closed_us as f64, self.observed_us as f64).filter(|_| observed_ms > 0),
        })
    }
}

/// Rounds to three decimals: more are below the accuracy, and records stay short.
fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

pub(super) fn micros(d: Duration) -> u64 {
    u64::try_from(d.as_micros()).unwrap_or(u64::MAX)
}
