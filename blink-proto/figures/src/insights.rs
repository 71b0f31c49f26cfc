//! What a person's figures say now: the last seven days against the 28 before them, and the hours of their day.

use serde::{Deserialize, Serialize};

use crate::{
    compare::{Comparison, STEADY_PERCENT, Verdict, compare},
    hours::{Hours, Sum, best_and_worst},
    letter::{self, BASELINE_DAYS},
    setup::Setups,
    week::Period,
};

/// The recent period, in days, today the last of them.
const RECENT_DAYS: u32 = 7;

/// `GET /api/user/me/insights`: the last seven days, today the last of them, against the 28 before them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Insights {
    /// The last seven days' rate; null under ten seconds observed.
    #[cfg_attr(feature = "schema", schema(required))]
    pub blinks_per_minute: Option<f64>,
    /// The rate of the 28 days before them.
    #[cfg_attr(feature = "schema", schema(required))]
    pub baseline_blinks_per_minute: Option<f64>,
    /// The one rate against the other, per cent, whatever the hours and the machines; null where either had under half an
    /// hour observed. What can be told of it is in `comparison`.
    #[cfg_attr(feature = "schema", schema(required))]
    pub change_percent: Option<f64>,
    /// Which way `change_percent` points.
    pub direction: Verdict,
    /// Both periods in what is comparable: the same hours of the day, the same machine.
    pub comparison: Comparison,
    /// Observed in the last seven days, milliseconds.
    pub observed_ms: u64,
    /// Share of the hours with any data in which the eyes could be observed, 0 to 1.
    #[cfg_attr(feature = "schema", schema(required, minimum = 0, maximum = 1))]
    pub coverage: Option<f64>,
    /// The hour with the most blinks a minute; null where there is nothing to compare.
    #[cfg_attr(feature = "schema", schema(required))]
    pub best_hour: Option<HourOfDay>,
    /// The hour with the fewest.
    #[cfg_attr(feature = "schema", schema(required))]
    pub worst_hour: Option<HourOfDay>,
    /// Every hour with enough to say.
    pub hours: Vec<HourOfDay>,
    /// The same in sentences.
    pub text: Vec<String>,
}

/// One hour of the day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct HourOfDay {
    /// 0 to 23, in the person's time zone.
    #[cfg_attr(feature = "schema", schema(maximum = 23))]
    pub hour: u8,
    /// Their rate in it.
    pub blinks_per_minute: f64,
    /// How long they were observed in it, milliseconds.
    pub observed_ms: u64,
}

impl HourOfDay {
    /// What is told of an hour of the day and its sum.
    pub(crate) fn of((hour, sum): (usize, Sum)) -> Self {
        Self {
            hour: u8::try_from(hour).unwrap_or(0),
            blinks_per_minute: sum.rate().unwrap_or(0.0),
            observed_ms: sum.observed_ms,
        }
    }
}

impl Insights {
    /// The days that are read for them, up to the local date of the hours' now.
    #[must_use]
    pub fn span(hours: &Hours) -> Period {
        Period::ending(hours.today(), RECENT_DAYS + BASELINE_DAYS)
    }

    /// The insights of a history that holds [`Insights::span`].
    #[must_use]
    pub fn new(hours: &Hours, setups: &Setups) -> Self {
        let recent_days = Period::ending(hours.today(), RECENT_DAYS);
        let baseline_days = recent_days.before(BASELINE_DAYS);
        let (recent, baseline) = (hours.sum(recent_days), hours.sum(baseline_days));
        let compared = telling_rate(recent).zip(telling_rate(baseline)).filter(|(_, before)| *before > 0.0);
        let change_percent = compared.map(|(now, before)| 100.0 * (now / before - 1.0));
        let direction = match change_percent {
            None => Verdict::Unknown,
            Some(change) if change >= STEADY_PERCENT => Verdict::Up,
            Some(change) if change <= -STEADY_PERCENT => Verdict::Down,
            Some(_) => Verdict::Steady,
        };
        let by_hour = hours.by_hour(Self::span(hours));
        let [best_hour, worst_hour] =
            best_and_worst(&by_hour).map(|ends| ends.map(HourOfDay::of).map(Some)).unwrap_or_default();
        let mut insights = Self {
            blinks_per_minute: recent.rate(),
            baseline_blinks_per_minute: baseline.rate(),
            change_percent,
            direction,
            comparison: compare(hours, setups, recent_days, baseline_days),
            observed_ms: recent.observed_ms,
            coverage: recent.coverage(),
            best_hour,
            worst_hour,
            hours: by_hour.into_iter().enumerate().filter(|(_, sum)| sum.is_telling()).map(HourOfDay::of).collect(),
            text: Vec::new(),
        };
        insights.text = sentences(&insights);
        insights
    }
}

