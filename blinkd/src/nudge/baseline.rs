//! The person's usual blink rate: the median of their recent minutes, including imported ones.

use std::path::Path;

use blink_proto::{Quality, rate_per_minute};
use jiff::{ToSpan as _, Zoned, civil::Date, tz::TimeZone};

use crate::store::history::History;

const DAYS: i64 = 14;
/// A minute counts if at least this much of it was observed.
const OBSERVED_MS: u32 = 30_000;
/// With fewer minutes than this there is no baseline yet.
const LEAST_MINUTES: usize = 30;

/// The baseline of the history in `folder` in blinks per minute; `None` while there is too little of it.
#[must_use]
pub(crate) fn usual_rate(folder: &Path) -> Option<f64> {
    since(folder, Zoned::now().with_time_zone(TimeZone::UTC).date().saturating_sub(DAYS.days()))
}

fn since(folder: &Path, first: Date) -> Option<f64> {
    let history = History::open(folder).ok()?;
    let days = history.days().ok()?;
    let mut rates = Vec::new();
    for day in days.into_keys().filter(|day| *day >= first) {
        for line in history.read(day, 0).unwrap_or_default() {
            let minute = &line.minute;
            if minute.quality == Quality::Good && minute.observed_ms >= OBSERVED_MS {
                rates.extend(rate_per_minute(minute.blink_count.into(), minute.observed_ms.into()));
            }
        }
    }
    if rates.len() < LEAST_MINUTES {
        return None;
    }
    rates.sort_by(f64::total_cmp);
    Some(rates[rates.len() / 2])
}
