//! Compares two periods in what is comparable: the same hours of the day, of workdays and of weekends each, measured by
//! the same machine, camera and detector, with glasses or without in both. What the days differ by themselves decides
//! how sure the result is; it may be "cannot tell".
//!
//! Within each stratum (setup, workday or weekend, hour of the day) both periods have a rate. The strata's rates are
//! averaged with the same weights for both periods (direct standardisation), and the change is the ratio of the two
//! averages. Its standard error, of the logarithm, is that of resampled whole days, each period by itself (Efron &
//! Tibshirani 1993, An Introduction to the Bootstrap, chapters 6 and 8), times `sqrt(n / (n - 1))`, as resampling `n`
//! days makes them too alike (ibid., section 5.3). The interval is Student's, with the degrees of freedom of Welch and
//! Satterthwaite, because a week has few days. Days count as independent of each other.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde::{Deserialize, Serialize};

use crate::{
    hours::{Hour, Hours},
    setup::{Change, Setups},
    week::Period,
};

/// A smaller change counts as steady, in per cent.
pub(crate) const STEADY_PERCENT: f64 = 5.0;

/// A stratum is compared where both periods have at least this much of it observed, in milliseconds.
const MIN_OBSERVED_OF_STRATUM_MS: u64 = 10 * 60_000;

/// Periods are compared where both have at least this much observed in comparable hours, in milliseconds.
const MIN_OBSERVED_MS: u64 = 30 * 60_000;

/// Periods are compared where both have at least this many days with comparable hours: two differ by chance alone.
const MIN_DAYS: usize = 3;

/// How often each period's days are resampled. The standard error is then within about 3 % of that of ever more.
const RESAMPLES: usize = 500;

/// The same where there are more days than a year has: within about 5 %, in two fifths of the time.
const RESAMPLES_OF_YEARS: usize = 200;

/// The 97.5th percentile of Student's t distribution with 2 to 30 degrees of freedom, and of the normal one.
const T_975: [f64; 29] = [
    4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110,
    2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
];
const NORMAL_975: f64 = 1.960;

/// Which way the rate went, as far as that can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Verdict {
    /// More blinks a minute.
    Up,
    /// Fewer blinks a minute.
    Down,
    /// Within five per cent, and surely so.
    Steady,
    /// It cannot be told; `why` says why.
    Unknown,
}

/// Why it cannot be told which way the rate went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Why {
    /// One of the periods has no figures.
    NothingObserved,
    /// The periods were measured by something else.
    Changed,
    /// The periods have too few hours of the day in common.
    TooLittle,
    /// Fewer than three days with comparable hours.
    TooFewDays,
    /// The days differ too much among themselves.
    Chance,
}

/// Two periods compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Comparison {
    /// Which way the rate went.
    pub verdict: Verdict,
    /// Why that cannot be told; null where it can.
    #[cfg_attr(feature = "schema", schema(required))]
    pub why: Option<Why>,
    /// Blinks per observed minute in the comparable hours of the later period; null where nothing is comparable.
    #[cfg_attr(feature = "schema", schema(required))]
    pub rate_per_minute: Option<f64>,
    /// The same of the earlier period.
    #[cfg_attr(feature = "schema", schema(required))]
    pub before_rate_per_minute: Option<f64>,
    /// The change against the earlier period, in per cent.
    #[cfg_attr(feature = "schema", schema(required))]
    pub change_percent: Option<f64>,
    /// The 95 % interval of the change, in per cent: lower end, upper end.
    #[cfg_attr(feature = "schema", schema(required))]
    pub interval_percent: Option<[f64; 2]>,
    /// Observed milliseconds of the later and of the earlier period that are comparable.
    pub comparable_ms: [u64; 2],
    /// Days of the later and of the earlier period with comparable hours.
    pub days: [usize; 2],
    /// What measured otherwise in one of the periods; such hours were left out.
    pub changed: Vec<Change>,
}

/// Setup, whether it is a weekend, hour of the day.
type Stratum = (usize, bool, usize);

/// The comparable strata, numbered.
type Strata = BTreeMap<Stratum, usize>;

/// Blinks and observed minutes by the number of the stratum, over some days.
type Table = Vec<(f64, f64)>;

/// The numbers of the strata of one day, with its blinks and observed minutes.
type Day = Vec<(usize, f64, f64)>;

