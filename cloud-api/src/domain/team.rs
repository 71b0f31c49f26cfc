//! The one figure a team has: for a closed calendar week, a rounded mean over enough people, or nothing.
//!
//! What it prevents: a figure never stands for fewer than five people; each counts alike, however long they were
//! observed; it is whole blinks a minute, so that one person's coming or going seldom moves it; a week is computed once,
//! so that nobody can ask again after a change; there is no other cut. What it does not prevent: whoever knows four of
//! five people's figures can bound the fifth's.

/// A week is closed this long after its end, so that late uploads are in it.
pub(crate) const CLOSED_AFTER_MS: i64 = 48 * 60 * 60_000;

/// Fewer people than this are never shown.
pub(crate) const MIN_PEOPLE: usize = 5;

/// Whoever was observed for less than two hours in the week does not count in it.
pub(crate) const MIN_OBSERVED_MS: u64 = 2 * 60 * 60_000;

/// The mean of the people's own rates, in whole blinks a minute, from each one's (blinks, observed milliseconds);
/// `None` suppresses the week.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "at most 600 blinks a minute, rounded"
)]
pub(crate) fn week_figure(people: &[(u64, u64)]) -> Option<i32> {
    let rates: Vec<f64> = people
        .iter()
        .filter(|(_, observed_ms)| *observed_ms >= MIN_OBSERVED_MS)
        .filter_map(|(blinks, observed_ms)| blink_proto::rate_per_minute(*blinks, *observed_ms))
        .collect();
    (rates.len() >= MIN_PEOPLE).then(|| (rates.iter().sum::<f64>() / rates.len() as f64).round() as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000;

    #[test]
    fn people_count_alike_and_five_are_needed() {
        // 10, 20, 20, 20, 20 a minute; the first was observed for ten times as long.
        let mut people = vec![(20 * 60 * 10, 20 * HOUR), (2_400, 2 * HOUR), (2_400, 2 * HOUR), (2_400, 2 * HOUR)];
        assert_eq!(week_figure(&people), None);
        people.push((2_400, 2 * HOUR - 1));
        assert_eq!(week_figure(&people), None, "the fifth was observed too little");
        people.push((2_400, 2 * HOUR));
        assert_eq!(week_figure(&people), Some(18));
        assert_eq!(week_figure(&[]), None);
    }
}
