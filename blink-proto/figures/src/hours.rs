//! Minutes summed by local clock hour, which is what every other figure is made of.

use std::collections::BTreeMap;

use blink_proto::rate_per_minute;
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, Weekday},
    tz::TimeZone,
};

use crate::week::Period;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// An hour of the day is told where at least this much of it was observed, in milliseconds.
const MIN_OBSERVED_OF_HOUR_MS: u64 = 30 * 60_000;

/// Blinks and observed time, and the length of the clock hours in which tracking was on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Blinks that were counted.
    pub blinks: u64,
    /// Time in which the eyes could be observed, in milliseconds.
    pub observed_ms: u64,
    /// Length of the clock hours with any record, in milliseconds: a night without one is none of them.
    pub tracked_ms: u64,
}

impl Sum {
    /// Adds another sum to this one.
    pub fn join(&mut self, other: Self) {
        self.blinks += other.blinks;
        self.observed_ms += other.observed_ms;
        self.tracked_ms += other.tracked_ms;
    }

    /// Blinks per observed minute; `None` under ten seconds observed.
    #[must_use]
    pub fn rate(self) -> Option<f64> {
        rate_per_minute(self.blinks, self.observed_ms)
    }

    /// Whether half an hour was observed, from which on the rate of an hour of the day or of a period says something.
    pub(crate) fn is_telling(self) -> bool {
        self.observed_ms >= MIN_OBSERVED_OF_HOUR_MS
    }

    /// The observed share of the hours in which tracking was on, 0 to 1; `None` where there were none.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a lifetime fit a double exactly")]
    pub fn coverage(self) -> Option<f64> {
        // Minutes of two machines may overlap, so the share is capped.
        (self.tracked_ms > 0).then(|| (self.observed_ms as f64 / self.tracked_ms as f64).min(1.0))
    }
}

/// A minute, or a quarter of an hour: a piece of time that lies in one local clock hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Its start.
    pub at: Timestamp,
    /// Blinks in it.
    pub blinks: u64,
    /// Observed milliseconds in it.
    pub observed_ms: u64,
    /// The number of the [`Setup`](crate::Setup) that measured it.
    pub setup: usize,
}

/// What a period is divided into, so that its parts stay few.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Days, of up to a month.
    Day,
    /// Weeks from Monday to Sunday, of up to a year.
    Week,
    /// Months.
    Month,
}

impl Unit {
    /// Up to the first number of days each day is a part, up to the second each week, then each month.
    const DAYS_ALONE: usize = 31;
    const WEEKS_UP_TO: usize = 371;

    /// The unit of `period`.
    #[must_use]
    pub fn of(period: Period) -> Self {
        match period.days().count() {
            0..=Self::DAYS_ALONE => Self::Day,
            n if n <= Self::WEEKS_UP_TO => Self::Week,
            _ => Self::Month,
        }
    }

    /// Its name: `day`, `week` or `month`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    fn begins(self, date: Date) -> bool {
        match self {
            Self::Day => true,
            Self::Week => date.weekday() == Weekday::Monday,
            Self::Month => date.day() == 1,
        }
    }
}

/// A part of a period: a day, a week or a month, as far as it lies in the period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its days.
    pub period: Period,
    /// Their sum.
    pub sum: Sum,
}

/// One local clock hour with a record.
#[derive(Clone, Debug)]
pub(crate) struct Hour {
    pub(crate) date: Date,
    /// 0 to 23.
    pub(crate) hour: usize,
    tracked_ms: u64,
    /// Blinks and observed time by setup; most hours have one.
    pub(crate) by_setup: Vec<(usize, Sum)>,
}

impl Hour {
    fn add(&mut self, setup: usize, sum: Sum) {
        match self.by_setup.iter_mut().find(|(known, _)| *known == setup) {
            Some((_, known)) => known.join(sum),
            None => self.by_setup.push((setup, sum)),
        }
    }

    fn sum(&self) -> Sum {
        self.by_setup.iter().fold(Sum { tracked_ms: self.tracked_ms, ..Sum::default() }, |mut sum, (_, part)| {
            sum.join(*part);
            sum
        })
    }

    pub(crate) fn is_weekend(&self) -> bool {
        matches!(self.date.weekday(), Weekday::Saturday | Weekday::Sunday)
    }
}

/// A person's history by local clock hour.
#[derive(Clone, Debug)]
pub struct Hours {
    zone: TimeZone,
    until: Timestamp,
    hours: BTreeMap<Timestamp, Hour>,
}

impl Hours {
    /// Without any minutes yet. `until` is now: an hour that is not over is as long as it has lasted.
    #[must_use]
    pub fn new(zone: TimeZone, until: Timestamp) -> Self {
        Self { zone, until, hours: BTreeMap::new() }
    }

    /// The person's time zone.
    #[must_use]
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The local date now.
    #[must_use]
    pub fn today(&self) -> Date {
        self.until.to_zoned(self.zone.clone()).date()
    }

