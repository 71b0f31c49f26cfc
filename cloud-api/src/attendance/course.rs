//! A person's course through a range of days: what they attended, what they missed, and their streaks.
//!
//! A day is expected of a person when the calendar expects people and the person was enrolled by then. An expected day
//! that is over and has no mark is an absence, unless it is unknown: the desk was unavailable, or somebody was refused
//! who may have been this person. An unknown day counts for nothing and ends no streak.

use std::collections::BTreeSet;

use jiff::{ToSpan as _, civil::Date};

use super::{
    calendar::Calendar,
    month::{Entry, Month, MonthNumber, WallClock},
    record::Status,
};

/// A range of days, and what holds for everybody on each.
#[derive(Clone, Debug)]
pub struct Window {
    pub first: Date,
    pub days: Vec<DayFacts>,
    /// The minute of the day at which work starts.
    pub starts_min: u16,
}

#[derive(Clone, Debug)]
pub struct DayFacts {
    pub date: Date,
    pub month: MonthNumber,
    /// Whether the calendar expects people.
    pub expected: bool,
    /// Whether the day is over. A day that is not has no absences yet.
    pub closed: bool,
    /// Whether nobody can be said to have been absent.
    pub unknown: bool,
    pub clock: WallClock,
}

/// The most days of a window: a century.
const MAX_DAYS: usize = 36_525;

impl Window {
    /// The days from `first` to `last`, both included. `today` and later are not over.
    #[must_use]
    pub fn new(calendar: &Calendar, first: Date, last: Date, today: Date, unknown: &BTreeSet<Date>) -> Self {
        let dates = first.series(1.day()).take_while(|date| *date <= last).take(MAX_DAYS);
        let facts = |date: Date| DayFacts {
            date,
            month: MonthNumber::of(date),
            expected: calendar.expects(date),
            closed: date < today,
            unknown: unknown.contains(&date),
            clock: WallClock::of(date, &calendar.zone),
        };
        let minute = i32::from(calendar.starts.hour()) * 60 + i32::from(calendar.starts.minute());
        Self { first, days: dates.map(facts).collect(), starts_min: u16::try_from(minute).unwrap_or(0) }
    }
}

/// How a day went for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Present,
    Late,
    Absent,
    Unknown,
    /// Nothing was expected, or the day is not over.
    Nothing,
}

/// Days by how they went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// In time.
    pub present: u32,
    pub late: u32,
    pub absent: u32,
    pub unknown: u32,
    /// Of present and late, those on days that were not expected.
    pub extra: u32,
}

impl Tally {
    pub fn count(&mut self, outcome: Outcome, expected: bool) {
        match outcome {
            Outcome::Present => self.present += 1,
            Outcome::Late => self.late += 1,
            Outcome::Absent => self.absent += 1,
            Outcome::Unknown => self.unknown += 1,
            Outcome::Nothing => return,
        }
        if !expected && matches!(outcome, Outcome::Present | Outcome::Late) {
            self.extra += 1;
        }
    }

    pub fn add(&mut self, other: &Self) {
        self.present += other.present;
        self.late += other.late;
        self.absent += other.absent;
        self.unknown += other.unknown;
        self.extra += other.extra;
    }

    #[must_use]
    pub fn attended(&self) -> u32 {
        self.present + self.late
    }

    /// The expected days of which it is known whether they were attended.
    #[must_use]
    pub fn decided(&self) -> u32 {
        self.attended() - self.extra + self.absent
    }

