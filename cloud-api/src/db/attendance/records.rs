//! Records of days. Whoever changes one does it here, so that the counts agree with them.

use diesel::prelude::*;

use super::{rollups, schema::attendance_records};
use crate::{
    attendance::record::{Day, Record, Source, Status},
    db::{
        DbError,
        conn::Conn,
        id::{AttendanceRecord, DeskSession, Id},
    },
    domain::time::UtcMs,
};

#[derive(Clone, Queryable, Insertable, AsChangeset)]
#[diesel(table_name = attendance_records)]
pub(crate) struct RecordRow {
    id: Id<AttendanceRecord>,
    person: String,
    day: Day,
    at: UtcMs,
    status: String,
    #[diesel(treat_none_as_null = true)]
    confidence: Option<i32>,
    liveness_verified: bool,
    #[diesel(treat_none_as_null = true)]
    session_id: Option<Id<DeskSession>>,
    source: String,
}

impl From<&Record> for RecordRow {
    fn from(record: &Record) -> Self {
        Self {
            id: Id::new(record.id),
            person: record.person.clone(),
            day: record.day,
            at: record.at,
            status: record.status.as_str().to_owned(),
            confidence: record.confidence.map(i32::from),
            liveness_verified: record.liveness_verified,
            session_id: record.session_id.map(Id::new),
            source: record.source.as_str().to_owned(),
        }
    }
}

impl From<RecordRow> for Record {
    fn from(row: RecordRow) -> Self {
        Self {
            id: row.id.0,
            person: row.person,
            day: row.day,
            at: row.at,
            // CHECK constraints allow only known words and numbers from 0 to 100.
            status: Status::parse(&row.status).unwrap_or(Status::Unknown),
            confidence: row.confidence.and_then(|confidence| u8::try_from(confidence).ok()),
            liveness_verified: row.liveness_verified,
            session_id: row.session_id.map(|id| id.0),
            source: Source::parse(&row.source).unwrap_or(Source::Manager),
        }
    }
}

/// Adds the record of a day, and its counts. False when the day has one already, which stays.
pub fn insert(conn: &mut Conn, record: &Record) -> Result<bool, DbError> {
    let row = RecordRow::from(record);
    let new = match conn {
        Conn::Sqlite(conn) => diesel::insert_into(attendance_records::table)
            .values(row)
            .on_conflict((attendance_records::person, attendance_records::day))
            .do_nothing()
            .execute(conn)?,
        // A concurrent insertion of the same day waits here for the other one's commit.
        Conn::Postgres(conn) => diesel::insert_into(attendance_records::table)
            .values(row)
            .on_conflict((attendance_records::person, attendance_records::day))
            .do_nothing()
            .execute(conn)?,
    };
    if new == 0 {
        return Ok(false);
    }
    rollups::apply(conn, None, Some(record))?;
    Ok(true)
}

/// Replaces the record `before`, which the caller has read with [`hold`], and its counts. Person and day may change.
/// Fails with a unique violation when the other day has a record already.
pub fn change(conn: &mut Conn, before: &Record, after: &Record) -> Result<(), DbError> {
    let own = attendance_records::table.filter(attendance_records::id.eq(Id::<AttendanceRecord>::new(before.id)));
    diesel::update(own).set(RecordRow::from(after)).execute(conn)?;
    rollups::apply(conn, Some(before), Some(after))
}

/// Removes the record `before`, which the caller has read with [`hold`], and its counts.
pub fn delete(conn: &mut Conn, before: &Record) -> Result<(), DbError> {
    let own = attendance_records::table.filter(attendance_records::id.eq(Id::<AttendanceRecord>::new(before.id)));
    diesel::delete(own).execute(conn)?;
    rollups::apply(conn, Some(before), None)
}

/// Removes all records of a person, and their counts. The caller has locked the person.
pub fn delete_all(conn: &mut Conn, person: &str) -> Result<usize, DbError> {
    let gone = diesel::delete(attendance_records::table.filter(attendance_records::person.eq(person))).execute(conn)?;
    rollups::delete_all(conn, person)?;
    Ok(gone)
}

/// Removes up to `limit` records before a day, and their counts. Returns the number.
pub fn purge(conn: &mut Conn, before: Day, limit: i64) -> Result<usize, DbError> {
    let old = attendance_records::table.filter(attendance_records::day.lt(before)).order(attendance_records::day);
    let rows: Vec<RecordRow> = old.limit(limit).load(conn)?;
    let count = rows.len();
    for row in rows {
        delete(conn, &row.into())?;
    }
    Ok(count)
}

/// All records of a person, oldest first.
pub fn of_person(conn: &mut Conn, person: &str) -> Result<Vec<Record>, DbError> {
    let own = attendance_records::table.filter(attendance_records::person.eq(person)).order(attendance_records::day);
    Ok(own.load::<RecordRow>(conn)?.into_iter().map(Record::from).collect())
}

/// The record of a day.
pub fn of_day(conn: &mut Conn, person: &str, day: Day) -> Result<Option<Record>, DbError> {
    let own =
        attendance_records::table.filter(attendance_records::person.eq(person)).filter(attendance_records::day.eq(day));
    Ok(own.first::<RecordRow>(conn).optional()?.map(Record::from))
}

/// Reads a record and locks it until the transaction ends.
pub fn hold(conn: &mut Conn, id: Id<AttendanceRecord>) -> Result<Option<Record>, DbError> {
    if let Conn::Postgres(conn) = conn {
        diesel::sql_query("SELECT 1 FROM attendance_records WHERE id = $1 FOR UPDATE")
            .bind::<crate::db::types::SqlId, _>(id)
            .execute(conn)?;
    }
    let own = attendance_records::table.filter(attendance_records::id.eq(id));
    Ok(own.first::<RecordRow>(conn).optional()?.map(Record::from))
}
