//! Measures the figures that documents quote: ingest through HTTP beside the database's own speed, a year of history, a face
//! beside 10,000 people, and analytics of attendance. A busy machine keeps the limits asserted here. `WAW_TEST_LONG=1` uses
//! the full numbers, and `make bench` prints them from a release build.

use std::time::{Duration, Instant};

use blink_proto::faces::{ENCODING_LENGTH, Encoding};
use cloud_api::attendance::gallery::{Gallery, Match};
use diesel::{RunQueryDsl as _, sql_query};
use serde_json::Value;

use crate::{archive_kit::eventually, harness::*};

mod ingest;

fn long() -> bool {
    std::env::var_os("WAW_TEST_LONG").is_some()
}

/// Prints one figure: its name, its value, and what it means.
#[expect(clippy::print_stdout, reason = "figures are what this file is for")]
fn figure(what: &str, value: &str, meaning: &str) {
    println!("  {what:<34}{value:>18}   {meaning}");
}

#[test]
fn a_year_by_day_reads_in_milliseconds() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let app = TestApp::start(backend);
        app.set_time("2027-01-01T01:00:00Z");
        let ada = app.user_in("Europe/Berlin");
        let days = if long() { 365 } else { 14 };
        let first: jiff::Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        for day in 0..days {
            let from = first + jiff::SignedDuration::from_hours(24 * day);
            ada.store(&minutes(&from.to_string(), 1_440, 15));
        }
        let times: Vec<Duration> = (0..10)
            .map(|_| {
                let started = Instant::now();
                let page = ada.blinks("group=day&limit=1000").expect(200);
                let took = started.elapsed();
                let items: &Vec<Value> = page.json["items"].as_array().unwrap();
                assert_eq!(items.len() as i64, days + 1);
                took
            })
            .collect();
        let name = if backend == Backend::Sqlite { "SQLite" } else { "PostgreSQL" };
        let path = format!("/api/user/me/minutes?not_device={}", uuid::Uuid::nil());
        let devices = path.replace('?', "/devices?");
        for (what, path, items) in [
            (
                "the last page of whole minutes",
                format!("{path}&limit=1000&from=2026-01-14T07:20:00Z&to=2026-01-15T00:00:00Z"),
                1_000,
            ),
            ("minutes that arrived since", format!("{path}&limit=1000&received_from=2027-01-01T02:00:00Z"), 0),
            ("minutes by machine", devices, 1),
        ] {
            let times = (0..10).map(|_| {
                let started = Instant::now();
                let page = ada.get(&path).expect(200);
                assert_eq!(page.json["items"].as_array().unwrap().len(), items, "{what}");
                started.elapsed()
            });
            let best = times.min().unwrap();
            figure(
                &format!("{what}, {name}"),
                &format!("{best:.1?}"),
                &format!("best of 10 in {} minutes", days * 1_440),
            );
            assert!(best < Duration::from_millis(if long() { 2_000 } else { 500 }), "{what} {backend:?} {best:?}");
        }
        let (best, worst) = (*times.iter().min().unwrap(), *times.iter().max().unwrap());
        figure(
            if backend == Backend::Sqlite { "history by day on SQLite" } else { "history by day on PostgreSQL" },
            &format!("{} minutes", days * 1_440),
            &format!("best of 10: {best:.1?}, worst {worst:.1?}"),
        );
        assert!(best < Duration::from_millis(if long() { 50 } else { 100 }), "{backend:?} {best:?}");
    }
}

#[test]
fn ten_thousand_people_are_compared_in_milliseconds() {
    let mut gallery = Gallery::default();
    let mut values = vec![0.0_f32; ENCODING_LENGTH];
    for n in 0..10_000_u32 {
        values[(n % 128) as usize] = (n % 977) as f32;
        gallery.put(&n.to_string(), vec![Encoding::new(values.clone()).unwrap()]);
    }
    let mut times: Vec<Duration> = (0..20_u8)
        .map(|n| {
            let face = Encoding::new(vec![-5_000.0 - f32::from(n); ENCODING_LENGTH]).unwrap();
            let started = Instant::now();
            assert_eq!(gallery.find(&face), Match::Nobody);
            started.elapsed()
        })
        .collect();
    times.sort();
    // What the comparison reads at least, as fast as memory is copied.
    let matrix = vec![1.0_f32; 10_000 * ENCODING_LENGTH];
    let mut copied = matrix.clone();
    let started = Instant::now();
    copied.copy_from_slice(std::hint::black_box(&matrix));
    let copy = started.elapsed();
    drop(std::hint::black_box(copied));
    figure(
        "a face beside 10,000 people",
        &format!("{:.2?}", times[10]),
        &format!("median of 20, worst {:.2?}; copying their encodings takes {copy:.2?}", times[19]),
    );
    // A build without optimisation takes a hundred times as long.
    let limit = if cfg!(debug_assertions) { 1_000 } else { 5 };
    assert!(times[10] < Duration::from_millis(limit), "{times:?}");
}