    /// Attended of the decided days, per cent to one decimal. `None` where there are none.
    #[must_use]
    pub fn pct(&self) -> Option<f64> {
        let of = self.decided();
        let permille = (f64::from(self.attended() - self.extra) * 1_000.0 / f64::from(of.max(1))).round();
        (of > 0).then_some(permille / 10.0)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Consecutive expected days attended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Streaks {
    pub current: u32,
    pub best: u32,
}

impl Streaks {
    fn count(&mut self, outcome: Outcome, expected: bool) {
        match outcome {
            Outcome::Present | Outcome::Late if expected => {
                self.current += 1;
                self.best = self.best.max(self.current);
            }
            Outcome::Absent => self.current = 0,
            _ => {}
        }
    }
}

/// Walks a person's days in order.
pub fn walk(
    window: &Window,
    enrolled: Date,
    months: &[(MonthNumber, Month)],
    mut each: impl FnMut(usize, &DayFacts, Outcome, Option<Entry>),
) {
    let mut months = months.iter().peekable();
    for (n, facts) in window.days.iter().enumerate() {
        while months.next_if(|(month, _)| *month < facts.month).is_some() {}
        let month = months.peek().filter(|(number, _)| *number == facts.month);
        let day = month.and_then(|(_, month)| month.get(facts.date.day()));
        let outcome = outcome(facts, enrolled, day);
        if outcome != Outcome::Nothing {
            each(n, facts, outcome, day);
        }
    }
}

fn outcome(facts: &DayFacts, enrolled: Date, day: Option<Entry>) -> Outcome {
    match day.map(|day| day.status) {
        Some(Status::Present) => Outcome::Present,
        Some(Status::Late) => Outcome::Late,
        Some(Status::Absent) => Outcome::Absent,
        _ if !facts.expected || facts.date < enrolled => Outcome::Nothing,
        Some(Status::Unknown) => Outcome::Unknown,
        None if !facts.closed => Outcome::Nothing,
        None if facts.unknown => Outcome::Unknown,
        None => Outcome::Absent,
    }
}

/// What [`Course::count`] gathers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Course {
    pub tally: Tally,
    pub streaks: Streaks,
    /// Marks at least [`EARLY_MIN`] before the start of work, on days that were expected.
    pub early: u32,
    /// Marks by a recognised face, and how many of them proved to be alive.
    pub recognised: u32,
    pub live: u32,
    /// The sum of their confidences.
    pub confidence: u32,
}

/// So many minutes before the start of work are early.
pub const EARLY_MIN: u16 = 10;

impl Course {
    pub fn count(&mut self, window: &Window, facts: &DayFacts, outcome: Outcome, day: Option<Entry>) {
        self.tally.count(outcome, facts.expected);
        self.streaks.count(outcome, facts.expected);
        let Some(day) = day.filter(|day| day.status.is_there()) else { return };
        if facts.expected && facts.clock.minute_of_day(day.minute) + EARLY_MIN <= window.starts_min {
            self.early += 1;
        }
        if let Some(confidence) = day.confidence {
            self.recognised += 1;
            self.live += u32::from(day.live);
            self.confidence += u32::from(confidence);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use jiff::civil::date;
    use rstest::rstest;

    use super::*;
    use crate::attendance::{calendar::Workdays, holidays::Holidays};

    /// Months from words: `p`resent, `l`ate, `a`bsent by decision, `u`nknown, `.` nothing; one letter a day.
    pub(in crate::attendance) fn months(first: Date, letters: &str) -> Vec<(MonthNumber, Month)> {
        let mut months: Vec<(MonthNumber, Month)> = Vec::new();
        for (date, letter) in first.series(1.day()).zip(letters.chars().filter(|c| !c.is_whitespace())) {
            let (status, minute) = match letter {
                'p' => (Status::Present, 9 * 60),
                'e' => (Status::Present, 8 * 60 + 50),
                'l' => (Status::Late, 9 * 60 + 25),
                'a' => (Status::Absent, 0),
                'u' => (Status::Unknown, 0),
                _ => continue,
            };
            let number = MonthNumber::of(date);
            if months.last().is_none_or(|(last, _)| *last != number) {
                months.push((number, Month::default()));
            }
            let there = status.is_there();
            let day = Entry { status, minute, confidence: there.then_some(97), live: there };
            months.last_mut().unwrap().1.set(date.day(), Some(day));
        }
        months
    }

    pub(in crate::attendance) fn course(window: &Window, enrolled: Date, months: &[(MonthNumber, Month)]) -> Course {
        let mut course = Course::default();
        walk(window, enrolled, months, |_, facts, outcome, day| course.count(window, facts, outcome, day));
        course
    }

    /// A Monday.
    const MONDAY: Date = date(2026, 3, 2);

    fn window(days: i64, today: Date) -> Window {
        let last = MONDAY.checked_add((days - 1).days()).unwrap();
        Window::new(&Calendar::default(), MONDAY, last, today, &BTreeSet::new())
    }

    #[rstest]
    //                  mo tu we th fr sa su mo tu
    #[case::all("ppppp..pp", (7, 0, 0, 0), (7, 7), Some(100.0))]
    #[case::late_counts_as_there("plppp..ll", (4, 3, 0, 0), (7, 7), Some(100.0))]
    #[case::an_absence_ends_a_streak("pp.pp..pp", (6, 0, 1, 0), (4, 4), Some(85.7))]
    #[case::a_decided_absence_too("ppapp..p.", (5, 0, 2, 0), (0, 3), Some(71.4))]
    #[case::an_unknown_day_does_not("ppupp..pp", (6, 0, 0, 1), (6, 6), Some(100.0))]
    #[case::saturdays_are_extra("ppppppppp", (9, 0, 0, 0), (7, 7), Some(100.0))]
    #[case::an_unknown_saturday_is_none("pppppu.pp", (7, 0, 0, 0), (7, 7), Some(100.0))]
    #[case::nothing(".........", (0, 0, 7, 0), (0, 0), Some(0.0))]
    fn courses(
        #[case] letters: &str,
        #[case] days: (u32, u32, u32, u32),
        #[case] streaks: (u32, u32),
        #[case] pct: Option<f64>,
    ) {
        let course = course(&window(9, date(2026, 4, 1)), MONDAY, &months(MONDAY, letters));
        let Tally { present, late, absent, unknown, .. } = course.tally;
        assert_eq!((present, late, absent, unknown), days);
        assert_eq!((course.streaks.current, course.streaks.best), streaks);
        assert_eq!(course.tally.pct(), pct);
    }

    #[test]
    fn nobody_is_absent_before_a_day_is_over_or_before_enrolment() {
        let wednesday = date(2026, 3, 4);
        let course = |today, enrolled| course(&window(5, today), enrolled, &[]).tally.absent;
        assert_eq!(course(wednesday, MONDAY), 2);
        assert_eq!(course(date(2026, 4, 1), wednesday), 3);
        assert_eq!(course(MONDAY, MONDAY), 0);
    }

    #[test]
    fn a_mark_before_enrolment_stands() {
        let course = course(&window(5, date(2026, 4, 1)), date(2026, 3, 6), &months(MONDAY, "p..ll"));
        assert_eq!((course.tally.attended(), course.tally.absent), (3, 0));
    }

    #[test]
    fn no_absence_on_a_holiday_on_an_unknown_day_or_without_workdays() {
        let calendar = Calendar { holidays: Holidays::list("2026-03-03").unwrap(), ..Calendar::default() };
        let (friday, later) = (date(2026, 3, 6), date(2026, 4, 1));
        let absent = |calendar: &Calendar, unknown: &[Date]| {
            let window = Window::new(calendar, MONDAY, friday, later, &unknown.iter().copied().collect());
            let tally = course(&window, MONDAY, &[]).tally;
            (tally.absent, tally.unknown)
        };
        assert_eq!(absent(&calendar, &[]), (4, 0));
        assert_eq!(absent(&calendar, &[date(2026, 3, 3), date(2026, 3, 4)]), (3, 1));
        assert_eq!(absent(&Calendar { workdays: Workdays::default(), ..calendar }, &[]), (0, 0));
    }

    #[test]
    fn a_manager_decides_an_unknown_day() {
        let unknown = BTreeSet::from([MONDAY]);
        let window = Window::new(&Calendar::default(), MONDAY, MONDAY, date(2026, 4, 1), &unknown);
        let outcome = |letter: &str| course(&window, MONDAY, &months(MONDAY, letter)).tally;
        assert_eq!((outcome(".").unknown, outcome("u").unknown), (1, 1));
        assert_eq!((outcome("a").absent, outcome("p").present), (1, 1));
    }

    #[test]
    fn the_open_day_ends_no_streak_and_adds_to_it() {
        let tuesday = date(2026, 3, 10);
        let streak = |letters: &str| course(&window(9, tuesday), MONDAY, &months(MONDAY, letters)).streaks.current;
        assert_eq!((streak("ppppp..p."), streak("ppppp..pp")), (6, 7));
    }

    #[test]
    fn early_marks_are_those_ten_minutes_before() {
        let course = course(&window(5, date(2026, 4, 1)), MONDAY, &months(MONDAY, "eepel"));
        assert_eq!((course.early, course.recognised, course.live, course.confidence), (3, 5, 5, 5 * 97));
    }
}
