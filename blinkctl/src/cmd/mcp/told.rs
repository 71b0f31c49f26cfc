//! What each tool tells: aggregates, with unit, observed time and coverage; "unknown" where nothing was observed.

use blink_figures::{Hours, Period, Setups, Unit, compare, told};
use jiff::{ToSpan as _, civil::Date};
use serde_json::{Value, json};

/// The days that are meant where none are named, today the last of them.
const USUAL_DAYS: u32 = 28;

/// A day's hours are told no finer than this.
pub(super) fn day(hours: &Hours, date: Date) -> Value {
    let period = Period { first: date, last: date };
    let mut answer = told::period(hours, period);
    let by_hour = hours.by_hour(period);
    let seen = by_hour.iter().enumerate().filter(|(_, sum)| sum.observed_ms > 0);
    answer["hours"] = seen.map(|(hour, sum)| told::of_hour(hour, *sum)).collect();
    answer["hours_not_listed"] = json!("unknown: nothing was observed in them");
    answer
}

pub(super) fn summary(hours: &Hours, setups: &Setups, period: Period) -> Value {
    let mut answer = told::period(hours, period);
    answer["days_with_anything_observed"] =
        json!(hours.days(period).iter().filter(|(_, sum)| sum.observed_ms > 0).count());
    answer["measured_otherwise_from"] = json!(setups.marks(hours, period));
    answer
}

pub(super) fn comparison(hours: &Hours, setups: &Setups, a: Period, b: Period) -> Value {
    let compared = compare(hours, setups, a, b);
    json!({
        "a": told::period(hours, a),
        "b": told::period(hours, b),
        "a_against_b": told::comparison(&compared, "the other period"),
    })
}

pub(super) fn best_and_worst(hours: &Hours, period: Period) -> Value {
    let ends = hours.best_and_worst(period);
    let [best, worst] =
        ends.map_or([json!("unknown"), json!("unknown")], |ends| ends.map(|(hour, sum)| told::of_hour(hour, sum)));
    json!({
        "from": period.first,
        "to": period.last,
        "best_hour": best,
        "worst_hour": worst,
        "hours_with_at_least_half_an_hour_observed": told::hours_of_day(hours, period),
        "total": told::sum(hours.sum(period)),
    })
}

pub(super) fn coverage(hours: &Hours, period: Period) -> Value {
    let mut answer = told::period(hours, period);
    answer["coverage_is"] = json!("observed time over the clock hours in which tracking was on");
    answer[format!("{}s", Unit::of(period).name())] = json!(told::parts(hours, period));
    answer
}

/// The period of two dates as an assistant gives them; both absent: the last four weeks.
pub(super) fn period(from: Option<&str>, to: Option<&str>, today: Date) -> Result<Period, String> {
    let date = |text: Option<&str>| {
        let parse =
            |text: &str| text.parse::<Date>().map_err(|_| format!("{text} is not a date; write it like 2026-03-02"));
        text.map(parse).transpose()
    };
    let last = date(to)?.unwrap_or(today);
    let first = date(from)?.unwrap_or_else(|| Period::ending(last, USUAL_DAYS).first);
    if first > last {
        return Err(format!("from ({first}) is after to ({last})"));
    }
    if first > today {
        return Err(format!("{first} is after today ({today})"));
    }
    // A century of days is a mistake, and would be a page for each.
    if first < last.saturating_sub(20.years()) {
        return Err("from and to are more than twenty years apart".to_owned());
    }
    Ok(Period { first, last })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(None, None, Ok(("2026-02-11", "2026-03-10")))]
    #[case(Some("2026-03-01"), None, Ok(("2026-03-01", "2026-03-10")))]
    #[case(Some("2026-03-01"), Some("2026-03-02"), Ok(("2026-03-01", "2026-03-02")))]
    #[case(Some("2026-03-03"), Some("2026-03-02"), Err("from (2026-03-03) is after to (2026-03-02)"))]
    #[case(Some("2026-04-01"), Some("2026-04-02"), Err("2026-04-01 is after today (2026-03-10)"))]
    #[case(Some("yesterday"), None, Err("yesterday is not a date; write it like 2026-03-02"))]
    #[case(Some("0001-01-01"), None, Err("from and to are more than twenty years apart"))]
    fn periods(#[case] from: Option<&str>, #[case] to: Option<&str>, #[case] expected: Result<(&str, &str), &str>) {
        let expected = expected
            .map(|(first, last)| Period { first: first.parse().unwrap(), last: last.parse().unwrap() })
            .map_err(str::to_owned);
        assert_eq!(period(from, to, "2026-03-10".parse().unwrap()), expected);
    }
}
