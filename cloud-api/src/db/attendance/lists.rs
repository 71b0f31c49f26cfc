//! Reads records as lists: page by page, with names and corrections.

use std::collections::{BTreeSet, HashMap};

use diesel::prelude::*;
use jiff::civil::Date;

use super::{
    records::RecordRow,
    rollups,
    schema::{attendance_corrections, attendance_outages, attendance_people, attendance_records, attendance_refusals},
    trail::CorrectionRow,
};
use crate::{
    attendance::{
        analytics::Person,
        month::{Entry, Month, MonthNumber},
        record::{Day, Record, Status},
    },
    db::{
        DbError,
        conn::Conn,
        id::{AttendanceRecord, Id, User},
    },
    domain::time::UtcMs,
};

/// Which records a list holds.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub person: Option<String>,
    pub from: Option<Date>,
    pub to: Option<Date>,
    pub status: Option<Status>,
}

/// Where a page begins: after this record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct After {
    pub day: Day,
    pub at: UtcMs,
    pub id: Id<AttendanceRecord>,
}

impl After {
    #[must_use]
    pub fn of(record: &Record) -> Self {
        Self { day: record.day, at: record.at, id: Id::new(record.id) }
    }
}

/// Up to `limit` records with their people's names: newest day first, of a day the latest mark first.
pub fn page(
    conn: &mut Conn,
    filter: &Filter,
    after: Option<&After>,
    limit: i64,
) -> Result<Vec<(Record, String)>, DbError> {
    use attendance_records::{at, day, id, person, status};
    let mut rows = attendance_records::table.inner_join(attendance_people::table).into_boxed();
    if let Some(of) = &filter.person {
        rows = rows.filter(person.eq(of.clone()));
    }
    if let Some(from) = filter.from {
        rows = rows.filter(day.ge(Day(from)));
    }
    if let Some(to) = filter.to {
        rows = rows.filter(day.le(Day(to)));
    }
    if let Some(word) = filter.status {
        rows = rows.filter(status.eq(word.as_str()));
    }
    if let Some(last) = after.cloned() {
        let earlier = at.lt(last.at).or(at.eq(last.at).and(id.lt(last.id)));
        rows = rows.filter(day.le(last.day)).filter(day.lt(last.day).or(day.eq(last.day).and(earlier)));
    }
    let rows: Vec<(RecordRow, String)> = rows
        .order((day.desc(), at.desc(), id.desc()))
        .limit(limit)
        .select((attendance_records::all_columns, attendance_people::name))
        .load(conn)?;
    Ok(rows.into_iter().map(|(row, name)| (row.into(), name)).collect())
}

/// The records of this status of these people on these days, by person and day.
pub fn of_days(
    conn: &mut Conn,
    people: &BTreeSet<String>,
    days: &BTreeSet<Day>,
    of: Status,
) -> Result<HashMap<(String, Day), Record>, DbError> {
    use attendance_records::{day, person, status};
    let (people, days) = (people.iter().cloned().collect::<Vec<_>>(), days.iter().copied().collect::<Vec<_>>());
    let rows = attendance_records::table.filter(person.eq_any(people)).filter(day.eq_any(days));
    let rows: Vec<RecordRow> = rows.filter(status.eq(of.as_str())).load(conn)?;
    Ok(rows.into_iter().map(Record::from).map(|record| ((record.person.clone(), record.day), record)).collect())
}

/// The corrections of these people on these days, by person and day, oldest first.
pub(crate) fn corrections(
    conn: &mut Conn,
    people: &BTreeSet<String>,
    days: &BTreeSet<Day>,
) -> Result<HashMap<(String, Day), Vec<CorrectionRow>>, DbError> {
    use attendance_corrections::{at, day, id, person};
    let (people, days) = (people.iter().cloned().collect::<Vec<_>>(), days.iter().copied().collect::<Vec<_>>());
    let rows: Vec<CorrectionRow> =
        attendance_corrections::table.filter(person.eq_any(people).and(day.eq_any(days))).order((at, id)).load(conn)?;
    let mut found: HashMap<_, Vec<CorrectionRow>> = HashMap::new();
    for row in rows {
        found.entry((row.person.clone(), row.day)).or_default().push(row);
    }
    Ok(found)
}

/// How many corrections there are of each day from the first to the last one.
pub(crate) fn corrections_by_day(conn: &mut Conn, (first, last): (Day, Day)) -> Result<HashMap<Date, i64>, DbError> {
    use attendance_corrections::day;
    let of_days = attendance_corrections::table.filter(day.between(first, last)).group_by(day);
    let counts: Vec<(Day, i64)> = of_days.select((day, diesel::dsl::count_star())).load(conn)?;
    Ok(counts.into_iter().map(|(of, count)| (of.0, count)).collect())
}

/// A person at the desk, as lists know them.
#[derive(Clone, Debug)]
pub struct Somebody {
    pub person: Person,
    pub user: Option<Id<User>>,
}

/// Who is whose account at the desk.
pub fn of_account(conn: &mut Conn, user: Id<User>) -> Result<Option<Somebody>, DbError> {
    first(conn, |rows| rows.filter(attendance_people::user_id.eq(user)))
}

