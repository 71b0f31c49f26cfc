//! The sums behind the charts, by local days and hours: a day has 23, 24 or 25 hours.

use blink_proto::{Minute, rate_per_minute};
use jiff::{
    SignedDuration, Timestamp, ToSpan, Zoned,
    civil::{Date, Weekday},
    tz::TimeZone,
};
use serde_json::{Value, json};

/// Up to the first number of days each day has a bar, up to the second each week, then each month.
const DAYS_ALONE: usize = 31;
const WEEKS_UP_TO: usize = 371;
/// Offsets of time zones are multiples of this, so no quarter of an hour lies in two hours.
const QUARTER: SignedDuration = SignedDuration::from_mins(15);
pub(super) const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// Blinks and observed time within a span of time, and its length.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sum {
    pub(super) blinks: u64,
    pub(super) observed_ms: u64,
    /// Length of the span up to now, in milliseconds.
    pub(super) length_ms: u64,
}

impl Sum {
    fn add(&mut self, minute: &Minute) {
        self.blinks += u64::from(minute.blink_count);
        self.observed_ms += u64::from(minute.observed_ms);
    }

    fn join(&mut self, other: Self) {
        self.blinks += other.blinks;
        self.observed_ms += other.observed_ms;
        self.length_ms += other.length_ms;
    }

    /// Blinks per observed minute; `None` where too little was observed.
    pub(super) fn rate(self) -> Option<f64> {
        rate_per_minute(self.blinks, self.observed_ms)
    }

    /// The observed share, 0 to 1; `None` where nothing was observed.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a lifetime fit a double")]
    pub(super) fn coverage(self) -> Option<f64> {
        // Minutes of two machines may overlap, so the share is capped.
        (self.observed_ms > 0 && self.length_ms > 0).then(|| (self.observed_ms as f64 / self.length_ms as f64).min(1.0))
    }

    fn json(self) -> Value {
        json!({
            "blink_count": self.blinks,
            "observed_ms": self.observed_ms,
            "rate_per_minute": self.rate(),
            "coverage": self.coverage(),
        })
    }
}

/// A weighted mean.
#[derive(Clone, Copy, Debug, Default)]
struct Mean {
    total: f64,
    weight: f64,
}

impl Mean {
    fn add(&mut self, value: Option<f64>, weight: f64) {
        if let Some(value) = value {
            self.total += value * weight;
            self.weight += weight;
        }
    }

    fn value(self) -> Option<f64> {
        (self.weight > 0.0).then(|| self.total / self.weight)
    }
}

/// One bar: a day, a week or a month.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bar {
    /// Its first day within the report.
    pub(super) first: Date,
    pub(super) last: Date,
    pub(super) sum: Sum,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Day,
    /// Monday to Sunday.
    Week,
    Month,
}

#[derive(Clone, Debug)]
pub(super) struct Figures {
    /// The time of the report, in the person's time zone.
    pub(super) now: Zoned,
    start: Timestamp,
    days: Vec<(Date, Sum)>,
    /// By day of the week from Monday, and hour of the day.
    pub(super) week: [[Sum; 24]; 7],
    blink_ms: Mean,
    incomplete: Mean,
    closed: Mean,
    /// Lines of the history that are no record.
    pub(super) skipped: u64,
}

impl Figures {
    /// The figures of the `days` days up to `now`, without any minutes yet.
    pub(super) fn empty(now: &Zoned, days: u16) -> Result<Self, jiff::Error> {
        let first = now.date().checked_sub(i32::from(days.saturating_sub(1)).days())?;
        let start = first.to_zoned(now.time_zone().clone())?.timestamp();
        let mut figures = Self {
            now: now.clone(),
            start,
            days: Vec::new(),
            week: [[Sum::default(); 24]; 7],
            blink_ms: Mean::default(),
            incomplete: Mean::default(),
            closed: Mean::default(),
            skipped: 0,
        };
        let mut day = first;
        while day <= now.date() {
            let begin = day.to_zoned(now.time_zone().clone())?.timestamp();
            let end = day.tomorrow()?.to_zoned(now.time_zone().clone())?.timestamp().min(now.timestamp());
            figures.days.push((day, Sum { length_ms: millis(end.duration_since(begin)), ..Sum::default() }));
            day = day.tomorrow()?;
        }
        let mut quarter = start;
        while quarter < now.timestamp() {
            let next = quarter.checked_add(QUARTER)?;
            let length_ms = millis(next.min(now.timestamp()).duration_since(quarter));
            figures.hour(quarter).length_ms += length_ms;
            quarter = next;
        }
        Ok(figures)
    }

    pub(super) fn start(&self) -> Timestamp {
        self.start
    }

    fn zone(&self) -> &TimeZone {
        self.now.time_zone()
    }

    fn hour(&mut self, at: Timestamp) -> &mut Sum {
        let local = at.to_zoned(self.zone().clone());
        let weekday = usize::try_from(local.weekday().to_monday_zero_offset()).unwrap_or(0);
        let hour = usize::try_from(local.hour()).unwrap_or(0);
        &mut self.week[weekday % 7][hour % 24]
    }

