//! The sums behind the charts, by local days and hours: a day has 23, 24 or 25 hours.

use std::collections::BTreeMap;

use blink_figures::{Comparison, Hours, Period, Piece, letter};
pub(super) use blink_figures::{Part, Sum, Unit, letter::hours_of as hours};
use blink_proto::{DeviceId, Minute};
use jiff::{Zoned, civil::Date, tz::TimeZone};
use serde_json::{Value, json};

use crate::days::Range;

pub(super) const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

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

#[derive(Clone, Debug)]
pub(super) struct Figures {
    /// The time of the report, in the person's time zone.
    pub(super) now: Zoned,
    pub(super) period: Period,
    /// The minutes of `period`.
    pub(super) range: Range,
    hours: Hours,
    blink_ms: Mean,
    incomplete: Mean,
    closed: Mean,
    /// Lines of the history that are no record.
    pub(super) skipped: u64,
    /// The machine of the report.
    pub(super) this_machine: Option<DeviceId>,
    /// Blinks and observed time by the machine that counted them.
    machines: BTreeMap<DeviceId, Sum>,
    /// The period against the one of the same length before it, if that was asked for.
    pub(super) comparison: Option<Comparison>,
}

impl Figures {
    /// The figures of the days of `period`, without any minutes yet.
    pub(super) fn empty(now: &Zoned, period: Period) -> Self {
        let start = |date: Date| Some(date.to_zoned(now.time_zone().clone()).ok()?.timestamp());
        let range = Range { from: start(period.first), to: period.last.tomorrow().ok().and_then(start) };
        Self {
            now: now.clone(),
            period,
            range,
            hours: Hours::new(now.time_zone().clone(), now.timestamp()),
            blink_ms: Mean::default(),
            incomplete: Mean::default(),
            closed: Mean::default(),
            skipped: 0,
            this_machine: None,
            machines: BTreeMap::new(),
            comparison: None,
        }
    }

    fn zone(&self) -> &TimeZone {
        self.now.time_zone()
    }

    /// Adds a minute; one outside of the days is ignored.
    pub(super) fn add(&mut self, minute: &Minute) {
        let at = minute.from_timestamp;
        if at >= self.now.timestamp() || !self.range.holds(at) {
            return;
        }
        let (blinks, observed_ms) = (u64::from(minute.blink_count), u64::from(minute.observed_ms));
        self.hours.add(Piece { at, blinks, observed_ms, setup: 0 });
        let sum = Sum { blinks, observed_ms, tracked_ms: 0 };
        self.machines.entry(minute.device_id).or_default().join(sum);
        let blinks = f64::from(minute.blink_count);
        self.blink_ms.add(minute.mean_blink_ms, blinks);
        self.incomplete.add(minute.incomplete_share, blinks);
        self.closed.add(minute.perclos, f64::from(minute.observed_ms));
    }

    pub(super) fn total(&self) -> Sum {
        self.hours.sum(self.period)
    }

