//! Figures as they are told to a language model: aggregates with their units, rounded to what they are worth, and the
//! word "unknown" where nothing was observed, because a model takes a zero for a fact.

use jiff::civil::Date;
use serde_json::{Map, Value, json};

use crate::{
    compare::Comparison,
    hours::{Hours, Sum},
    letter::{self, BASELINE_DAYS},
    setup::Setups,
    week::Period,
};

/// The unit of every rate.
pub const UNIT: &str = "blinks per minute of observed time";

/// A recent period is this many days, today the last of them.
const RECENT_DAYS: u32 = 7;

/// Single days are told this far back.
const DAYS_ALONE: u32 = 14;

/// The word for what is not known.
const UNKNOWN: &str = "unknown";

/// A sum with its units.
#[must_use]
pub fn sum(sum: Sum) -> Value {
    json!({
        "unit": UNIT,
        "blinks_per_minute": known(sum.rate(), 1),
        "blinks": if sum.observed_ms > 0 { json!(sum.blinks) } else { json!(UNKNOWN) },
        "observed_minutes": rounded(minutes(sum.observed_ms), 1),
        "coverage_percent": known(sum.coverage().map(|share| share * 100.0), 0),
    })
}

/// A period with its sum.
#[must_use]
pub fn period(hours: &Hours, period: Period) -> Value {
    of_period(period, hours.sum(period))
}

fn of_period(period: Period, of_period: Sum) -> Value {
    let mut told = sum(of_period);
    told["from"] = json!(period.first);
    told["to"] = json!(period.last);
    told
}

/// Each day of `period` with its sum.
#[must_use]
pub fn days(hours: &Hours, period: Period) -> Vec<Value> {
    let day = |(date, of_day): (Date, Sum)| {
        let mut told = sum(of_day);
        told["date"] = json!(date);
        told
    };
    hours.days(period).into_iter().map(day).collect()
}

/// The days, weeks or months of `period` with their sums.
#[must_use]
pub fn parts(hours: &Hours, period: Period) -> Vec<Value> {
    hours.parts(period).into_iter().map(|part| of_period(part.period, part.sum)).collect()
}

/// Hours of the day over `period`, those with at least half an hour observed.
#[must_use]
pub fn hours_of_day(hours: &Hours, period: Period) -> Vec<Value> {
    let by_hour = hours.by_hour(period);
    let telling = by_hour.iter().enumerate().filter(|(_, sum)| sum.is_telling());
    telling.map(|(hour, sum)| of_hour(hour, *sum)).collect()
}

/// One hour of the day.
#[must_use]
pub fn of_hour(hour: usize, of_hour: Sum) -> Value {
    let mut told = sum(of_hour);
    told["hour"] = json!(format!("{hour:02}:00"));
    told
}

/// A comparison, with what it means in words.
#[must_use]
pub fn comparison(comparison: &Comparison, earlier: &str) -> Value {
    json!({
        "unit": UNIT,
        "verdict": comparison.verdict,
        "why_unknown": comparison.why,
        "in_words": letter::comparison(comparison, earlier),
        "blinks_per_minute_in_comparable_hours": known(comparison.rate_per_minute, 1),
        "earlier_blinks_per_minute_in_comparable_hours": known(comparison.before_rate_per_minute, 1),
        "change_percent": known(comparison.change_percent, 0),
        "interval_95_percent": comparison.interval_percent.map_or_else(
            || json!(UNKNOWN),
            |ends| json!(ends.map(|end| rounded(end, 0))),
        ),
        "comparable_minutes": comparison.comparable_ms.map(|ms| rounded(minutes(ms), 0)),
        "comparable_days": comparison.days,
        "measured_otherwise_by": comparison.changed,
    })
}

/// The days that an [`overview`] is made from.
#[must_use]
pub fn span(today: Date) -> Period {
    Period { first: Period::ending(today, RECENT_DAYS).before(BASELINE_DAYS).first, last: today }
}

/// All that a model is given to answer a question: today, the last week, the four weeks before it, whether that is a
/// change, the last days and the hours of the day. The same for the same history.
#[must_use]
pub fn overview(hours: &Hours, setups: &Setups) -> Value {
    let today = hours.today();
    let recent = Period::ending(today, RECENT_DAYS);
    let earlier = recent.before(BASELINE_DAYS);
    let mut told = Map::new();
    told.insert("unit".to_owned(), json!(UNIT));
    told.insert("today".to_owned(), period(hours, Period::ending(today, 1)));
    told.insert("last_7_days".to_owned(), period(hours, recent));
    told.insert("the_28_days_before".to_owned(), period(hours, earlier));
    let compared = crate::compare(hours, setups, recent, earlier);
    told.insert("change".to_owned(), comparison(&compared, "the four weeks before"));
    let observed = |day: &Value| day["observed_minutes"] != json!(0.0);
    let single: Vec<Value> = days(hours, Period::ending(today, DAYS_ALONE)).into_iter().filter(observed).collect();
    told.insert("days".to_owned(), json!(single));
    told.insert("hours_of_the_day".to_owned(), json!(hours_of_day(hours, span(today))));
    Value::Object(told)
}

fn known(value: Option<f64>, decimals: i32) -> Value {
    value.map_or_else(|| json!(UNKNOWN), |value| json!(rounded(value, decimals)))
}

fn rounded(value: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    // Without a sign on a zero.
    (value * scale).round() / scale + 0.0
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a lifetime fit a double exactly")]
fn minutes(ms: u64) -> f64 {
    ms as f64 / 60_000.0
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::Piece;

    #[test]
    fn what_was_not_observed_is_unknown_and_never_a_zero() {
        let hours = Hours::new(TimeZone::UTC, "2026-03-10T12:00:00Z".parse().unwrap());
        let told = overview(&hours, &Setups::default());
        assert_eq!(told["today"]["blinks"], "unknown");
        assert_eq!(told["last_7_days"]["blinks_per_minute"], "unknown");
        assert_eq!(told["change"]["verdict"], "unknown");
        assert_eq!(told["change"]["interval_95_percent"], "unknown");
        assert_eq!((&told["days"], &told["hours_of_the_day"]), (&json!([]), &json!([])));
    }

    #[test]
    fn figures_have_units_and_no_false_precision() {
        let mut hours = Hours::new(TimeZone::UTC, "2026-03-10T12:00:00Z".parse().unwrap());
        hours.add(Piece { at: "2026-03-10T09:00:00Z".parse().unwrap(), blinks: 14, observed_ms: 57_000, setup: 0 });
        let told = period(&hours, Period::ending(hours.today(), 1));
        let expected = json!({
            "from": "2026-03-10", "to": "2026-03-10", "unit": UNIT, "blinks_per_minute": 14.7, "blinks": 14,
            "observed_minutes": 1.0, "coverage_percent": 2.0,
        });
        assert_eq!(told, expected);
    }
}