    /// Adds a minute; one outside of the days is ignored.
    pub(super) fn add(&mut self, minute: &Minute) {
        let at = minute.from_timestamp;
        let date = at.to_zoned(self.zone().clone()).date();
        let Ok(day) = self.days.binary_search_by_key(&date, |(date, _)| *date) else { return };
        if at < self.start {
            return;
        }
        self.days[day].1.add(minute);
        self.hour(at).add(minute);
        let blinks = f64::from(minute.blink_count);
        self.blink_ms.add(minute.mean_blink_ms, blinks);
        self.incomplete.add(minute.incomplete_share, blinks);
        self.closed.add(minute.perclos, f64::from(minute.observed_ms));
    }

    pub(super) fn total(&self) -> Sum {
        self.days.iter().fold(Sum::default(), |mut total, (_, day)| {
            total.join(*day);
            total
        })
    }

    /// Mean width of a blink at half depth, in milliseconds.
    pub(super) fn mean_blink_ms(&self) -> Option<f64> {
        self.blink_ms.value()
    }

    /// Share of incomplete blinks (experimental).
    pub(super) fn incomplete_share(&self) -> Option<f64> {
        self.incomplete.value()
    }

    /// Share of observed time with closed eyes.
    pub(super) fn perclos(&self) -> Option<f64> {
        self.closed.value()
    }

    pub(super) fn days(&self) -> &[(Date, Sum)] {
        &self.days
    }

    /// The unit of the bars, chosen so that all of them fit.
    pub(super) fn unit(&self) -> Unit {
        match self.days.len() {
            0..=DAYS_ALONE => Unit::Day,
            n if n <= WEEKS_UP_TO => Unit::Week,
            _ => Unit::Month,
        }
    }

    pub(super) fn bars(&self) -> Vec<Bar> {
        let unit = self.unit();
        let mut bars: Vec<Bar> = Vec::new();
        for &(date, sum) in &self.days {
            let begins = match unit {
                Unit::Day => true,
                Unit::Week => date.weekday() == Weekday::Monday,
                Unit::Month => date.day() == 1,
            };
            match bars.last_mut() {
                Some(bar) if !begins => {
                    bar.last = date;
                    bar.sum.join(sum);
                }
                _ => bars.push(Bar { first: date, last: date, sum }),
            }
        }
        bars
    }

    /// The lowest and the highest rate among the hours of the week.
    pub(super) fn hourly_rates(&self) -> Option<(f64, f64)> {
        let rates = self.week.iter().flatten().filter_map(|sum| sum.rate());
        rates.fold(None, |ends, rate| {
            let (least, greatest) = ends.unwrap_or((rate, rate));
            Some((rate.min(least), rate.max(greatest)))
        })
    }

    pub(super) fn json(&self) -> Value {
        let mut total = self.total().json();
        total["mean_blink_ms"] = json!(self.mean_blink_ms());
        total["incomplete_share"] = json!(self.incomplete_share());
        total["perclos"] = json!(self.perclos());
        let days = self.days.iter().map(|(date, sum)| {
            let mut day = sum.json();
            day["date"] = json!(date);
            day
        });
        let hours = self.week.iter().zip(WEEKDAYS).flat_map(|(hours, weekday)| {
            hours.iter().enumerate().filter(|(_, sum)| sum.observed_ms > 0).map(move |(hour, sum)| {
                let mut cell = sum.json();
                cell["weekday"] = json!(weekday.to_lowercase());
                cell["hour"] = json!(hour);
                cell
            })
        });
        json!({
            "from": self.days.first().map(|(date, _)| date),
            "to": self.days.last().map(|(date, _)| date),
            "timezone": self.zone().iana_name(),
            "total": total,
            "days": days.collect::<Vec<_>>(),
            "hours_of_week": hours.collect::<Vec<_>>(),
            "skipped": self.skipped,
        })
    }
}

impl Bar {
    /// Its label where space is scarce.
    pub(super) fn short(&self, unit: Unit) -> String {
        match unit {
            Unit::Day | Unit::Week => self.first.strftime("%-d %b").to_string(),
            Unit::Month => self.first.strftime("%b %Y").to_string(),
        }
    }

    /// Its label where there is room.
    pub(super) fn long(&self, unit: Unit) -> String {
        match unit {
            Unit::Day => self.first.strftime("%a %-d %b").to_string(),
            Unit::Week if self.first == self.last => self.first.strftime("%-d %b").to_string(),
            Unit::Week => format!("{} – {}", self.first.strftime("%-d %b"), self.last.strftime("%-d %b")),
            Unit::Month => self.first.strftime("%B %Y").to_string(),
        }
    }
}

/// A number with thousands separators.
pub(super) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

pub(super) fn hours(ms: u64) -> String {
    let minutes = ms / 60_000;
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{} s", ms / 1_000),
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes:02} min"),
    }
}

fn millis(duration: SignedDuration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(0)
}

#[cfg(test)]
pub(super) mod tests;