/// Compares `later` with `earlier`.
#[must_use]
pub fn compare(hours: &Hours, setups: &Setups, later: Period, earlier: Period) -> Comparison {
    let observed = [later, earlier].map(|period| hours.sum(period).observed_ms);
    let mut comparison = Comparison {
        verdict: Verdict::Unknown,
        why: None,
        rate_per_minute: None,
        before_rate_per_minute: None,
        change_percent: None,
        interval_percent: None,
        comparable_ms: [0; 2],
        days: [0; 2],
        changed: Vec::new(),
    };
    if observed.contains(&0) {
        comparison.why = Some(Why::NothingObserved);
        return comparison;
    }
    comparison.changed = setups.between(hours, later, earlier);
    let strata = [later, earlier].map(|period| observed_by_stratum(hours, period));
    let enough = |ms: Option<&u64>| ms.is_some_and(|ms| *ms >= MIN_OBSERVED_OF_STRATUM_MS);
    let common = strata[0].keys().filter(|stratum| strata.iter().all(|of| enough(of.get(stratum))));
    let common: Strata = common.zip(0..).map(|(stratum, number)| (*stratum, number)).collect();
    let days = [later, earlier].map(|period| by_day(hours, period, &common));
    comparison.days = [days[0].len(), days[1].len()];
    comparison.comparable_ms = [0, 1].map(|n| common.keys().filter_map(|stratum| strata[n].get(stratum)).sum());
    let whole = [0, 1].map(|n| joined(days[n].iter(), common.len()));
    let Some([rate, before]) = rates(&whole[0], &whole[1]) else {
        let is_changed = !comparison.changed.is_empty();
        comparison.why = Some(if is_changed { Why::Changed } else { Why::TooLittle });
        return comparison;
    };
    (comparison.rate_per_minute, comparison.before_rate_per_minute) = (Some(rate), Some(before));
    if comparison.comparable_ms.iter().any(|ms| *ms < MIN_OBSERVED_MS) || rate <= 0.0 || before <= 0.0 {
        comparison.why = Some(Why::TooLittle);
        return comparison;
    }
    comparison.change_percent = Some(percent((rate / before).ln()));
    if comparison.days.iter().any(|days| *days < MIN_DAYS) {
        comparison.why = Some(Why::TooFewDays);
        return comparison;
    }
    let [low, high] = interval((rate / before).ln(), &days, &whole);
    comparison.interval_percent = Some([percent(low), percent(high)]);
    comparison.verdict = match [percent(low), percent(high)] {
        [low, high] if low > -STEADY_PERCENT && high < STEADY_PERCENT => Verdict::Steady,
        [low, _] if low > 0.0 => Verdict::Up,
        [_, high] if high < 0.0 => Verdict::Down,
        _ => Verdict::Unknown,
    };
    comparison.why = (comparison.verdict == Verdict::Unknown).then_some(Why::Chance);
    comparison
}

fn percent(log_ratio: f64) -> f64 {
    100.0 * (log_ratio.exp() - 1.0)
}

fn strata_of(hour: &Hour) -> impl Iterator<Item = (Stratum, crate::Sum)> {
    hour.by_setup.iter().map(|(setup, sum)| ((*setup, hour.is_weekend(), hour.hour), *sum))
}

fn observed_by_stratum(hours: &Hours, period: Period) -> BTreeMap<Stratum, u64> {
    let mut strata = BTreeMap::new();
    for (stratum, sum) in hours.within(period).flat_map(strata_of) {
        *strata.entry(stratum).or_insert(0) += sum.observed_ms;
    }
    strata
}

/// The days of `period` that have any comparable stratum, each with those.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of a lifetime fit a double exactly")]
fn by_day(hours: &Hours, period: Period, common: &Strata) -> Vec<Day> {
    let mut days: BTreeMap<Date, Day> = BTreeMap::new();
    for hour in hours.within(period) {
        for (stratum, sum) in strata_of(hour).filter(|(_, sum)| sum.observed_ms > 0) {
            let Some(number) = common.get(&stratum) else { continue };
            let part = (*number, sum.blinks as f64, sum.observed_ms as f64 / 60_000.0);
            days.entry(hour.date).or_default().push(part);
        }
    }
    days.into_values().collect()
}

fn joined<'a>(days: impl Iterator<Item = &'a Day>, strata: usize) -> Table {
    let mut all = vec![(0.0, 0.0); strata];
    for (number, blinks, minutes) in days.flatten() {
        all[*number].0 += blinks;
        all[*number].1 += minutes;
    }
    all
}

/// Both periods' rates over the strata that both have, with the same weights for both: the smaller observed time.
fn rates(later: &[(f64, f64)], earlier: &[(f64, f64)]) -> Option<[f64; 2]> {
    let (mut sums, mut weights) = ([0.0; 2], 0.0);
    for ((blinks, minutes), (before, before_minutes)) in later.iter().zip(earlier) {
        let weight = minutes.min(*before_minutes);
        if weight <= 0.0 {
            continue;
        }
        weights += weight;
        sums[0] += weight * blinks / minutes;
        sums[1] += weight * before / before_minutes;
    }
    (weights > 0.0).then(|| sums.map(|sum| sum / weights))
}

/// The 95 % interval of the logarithm of the ratio.
#[expect(clippy::cast_precision_loss, reason = "a few thousand days")]
fn interval(ratio: f64, days: &[Vec<Day>; 2], whole: &[Table; 2]) -> [f64; 2] {
    // Equal figures give an equal interval each time.
    let mut random = StdRng::seed_from_u64(0);
    let variances = [0, 1].map(|period| {
        let resamples = if days[period].len() > 366 { RESAMPLES_OF_YEARS } else { RESAMPLES };
        let logs: Vec<f64> = (0..resamples)
            .filter_map(|_| {
                let days = &days[period];
                let drawn = days.iter().map(|_| &days[random.random_range(0..days.len())]);
                let drawn = joined(drawn, whole[period].len());
                let [rate, before] = if period == 0 { rates(&drawn, &whole[1]) } else { rates(&whole[0], &drawn) }?;
                (rate > 0.0 && before > 0.0).then(|| (rate / before).ln())
            })
            .collect();
        let n = days[period].len() as f64;
        variance(&logs) * n / (n - 1.0)
    });
    let parts = [0, 1].map(|period| variances[period].powi(2) / (days[period].len() as f64 - 1.0));
    let (variance, parts) = (variances[0] + variances[1], parts[0] + parts[1]);
    let freedom = if parts > 0.0 { variance.powi(2) / parts } else { f64::INFINITY };
    let half = t_975(freedom) * variance.sqrt();
    [ratio - half, ratio + half]
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred")]
fn variance(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n.max(1.0);
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0)
}

/// The percentile for the whole degrees of freedom at or below `freedom`, at least two.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive number")]
fn t_975(freedom: f64) -> f64 {
    let place = (freedom.clamp(2.0, 1_000.0) as usize) - 2;
    T_975.get(place).copied().unwrap_or(NORMAL_975)
}

#[cfg(test)]
mod tests;
