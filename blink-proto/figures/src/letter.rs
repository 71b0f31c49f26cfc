//! One week against one's own usual: the four weeks before it.

use jiff::{Zoned, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    compare::{Comparison, Verdict, Why, compare},
    hours::{Hours, Sum},
    insights::HourOfDay,
    setup::{Change, Mark, Setups},
    week::{Period, Week},
};

/// The days before the week that it is compared with.
pub const BASELINE_DAYS: u32 = 28;

/// Hours of the day whose rates differ by less are alike, in blinks a minute.
const MIN_DIFFERENCE: f64 = 0.5;

/// A week's letter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Letter {
    /// The ISO week, such as `2026-W10`.
    pub week: String,
    /// Its Monday.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = Date))]
    pub from: Date,
    /// Its Sunday.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = Date))]
    pub to: Date,
    /// Whether the week is over.
    pub complete: bool,
    /// The whole week.
    pub total: Figure,
    /// Its seven days.
    pub days: Vec<Day>,
    /// The week against the four weeks before it.
    pub comparison: Comparison,
    /// The hour of the day with the most blinks a minute; null where there is nothing to compare.
    #[cfg_attr(feature = "schema", schema(required))]
    pub best_hour: Option<HourOfDay>,
    /// The hour with the fewest.
    #[cfg_attr(feature = "schema", schema(required))]
    pub worst_hour: Option<HourOfDay>,
    /// What measured otherwise from some day of the week on.
    pub marks: Vec<Mark>,
    /// The same in sentences.
    pub text: Vec<String>,
}

/// The figures of some days.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Figure {
    /// Blinks; null where nothing was observed.
    #[cfg_attr(feature = "schema", schema(required))]
    pub blink_count: Option<u64>,
    /// Observed milliseconds.
    pub observed_ms: u64,
    /// Blinks per observed minute; null under ten seconds observed.
    #[cfg_attr(feature = "schema", schema(required))]
    pub rate_per_minute: Option<f64>,
    /// The observed share of the hours in which tracking was on, 0 to 1; null where there were none.
    #[cfg_attr(feature = "schema", schema(required, minimum = 0, maximum = 1))]
    pub coverage: Option<f64>,
}

impl From<Sum> for Figure {
    fn from(sum: Sum) -> Self {
        Self {
            blink_count: (sum.observed_ms > 0).then_some(sum.blinks),
            observed_ms: sum.observed_ms,
            rate_per_minute: sum.rate(),
            coverage: sum.coverage(),
        }
    }
}

/// One day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Day {
    /// The local day.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = Date))]
    pub date: Date,
    /// Its length in hours, 23 or 25 when the clocks change.
    pub hours: u32,
    /// Its figures.
    #[serde(flatten)]
    pub figure: Figure,
}

impl Letter {
    /// The letter of `week`. `hours` must have the week and the four weeks before it.
    #[must_use]
    pub fn new(hours: &Hours, setups: &Setups, week: Week) -> Self {
        let period = week.period();
        let day = |(date, sum): (Date, Sum)| Day { date, hours: length(hours, date), figure: sum.into() };
        let ends = hours.best_and_worst(period).map(|ends| ends.map(HourOfDay::of));
        let [best_hour, worst_hour] = ends.map_or([None, None], |[best, worst]| [Some(best), Some(worst)]);
        let mut letter = Self {
            week: week.to_string(),
            from: period.first,
            to: period.last,
            complete: hours.today() > period.last,
            total: hours.sum(period).into(),
            days: hours.days(period).into_iter().map(day).collect(),
            comparison: compare(hours, setups, period, period.before(BASELINE_DAYS)),
            best_hour,
            worst_hour,
            marks: setups.marks(hours, period),
            text: Vec::new(),
        };
        letter.text = sentences(&letter);
        letter
    }

    /// The days that the letter of `week` is made from.
    #[must_use]
    pub fn span(week: Week) -> Period {
        Period { first: week.period().before(BASELINE_DAYS).first, last: week.period().last }
    }
}

fn length(hours: &Hours, date: Date) -> u32 {
    let start = |date: Date| date.to_zoned(hours.zone().clone());
    let length = |from: &Zoned, to: &Zoned| to.timestamp().duration_since(from.timestamp()).as_hours();
    let ends = start(date).and_then(|from| Ok((from, start(date.tomorrow()?)?)));
    ends.ok().and_then(|(from, to)| u32::try_from(length(&from, &to)).ok()).unwrap_or(24)
}