/// Records of `people` on each of `days` days before the server's today, with their months as the server makes them.
fn attendance(app: &TestApp, people: usize, days: usize) {
    let mut conn = cloud_api::open::connect(&app.target).unwrap();
    let sqlite = matches!(app.target, cloud_api::config::Target::Sqlite(_));
    let series =
        |to: usize| format!("WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {}) ", to - 1);
    let uid = if sqlite { "printf('00000000-0000-4000-8000-%012d', i)" } else { "gen_random_uuid()" };
    let (time, no) = if sqlite { ("0", "0") } else { ("'epoch'", "FALSE") };
    sql_query(format!(
        "{} INSERT INTO attendance_people (id, uid, name, enrolled_on, registered_at, leaderboard, changed_in) \
         SELECT 'p' || i, {uid}, 'Person ' || i, '2023-06-01', {time}, {no}, 0 FROM n",
        series(people)
    ))
    .execute(&mut conn)
    .unwrap();
    // Every day at nine and some minutes, one in eight late.
    let values = if sqlite {
        "printf('00000000-0000-4000-8000-%012d', d.i * 100000 + p.i), 'p' || p.i, date('2026-03-09', '-' || d.i || ' days'), \
         1000 * (unixepoch('2026-03-09 09:00:00') - d.i * 86400 + (d.i * 7 + p.i) % 1800)"
    } else {
        "gen_random_uuid(), 'p' || p.i, '2026-03-09'::date - d.i, \
         '2026-03-09 09:00:00+00'::timestamptz - d.i * INTERVAL '1 day' + (d.i * 7 + p.i) % 1800 * INTERVAL '1 second'"
    };
    let live = if sqlite { "1" } else { "TRUE" };
    sql_query(format!(
        "WITH RECURSIVE p (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM p WHERE i < {}), \
         d (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM d WHERE i < {}) \
         INSERT INTO attendance_records (id, person, day, at, status, confidence, liveness_verified, source) \
         SELECT {values}, CASE WHEN (d.i + p.i) % 8 = 0 THEN 'late' ELSE 'present' END, 97, {live}, 'face' FROM p, d",
        people - 1,
        days - 1
    ))
    .execute(&mut conn)
    .unwrap();
    for person in 0..people {
        let id = format!("p{person}");
        cloud_api::db::transaction(&mut conn, |conn| cloud_api::db::attendance::rollups::recount(conn, &id)).unwrap();
    }
}

#[test]
fn analytics_of_many_records_read_in_milliseconds() {
    let sizes: &[(usize, usize)] = if long() { &[(100, 100), (1_000, 1_000), (10_000, 100)] } else { &[(100, 100)] };
    for backend in [Backend::Sqlite, Backend::Postgres] {
        for (people, days) in sizes {
            let app = TestApp::start(backend);
            let boss = app.user();
            app.set_role(&boss, "manager");
            attendance(&app, *people, *days);
            // After so much of an import every dated file is written: that is not what is measured.
            let exports = app.folder.path().join("exports");
            let written = || std::fs::read_dir(&exports).is_ok_and(|files| files.count() >= 30);
            eventually("the dated files", || !long() || written());
            let mut times: Vec<Duration> = (0..10)
                .map(|_| {
                    let started = Instant::now();
                    let all = boss.get("/api/attendance/get-analytics?date_from=2023-06-01").expect(200);
                    let took = started.elapsed();
                    let marks = |of: &str| {
                        all.json["monthly"].as_array().unwrap().iter().map(|m| m[of].as_u64().unwrap()).sum::<u64>()
                    };
                    assert_eq!(marks("present") + marks("late"), (people * days) as u64);
                    took
                })
                .collect();
            times.sort();
            figure(
                if backend == Backend::Sqlite { "analytics on SQLite" } else { "analytics on PostgreSQL" },
                &format!("{} records", people * days),
                &format!(
                    "{people} people, best of 10: {:.1?}, median {:.1?}, worst {:.1?}",
                    times[0], times[5], times[9]
                ),
            );
            // A build without optimisation on a busy machine takes ten times as long.
            let limit = if cfg!(debug_assertions) { 5_000 } else { 250 };
            assert!(times[5] < Duration::from_millis(limit), "{backend:?} {times:?}");
        }
    }
}
