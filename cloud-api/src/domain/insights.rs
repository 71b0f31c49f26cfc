//! Insights from a person's own figures: this week compared with the weeks before, and the hours of their day.

use blink_proto::{
    http::{Direction, Hour, Insights},
    rate_per_minute,
};

/// The recent period, in days.
pub(crate) const RECENT_DAYS: i64 = 7;

/// The period before it that serves as the person's own baseline, in days.
pub(crate) const BASELINE_DAYS: i64 = 28;

/// Periods with less observed time are not compared; their rate is shown all the same.
const MIN_OBSERVED_MS: u64 = 30 * 60_000;

/// A smaller change counts as steady, because a person's rate varies that much by itself.
const STEADY_PERCENT: f64 = 5.0;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Total {
    pub blink_count: u64,
    pub observed_ms: u64,
}

impl Total {
    pub(crate) fn add(&mut self, blink_count: u64, observed_ms: u64) {
        self.blink_count += blink_count;
        self.observed_ms += observed_ms;
    }

    fn rate(&self) -> Option<f64> {
        rate_per_minute(self.blink_count, self.observed_ms)
    }

    /// The rate, if there is enough observed time to compare it.
    fn telling_rate(&self) -> Option<f64> {
        self.rate().filter(|_| self.observed_ms >= MIN_OBSERVED_MS)
    }
}

/// Makes the insights from the totals of both periods, the hours of the day over both, and the number of clock hours of
/// the recent days that have any data.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "milliseconds of weeks fit a double exactly")]
pub(crate) fn read(recent: Total, baseline: Total, by_hour: &[Total; 24], hours_with_data: u64) -> Insights {
    let (now, before) = (recent.rate(), baseline.rate());
    let compared = recent.telling_rate().zip(baseline.telling_rate()).filter(|(_, before)| *before > 0.0);
    let change_percent = compared.map(|(now, before)| 100.0 * (now / before - 1.0));
    let direction = match change_percent {
        None => Direction::Unknown,
        Some(change) if change >= STEADY_PERCENT => Direction::Up,
        Some(change) if change <= -STEADY_PERCENT => Direction::Down,
        Some(_) => Direction::Steady,
    };
    let hours: Vec<Hour> = by_hour
        .iter()
        .zip(0..)
        .filter_map(|(total, hour)| {
            Some(Hour { hour, blinks_per_minute: total.telling_rate()?, observed_ms: total.observed_ms })
        })
        .collect();
    let by_rate = |a: &&Hour, b: &&Hour| a.blinks_per_minute.total_cmp(&b.blinks_per_minute);
    let compared = hours.len() > 1;
    let best_hour = hours.iter().max_by(by_rate).filter(|_| compared).cloned();
    let worst_hour = hours.iter().min_by(by_rate).filter(|_| compared).cloned();
    let coverage =
        (hours_with_data > 0).then(|| (recent.observed_ms as f64 / (hours_with_data as f64 * 3_600_000.0)).min(1.0));
    let mut insights = Insights {
        blinks_per_minute: now,
        baseline_blinks_per_minute: before,
        change_percent,
        direction,
        observed_ms: recent.observed_ms,
        coverage,
        best_hour,
        worst_hour,
        hours,
        text: Vec::new(),
    };
    insights.text = sentences(&insights);
    insights
}

fn sentences(insights: &Insights) -> Vec<String> {
    let mut text = Vec::new();
    match insights.blinks_per_minute {
        None => text.push("Too little was observed in the last seven days to speak of a rate.".to_owned()),
        Some(rate) => text.push(format!("In the last seven days you blinked {rate:.1} times a minute.")),
    }
    if let (Some(change), Some(before)) = (insights.change_percent, insights.baseline_blinks_per_minute) {
        text.push(match insights.direction {
            Direction::Up => format!("That is {change:.0} % more than in the four weeks before ({before:.1})."),
            Direction::Down => format!("That is {:.0} % less than in the four weeks before ({before:.1}).", -change),
            _ => format!("That is about as in the four weeks before ({before:.1})."),
        });
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
    use super::*;

    const HOUR: u64 = 3_600_000;

    fn total(blinks_per_minute: u64, hours: u64) -> Total {
        Total { blink_count: blinks_per_minute * 60 * hours, observed_ms: hours * HOUR }
    }

    #[test]
    fn a_drop_is_told_in_figures_and_words() {
        let mut by_hour = [Total::default(); 24];
        by_hour[9] = total(16, 4);
        by_hour[15] = total(10, 4);
        by_hour[20] = Total { blink_count: 1_000, observed_ms: 60_000 };
        let insights = read(total(12, 10), total(15, 40), &by_hour, 20);
        assert_eq!(insights.direction, Direction::Down);
        assert!((insights.change_percent.unwrap() + 20.0).abs() < 1e-9);
        assert_eq!((insights.best_hour.unwrap().hour, insights.worst_hour.unwrap().hour), (9, 15));
        assert_eq!(insights.hours.len(), 2, "a minute says nothing of an hour");
        assert_eq!(insights.coverage, Some(0.5));
        insta::assert_json_snapshot!(insights.text);
    }

    #[test]
    fn little_says_nothing() {
        let recent = Total { blink_count: 9, observed_ms: HOUR / 4 };
        let insights = read(recent, total(15, 40), &[recent; 24], 1);
        assert_eq!(
            (insights.blinks_per_minute, insights.change_percent, insights.direction),
            (Some(0.6), None, Direction::Unknown),
            "a rate is told from ten seconds on, a change is not"
        );
        assert_eq!((insights.best_hour, insights.hours.len()), (None, 0));
        let glimpse = Total { blink_count: 9, observed_ms: 9_999 };
        assert_eq!(read(glimpse, glimpse, &[glimpse; 24], 1).blinks_per_minute, None);
        let nothing = read(Total::default(), total(15, 40), &[Total::default(); 24], 0);
        assert_eq!((nothing.coverage, nothing.text.len()), (None, 1));
    }
}