    /// The hours of the week, by day from Monday.
    pub(super) fn week(&self) -> [[Sum; 24]; 7] {
        self.hours.by_weekday(self.period)
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

    pub(super) fn days(&self) -> Vec<(Date, Sum)> {
        self.hours.days(self.period)
    }

    pub(super) fn unit(&self) -> Unit {
        Unit::of(self.period)
    }

    /// The parts that have a bar each.
    pub(super) fn bars(&self) -> Vec<Part> {
        self.hours.parts(self.period)
    }

    /// The lowest and the highest rate among the hours of the week.
    pub(super) fn hourly_rates(&self) -> Option<(f64, f64)> {
        let week = self.week();
        let rates = week.iter().flatten().filter_map(|sum| sum.rate());
        rates.fold(None, |ends, rate| {
            let (least, greatest) = ends.unwrap_or((rate, rate));
            Some((rate.min(least), rate.max(greatest)))
        })
    }

    /// How the period compares with the one before, in words, if that was asked for.
    pub(super) fn compared(&self) -> Option<String> {
        let earlier = match self.period.days().count() {
            1 => "the day before".to_owned(),
            days => format!("the {days} days before"),
        };
        self.comparison.as_ref().map(|comparison| letter::comparison(comparison, &earlier))
    }

    /// What there is to know of the minutes behind the figures, a sentence each.
    pub(super) fn remarks(&self) -> Vec<String> {
        let machines = (self.machines.len() > 1).then(|| {
            let told: Vec<_> = self.machines.iter().map(|(machine, sum)| self.told(*machine, *sum)).collect();
            format!("The figures are from {} machines: {}.", told.len(), told.join("; "))
        });
        let skipped = match self.skipped {
            0 => None,
            1 => Some("1 damaged line of the history was left out.".to_owned()),
            lines => Some(format!("{} damaged lines of the history were left out.", grouped(lines))),
        };
        machines.into_iter().chain(skipped).collect()
    }

    fn told(&self, machine: DeviceId, sum: Sum) -> String {
        let name = if self.this_machine == Some(machine) {
            "this one".to_owned()
        } else {
            // As the dashboard names it: the end of an id says more than its beginning, which may be a time.
            format!("…{}", machine.to_string().chars().skip(28).collect::<String>())
        };
        let rate = sum.rate().map_or_else(String::new, |rate| format!(" at {rate:.1} blinks/min"));
        format!("{name} {}{rate}", hours(sum.observed_ms))
    }

    pub(super) fn json(&self) -> Value {
        let mut total = json(self.total());
        total["mean_blink_ms"] = json!(self.mean_blink_ms());
        total["incomplete_share"] = json!(self.incomplete_share());
        total["perclos"] = json!(self.perclos());
        let days = self.days().into_iter().map(|(date, sum)| {
            let mut day = json(sum);
            day["date"] = json!(date);
            day
        });
        let machines = self.machines.iter().map(|(machine, sum)| {
            json!({
                "device_id": machine,
                "this": self.this_machine == Some(*machine),
                "blink_count": sum.blinks,
                "observed_ms": sum.observed_ms,
                "rate_per_minute": sum.rate(),
            })
        });
        let week = self.week();
        let hours = week.iter().zip(WEEKDAYS).flat_map(|(hours, weekday)| {
            hours.iter().enumerate().filter(|(_, sum)| sum.observed_ms > 0).map(move |(hour, sum)| {
                let mut cell = json(*sum);
                cell["weekday"] = json!(weekday.to_lowercase());
                cell["hour"] = json!(hour);
                cell
            })
        });
        json!({
            "from": self.period.first,
            "to": self.period.last,
            "timezone": self.zone().iana_name(),
            "total": total,
            "days": days.collect::<Vec<_>>(),
            "hours_of_week": hours.collect::<Vec<_>>(),
            "skipped": self.skipped,
            "machines": self.machines.len(),
            "by_machine": machines.collect::<Vec<_>>(),
            "comparison": self.comparison,
        })
    }
}

fn json(sum: Sum) -> Value {
    json!({
        "blink_count": sum.blinks,
        "observed_ms": sum.observed_ms,
        "rate_per_minute": sum.rate(),
        "coverage": sum.coverage(),
    })
}

/// The label of a part where space is scarce.
pub(super) fn short(part: Part, unit: Unit) -> String {
    match unit {
        Unit::Day | Unit::Week => part.period.first.strftime("%-d %b").to_string(),
        Unit::Month => part.period.first.strftime("%b %Y").to_string(),
    }
}

/// The label of a part where there is room.
pub(super) fn long(part: Part, unit: Unit) -> String {
    let Period { first, last } = part.period;
    match unit {
        Unit::Day => first.strftime("%a %-d %b").to_string(),
        Unit::Week if first == last => first.strftime("%-d %b").to_string(),
        Unit::Week => format!("{} – {}", first.strftime("%-d %b"), last.strftime("%-d %b")),
        Unit::Month => first.strftime("%B %Y").to_string(),
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

#[cfg(test)]
pub(super) mod tests;
