//! When people arrived, day by day.

use std::{cmp::Reverse, collections::BinaryHeap};

use jiff::civil::{Date, Time};

use super::analytics::Person;

/// The most marks: a chart cannot show more, and the newest are kept.
pub const MAX_MARKS: usize = 2_000;

const NINE_AM: i32 = 9 * 60;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    pub date: Date,
    /// On the wall, to the minute.
    pub arrival: Time,
    pub name: String,
    pub id: String,
}

impl Mark {
    /// Negative before 9:00.
    #[must_use]
    pub fn minutes_since_9am(&self) -> i32 {
        i32::from(self.arrival.hour()) * 60 + i32::from(self.arrival.minute()) - NINE_AM
    }
}

/// Keeps the newest marks.
#[derive(Clone, Debug, Default)]
pub struct Timeline(BinaryHeap<Reverse<Mark>>);

impl Timeline {
    pub fn add(&mut self, person: &Person, date: Date, minute: u16) {
        let hand = |n: u16| i8::try_from(n).unwrap_or(0);
        let arrival = Time::new(hand(minute / 60), hand(minute % 60), 0, 0).unwrap_or_default();
        let full = self.0.len() >= MAX_MARKS;
        // Most marks of a large company are older than all that are kept.
        if full && self.0.peek().is_some_and(|Reverse(oldest)| (date, arrival) <= (oldest.date, oldest.arrival)) {
            return;
        }
        self.0.push(Reverse(Mark { date, arrival, name: person.name.clone(), id: person.id.clone() }));
        if full {
            self.0.pop();
        }
    }

    /// Oldest first.
    #[must_use]
    pub fn marks(self) -> Vec<Mark> {
        let mut marks: Vec<Mark> = self.0.into_iter().map(|Reverse(mark)| mark).collect();
        marks.sort_unstable();
        marks
    }
}

#[cfg(test)]
mod tests {
    use jiff::{ToSpan as _, civil::date};

    use super::*;

    fn ada() -> Person {
        Person { id: "ada".to_owned(), name: "Ada".to_owned(), enrolled: date(2026, 1, 1), opted_in: false }
    }

    #[test]
    fn minutes_are_counted_from_nine() {
        let mut timeline = Timeline::default();
        [(2, 555), (1, 510), (3, 0)]
            .into_iter()
            .for_each(|(day, minute)| timeline.add(&ada(), date(2026, 3, day), minute));
        let marks: Vec<_> =
            timeline.marks().iter().map(|m| (m.date.day(), m.arrival.to_string(), m.minutes_since_9am())).collect();
        assert_eq!(
            marks,
            [(1, "08:30:00".to_owned(), -30), (2, "09:15:00".to_owned(), 15), (3, "00:00:00".to_owned(), -540)]
        );
    }

    #[test]
    fn the_newest_are_kept_in_whatever_order_they_come() {
        let (first, days) = (date(2020, 1, 1), 3_000);
        for order in [(0..days).collect::<Vec<i64>>(), (0..days).rev().collect()] {
            let mut timeline = Timeline::default();
            order.iter().for_each(|n| timeline.add(&ada(), first.checked_add(n.days()).unwrap(), 540));
            let marks = timeline.marks();
            assert_eq!(marks.len(), MAX_MARKS);
            assert_eq!(marks[0].date, first.checked_add(1_000.days()).unwrap());
        }
    }
}
