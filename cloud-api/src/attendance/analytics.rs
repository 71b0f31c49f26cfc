//! Attendance over a range of days: by day, week and month, how late people come, each person's course by weeks, badges,
//! the leaderboard and the timeline. It adds up people one by one, so that a company need not fit in memory.

use jiff::{
    ToSpan as _,
    civil::{Date, Weekday},
};

use super::{
    badges::{self, Badge},
    course::{Course, Outcome, Streaks, Tally, Window, walk},
    leaderboard::{Leaderboard, Place},
    month::{Month, MonthNumber},
    timeline::{Mark, Timeline},
};

/// The width of a bar of the distribution of lateness, in minutes.
pub const LATE_BAR_MIN: u16 = 5;

/// The last bar, which holds everything from two hours on.
const LATE_BARS: usize = 25;

/// The most people whose weeks are told one by one.
pub const MAX_TRENDS: usize = 50;

/// A person with what analytics need of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub id: String,
    pub name: String,
    /// The first day on which they may be expected.
    pub enrolled: Date,
    /// Whether other people may see them on the leaderboard.
    pub opted_in: bool,
}

/// Who asks, and about whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Whose badges and streaks are told.
    pub subject: Option<String>,
    /// Whether the caller is the subject.
    pub own: bool,
    /// Whether the leaderboard shows everybody, or who opted in.
    pub sees_all: bool,
    /// The person to whom everything but the leaderboard is narrowed.
    pub only: Option<String>,
}

/// A day, week or month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// Its first day, also where the range begins later.
    pub from: Date,
    pub tally: Tally,
}

/// A person's weeks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trend {
    pub id: String,
    pub name: String,
    pub weeks: Vec<Period>,
}

/// One bar: so many people came at least `minutes_from` and less than the next bar's after the start of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LateBar {
    pub minutes_from: u16,
    pub count: u32,
}

/// Everything about a range of days.
#[derive(Clone, Debug, PartialEq)]
pub struct Analytics {
    pub daily: Vec<Period>,
    pub weekly: Vec<Period>,
    pub monthly: Vec<Period>,
    pub late_distribution: Vec<LateBar>,
    /// The first [`MAX_TRENDS`] people by name.
    pub trends: Vec<Trend>,
    /// Of the subject.
    pub badges: Vec<Badge>,
    pub streaks: Streaks,
    pub leaderboard: Vec<Place>,
    pub timeline: Vec<Mark>,
    /// How many people these figures are over.
    pub people: u32,
}

/// Adds people up.
pub struct Adding<'w> {
    window: &'w Window,
    scope: Scope,
    days: Vec<Tally>,
    late: [u32; LATE_BARS],
    trends: Vec<Trend>,
    subject: Course,
    leaderboard: Leaderboard,
    timeline: Timeline,
    people: u32,
}

impl<'w> Adding<'w> {
    #[must_use]
    pub fn new(window: &'w Window, scope: Scope) -> Self {
        Self {
            days: vec![Tally::default(); window.days.len()],
            late: [0; LATE_BARS],
            trends: Vec::new(),
            subject: Course::default(),
            leaderboard: Leaderboard::default(),
            timeline: Timeline::default(),
            people: 0,
            window,
            scope,
        }
    }

    /// Adds a person; people come in order of their names, months in order of time.
    pub fn add(&mut self, person: &Person, months: &[(MonthNumber, Month)]) {
        let counted = self.scope.only.as_deref().is_none_or(|only| only == person.id);
        let mut course = Course::default();
        let mut weeks = (counted && self.trends.len() < MAX_TRENDS).then(Vec::<Period>::new);
        let window = self.window;
        walk(window, person.enrolled, months, |n, facts, outcome, day| {
            course.count(window, facts, outcome, day);
            if !counted {
                return;
            }
            self.days[n].count(outcome, facts.expected);
            if let Some(weeks) = &mut weeks {
                period(weeks, monday(facts.date)).count(outcome, facts.expected);
            }
            let Some(day) = day.filter(|day| day.status.is_there()) else { return };
            let minute = facts.clock.minute_of_day(day.minute);
            if outcome == Outcome::Late {
                let late = usize::from(minute.saturating_sub(window.starts_min) / LATE_BAR_MIN);
                self.late[late.min(LATE_BARS - 1)] += 1;
            }
            self.timeline.add(person, facts.date, minute);
        });
        if counted {
            self.people += 1;
        }
        if let Some(weeks) = weeks {
            self.trends.push(Trend { id: person.id.clone(), name: person.name.clone(), weeks });
        }
        if self.scope.sees_all || person.opted_in {
            self.leaderboard.add(person, &course);
        }
        if self.scope.subject.as_deref() == Some(&person.id) {
            self.subject = course;
        }
    }

