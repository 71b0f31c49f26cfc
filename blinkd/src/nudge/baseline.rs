//! The person's usual blink rate at an hour of the day: the median of their recent minutes, including imported ones.

use std::path::Path;

use blink_proto::{Minute, Quality, rate_per_minute};
use jiff::{ToSpan as _, Zoned, tz::TimeZone};

use crate::store::history::History;

const DAYS: i64 = 14;
/// A minute counts if at least this much of it was observed.
const OBSERVED_MS: u32 = 30_000;
/// With fewer minutes than this there is no baseline yet.
const LEAST_MINUTES: usize = 30;

/// The rate of a minute that counts, and the local hour in which it began.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct HourlyRate {
    hour: i8,
    rate: f64,
}

impl HourlyRate {
    pub(super) fn of(minute: &Minute, tz: &TimeZone) -> Option<Self> {
        if minute.quality != Quality::Good || minute.observed_ms < OBSERVED_MS {
            return None;
        }
        let hour = minute.from_timestamp.to_zoned(tz.clone()).hour();
        Some(Self { hour, rate: rate_per_minute(minute.blink_count.into(), minute.observed_ms.into())? })
    }
}

/// The usual rate at the hour of `now`, by the history in `folder`, in blinks per minute; `None` while there is too
/// little of it.
#[must_use]
pub(crate) fn usual_rate(folder: &Path, now: &Zoned) -> Option<f64> {
    let history = History::open(folder).ok()?;
    // The days of the history go by UTC.
    let first = now.with_time_zone(TimeZone::UTC).date().saturating_sub(DAYS.days());
    let days = history.days().ok()?.into_keys().filter(|day| *day >= first);
    let lines = days.flat_map(|day| history.read(day, 0).unwrap_or_default());
    let rates: Vec<_> = lines.filter_map(|line| HourlyRate::of(&line.minute, now.time_zone())).collect();
    usual(&rates, now.hour())
}

/// The median of the minutes of this hour; where they are too few, of all.
pub(super) fn usual(rates: &[HourlyRate], hour: i8) -> Option<f64> {
    let of_hour = rates.iter().filter(|minute| minute.hour == hour);
    median(of_hour.map(|minute| minute.rate)).or_else(|| median(rates.iter().map(|minute| minute.rate)))
}

fn median(rates: impl Iterator<Item = f64>) -> Option<f64> {
    let mut rates: Vec<_> = rates.collect();
    if rates.len() < LEAST_MINUTES {
        return None;
    }
    let middle = rates.len() / 2;
    Some(*rates.select_nth_unstable_by(middle, f64::total_cmp).1)
}

#[cfg(test)]
mod tests {
    use blink_proto::{MinuteStart, example};
    use jiff::Timestamp;
    use rstest::rstest;

    use super::*;
    use crate::store::Line;

    /// Adds `minutes` at `rate` from the UTC time `from` on.
    fn add(history: &History, from: &str, minutes: i64, rate: u32) {
        let first = MinuteStart::containing(from.parse::<Timestamp>().unwrap()).number();
        let minute = |number| Minute { blink_count: rate, observed_ms: 60_000, ..example::minute(number) };
        let lines: Vec<_> = (first..first + minutes).map(|number| Line::sealed(minute(number), None)).collect();
        history.append_all(&lines).unwrap();
    }

    #[rstest]
    #[case::of_the_morning("2026-03-15T09:30:00+01:00[Europe/Berlin]", 18.0)]
    #[case::of_the_evening("2026-03-15T20:10:00+01:00[Europe/Berlin]", 9.0)]
    #[case::of_an_hour_with_too_few_it_is_all_hours("2026-03-15T13:00:00+01:00[Europe/Berlin]", 18.0)]
    #[case::of_an_hour_without_any_it_is_all_hours("2026-03-15T03:00:00+01:00[Europe/Berlin]", 18.0)]
    #[case::where_the_person_is_now("2026-03-15T08:30:00+00:00[UTC]", 18.0)]
    #[case::hours_are_local("2026-03-15T19:10:00+00:00[UTC]", 9.0)]
    fn the_usual_rate_is_that_of_the_hour(#[case] now: &str, #[case] usual: f64) {
        let folder = tempfile::tempdir().unwrap();
        let history = History::open(folder.path()).unwrap();
        add(&history, "2026-02-20T19:00:00Z", 60, 40);
        for day in ["10", "11", "12"] {
            add(&history, &format!("2026-03-{day}T08:00:00Z"), 45, 18);
            add(&history, &format!("2026-03-{day}T19:00:00Z"), 20, 9);
        }
        add(&history, "2026-03-12T12:00:00Z", 29, 30);
        assert_eq!(usual_rate(folder.path(), &now.parse().unwrap()), Some(usual));
    }

    #[test]
    fn nothing_is_usual_before_half_an_hour_of_good_minutes() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::open(folder.path()).unwrap();
        let now: Zoned = "2026-03-15T09:30:00+00:00[UTC]".parse().unwrap();
        add(&history, "2026-03-14T09:00:00Z", 29, 18);
        let number = MinuteStart::containing(now.timestamp()).number();
        let bad = Minute { quality: Quality::Insufficient, ..example::minute(number) };
        let short = Minute { observed_ms: OBSERVED_MS - 1, ..example::minute(number + 1) };
        history.append_all(&[Line::sealed(bad, None), Line::sealed(short, None)]).unwrap();
        assert_eq!(usual_rate(folder.path(), &now), None);
        add(&history, "2026-03-14T23:00:00Z", 1, 18);
        assert_eq!(usual_rate(folder.path(), &now), Some(18.0));
    }
}
