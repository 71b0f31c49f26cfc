//! What is known of days beside their records: corrections, tries that were refused, and times without a desk.

use diesel::{prelude::*, sql_query, sql_types::Text};

use super::schema::{attendance_corrections, attendance_refusals};
use crate::{
    attendance::{
        calendar::Calendar,
        record::{Day, Record},
    },
    db::{
        DbError,
        conn::Conn,
        housekeeping,
        id::{AttendanceRecord, Correction, Id, User},
        types::{SqlDay, Utc},
    },
    domain::time::UtcMs,
};

/// A manager's change of a day.
#[derive(Clone, Queryable, Insertable)]
#[diesel(table_name = attendance_corrections)]
pub(crate) struct CorrectionRow {
    pub id: Id<Correction>,
    pub person: String,
    pub day: Day,
    pub record_id: Id<AttendanceRecord>,
    pub at: UtcMs,
    pub made_by: Option<Id<User>>,
    pub status_before: Option<String>,
    pub at_before: Option<UtcMs>,
    pub status_after: Option<String>,
    pub at_after: Option<UtcMs>,
    pub reason: String,
}

/// Notes what `by` changed and why. `before` and `after` are the record as it was and is.
pub(crate) fn correct(
    conn: &mut Conn,
    (before, after): (Option<&Record>, Option<&Record>),
    by: Id<User>,
    at: UtcMs,
    reason: &str,
) -> Result<(), DbError> {
    let Some(record) = after.or(before) else { return Ok(()) };
    let status = |record: Option<&Record>| record.map(|record| record.status.as_str().to_owned());
    let row = CorrectionRow {
        id: Id::fresh(),
        person: record.person.clone(),
        day: record.day,
        record_id: Id::new(record.id),
        at,
        made_by: Some(by),
        status_before: status(before),
        at_before: before.map(|record| record.at),
        status_after: status(after),
        at_after: after.map(|record| record.at),
        reason: reason.to_owned(),
    };
    diesel::insert_into(attendance_corrections::table).values(row).execute(conn)?;
    Ok(())
}

/// A person's corrections from `from` on, oldest first.
pub(crate) fn corrections_of(conn: &mut Conn, person: &str, from: Option<Day>) -> Result<Vec<CorrectionRow>, DbError> {
    use attendance_corrections as c;
    let own = c::table.filter(c::person.eq(person)).order((c::at, c::id));
    Ok(match from {
        Some(from) => own.filter(c::day.ge(from)).load(conn)?,
        None => own.load(conn)?,
    })
}

/// A day on which a person tried and was refused.
#[derive(Clone, Queryable)]
pub(crate) struct RefusalRow {
    #[expect(dead_code, reason = "the caller knows whose it is")]
    pub person: String,
    pub day: Day,
    pub tries: i32,
    pub last_reason: String,
    pub last_at: UtcMs,
}

/// Notes that a person tried and was refused: no absence is derived from such a day.
pub(crate) fn refused(conn: &mut Conn, person: &str, day: Day, reason: &str, at: UtcMs) -> Result<(), DbError> {
    sql_query(
        "INSERT INTO attendance_refusals (person, day, tries, last_reason, last_at) VALUES ($1, $2, 1, $3, $4) \
         ON CONFLICT (person, day) DO UPDATE SET tries = attendance_refusals.tries + 1, \
             last_reason = excluded.last_reason, last_at = excluded.last_at",
    )
    .bind::<Text, _>(person)
    .bind::<SqlDay, _>(day)
    .bind::<Text, _>(reason)
    .bind::<Utc, _>(at)
    .execute(conn)?;
    Ok(())
}

/// As [`refused`], of an id that may be nobody's. Both take a durable write, so that the time does not tell which.
pub(crate) fn refused_if_known(
    conn: &mut Conn,
    person: &str,
    day: Day,
    reason: &str,
    at: UtcMs,
) -> Result<(), DbError> {
    use super::schema::attendance_people as p;
    let known: i64 = p::table.filter(p::id.eq(person)).count().get_result(conn)?;
    if known > 0 { refused(conn, person, day, reason, at) } else { housekeeping::probe(conn, at) }
}

/// Removes what is known of days before this one beside their records.
pub(crate) fn purge(conn: &mut Conn, before: Day) -> Result<(), DbError> {
    for table in ["attendance_corrections", "attendance_refusals", "attendance_outages"] {
        sql_query(format!("DELETE FROM {table} WHERE day < $1")).bind::<SqlDay, _>(before).execute(conn)?;
    }
    Ok(())
}

pub(crate) fn refusals_of(conn: &mut Conn, person: &str) -> Result<Vec<RefusalRow>, DbError> {
    use attendance_refusals as r;
    Ok(r::table.filter(r::person.eq(person)).order(r::day).load(conn)?)
}

/// How long the desk may be away unnoticed: a restart, or a worker that is replaced.
const AWAY_MS: i64 = 5 * 60_000;

/// Notes whether the desk works now, and the days on which it did not since it last did. After a leap of the clock that
/// waits until it is believed: what would be noted may be years.
pub(crate) fn watched(conn: &mut Conn, calendar: &Calendar, works: bool, now: UtcMs) -> Result<(), DbError> {
    if housekeeping::believed(conn, now)? != now {
        return Ok(());
    }
    let before = housekeeping::desk_worked(conn)?;
    if let Some(before) = before.filter(|before| now.0.saturating_sub(before.0) > AWAY_MS) {
        for date in calendar.days_of_arrival(before, now) {
            no_desk(conn, Day(date), now)?;
        }
    }
    // The first look of all begins the watch, whatever it sees.
    if works || before.is_none() { housekeeping::desk_works(conn, now) } else { Ok(()) }
}

/// Notes that the desk did not work at this moment of a working day: the day is unknown for who has no record.
pub(crate) fn no_desk(conn: &mut Conn, day: Day, at: UtcMs) -> Result<(), DbError> {
    sql_query(
        "INSERT INTO attendance_outages (day, since, seen_at) VALUES ($1, $2, $2) \
         ON CONFLICT (day) DO UPDATE SET seen_at = excluded.seen_at",
    )
    .bind::<SqlDay, _>(day)
    .bind::<Utc, _>(at)
    .execute(conn)?;
    Ok(())
}