    #[must_use]
    pub fn finish(self) -> Analytics {
        let days = || self.window.days.iter().map(|facts| facts.date).zip(&self.days);
        let by = |first: fn(Date) -> Date| {
            let mut periods = Vec::new();
            for (date, tally) in days().filter(|(_, tally)| !tally.is_empty()) {
                period(&mut periods, first(date)).add(tally);
            }
            periods
        };
        let bars = self.late.iter().rposition(|count| *count > 0).map_or(0, |last| last + 1);
        let bar = |(n, count): (usize, &u32)| LateBar {
            minutes_from: u16::try_from(n).unwrap_or(u16::MAX).saturating_mul(LATE_BAR_MIN),
            count: *count,
        };
        Analytics {
            daily: by(|date| date),
            weekly: by(monday),
            monthly: by(Date::first_of_month),
            late_distribution: self.late[..bars].iter().enumerate().map(bar).collect(),
            badges: badges::of(&self.subject, self.scope.own),
            streaks: self.subject.streaks,
            trends: self.trends,
            leaderboard: self.leaderboard.places(),
            timeline: self.timeline.marks(),
            people: self.people,
        }
    }
}

/// The tally of the period that begins on this day, which is the last one or a new one.
fn period(periods: &mut Vec<Period>, from: Date) -> &mut Tally {
    if periods.last().is_none_or(|last| last.from != from) {
        periods.push(Period { from, tally: Tally::default() });
    }
    let last = periods.len() - 1;
    &mut periods[last].tally
}

fn monday(date: Date) -> Date {
    let since = i64::from(date.weekday().since(Weekday::Monday));
    date.checked_sub(since.days()).unwrap_or(date)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::civil::date;

    use super::*;
    use crate::attendance::{calendar::Calendar, course::tests::months};

    fn person(id: &str, enrolled: Date) -> Person {
        Person { id: id.to_owned(), name: id.to_uppercase(), enrolled, opted_in: false }
    }

    /// From Friday, 2026-02-27, to Wednesday, 2026-03-11.
    fn window() -> Window {
        let (first, last) = (date(2026, 2, 27), date(2026, 3, 11));
        Window::new(&Calendar::default(), first, last, date(2026, 4, 1), &BTreeSet::new())
    }

    fn figures(periods: &[Period]) -> Vec<(String, u32, u32, u32, Option<f64>)> {
        let figures = |p: &Period| (p.from.to_string(), p.tally.present, p.tally.late, p.tally.absent, p.tally.pct());
        periods.iter().map(figures).collect()
    }

    fn added(scope: Scope) -> Analytics {
        let window = window();
        let mut adding = Adding::new(&window, scope);
        let first = window.first;
        adding.add(&person("ada", first), &months(first, "p..pplpp..ppp"));
        adding.add(&person("ben", date(2026, 3, 9)), &months(first, "..........lep"));
        adding.finish()
    }

    #[test]
    fn days_weeks_and_months() {
        let all = added(Scope::default());
        assert_eq!(all.people, 2);
        assert_eq!(figures(&all.daily)[0], ("2026-02-27".to_owned(), 1, 0, 0, Some(100.0)));
        assert_eq!(figures(&all.daily).len(), 9, "no item for a day without anything");
        assert_eq!(
            figures(&all.weekly),
            [
                ("2026-02-23".to_owned(), 1, 0, 0, Some(100.0)),
                ("2026-03-02".to_owned(), 4, 1, 0, Some(100.0)),
                ("2026-03-09".to_owned(), 5, 1, 0, Some(100.0)),
            ]
        );
        assert_eq!(
            figures(&all.monthly),
            [("2026-02-01".to_owned(), 1, 0, 0, Some(100.0)), ("2026-03-01".to_owned(), 9, 2, 0, Some(100.0)),]
        );
    }

    #[test]
    fn lateness_is_counted_from_the_start_of_work_in_bars_without_gaps() {
        let bars = added(Scope::default()).late_distribution;
        assert_eq!(
            bars.iter().map(|bar| (bar.minutes_from, bar.count)).collect::<Vec<_>>(),
            [(0, 0), (5, 0), (10, 0), (15, 0), (20, 0), (25, 2)]
        );
        assert!(added(Scope { only: Some("nobody".to_owned()), ..Scope::default() }).late_distribution.is_empty());
    }

    #[test]
    fn narrowed_to_one_person_the_leaderboard_still_has_all() {
        let scope = Scope { only: Some("ben".to_owned()), subject: Some("ben".to_owned()), sees_all: true, own: true };
        let ben = added(scope);
        assert_eq!((ben.people, ben.trends.len(), ben.leaderboard.len()), (1, 1, 2));
        assert_eq!(figures(&ben.monthly), [("2026-03-01".to_owned(), 2, 1, 0, Some(100.0))]);
        assert_eq!(ben.streaks.current, 3);
        assert!(ben.timeline.iter().all(|mark| mark.id == "ben"));
    }

    #[test]
    fn trends_are_weeks() {
        let trends = added(Scope::default()).trends;
        assert_eq!((trends[0].name.as_str(), trends[0].weeks.len()), ("ADA", 3));
        assert_eq!(figures(&trends[1].weeks), [("2026-03-09".to_owned(), 2, 1, 0, Some(100.0))]);
    }
}