/// The rate of a period, if there is enough observed time to compare it; it is shown all the same.
fn telling_rate(sum: Sum) -> Option<f64> {
    sum.rate().filter(|_| sum.is_telling())
}

fn sentences(insights: &Insights) -> Vec<String> {
    let mut text = Vec::new();
    match insights.blinks_per_minute {
        None => text.push("Too little was observed in the last seven days to speak of a rate.".to_owned()),
        Some(rate) => {
            text.push(format!("In the last seven days you blinked {rate:.1} times a minute."));
            text.push(letter::comparison(&insights.comparison, "the four weeks before"));
            text.extend(letter::left_out(&insights.comparison));
        }
    }
    if let (Some(best), Some(worst)) = (&insights.best_hour, &insights.worst_hour) {
        text.push(format!(
            "You blink most from {:02}:00 ({:.1}) and least from {:02}:00 ({:.1}).",
            best.hour, best.blinks_per_minute, worst.hour, worst.blinks_per_minute
        ));
    }
    if let Some(coverage) = insights.coverage {
        text.push(format!("Your eyes could be observed for {:.0} % of the hours with any data.", 100.0 * coverage));
    }
    text
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, ToSpan as _, tz::TimeZone};

    use super::*;
    use crate::{compare::Why, hours::Piece, setup::Setup};

    const MINUTE: u64 = 60_000;

    /// Now is the end of Sunday, 8 March 2026.
    fn hours() -> Hours {
        Hours::new(TimeZone::UTC, "2026-03-08T23:59:59Z".parse().unwrap())
    }

    /// Adds `minutes` from `hour` o'clock with `rate` blinks a minute, on each of the `days` days up to `days_ago`.
    fn add(hours: &mut Hours, days_ago: i64, days: i64, hour: i64, minutes: u64, rate: u64, setup: usize) {
        for day in days_ago..days_ago + days {
            let midnight: Timestamp = "2026-03-08T00:00:00Z".parse().unwrap();
            let at = midnight - (24 * day - hour).hours();
            // The days differ.
            let blinks = minutes * (rate - 1 + u64::try_from(day % 3).unwrap());
            hours.add(Piece { at, blinks, observed_ms: minutes * MINUTE, setup });
        }
    }

    #[test]
    fn a_drop_is_told_in_figures_and_words() {
        let (mut hours, mut setups) = (hours(), Setups::default());
        let setup = setups.number(&Setup::default());
        add(&mut hours, 7, 28, 9, 30, 16, setup);
        add(&mut hours, 0, 7, 9, 30, 12, setup);
        // Later hours have fewer blinks, and only this week has any.
        add(&mut hours, 0, 7, 15, 30, 8, setup);
        add(&mut hours, 0, 1, 20, 1, 40, setup);
        let insights = Insights::new(&hours, &setups);
        assert_eq!((insights.direction, insights.observed_ms), (Verdict::Down, 7 * 60 * MINUTE + MINUTE));
        let change = insights.comparison.change_percent.unwrap();
        assert!((-28.0..-22.0).contains(&change), "comparable hours alone: {change}");
        assert!(insights.change_percent.unwrap() < -35.0, "all of them");
        assert_eq!((insights.best_hour.unwrap().hour, insights.worst_hour.unwrap().hour), (9, 15));
        assert_eq!(insights.hours.len(), 2, "a minute says nothing of an hour");
        insta::assert_json_snapshot!(insights.text);
    }

    #[test]
    fn another_machine_is_never_compared_in_silence() {
        let (mut hours, mut setups) = (hours(), Setups::default());
        let [old, new] = ["old", "new"].map(|machine| {
            let machine = machine.to_owned();
            setups.number(&Setup { machine, ..Setup::default() })
        });
        add(&mut hours, 7, 28, 9, 30, 16, old);
        add(&mut hours, 0, 7, 9, 30, 12, new);
        let insights = Insights::new(&hours, &setups);
        assert_eq!((insights.direction, insights.comparison.why), (Verdict::Down, Some(Why::Changed)));
        assert!(insights.text[1].contains("another machine"), "{:?}", insights.text);
    }

    #[test]
    fn little_says_nothing() {
        let (mut hours, setups) = (hours(), Setups::default());
        add(&mut hours, 7, 28, 9, 30, 15, 0);
        let nothing = Insights::new(&hours, &setups);
        assert_eq!((nothing.blinks_per_minute, nothing.coverage, nothing.text.len()), (None, None, 1));
        add(&mut hours, 0, 1, 9, 15, 2, 0);
        let insights = Insights::new(&hours, &setups);
        assert_eq!(
            (insights.blinks_per_minute, insights.change_percent, insights.direction),
            (Some(1.0), None, Verdict::Unknown),
            "a rate is told from ten seconds on, a change is not"
        );
    }
}
