//! Months of days: what stands for each day of a person, packed by month. They are kept in the transactions that change
//! records, and analytics read them alone.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::{
    records::RecordRow,
    schema::{attendance_months, attendance_records},
};
use crate::{
    attendance::{
        month::{Entry, Month, MonthNumber},
        record::{Day, Record},
    },
    db::{DbError, conn::Conn},
};

/// What the months hold of a record.
fn entry(record: &Record) -> Entry {
    Entry {
        status: record.status,
        minute: Entry::minute_of(record.day.0, record.at),
        confidence: record.confidence,
        live: record.liveness_verified,
    }
}

/// Brings the months from what a record was to what it is. `None` before is an insertion, `None` after a deletion.
pub(crate) fn apply(conn: &mut Conn, before: Option<&Record>, after: Option<&Record>) -> Result<(), DbError> {
    let place = |record: &Record| (record.person.clone(), record.day);
    if let Some(before) = before.filter(|before| after.map(place) != Some(place(before))) {
        put(conn, &before.person, before.day, None)?;
    }
    match after {
        Some(after) => put(conn, &after.person, after.day, Some(entry(after))),
        None => Ok(()),
    }
}

/// Sets what stands for a day of a person.
fn put(conn: &mut Conn, person: &str, day: Day, entry: Option<Entry>) -> Result<(), DbError> {
    let number = MonthNumber::of(day.0);
    let mut month = hold(conn, person, number)?;
    month.set(day.0.day(), entry);
    save(conn, person, number, &month)
}

/// Reads a month, which is made if it is not there, and locks it until the transaction ends.
fn hold(conn: &mut Conn, of: &str, number: MonthNumber) -> Result<Month, DbError> {
    use attendance_months::{days, month, person};
    let own = attendance_months::table.filter(person.eq(of).and(month.eq(number.0))).select(days);
    let bytes: Option<Vec<u8>> = match conn {
        Conn::Sqlite(conn) => own.first(conn).optional()?,
        Conn::Postgres(conn) => {
            diesel::insert_into(attendance_months::table)
                .values((person.eq(of), month.eq(number.0), days.eq(Month::default().bytes())))
                .on_conflict((person, month))
                .do_nothing()
                .execute(conn)?;
            own.for_update().first(conn).optional()?
        }
    };
    // Bytes of another length were not written by this program: a recount mends them.
    Ok(bytes.and_then(|bytes| Month::read(&bytes)).unwrap_or_default())
}

fn save(conn: &mut Conn, of: &str, number: MonthNumber, what: &Month) -> Result<(), DbError> {
    use attendance_months::{days, month, person};
    let own = attendance_months::table.filter(person.eq(of).and(month.eq(number.0)));
    if diesel::update(own).set(days.eq(what.bytes())).execute(conn)? == 0 {
        diesel::insert_into(attendance_months::table)
            .values((person.eq(of), month.eq(number.0), days.eq(what.bytes())))
            .execute(conn)?;
    }
    Ok(())
}

/// Removes the months of a person, whose records the caller has removed.
pub(crate) fn delete_all(conn: &mut Conn, of: &str) -> Result<(), DbError> {
    diesel::delete(attendance_months::table.filter(attendance_months::person.eq(of))).execute(conn)?;
    Ok(())
}

/// Removes the months before this one, of which retention has removed the records.
pub(crate) fn purge(conn: &mut Conn, before: MonthNumber) -> Result<(), DbError> {
    diesel::delete(attendance_months::table.filter(attendance_months::month.lt(before.0))).execute(conn)?;
    Ok(())
}

/// The months of some people, in no order: a sort of everybody's would not fit in the memory that PostgreSQL gives it. `from` and `to` are included.
pub fn months(
    conn: &mut Conn,
    of: Option<&str>,
    from: Option<MonthNumber>,
    to: MonthNumber,
) -> Result<Vec<(String, MonthNumber, Month)>, DbError> {
    use attendance_months::{days, month, person};
    let from = from.map_or(i32::MIN, |from| from.0);
    let mut rows = attendance_months::table.filter(month.between(from, to.0)).into_boxed();
    if let Some(of) = of {
        rows = rows.filter(person.eq(of.to_owned()));
    }
    let rows: Vec<(String, i32, Vec<u8>)> = rows.select((person, month, days)).load(conn)?;
    let read = |row: (String, i32, Vec<u8>)| Some((row.0, MonthNumber(row.1), Month::read(&row.2)?));
    Ok(rows.into_iter().filter_map(read).collect())
}

/// Counts a person's records anew and mends their months. Returns how many were wrong. Must run in a transaction.
pub fn recount(conn: &mut Conn, of: &str) -> Result<usize, DbError> {
    let stood: BTreeMap<MonthNumber, Month> = months(conn, Some(of), None, MonthNumber(i32::MAX))?
        .into_iter()
        .map(|(_, number, month)| (number, month))
        .collect();
    // Locks them, so that no record is added meanwhile without its month.
    for number in stood.keys() {
        hold(conn, of, *number)?;
    }
    let own = attendance_records::table.filter(attendance_records::person.eq(of));
    let records = own.load::<RecordRow>(conn)?;
    let mut counted: BTreeMap<MonthNumber, Month> = stood.keys().map(|number| (*number, Month::default())).collect();
    for record in records.into_iter().map(Record::from) {
        let month = counted.entry(MonthNumber::of(record.day.0)).or_default();
        month.set(record.day.0.day(), Some(entry(&record)));
    }
    let wrong: Vec<_> = counted.iter().filter(|(number, month)| stood.get(number) != Some(month)).collect();
    for (number, month) in &wrong {
        save(conn, of, **number, month)?;
    }
    Ok(wrong.len())
}
