//! The months of days equal a recount of the records, whatever is inserted, changed and deleted, on both databases.

use std::collections::BTreeMap;

use cloud_api::{
    attendance::{
        month::{Entry, MonthNumber},
        record::{Day, Record, Source, Status},
    },
    db::{
        attendance::{
            import::{self, Against},
            records, rollups,
        },
        conn::Conn,
        migrate, transaction,
    },
    domain::time::UtcMs,
    open,
};
use diesel::connection::SimpleConnection as _;
use jiff::{ToSpan as _, civil::date};
use proptest::{prelude::*, test_runner::TestRunner};
use uuid::Uuid;

use crate::{harness::*, postgres::Database};

/// Something that happens to a record.
#[derive(Clone, Debug)]
enum Event {
    Insert(Record),
    /// Of the record of this place among those that are there.
    Change(prop::sample::Index, Record),
    Delete(prop::sample::Index),
}

const PEOPLE: [&str; 3] = ["ada", "ben", "zo\u{eb}"];

fn record() -> impl Strategy<Value = Record> {
    let who = (prop::sample::select(PEOPLE.to_vec()), 0..75i64, -300_000..90_000_000i64);
    let what = (prop::sample::select(Status::ALL), prop::option::of(0..=100u8), any::<bool>());
    (who, what).prop_map(|((person, day, ms), (status, confidence, live))| {
        let day = date(2026, 1, 20).checked_add(day.days()).unwrap();
        let midnight: UtcMs = day.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().into();
        Record {
            id: Uuid::new_v4(),
            person: person.to_owned(),
            day: Day(day),
            at: midnight.plus(ms),
            status,
            confidence,
            liveness_verified: live,
            session_id: None,
            source: Source::Face,
        }
    })
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        5 => record().prop_map(Event::Insert),
        2 => (any::<prop::sample::Index>(), record()).prop_map(|(which, record)| Event::Change(which, record)),
        2 => any::<prop::sample::Index>().prop_map(Event::Delete),
    ];
    prop::collection::vec(event, 0..40)
}

fn prepare(conn: &mut Conn) {
    let sqlite = matches!(conn, Conn::Sqlite(_));
    let (time, no) = if sqlite { ("0", "0") } else { ("'epoch'", "FALSE") };
    for person in PEOPLE {
        let uid = Uuid::new_v4();
        conn.batch_execute(&format!(
            "INSERT INTO attendance_people (id, uid, name, enrolled_on, registered_at, leaderboard, changed_in) \
             VALUES ('{person}', '{uid}', 'X', '2026-01-01', {time}, {no}, 0)"
        ))
        .unwrap();
    }
}

/// What the months should hold, and what they hold.
type Days = BTreeMap<(String, i32, i8), Entry>;

fn held(conn: &mut Conn) -> Days {
    let months = rollups::months(conn, None, None, MonthNumber(i32::MAX)).unwrap();
    let days = months.into_iter().flat_map(|(person, number, month)| {
        let days: Vec<_> = (1..=31).filter_map(|day| Some((day, month.get(day)?))).collect();
        days.into_iter().map(move |(day, entry)| ((person.clone(), number.0, day), entry))
    });
    days.collect()
}

fn counted(there: &[Record]) -> Days {
    let day = |record: &Record| {
        let entry = Entry {
            status: record.status,
            minute: Entry::minute_of(record.day.0, record.at),
            confidence: record.confidence,
            live: record.liveness_verified,
        };
        ((record.person.clone(), MonthNumber::of(record.day.0).0, record.day.0.day()), entry)
    };
    there.iter().map(day).collect()
}

fn happens(conn: &mut Conn, event: &Event, there: &mut Vec<Record>) {
    match event {
        Event::Insert(record) => {
            if transaction(conn, |conn| records::insert(conn, record)).unwrap() {
                there.push(record.clone());
            }
        }
        Event::Change(which, after) if !there.is_empty() => {
            let place = which.index(there.len());
            let after = Record { id: there[place].id, ..after.clone() };
            let before = there[place].clone();
            match transaction(conn, |conn| records::change(conn, &before, &after)) {
                Ok(()) => there[place] = after,
                // The other day has a record already: nothing of the change may stay.
                Err(e) => assert!(e.is_unique_violation(), "{e}"),
            }
        }
        Event::Delete(which) if !there.is_empty() => {
            let before = there.swap_remove(which.index(there.len()));
            transaction(conn, |conn| records::delete(conn, &before)).unwrap();
        }
        Event::Change(..) | Event::Delete(_) => {}
    }
}

