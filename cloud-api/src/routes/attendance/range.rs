//! Reads what analytics and derived days are reckoned from: people, their months, and the days of a range.

use std::collections::HashMap;

use jiff::{ToSpan as _, civil::Date};

use super::view;
use crate::{
    attendance::{
        analytics::Person,
        calendar::Calendar,
        course::Window,
        month::{Month, MonthNumber},
    },
    db::{DbError, attendance::lists, conn::Conn},
    domain::time::UtcMs,
};

/// A range of days with everybody's months.
pub(super) struct Range {
    pub(super) window: Window,
    pub(super) people: Vec<Person>,
    pub(super) months: Months,
}

impl Range {
    pub(super) fn last(&self) -> Date {
        self.window.days.last().map_or(self.window.first, |facts| facts.date)
    }

    pub(super) fn months_of(&self, person: &Person) -> &[(MonthNumber, Month)] {
        self.months.get(&person.id).map_or(&[], Vec::as_slice)
    }
}

type Months = HashMap<String, Vec<(MonthNumber, Month)>>;

/// The first and the last day on which something stands.
fn marked(months: &Months) -> Option<(Date, Date)> {
    let all = || months.values().flatten();
    let first = all().filter_map(|(number, month)| Some((number, month.marked().next()?))).min()?;
    let last = all().filter_map(|(number, month)| Some((number, month.marked().next_back()?))).max()?;
    let date = |(number, day): (&MonthNumber, i8)| number.first()?.with().day(day).build().ok();
    date(first).zip(date(last))
}

/// Reads a range. Without bounds it is everything that is kept: from the first enrolment or mark to today or the last
/// mark.
pub(super) fn read(
    conn: &mut Conn,
    calendar: &Calendar,
    only: Option<&str>,
    (from, to): (Option<Date>, Option<Date>),
    (now, keep_from): (UtcMs, UtcMs),
) -> Result<Range, DbError> {
    let today = view::today(conn, calendar, now)?;
    let people = lists::people(conn, only)?;
    let months = lists::courses(conn, only, from, to.unwrap_or(Date::MAX))?;
    let marked = marked(&months);
    let enrolled = people.iter().map(|person| person.enrolled).min();
    let last = to.unwrap_or_else(|| marked.map_or(today, |(_, last)| last.max(today)));
    let first = from.or_else(|| enrolled.into_iter().chain(marked.map(|(first, _)| first)).min()).unwrap_or(today);
    // Of the day on which retention ends, a part is gone.
    let kept = calendar.date_of(keep_from).checked_add(1.day()).unwrap_or(Date::MIN);
    let unknown = lists::outages(conn)?;
    Ok(Range { window: Window::new(calendar, first.max(kept), last, today, &unknown), people, months })
}
