//! Insights from a person's own figures: this week compared with the weeks before, and the hours of their day.

use blink_figures::{
    Sum,
    compare::STEADY_PERCENT,
    hours::{MIN_OBSERVED_OF_HOUR_MS, best_and_worst},
};
use blink_proto::http::{Direction, Hour, Insights};

/// The recent period, in days.
pub(crate) const RECENT_DAYS: i64 = 7;

/// The period before it that serves as the person's own baseline, in days.
pub(crate) const BASELINE_DAYS: i64 = 28;

/// The rate of a period, if there is enough observed time to compare it; it is shown all the same.
fn telling_rate(sum: Sum) -> Option<f64> {
    sum.rate().filter(|_| sum.observed_ms >= MIN_OBSERVED_OF_HOUR_MS)
}

/// Makes the insights from the sums of both periods, and the hours of the day over both.
#[must_use]
pub(crate) fn read(recent: Sum, baseline: Sum, by_hour: &[Sum; 24]) -> Insights {
    let (now, before) = (recent.rate(), baseline.rate());
    let compared = telling_rate(recent).zip(telling_rate(baseline)).filter(|(_, before)| *before > 0.0);
    let change_percent = compared.map(|(now, before)| 100.0 * (now / before - 1.0));
    let direction = match change_percent {
        None => Direction::Unknown,
        Some(change) if change >= STEADY_PERCENT => Direction::Up,
        Some(change) if change <= -STEADY_PERCENT => Direction::Down,
        Some(_) => Direction::Steady,
    };
    let told = |hour: usize, sum: Sum| {
        let hour = u8::try_from(hour).unwrap_or(0);
        Some(Hour { hour, blinks_per_minute: telling_rate(sum)?, observed_ms: sum.observed_ms })
    };
    let hours: Vec<Hour> = by_hour.iter().enumerate().filter_map(|(hour, sum)| told(hour, *sum)).collect();
    let ends = best_and_worst(by_hour).map(|ends| ends.map(|(hour, sum)| told(hour, sum)));
    let [best_hour, worst_hour] = ends.unwrap_or_default();
    let mut insights = Insights {
        blinks_per_minute: now,
        baseline_blinks_per_minute: before,
        change_percent,
        direction,
        observed_ms: recent.observed_ms,
        coverage: recent.coverage(),
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

    fn total(blinks_per_minute: u64, hours: u64) -> Sum {
        Sum { blinks: blinks_per_minute * 60 * hours, observed_ms: hours * HOUR, tracked_ms: 2 * hours * HOUR }
    }

    #[test]
    fn a_drop_is_told_in_figures_and_words() {
        let mut by_hour = [Sum::default(); 24];
        by_hour[9] = total(16, 4);
        by_hour[15] = total(10, 4);
        by_hour[20] = Sum { blinks: 1_000, observed_ms: 60_000, tracked_ms: HOUR };
        let insights = read(total(12, 10), total(15, 40), &by_hour);
        assert_eq!(insights.direction, Direction::Down);
        assert!((insights.change_percent.unwrap() + 20.0).abs() < 1e-9);
        assert_eq!((insights.best_hour.unwrap().hour, insights.worst_hour.unwrap().hour), (9, 15));
        assert_eq!(insights.hours.len(), 2, "a minute says nothing of an hour");
        assert_eq!(insights.coverage, Some(0.5));
        insta::assert_json_snapshot!(insights.text);
    }

    #[test]
    fn little_says_nothing() {
        let recent = Sum { blinks: 9, observed_ms: HOUR / 4, tracked_ms: HOUR };
        let insights = read(recent, total(15, 40), &[recent; 24]);
        assert_eq!(
            (insights.blinks_per_minute, insights.change_percent, insights.direction),
            (Some(0.6), None, Direction::Unknown),
            "a rate is told from ten seconds on, a change is not"
        );
        assert_eq!((insights.best_hour, insights.hours.len()), (None, 0));
        let glimpse = Sum { blinks: 9, observed_ms: 9_999, tracked_ms: HOUR };
        assert_eq!(read(glimpse, glimpse, &[glimpse; 24]).blinks_per_minute, None);
        let nothing = read(Sum::default(), total(15, 40), &[Sum::default(); 24]);
        assert_eq!((nothing.coverage, nothing.text.len()), (None, 1));
    }
}