fn sentences(letter: &Letter) -> Vec<String> {
    let mut text = Vec::new();
    let week = if letter.complete { "this week" } else { "this week so far" };
    let days = letter.days.iter().filter(|day| day.figure.observed_ms > 0).count();
    match letter.total.rate_per_minute {
        None if letter.total.observed_ms == 0 => text.push(format!("Nothing was observed {week}.")),
        None => text.push(format!("Too little was observed {week} to speak of a rate.")),
        Some(rate) => text.push(format!(
            "You blinked {rate:.1} times a minute {week}, over {} observed on {}.",
            hours_of(letter.total.observed_ms),
            if days == 1 { "one day".to_owned() } else { format!("{days} days") }
        )),
    }
    if letter.total.observed_ms > 0 {
        text.push(comparison(&letter.comparison, "the four weeks before"));
        text.extend(left_out(&letter.comparison));
    }
    if let (Some(best), Some(worst)) = (&letter.best_hour, &letter.worst_hour)
        && best.blinks_per_minute - worst.blinks_per_minute >= MIN_DIFFERENCE
    {
        text.push(format!(
            "You blinked most from {:02}:00 ({:.1}) and least from {:02}:00 ({:.1}).",
            best.hour, best.blinks_per_minute, worst.hour, worst.blinks_per_minute
        ));
    }
    if let Some(coverage) = letter.total.coverage {
        text.push(format!(
            "Your eyes could be observed for {:.0} % of the hours in which tracking was on.",
            100.0 * coverage
        ));
    }
    for mark in &letter.marks {
        text.push(format!("From {} on: {}.", mark.date.strftime("%A, %-d %B"), mark.change.words()));
    }
    for day in letter.days.iter().filter(|day| day.hours != 24) {
        text.push(format!("The clocks were changed on {}: it had {} hours.", day.date.strftime("%A"), day.hours));
    }
    text
}

/// A comparison in a sentence; `earlier` names the earlier period, such as `the four weeks before`.
#[must_use]
pub fn comparison(comparison: &Comparison, earlier: &str) -> String {
    let before = comparison.before_rate_per_minute.map(|rate| format!("{rate:.1}")).unwrap_or_default();
    let ends = comparison.interval_percent.map(|[low, high]| [low, high].map(|end| format!("{end:+.0}")));
    let [low, high] = ends.unwrap_or_default();
    let change = comparison.change_percent.unwrap_or_default();
    match (comparison.verdict, comparison.why) {
        (Verdict::Up, _) => format!(
            "That is {change:.0} % more than in comparable hours of {earlier} ({before}): {low} to {high} % with 95 % confidence."
        ),
        (Verdict::Down, _) => format!(
            "That is {:.0} % less than in comparable hours of {earlier} ({before}): {low} to {high} % with 95 % confidence.",
            -change
        ),
        (Verdict::Steady, _) => {
            format!("That is as in comparable hours of {earlier} ({before}): {low} to {high} % with 95 % confidence.")
        }
        (_, Some(Why::NothingObserved)) => format!("There is nothing in {earlier} to compare it with."),
        (_, Some(Why::Changed)) => {
            format!("It cannot be compared with {earlier}: since then there is {}.", listed(&comparison.changed))
        }
        (_, Some(Why::TooFewDays)) => {
            format!(
                "Whether that is more or less than in {earlier} cannot be told: fewer than three days are comparable."
            )
        }
        (_, Some(Why::Chance)) => format!(
            "Whether that is more or less than in {earlier} ({before}) cannot be told: it may be {low} to {high} %."
        ),
        _ => format!("It cannot be compared with {earlier}: too few hours of the day are in both."),
    }
}

/// What was left out of a comparison, in a sentence.
pub(crate) fn left_out(comparison: &Comparison) -> Option<String> {
    let is_compared = comparison.rate_per_minute.is_some() && !comparison.changed.is_empty();
    is_compared.then(|| format!("Left out of that: hours with {}.", listed(&comparison.changed)))
}

fn listed(changes: &[Change]) -> String {
    changes.iter().map(|change| change.words()).collect::<Vec<_>>().join(", ")
}

/// A length of time, such as `23 h 10 min`.
#[must_use]
pub fn hours_of(ms: u64) -> String {
    let minutes = ms / 60_000;
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{} s", ms / 1_000),
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes:02} min"),
    }
}

#[cfg(test)]
mod tests;
