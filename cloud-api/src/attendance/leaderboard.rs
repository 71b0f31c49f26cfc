//! The people who attended best: by share of days, then by current streak, then by name.

use super::{analytics::Person, course::Course};

/// The most places.
pub const MAX_PLACES: usize = 100;

#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    pub id: String,
    pub name: String,
    pub pct: f64,
    /// The current streak.
    pub streak: u32,
}

/// Gathers places. Who has no decided day has none.
#[derive(Clone, Debug, Default)]
pub struct Leaderboard(Vec<Place>);

impl Leaderboard {
    pub fn add(&mut self, person: &Person, course: &Course) {
        if let Some(pct) = course.tally.pct() {
            let (id, name) = (person.id.clone(), person.name.clone());
            self.0.push(Place { id, name, pct, streak: course.streaks.current });
        }
    }

    /// The first [`MAX_PLACES`].
    #[must_use]
    pub fn places(mut self) -> Vec<Place> {
        self.0.sort_unstable_by(|a, b| {
            let better = b.pct.total_cmp(&a.pct).then(b.streak.cmp(&a.streak));
            better.then_with(|| (&a.name, &a.id).cmp(&(&b.name, &b.id)))
        });
        self.0.truncate(MAX_PLACES);
        self.0
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::attendance::course::{Streaks, Tally};

    fn add(board: &mut Leaderboard, name: &str, present: u32, absent: u32, current: u32) {
        let person =
            Person { id: name.to_lowercase(), name: name.to_owned(), enrolled: date(2026, 1, 1), opted_in: true };
        let tally = Tally { present, absent, ..Tally::default() };
        board.add(&person, &Course { tally, streaks: Streaks { current, best: current }, ..Course::default() });
    }

    #[test]
    fn by_share_streak_and_name() {
        let mut board = Leaderboard::default();
        add(&mut board, "Cid", 9, 1, 4);
        add(&mut board, "Ben", 9, 1, 4);
        add(&mut board, "Dee", 9, 1, 9);
        add(&mut board, "Ada", 10, 0, 1);
        add(&mut board, "Eve", 0, 0, 0);
        let names: Vec<_> = board.places().into_iter().map(|place| place.name).collect();
        assert_eq!(names, ["Ada", "Dee", "Ben", "Cid"]);
    }

    #[test]
    fn it_ends_after_a_hundred() {
        let mut board = Leaderboard::default();
        (0..150).for_each(|n| add(&mut board, &format!("P{n}"), 10, 0, n));
        let places = board.places();
        assert_eq!((places.len(), places[0].id.as_str()), (100, "p149"));
    }
}