    /// Adds a piece; one that begins after now is ignored.
    pub fn add(&mut self, piece: Piece) {
        if piece.at >= self.until {
            return;
        }
        let sum = Sum { blinks: piece.blinks, observed_ms: piece.observed_ms, tracked_ms: 0 };
        let is_in = |start: &Timestamp| piece.at >= *start && piece.at.duration_since(*start) < HOUR;
        // Minutes mostly follow each other, so the last hour is mostly theirs.
        if let Some(mut last) = self.hours.last_entry().filter(|last| is_in(last.key())) {
            return last.get_mut().add(piece.setup, sum);
        }
        let known = self.hours.range(..=piece.at).next_back().map(|(start, _)| *start).filter(is_in);
        let start = known.unwrap_or_else(|| self.open(piece.at));
        if let Some(hour) = self.hours.get_mut(&start) {
            hour.add(piece.setup, sum);
        }
    }

    /// Makes the hour that `at` lies in, and returns its start.
    fn open(&mut self, at: Timestamp) -> Timestamp {
        let local = at.to_zoned(self.zone.clone());
        let since = SignedDuration::from_secs(i64::from(local.minute()) * 60 + i64::from(local.second()));
        let start = at.checked_sub(since).unwrap_or(at);
        let length = self.until.duration_since(start).min(HOUR);
        self.hours.entry(start).or_insert_with(|| Hour {
            date: local.date(),
            hour: usize::try_from(local.hour()).unwrap_or(0) % 24,
            tracked_ms: u64::try_from(length.as_millis()).unwrap_or(0),
            by_setup: Vec::new(),
        });
        start
    }

    /// The hours of the days of `period`.
    pub(crate) fn within(&self, period: Period) -> impl Iterator<Item = &Hour> {
        let start = |date: Date| date.to_zoned(self.zone.clone()).map(|zoned| zoned.timestamp());
        let from = start(period.first).unwrap_or(Timestamp::MIN);
        let to = period.last.tomorrow().and_then(start).unwrap_or(Timestamp::MAX);
        self.hours.range(from..to.max(from)).map(|(_, hour)| hour)
    }

    /// The sum of the days of `period`.
    #[must_use]
    pub fn sum(&self, period: Period) -> Sum {
        total(self.within(period).map(Hour::sum))
    }

    /// Each day of `period` with its sum; a day without a record has an empty one.
    #[must_use]
    pub fn days(&self, period: Period) -> Vec<(Date, Sum)> {
        let mut days: Vec<(Date, Sum)> = period.days().map(|date| (date, Sum::default())).collect();
        for hour in self.within(period) {
            if let Ok(place) = days.binary_search_by_key(&hour.date, |(date, _)| *date) {
                days[place].1.join(hour.sum());
            }
        }
        days
    }

    /// The parts of `period` with their sums, in the unit that [`Unit::of`] chooses.
    #[must_use]
    pub fn parts(&self, period: Period) -> Vec<Part> {
        let unit = Unit::of(period);
        let mut parts: Vec<Part> = Vec::new();
        for (date, sum) in self.days(period) {
            match parts.last_mut() {
                Some(part) if !unit.begins(date) => {
                    part.period.last = date;
                    part.sum.join(sum);
                }
                _ => parts.push(Part { period: Period { first: date, last: date }, sum }),
            }
        }
        parts
    }

    /// The sums of the 24 hours of the day over `period`.
    #[must_use]
    pub fn by_hour(&self, period: Period) -> [Sum; 24] {
        let mut sums = [Sum::default(); 24];
        for hour in self.within(period) {
            sums[hour.hour].join(hour.sum());
        }
        sums
    }

    /// The sums of the hours of the week over `period`, by day of the week from Monday and hour of the day.
    #[must_use]
    pub fn by_weekday(&self, period: Period) -> [[Sum; 24]; 7] {
        let mut sums = [[Sum::default(); 24]; 7];
        for hour in self.within(period) {
            let weekday = usize::try_from(hour.date.weekday().to_monday_zero_offset()).unwrap_or(0);
            sums[weekday % 7][hour.hour].join(hour.sum());
        }
        sums
    }

    /// The hours of the day with the highest and the lowest rate, each with its sum, among those with at least half an
    /// hour observed; `None` with fewer than two of them.
    #[must_use]
    pub fn best_and_worst(&self, period: Period) -> Option<[(usize, Sum); 2]> {
        best_and_worst(&self.by_hour(period))
    }

    /// The numbers of the setups that measured `period`, each with what it observed.
    #[must_use]
    pub fn setups(&self, period: Period) -> BTreeMap<usize, Sum> {
        let mut setups = BTreeMap::new();
        for (setup, sum) in self.within(period).flat_map(|hour| &hour.by_setup) {
            setups.entry(*setup).or_insert_with(Sum::default).join(*sum);
        }
        setups
    }