fn equal_a_recount(conn: &mut Conn, cases: u32) {
    prepare(conn);
    let mut runner = TestRunner::new(ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() });
    let conn = std::cell::RefCell::new(conn);
    let outcome = runner.run(&events(), |events| {
        let conn = &mut **conn.borrow_mut();
        conn.batch_execute("DELETE FROM attendance_records; DELETE FROM attendance_months").unwrap();
        let mut there = Vec::new();
        for event in &events {
            happens(conn, event, &mut there);
            prop_assert_eq!(held(conn), counted(&there));
        }
        // A recount finds nothing to mend, and mends what is damaged.
        for person in PEOPLE {
            prop_assert_eq!(transaction(conn, |conn| rollups::recount(conn, person)).unwrap(), 0);
        }
        conn.batch_execute(
            "DELETE FROM attendance_months WHERE person = 'ada'; UPDATE attendance_months SET month = month + 100",
        )
        .unwrap();
        for person in PEOPLE {
            transaction(conn, |conn| rollups::recount(conn, person)).unwrap();
        }
        prop_assert_eq!(held(conn), counted(&there));
        Ok(())
    });
    outcome.unwrap();
}

fn cases() -> u32 {
    if std::env::var_os("WAW_TEST_LONG").is_some() { 300 } else { 24 }
}

#[test]
fn months_equal_a_recount_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let target = cloud_api::config::Target::Sqlite(folder.path().join("server.db"));
    open::prepare_folder(&target).unwrap();
    let mut conn = open::connect(&target).unwrap();
    migrate::run(&mut conn, &target).unwrap();
    equal_a_recount(&mut conn, cases());
}

#[test]
fn months_equal_a_recount_on_postgresql() {
    let database = Database::create();
    let mut conn = open::connect(&database.target()).unwrap();
    migrate::run(&mut conn, &database.target()).unwrap();
    equal_a_recount(&mut conn, cases());
}

/// Days of one month that several connections insert at once: none is lost.
#[test]
fn marks_at_once_lose_no_day() {
    let database = Database::create();
    let mut conn = open::connect(&database.target()).unwrap();
    migrate::run(&mut conn, &database.target()).unwrap();
    prepare(&mut conn);
    let inserts: Vec<_> = (1..=8i8)
        .map(|thread| {
            let target = database.target();
            std::thread::spawn(move || {
                let mut conn = open::connect(&target).unwrap();
                for n in 0..3i8 {
                    let day = date(2026, 3, thread * 3 + n);
                    let at: UtcMs = day.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().into();
                    let record = Record {
                        id: Uuid::new_v4(),
                        person: "ada".to_owned(),
                        day: Day(day),
                        at,
                        status: Status::Present,
                        confidence: None,
                        liveness_verified: false,
                        session_id: None,
                        source: Source::Pin,
                    };
                    assert!(transaction(&mut conn, |conn| records::insert(conn, &record)).unwrap());
                }
            })
        })
        .collect();
    inserts.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(held(&mut conn).len(), 24);
}

/// Two imports of the same file at once: every line is taken once.
#[test]
fn one_file_imported_twice_at_once_is_taken_once() {
    let database = Database::create();
    let mut conn = open::connect(&database.target()).unwrap();
    migrate::run(&mut conn, &database.target()).unwrap();
    let mut file = cloud_api::attendance::records_csv::header();
    for n in 0..400 {
        let (person, day) = (n % 20, 1 + n / 20);
        file.push_str(&format!("2026-02-{day:02},09:00:00,present,P{person},p{person},,No,\n"));
    }
    let rows = cloud_api::attendance::records_csv::read(file.as_bytes()).rows;
    let imports: Vec<_> = (0..4)
        .map(|_| {
            let (target, rows) = (database.target(), rows.clone());
            std::thread::spawn(move || {
                let mut conn = open::connect(&target).unwrap();
                let calendar = cloud_api::attendance::calendar::Calendar::default();
                let against = Against { calendar: &calendar, now: at(NOW), keep_from: UtcMs(0) };
                let first = import::first_days(&rows, against);
                loop {
                    match transaction(&mut conn, |conn| import::take(conn, &rows, &first, against)) {
                        Ok(taken) => return taken,
                        Err(e) => assert!(cloud_api::db::MaybeRetry::is_retryable(&e), "{e}"),
                    }
                }
            })
        })
        .collect();
    let taken: Vec<_> = imports.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert_eq!(taken.iter().map(|taken| taken.imported).sum::<u64>(), 400);
    assert_eq!(taken.iter().map(|taken| taken.duplicates).sum::<u64>(), 1_200);
    assert_eq!(taken.iter().map(|taken| taken.people_added).sum::<u64>(), 20);
    assert_eq!(held(&mut conn).len(), 400);
}
