//! How far the pull of the other machines' minutes has come; pure.
//!
//! A machine may be offline for days and upload then, so the newest minute says nothing of what is missing. What counts
//! is when the server received a minute: a pull that is complete up to then asks next time for what arrived since.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How far before the last pull arrivals are asked for again. Replicas' clocks differ, and what was just being stored
/// was not seen yet.
const AGAIN: SignedDuration = SignedDuration::from_mins(10);
/// A pull that took longer than this is followed by one of what came meanwhile.
const FRESH: SignedDuration = SignedDuration::from_secs(60);

/// The content of `place.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// The server's base URL.
    server: String,
    /// What is here.
    whole: Option<Whole>,
    /// The pull that is not over.
    under_way: Option<Step>,
}

/// Every minute from `from` on that the server had received by `as_of`, by the server's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Whole {
    from: Timestamp,
    as_of: Timestamp,
}

/// The next page of a pull.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Step {
    pub(crate) from: Timestamp,
    /// Only what the server received then or later; `None` for everything.
    pub(crate) received_from: Option<Timestamp>,
    /// When the first page was read, by the server's clock; `None` before it.
    as_of: Option<Timestamp>,
    /// The cursor that ended the page before.
    pub(crate) cursor: Option<String>,
}

impl Place {
    /// A pull from `server` that has not begun.
    pub(crate) fn of(server: &str) -> Self {
        Self { server: server.to_owned(), whole: None, under_way: None }
    }

    pub(crate) fn is_of(&self, server: &str) -> bool {
        self.server == server
    }

    /// The next page of a pull of the minutes from `from` on.
    pub(crate) fn next(&self, from: Timestamp) -> Step {
        if let Some(step) = self.under_way.as_ref().filter(|step| step.from <= from) {
            return step.clone();
        }
        let whole = self.whole.filter(|whole| whole.from <= from);
        let received_from = whole.map(|whole| whole.as_of.checked_sub(AGAIN).unwrap_or(Timestamp::MIN));
        Step { from: whole.map_or(from, |whole| whole.from), received_from, as_of: None, cursor: None }
    }

    /// Goes on after the page of `step`, which the server read at `read_at` and ended with `cursor`. Returns whether
    /// everything is here.
    pub(crate) fn advance(&mut self, step: &Step, read_at: Timestamp, cursor: Option<String>) -> bool {
        let as_of = step.as_of.unwrap_or(read_at);
        if cursor.is_some() {
            self.under_way = Some(Step { as_of: Some(as_of), cursor, ..step.clone() });
            return false;
        }
        self.under_way = None;
        self.whole = Some(Whole { from: step.from, as_of });
        read_at.duration_since(as_of) < FRESH
    }

    /// Takes note that nothing before `first` is kept.
    pub(crate) fn keep_from(&mut self, first: Timestamp) {
        if let Some(whole) = &mut self.whole {
            whole.from = whole.from.max(first);
        }
        if let Some(step) = &mut self.under_way {
            step.from = step.from.max(first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_772_000_000 + 60 * minute).unwrap()
    }

    fn next(place: &Place, from: i64) -> (Timestamp, Option<Timestamp>, Option<String>) {
        let step = place.next(at(from));
        (step.from, step.received_from, step.cursor)
    }

    #[test]
    fn a_pull_goes_on_where_it_was_and_the_next_asks_for_what_arrived_since() {
        let mut place = Place::of("s");
        let step = place.next(at(0));
        assert!(!place.advance(&step, at(100), Some("b".into())));
        assert_eq!(next(&place, 0), (at(0), None, Some("b".into())));
        let step = place.next(at(0));
        assert!(place.advance(&step, at(100), None));
        assert_eq!(next(&place, 0), (at(0), Some(at(90)), None));
        assert_eq!(next(&place, 5), (at(0), Some(at(90)), None), "what is wanted is among what is here");
    }

    #[test]
    fn what_came_while_a_pull_was_under_way_is_asked_for_before_it_is_over() {
        let mut place = Place::of("s");
        let step = place.next(at(0));
        place.advance(&step, at(100), Some("b".into()));
        let step = place.next(at(0));
        assert!(!place.advance(&step, at(160), None), "it was broken off for an hour");
        assert_eq!(next(&place, 0), (at(0), Some(at(90)), None));
        let step = place.next(at(0));
        assert!(place.advance(&step, at(160), None));
        assert_eq!(next(&place, 0), (at(0), Some(at(150)), None));
    }

    #[test]
    fn more_than_is_here_is_asked_for_from_its_beginning() {
        let mut place = Place::of("s");
        let step = place.next(at(50));
        place.advance(&step, at(100), None);
        assert_eq!(next(&place, 40), (at(40), None, None));
        let step = place.next(at(40));
        place.advance(&step, at(100), Some("b".into()));
        assert_eq!(next(&place, 30), (at(30), None, None));
        assert_eq!(next(&place, 60), (at(40), None, Some("b".into())));
    }

    #[test]
    fn a_clock_that_was_set_back_ends_it_all_the_same() {
        let mut place = Place::of("s");
        let step = place.next(at(0));
        place.advance(&step, at(100), Some("b".into()));
        let step = place.next(at(0));
        assert!(place.advance(&step, at(10), None));
    }
}
