//! Hours, days and weeks in a person's time zone, including changes to daylight saving time.

use jiff::{Timestamp, ToSpan as _, civil::Weekday, tz::TimeZone};

use super::time::UtcMs;

const HOUR_MS: i64 = 3_600_000;
const MINUTE_MS: i64 = 60_000;

/// What history is grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grouping {
    /// UTC minutes.
    Minute,
    Hour,
    /// The zone's days: 23 or 25 hours where the clocks change.
    Day,
    /// The zone's weeks, from Monday.
    Week,
}

impl Grouping {
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "minute" => Self::Minute,
            "hour" => Self::Hour,
            "day" => Self::Day,
            "week" => Self::Week,
            _ => return None,
        })
    }

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
        }
    }

    /// The most sums that one interval can have, which bounds what is read for a page. It counts minutes for a minute
    /// and quarter-hour slots for the longest hour, day (25 h) and week, plus two slots that the request's edges cut
    /// into minutes.
    #[must_use]
    pub fn max_sums(self) -> i64 {
        match self {
            Self::Minute => 1,
            Self::Hour => 5,
            Self::Day => 26 * 4,
            Self::Week => 170 * 4,
        }
    }

    /// The interval that contains `at`.
    #[must_use]
    pub fn around(self, at: UtcMs, zone: &TimeZone) -> Interval {
        match self {
            Self::Minute => Interval::aligned(at.0, MINUTE_MS, 0),
            Self::Hour => hour_around(at, zone),
            Self::Day | Self::Week => days_around(self, at, zone)
                // This happens only within a week of the ends of the calendar; there the UTC day is good enough.
                .unwrap_or_else(|_| Interval::aligned(at.0, 24 * HOUR_MS, 0)),
        }
    }
}

/// A half-open interval: `start` is in it, `end` is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    pub start: UtcMs,
    pub end: UtcMs,
}

impl Interval {
    fn aligned(at: i64, length: i64, offset: i64) -> Self {
        let start = (at + offset).div_euclid(length) * length - offset;
        Self { start: UtcMs(start), end: UtcMs(start + length) }
    }

    #[must_use]
    pub fn contains(&self, at: UtcMs) -> bool {
        self.start <= at && at < self.end
    }
}

fn hour_around(at: UtcMs, zone: &TimeZone) -> Interval {
    let instant = at.timestamp();
    let offset = i64::from(zone.to_offset(instant).seconds()) * 1_000;
    let mut hour = Interval::aligned(at.0, HOUR_MS, offset);
    // Where clocks change by less than an hour, or not on the hour, the change divides the hour.
    let after = instant.checked_add(1.nanosecond()).unwrap_or(instant);
    if let Some(change) = zone.preceding(after).next() {
        hour.start = hour.start.max(change.timestamp().into());
    }
    if let Some(change) = zone.following(instant).next() {
        hour.end = hour.end.min(change.timestamp().into());
    }
    hour
}

fn days_around(grouping: Grouping, at: UtcMs, zone: &TimeZone) -> Result<Interval, jiff::Error> {
    let date = at.timestamp().to_zoned(zone.clone()).date();
    let (first, days) = match grouping {
        Grouping::Week => {
            let since_monday = i64::from(date.weekday().since(Weekday::Monday));
            (date.checked_sub(since_monday.days())?, 7)
        }
        _ => (date, 1),
    };
    let start = |date: jiff::civil::Date| -> Result<Timestamp, jiff::Error> {
        Ok(date.to_zoned(zone.clone())?.start_of_day()?.timestamp())
    };
    Ok(Interval { start: start(first)?.into(), end: start(first.checked_add(days.days())?)?.into() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn interval(grouping: &str, zone: &str, at: &str) -> (String, String, i64) {
        let at: Timestamp = at.parse().unwrap();
        let got = Grouping::parse(grouping).unwrap().around(at.into(), &TimeZone::get(zone).unwrap());
        (got.start.timestamp().to_string(), got.end.timestamp().to_string(), (got.end.0 - got.start.0) / MINUTE_MS)
    }

    #[rstest]
    #[case("minute", "UTC", "2026-03-01T10:07:59.9Z", "2026-03-01T10:07:00Z", 1)]
    #[case("hour", "UTC", "2026-03-01T10:07:00Z", "2026-03-01T10:00:00Z", 60)]
    #[case("hour", "Asia/Kolkata", "2026-03-01T10:07:00Z", "2026-03-01T09:30:00Z", 60)]
    #[case("hour", "Asia/Kathmandu", "2026-03-01T10:07:00Z", "2026-03-01T09:15:00Z", 60)]
    #[case("hour", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T00:00:00Z", 60)]
    #[case("hour", "Europe/Berlin", "2026-10-25T01:30:00Z", "2026-10-25T01:00:00Z", 60)]
    #[case("hour", "Australia/Lord_Howe", "2026-04-04T15:10:00Z", "2026-04-04T15:00:00Z", 30)]
    #[case("day", "UTC", "2026-03-01T10:07:00Z", "2026-03-01T00:00:00Z", 24 * 60)]
    #[case("day", "Europe/Berlin", "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", 23 * 60)]
    #[case("day", "Europe/Berlin", "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", 25 * 60)]
    #[case("day", "America/New_York", "2026-03-01T02:00:00Z", "2026-02-28T05:00:00Z", 24 * 60)]
    #[case("day", "Africa/Cairo", "2026-04-24T12:00:00Z", "2026-04-23T22:00:00Z", 23 * 60)]
    #[case("week", "UTC", "2026-03-01T10:00:00Z", "2026-02-23T00:00:00Z", 7 * 24 * 60)]
    #[case("week", "UTC", "2026-03-02T00:00:00Z", "2026-03-02T00:00:00Z", 7 * 24 * 60)]
    #[case("week", "Europe/Berlin", "2026-03-27T12:00:00Z", "2026-03-22T23:00:00Z", (7 * 24 - 1) * 60)]
    fn intervals(
        #[case] grouping: &str,
        #[case] zone: &str,
        #[case] at: &str,
        #[case] start: &str,
        #[case] minutes: i64,
    ) {
        let (got_start, _, got_minutes) = interval(grouping, zone, at);
        assert_eq!((got_start.as_str(), got_minutes), (start, minutes));
    }

    proptest! {
        #[test]
        fn an_interval_holds_its_instants_and_the_next_begins_where_it_ends(
            at in 1_577_836_800_000i64..1_893_456_000_000,
            grouping in prop::sample::select(vec![Grouping::Minute, Grouping::Hour, Grouping::Day, Grouping::Week]),
            zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe",
                "America/St_Johns", "Africa/Cairo", "Pacific/Apia"]),
        ) {
            let zone = TimeZone::get(zone).unwrap();
            let here = grouping.around(UtcMs(at), &zone);
            prop_assert!(here.contains(UtcMs(at)));
            prop_assert_eq!(grouping.around(here.start, &zone), here);
            prop_assert_eq!(grouping.around(UtcMs(here.end.0 - 1), &zone), here);
            prop_assert_eq!(grouping.around(here.end, &zone).start, here.end);
            prop_assert!((here.end.0 - here.start.0) / 900_000 <= grouping.max_sums());
        }
    }
}