/// The person of this id.
pub fn of_id(conn: &mut Conn, id: &str) -> Result<Option<Somebody>, DbError> {
    first(conn, |rows| rows.filter(attendance_people::id.eq(id.to_owned())))
}

type PersonRow = (String, String, Day, bool, Option<Id<User>>);

macro_rules! people {
    () => {{
        use attendance_people::{enrolled_on, id, leaderboard, name, user_id};
        attendance_people::table.select((id, name, enrolled_on, leaderboard, user_id)).into_boxed()
    }};
}

type People<'a> = attendance_people::BoxedQuery<
    'a,
    crate::db::conn::MultiBackend,
    diesel::helper_types::SqlTypeOf<(
        attendance_people::id,
        attendance_people::name,
        attendance_people::enrolled_on,
        attendance_people::leaderboard,
        attendance_people::user_id,
    )>,
>;

fn first(conn: &mut Conn, of: impl FnOnce(People<'static>) -> People<'static>) -> Result<Option<Somebody>, DbError> {
    let row: Option<PersonRow> = of(people!()).first(conn).optional()?;
    Ok(row.map(somebody))
}

fn somebody((id, name, enrolled, opted_in, user): PersonRow) -> Somebody {
    Somebody { person: Person { id, name, enrolled: enrolled.0, opted_in }, user }
}

/// Everybody, or one person, by name.
pub fn people(conn: &mut Conn, only: Option<&str>) -> Result<Vec<Person>, DbError> {
    let mut rows: People<'_> = people!();
    if let Some(only) = only {
        rows = rows.filter(attendance_people::id.eq(only.to_owned()));
    }
    let rows: Vec<PersonRow> = rows.load(conn)?;
    let mut people: Vec<Person> = rows.into_iter().map(|row| somebody(row).person).collect();
    people.sort_by_cached_key(|person| (person.name.to_lowercase(), person.id.clone()));
    Ok(people)
}

/// The days on which the desk was unavailable.
pub fn outages(conn: &mut Conn) -> Result<BTreeSet<Date>, DbError> {
    let days: Vec<Day> = attendance_outages::table.select(attendance_outages::day).load(conn)?;
    Ok(days.into_iter().map(|day| day.0).collect())
}

/// The months of each person, with the days on which they were refused and nothing stands as unknown.
pub fn courses(
    conn: &mut Conn,
    only: Option<&str>,
    from: Option<Date>,
    to: Date,
) -> Result<HashMap<String, Vec<(MonthNumber, Month)>>, DbError> {
    let mut courses: HashMap<String, Vec<(MonthNumber, Month)>> = HashMap::new();
    for (person, number, month) in rollups::months(conn, only, from.map(MonthNumber::of), MonthNumber::of(to))? {
        match courses.get_mut(&person) {
            Some(months) => months.push((number, month)),
            None => drop(courses.insert(person, vec![(number, month)])),
        }
    }
    courses.values_mut().for_each(|months| months.sort_unstable_by_key(|(number, _)| *number));
    let mut rows = attendance_refusals::table.filter(attendance_refusals::day.le(Day(to))).into_boxed();
    if let Some(only) = only {
        rows = rows.filter(attendance_refusals::person.eq(only.to_owned()));
    }
    let refused: Vec<(String, Day)> =
        rows.select((attendance_refusals::person, attendance_refusals::day)).load(conn)?;
    for (person, day) in refused {
        refuse(courses.entry(person).or_default(), day.0);
    }
    Ok(courses)
}

fn refuse(months: &mut Vec<(MonthNumber, Month)>, day: Date) {
    let number = MonthNumber::of(day);
    let place = months.binary_search_by_key(&number, |(number, _)| *number).unwrap_or_else(|place| {
        months.insert(place, (number, Month::default()));
        place
    });
    let month = &mut months[place].1;
    if month.get(day.day()).is_none() {
        month.set(day.day(), Some(Entry { status: Status::Unknown, minute: 0, confidence: None, live: false }));
    }
}

/// Sets whether other people see this account's person on the leaderboard. False when the account is nobody at the desk.
pub fn choose_leaderboard(conn: &mut Conn, user: Id<User>, seen: bool) -> Result<bool, DbError> {
    use attendance_people::{leaderboard, user_id};
    let own = attendance_people::table.filter(user_id.eq(user));
    Ok(diesel::update(own).set(leaderboard.eq(seen)).execute(conn)? > 0)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_refusal_leaves_what_stands() {
        let mut months = Vec::new();
        for day in [date(2026, 3, 10), date(2026, 1, 2), date(2026, 2, 28)] {
            refuse(&mut months, day);
        }
        let numbers: Vec<_> = months.iter().map(|(number, _)| number.first().unwrap().month()).collect();
        assert_eq!(numbers, [1, 2, 3]);
        let present = Entry { status: Status::Present, minute: 555, confidence: None, live: false };
        months[2].1.set(11, Some(present));
        refuse(&mut months, date(2026, 3, 11));
        assert_eq!(months[2].1.get(11), Some(present));
        assert_eq!(months[2].1.get(10).unwrap().status, Status::Unknown);
    }
}
