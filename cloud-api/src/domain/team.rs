//! A team's weekly figure: for a closed calendar week, a rounded mean over at least five people, or nothing.
//!
//! These rules protect the people. A figure stands for at least five people. Each counts alike, however long they were
//! observed. It is in whole blinks per minute, so that one person's coming or going seldom changes it. A week is
//! computed once, so that nobody can compare it before and after a change. There is no other breakdown. What remains
//! possible: someone who knows the figures of four of five people can bound the fifth's.

/// A week is closed this long after its end, so that late uploads are included.
pub(crate) const CLOSED_AFTER_MS: i64 = 48 * 60 * 60_000;

/// With fewer people than this the week is suppressed.
pub(crate) const MIN_PEOPLE: usize = 5;

/// A person with less observed time in the week does not count in it.
pub(crate) const MIN_OBSERVED_MS: u64 = 2 * 60 * 60_000;

/// One person's blinks and observed time in a week.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct WeekSum {
    pub blinks: u64,
    pub observed_ms: u64,
}

/// The mean of the people's own rates, in whole blinks per minute; `None` suppresses the week.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "at most 600 blinks a minute, rounded"
)]
pub(crate) fn week_figure(people: &[WeekSum]) -> Option<i32> {
    let rates: Vec<f64> = people
        .iter()
        .filter(|sum| sum.observed_ms >= MIN_OBSERVED_MS)
        .filter_map(|sum| blink_proto::rate_per_minute(sum.blinks, sum.observed_ms))
        .collect();
    (rates.len() >= MIN_PEOPLE).then(|| (rates.iter().sum::<f64>() / rates.len() as f64).round() as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000;

    #[test]
    fn people_count_alike_and_five_are_needed() {
        // The rates are 10, 20, 20, 20 and 20 per minute; the first person was observed ten times as long.
        let twenty = WeekSum { blinks: 2_400, observed_ms: 2 * HOUR };
        let mut people = vec![WeekSum { blinks: 20 * 60 * 10, observed_ms: 20 * HOUR }, twenty, twenty, twenty];
        assert_eq!(week_figure(&people), None);
        people.push(WeekSum { observed_ms: 2 * HOUR - 1, ..twenty });
        assert_eq!(week_figure(&people), None, "the fifth was observed too little");
        people.push(twenty);
        assert_eq!(week_figure(&people), Some(18));
        assert_eq!(week_figure(&[]), None);
    }
}
