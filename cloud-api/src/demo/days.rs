//! Made-up days: the minutes of somebody at a screen, and the records of the attendance desk. The same day comes out the
//! same each time.

use jiff::civil::{Date, Time};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use uuid::Uuid;

use super::people::Person;
use crate::{
    attendance::{calendar::Calendar, record::Status, records_csv::Row},
    domain::{minute::CheckedMinute, time::UtcMs},
};

const MINUTE_MS: i64 = 60_000;
/// Half an hour is the shortest time without a face: a meeting, a meal.
const BREAK_MIN: i64 = 30;

fn dice(person: &Person, date: Date) -> StdRng {
    let name = person.id.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    let day = u64::from(date.day_of_year().unsigned_abs()) + 1_000 * u64::from(date.year().unsigned_abs());
    StdRng::seed_from_u64(name ^ day.rotate_left(32))
}

/// The minutes from `from` on, up to `to`, of one day at work: breaks, moments away, an afternoon of fewer blinks.
pub(super) fn minutes(person: &Person, date: Date, from: UtcMs, to: UtcMs) -> Vec<CheckedMinute> {
    let mut dice = dice(person, date);
    let length = (to.0 - from.0) / MINUTE_MS;
    let mut breaks = [(length * 45 / 100, dice.random_range(BREAK_MIN..60)), (length, 0)];
    if dice.random_bool(0.6) {
        breaks[1] = (length * dice.random_range(18..35) / 100, dice.random_range(BREAK_MIN..75));
    }
    let (today, mut found) = (dice.random_range(0.88..1.12), Vec::new());
    for n in 0..length {
        let tired = 1.0 - 0.22 * (n as f64 / length as f64);
        let blinks = person.rate * today * tired * dice.random_range(0.6..1.4);
        let (away, seen_ms) = (dice.random_bool(0.05), dice.random_range(38_000..=60_000));
        let observed_ms = if dice.random_bool(0.7) { 60_000 } else { seen_ms };
        if away || breaks.iter().any(|(start, long)| (*start..start + long).contains(&n)) {
            continue;
        }
        found.push(CheckedMinute {
            id: Uuid::from_u64_pair(dice.random(), dice.random()).into(),
            #[expect(clippy::cast_possible_truncation, reason = "a few dozen")]
            blink_count: (blinks * f64::from(observed_ms) / 60_000.0).round() as i32,
            from: from.plus(n * MINUTE_MS),
            observed_ms,
            mean_fps: 29.9,
            quality: "good",
            mean_blink_ms: Some(dice.random_range(150.0..210.0)),
            incomplete_share: Some(dice.random_range(0.1..0.4)),
            perclos: Some(dice.random_range(0.01..0.06)),
        });
    }
    found
}

/// When somebody works on a workday; now and then they do not.
pub(super) fn hours(person: &Person, date: Date) -> Option<(Time, Time)> {
    let mut dice = dice(person, date);
    if dice.random_bool(0.05) {
        return None;
    }
    let after_eight = i32::from(person.arrives) + dice.random_range(-12..=22);
    let arrival = Time::constant(8, 0, 0, 0).wrapping_add(jiff::Span::new().minutes(i64::from(after_eight)));
    Some((arrival, arrival.wrapping_add(jiff::Span::new().minutes(8 * 60 + dice.random_range(0..50)))))
}

/// The desk's record of a day; `None` is nobody seen.
pub(super) fn record(person: &Person, date: Date, calendar: &Calendar) -> Option<Row> {
    let (arrival, _) = hours(person, date)?;
    let late = calendar.arrival(calendar.instant(date, arrival)).late;
    Some(Row {
        date,
        time: Some(arrival),
        status: if late { Status::Late } else { Status::Present },
        name: person.name.to_owned(),
        id: person.id.to_owned(),
        confidence: Some(dice(person, date).random_range(89..=99)),
        live: true,
        session: None,
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::{super::people::PEOPLE, *};

    #[test]
    fn a_day_is_the_same_each_time_and_has_gaps() {
        let from = UtcMs(1_773_100_800_000);
        let day = || minutes(&PEOPLE[0], date(2026, 3, 10), from, from.plus(480 * MINUTE_MS));
        let starts: Vec<_> = day().iter().map(|minute| minute.from).collect();
        assert_eq!(starts, day().iter().map(|minute| minute.from).collect::<Vec<_>>());
        assert!((300..440).contains(&starts.len()), "{}", starts.len());
        let longest = starts.windows(2).map(|pair| (pair[1].0 - pair[0].0) / MINUTE_MS).max().unwrap();
        assert!(longest > BREAK_MIN, "{longest}");
        assert!(day().iter().all(|minute| (0..60).contains(&minute.blink_count) && minute.observed_ms <= 60_000));
    }

    #[test]
    fn most_come_and_some_are_late() {
        let days = (1..=28).map(|day| date(2026, 2, day));
        let records: Vec<Row> = days
            .flat_map(|day| PEOPLE.iter().filter_map(move |person| record(person, day, &Calendar::default())))
            .collect();
        let late = records.iter().filter(|row| row.status == Status::Late).count();
        assert!((300..336).contains(&records.len()) && (5..80).contains(&late), "{} {late}", records.len());
    }
}