    /// The first day with a record.
    #[must_use]
    pub fn first_day(&self) -> Option<Date> {
        self.hours.values().next().map(|hour| hour.date)
    }
}

/// The hours with the highest and the lowest rate among those that are telling; `None` with fewer than two.
pub(crate) fn best_and_worst(by_hour: &[Sum; 24]) -> Option<[(usize, Sum); 2]> {
    let telling = || by_hour.iter().enumerate().filter(|(_, sum)| sum.is_telling());
    let rate = |(_, sum): &(usize, &Sum)| sum.rate().unwrap_or(0.0);
    let best = telling().max_by(|a, b| rate(a).total_cmp(&rate(b)))?;
    let worst = telling().min_by(|a, b| rate(a).total_cmp(&rate(b)))?;
    (telling().count() > 1).then(|| [best, worst].map(|(hour, sum)| (hour, *sum)))
}

pub(crate) fn total(sums: impl Iterator<Item = Sum>) -> Sum {
    sums.fold(Sum::default(), |mut total, sum| {
        total.join(sum);
        total
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn hours(zone: &str, until: &str) -> Hours {
        Hours::new(TimeZone::get(zone).unwrap(), until.parse().unwrap())
    }

    fn piece(at: &str, blinks: u64) -> Piece {
        Piece { at: at.parse().unwrap(), blinks, observed_ms: 60_000, setup: 0 }
    }

    fn day(date: &str) -> Period {
        let date = date.parse().unwrap();
        Period { first: date, last: date }
    }

    #[test]
    fn coverage_is_over_the_hours_with_a_record_and_not_over_the_night() {
        let mut hours = hours("UTC", "2026-03-02T12:30:00Z");
        for n in 0..30 {
            hours.add(piece(&format!("2026-03-02T09:{n:02}:00Z"), 15));
        }
        hours.add(piece("2026-03-02T12:10:00Z", 15));
        let sum = hours.sum(day("2026-03-02"));
        // One hour, and the half of one that has passed.
        assert_eq!((sum.blinks, sum.observed_ms, sum.tracked_ms), (465, 31 * 60_000, 90 * 60_000));
        assert_eq!(sum.coverage(), Some(31.0 / 90.0));
        assert_eq!(hours.sum(day("2026-03-01")).coverage(), None);
    }

    #[rstest]
    #[case::forward("2026-03-29T00:59:00Z", 1, "2026-03-29T01:00:00Z", 3)]
    #[case::twice("2026-10-25T00:30:00Z", 2, "2026-10-25T01:30:00Z", 2)]
    fn hours_are_those_of_the_persons_clock(
        #[case] a: &str,
        #[case] first: usize,
        #[case] b: &str,
        #[case] then: usize,
    ) {
        let mut hours = hours("Europe/Berlin", "2026-12-01T00:00:00Z");
        hours.add(piece(a, 1));
        hours.add(piece(b, 2));
        let by_hour =
            hours.by_hour(Period { first: "2026-03-01".parse().unwrap(), last: "2026-11-30".parse().unwrap() });
        let blinks: Vec<_> = by_hour.iter().map(|sum| sum.blinks).collect();
        assert_eq!(blinks.iter().sum::<u64>(), 3);
        assert_eq!((blinks[first], blinks[then]), if first == then { (3, 3) } else { (1, 2) });
        let tracked: u64 = by_hour.iter().map(|sum| sum.tracked_ms).sum();
        assert_eq!(tracked, 2 * 3_600_000, "the hour that comes twice is two hours");
    }

    #[test]
    fn days_are_local_and_empty_ones_are_there() {
        let mut hours = hours("Asia/Kathmandu", "2026-03-05T00:00:00Z");
        hours.add(piece("2026-02-28T18:14:00Z", 1)); // 23:59 the day before
        hours.add(piece("2026-02-28T18:15:00Z", 2)); // midnight
        hours.add(piece("2026-03-09T18:15:00Z", 4)); // after now
        let period = Period { first: "2026-02-28".parse().unwrap(), last: "2026-03-02".parse().unwrap() };
        let blinks: Vec<_> = hours.days(period).iter().map(|(_, sum)| sum.blinks).collect();
        assert_eq!(blinks, [1, 2, 0]);
        assert_eq!(hours.first_day(), Some(period.first));
    }

    #[test]
    fn an_hour_is_best_only_if_enough_of_it_was_seen() {
        let mut sums = [Sum::default(); 24];
        let of = |blinks, minutes: u64| Sum { blinks, observed_ms: minutes * 60_000, tracked_ms: 3_600_000 };
        sums[9] = of(600, 40);
        sums[20] = of(900, 10);
        assert_eq!(best_and_worst(&sums), None, "there is nothing to compare the only one with");
        sums[15] = of(400, 40);
        assert_eq!(best_and_worst(&sums).unwrap().map(|(hour, _)| hour), [9, 15]);
    }
}
