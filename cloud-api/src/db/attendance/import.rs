//! Takes the rows of a CSV file: new days become records, and people who are not known become known, without a face.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diesel::prelude::*;
use jiff::civil::{Date, Time};

use super::{lists, records, schema::attendance_people};
use crate::{
    attendance::{
        calendar::Calendar,
        person,
        record::{Day, Record, Source},
        records_csv::{Fault, Faults, Row},
    },
    clock,
    db::{
        DbError,
        conn::Conn,
        id::{DeskPerson, Id},
    },
    domain::time::UtcMs,
};

/// Rows that are taken in one transaction, so that others can write in between.
pub const STEP_ROWS: usize = 500;

/// What import is done against.
#[derive(Clone, Copy, Debug)]
pub struct Against<'a> {
    pub calendar: &'a Calendar,
    pub now: UtcMs,
    /// Records before this are past retention.
    pub keep_from: UtcMs,
}

/// What became of the rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    pub imported: u64,
    pub duplicates: u64,
    pub people_added: u64,
    pub rejected: Faults,
    pub notes: Faults,
}

impl Taken {
    pub fn add(&mut self, other: Self) {
        self.imported += other.imported;
        self.duplicates += other.duplicates;
        self.people_added += other.people_added;
        self.rejected.add(other.rejected);
        self.notes.add(other.notes);
    }
}

/// The first day of each person in a file, from which on a new one is enrolled.
pub type FirstDays = HashMap<String, Date>;

#[must_use]
pub fn first_days(rows: &[(usize, Row)], against: Against<'_>) -> FirstDays {
    let mut days = FirstDays::new();
    for (_, row) in rows.iter().filter(|(_, row)| in_time(row, against).is_ok()) {
        if let Ok(id) = id_of(row) {
            days.entry(id).and_modify(|first| *first = row.date.min(*first)).or_insert(row.date);
        }
    }
    days
}

/// Takes some rows of a file with these `first` days; must run in a transaction.
pub fn take(conn: &mut Conn, rows: &[(usize, Row)], first: &FirstDays, against: Against<'_>) -> Result<Taken, DbError> {
    let (mut taken, mut rejected, mut notes) = (Taken::default(), Vec::new(), Vec::new());
    // People in their order, so that two imports at once lock them alike.
    let mut people: BTreeMap<String, Vec<(usize, &Row)>> = BTreeMap::new();
    for (line, row) in rows {
        match id_of(row).and_then(|id| in_time(row, against).map(|()| id)) {
            Ok(id) => people.entry(id).or_default().push((*line, row)),
            Err((code, detail)) => rejected.push(Fault { line: *line, code, detail }),
        }
    }
    for (id, rows) in people {
        let name = known(conn, &id, &rows, first, against.now, &mut taken)?;
        let mut differing = BTreeSet::new();
        for (line, row) in rows {
            if !row.name.is_empty() && row.name != name && differing.insert(&row.name) {
                let detail = format!("ID {id} is called {name:?} here, and that stays");
                notes.push(Fault { line, code: "other_name", detail });
            }
            let record = record(&id, row, against.calendar);
            if records::insert(conn, &record)? {
                taken.imported += 1;
            } else if let Some(detail) = conflict(conn, &record)? {
                rejected.push(Fault { line, code: "conflict", detail });
            } else {
                taken.duplicates += 1;
            }
        }
    }
    for (faults, of_lines) in [(&mut taken.rejected, rejected), (&mut taken.notes, notes)] {
        faults.add(Faults { listed: of_lines, more: 0 });
    }
    Ok(taken)
}

type Rejected = (&'static str, String);

fn id_of(row: &Row) -> Result<String, Rejected> {
    if row.id.is_empty() {
        return person::slug(&row.name)
            .ok_or_else(|| ("bad_id", "ID is empty, and the name has no letters to make one of".to_owned()));
    }
    person::id(&row.id).map_err(|why| ("bad_id", format!("ID {why}")))
}

fn in_time(row: &Row, against: Against<'_>) -> Result<(), Rejected> {
    // Its zone may be a day ahead of the organisation's.
    let tomorrow = against.calendar.date_of(against.now).tomorrow().unwrap_or(Date::MAX);
    if row.date > tomorrow {
        return Err(("in_future", format!("{} is in the future", row.date)));
    }
    if against.calendar.instant(row.date, Time::midnight()) < against.keep_from {
        return Err(("too_old", format!("{} is past this server's retention", row.date)));
    }
    Ok(())
}

/// The name of this person, who is added if they are not known.
fn known(
    conn: &mut Conn,
    id: &str,
    rows: &[(usize, &Row)],
    first: &FirstDays,
    now: UtcMs,
    taken: &mut Taken,
) -> Result<String, DbError> {
    if let Some(somebody) = lists::of_id(conn, id)? {
        return Ok(somebody.person.name);
    }
    let name = rows.iter().map(|(_, row)| row.name.as_str()).find(|name| !name.is_empty()).unwrap_or(id).to_owned();
    let dates = rows.iter().map(|(_, row)| row.date).chain(first.get(id).copied());
    let enrolled = dates.min().unwrap_or(Date::MAX);
    let row = (
        attendance_people::id.eq(id),
        attendance_people::uid.eq(Id::<DeskPerson>::random()),
        attendance_people::name.eq(&name),
        attendance_people::enrolled_on.eq(Day(enrolled)),
        attendance_people::registered_at.eq(now),
        attendance_people::leaderboard.eq(false),
        attendance_people::changed_in.eq(0),
    );
    let added = match conn {
        Conn::Sqlite(conn) => {
            diesel::insert_into(attendance_people::table).values(row).on_conflict_do_nothing().execute(conn)?
        }
        Conn::Postgres(conn) => {
            diesel::insert_into(attendance_people::table).values(row).on_conflict_do_nothing().execute(conn)?
        }
    };
    taken.people_added += added as u64;
    Ok(name)
}

fn record(person: &str, row: &Row, calendar: &Calendar) -> Record {
    Record {
        id: clock::fresh_uuid(),
        person: person.to_owned(),
        day: Day(row.date),
        at: calendar.instant(row.date, row.time.unwrap_or(Time::midnight())),
        status: row.status,
        confidence: row.confidence,
        liveness_verified: row.live,
        session_id: row.session,
        source: Source::Import,
    }
}

/// What is wrong when the record that is there does not say the same as the row.
fn conflict(conn: &mut Conn, row: &Record) -> Result<Option<String>, DbError> {
    let Some(there) = records::of_day(conn, &row.person, row.day)? else { return Ok(None) };
    let said = |record: &Record| {
        let at = record.status.is_there().then(|| record.at.0.div_euclid(1_000));
        (record.status, at, record.confidence, record.liveness_verified, record.session_id)
    };
    Ok((said(&there) != said(row)).then(|| {
        let status = there.status.as_str();
        format!("{} has another record of {}, {status}: it stays, and a manager can correct it", row.person, row.day)
    }))
}
