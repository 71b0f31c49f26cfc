//! Measures the figures that documents quote: ingest through HTTP beside the database's own speed, a year of history, a face
//! beside 10,000 people, and analytics of attendance. A busy machine keeps the limits asserted here. `WAW_TEST_LONG=1` uses
//! the full numbers, and `make bench` prints them from a release build.

use std::time::{Duration, Instant};

use blink_proto::faces::{ENCODING_LENGTH, Encoding};
use cloud_api::attendance::gallery::{Gallery, Match};
use diesel::{RunQueryDsl as _, connection::SimpleConnection as _, sql_query};
use serde_json::{Value, json};

use crate::{
    archive_kit::eventually,
    harness::*,
    load::peak_mb,
    postgres::Database,
    process::{Running, program},
};

fn long() -> bool {
    std::env::var_os("WAW_TEST_LONG").is_some()
}

/// Prints one figure: its name, its value, and what it means.
#[expect(clippy::print_stdout, reason = "figures are what this file is for")]
fn figure(what: &str, value: &str, meaning: &str) {
    println!("  {what:<34}{value:>18}   {meaning}");
}

/// The speed of multi-row inserts and of COPY into the same table on this machine, in rows per second.
fn raw(database: &Database, rows: usize, batch: usize) -> (f64, f64) {
    let mut conn = database.connect();
    conn.batch_execute("CREATE TABLE raw (LIKE blink_data INCLUDING ALL)").unwrap();
    let source = |from: usize, count: usize| {
        format!(
            "SELECT gen_random_uuid(), '{user}'::uuid, n % 40, t, t + INTERVAL '1 minute', '{user}'::uuid, 60000, 29.97::float8, \
             'good', 180.0::float8, 0.1::float8, 0.02::float8, now() \
             FROM (SELECT n, 'epoch'::timestamptz + n * INTERVAL '1 minute' AS t FROM generate_series({from}, {to}) AS n) AS minutes",
            user = uuid::Uuid::nil(),
            to = from + count - 1
        )
    };
    // The rows are made beforehand as literals, as a client sends them.
    #[derive(diesel::QueryableByName)]
    struct Text {
        #[diesel(sql_type = diesel::sql_types::Text)]
        row: String,
    }
    let values: Vec<String> = (0..rows / batch)
        .map(|n| {
            let rows: Vec<Text> = sql_query(format!(
                "SELECT format('(%L,%L,%s,%L,%L,%L,%s,%s,%L,%s,%s,%s,%L)', r.a,r.b,r.c,r.d,r.e,r.f,r.g,r.h,r.i,r.j,r.k,r.l,r.m) AS row \
                 FROM ({}) AS r (a,b,c,d,e,f,g,h,i,j,k,l,m)",
                source(n * batch, batch)
            ))
            .load(&mut conn)
            .unwrap();
            rows.into_iter().map(|r| r.row).collect::<Vec<_>>().join(",")
        })
        .collect();
    let started = Instant::now();
    for values in &values {
        conn.batch_execute(&format!("INSERT INTO raw VALUES {values}")).unwrap();
    }
    let inserted = rows as f64 / started.elapsed().as_secs_f64();
    let file = tempfile::Builder::new().prefix("raw").tempdir().unwrap();
    std::fs::set_permissions(file.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    let path = file.path().join("rows");
    conn.batch_execute(&format!("COPY raw TO '{p}'; TRUNCATE raw", p = path.display())).unwrap();
    let started = Instant::now();
    conn.batch_execute(&format!("COPY raw FROM '{}'", path.display())).unwrap();
    let copied = rows as f64 / started.elapsed().as_secs_f64();
    conn.batch_execute("DROP TABLE raw").unwrap();
    (inserted, copied)
}

#[test]
fn ingest_in_batches_of_sixty_beside_the_databases_own_speed() {
    let (rows, clients) = if long() { (96_000, 8) } else { (4_800, 4) };
    let database = Database::create();
    let home = tempfile::tempdir().unwrap();
    let mut command = program(home.path());
    command.env("DATABASE_URL", database.url()).env("CLOUD_API_RATE_LIMIT", "off").env("CLOUD_API_LOG", "warn");
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    let server = Running::start(command);
    let newest = blink_proto::MinuteStart::containing(jiff::Timestamp::now()).start();
    let each = rows / clients;
    let people: Vec<(Client, Vec<Vec<u8>>)> = (0..clients)
        .map(|n| {
            let mut client = Client::new(&server.address);
            let email = format!("{n}@example.org");
            client.sign_in(&client.post("/api/auth/register", &registration(&email, "UTC")).expect(201).json);
            let from = newest - jiff::SignedDuration::from_mins(i64::try_from(each).unwrap() + 1);
            let all = minutes(&from.to_string(), i64::try_from(each).unwrap(), 12);
            let batches =
                all.chunks(60).map(|b| json!({"device_id": client.device, "buckets": b}).to_string().into_bytes());
            let batches = batches.collect();
            (client, batches)
        })
        .collect();
    let started = Instant::now();
    let mut times: Vec<Duration> = std::thread::scope(|scope| {
        let threads: Vec<_> = people
            .iter()
            .map(|(client, batches)| {
                scope.spawn(move || {
                    let time = |body: &Vec<u8>| {
                        let started = Instant::now();
                        let answer =
                            client.send("POST", "/api/blink/sync", &[("content-type", "application/json")], Some(body));
                        assert_eq!(answer.expect(200).json["duplicates"], 0);
                        started.elapsed()
                    };
                    batches.iter().map(time).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let rate = rows as f64 / started.elapsed().as_secs_f64();
    times.sort();
    let (p50, p99) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    let (inserted, copied) = raw(&database, rows, 60);
    println!("ingest on PostgreSQL: {rows} minutes in batches of 60, from {clients} clients at once");
    let (of_insert, of_copy) = (100.0 * rate / inserted, 100.0 * rate / copied);
    figure("through HTTP, durable", &format!("{rate:.0} minutes/s"), &format!("p50 {p50:.1?}, p99 {p99:.1?} a batch"));
    figure(
        "raw multi-row INSERT, one client",
        &format!("{inserted:.0} minutes/s"),
        &format!("HTTP reaches {of_insert:.0} % of it"),
    );
    figure("raw COPY, one client", &format!("{copied:.0} minutes/s"), &format!("HTTP reaches {of_copy:.0} % of it"));
    assert!(people.iter().all(|(client, _)| client.totals().0 == each as u64 * 12));
    assert!(rate > 500.0, "{rate:.0} minutes a second");
}

/// Each client has a person of its own and sends one minute after the other, as machines do, but without a pause.
#[test]
fn single_minutes_from_many_clients_at_once() {
    let (clients, each) = if long() { (64, 400) } else { (16, 12) };
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let database = (backend == Backend::Postgres).then(Database::create);
        let home = tempfile::tempdir().unwrap();
        let mut command = program(home.path());
        command.env("CLOUD_API_RATE_LIMIT", "off").env("CLOUD_API_LOG", "warn");
        if let Some(database) = &database {
            command.env("DATABASE_URL", database.url());
        }
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        let server = Running::start(command);
        let newest = blink_proto::MinuteStart::containing(jiff::Timestamp::now()).start();
        let from = newest - jiff::SignedDuration::from_mins(each + 1);
        let all = minutes(&from.to_string(), each, 12);
        let people: Vec<Client> = (0..clients)
            .map(|n| {
                let mut client = Client::new(&server.address);
                let email = format!("{n}@example.org");
                client.sign_in(&client.post("/api/auth/register", &registration(&email, "UTC")).expect(201).json);
                client
            })
            .collect();
        let started = Instant::now();
        let mut times: Vec<Duration> = std::thread::scope(|scope| {
            let sends = |client: &Client| {
                let time = |minute: &Value| {
                    let started = Instant::now();
                    client.store(std::slice::from_ref(minute));
                    started.elapsed()
                };
                all.iter().map(time).collect::<Vec<_>>()
            };
            let threads: Vec<_> = people.iter().map(|client| scope.spawn(move || sends(client))).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        let rate = times.len() as f64 / started.elapsed().as_secs_f64();
        times.sort();
        let (p50, p99) = (times[times.len() / 2], times[times.len() * 99 / 100]);
        figure(
            &format!("single minutes on {backend:?}"),
            &format!("{rate:.0} uploads/s"),
            &format!("p50 {p50:.1?}, p99 {p99:.1?}, {clients} clients at once"),
        );
        assert!(people.iter().all(|client| client.totals().0 == each.unsigned_abs() * 12));
    }
}

/// Devices that send one minute each minute, spread over it, whether or not the server keeps up: the times are from when an
/// upload was due.
#[test]
fn devices_send_a_minute_each_minute() {
    let (devices, pause, rounds) =
        if long() { (load_devices(), Duration::from_secs(60), 5) } else { (128, Duration::from_secs(1), 3) };
    let senders = 64;
    let database = Database::create();
    let home = tempfile::tempdir().unwrap();
    let mut command = program(home.path());
    command.env("DATABASE_URL", database.url()).env("CLOUD_API_RATE_LIMIT", "off").env("CLOUD_API_LOG", "warn");
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    let server = Running::start(command);
    let newest = blink_proto::MinuteStart::containing(jiff::Timestamp::now()).start();
    let from = newest - jiff::SignedDuration::from_mins(20);
    let all = minutes(&from.to_string(), rounds, 12);
    // An account may have 100 devices.
    let people: Vec<Client> = (0..devices.div_ceil(100))
        .map(|n| {
            let mut client = Client::new(&server.address);
            let email = format!("{n}@example.org");
            client.sign_in(&client.post("/api/auth/register", &registration(&email, "UTC")).expect(201).json);
            client
        })
        .collect();
    let cpu_before = cpu_time(server.pid());
    let started = Instant::now();
    let sends = |sender: usize| {
        let agent = Client::new(&server.address).agent;
        let own: Vec<(Client, Duration)> = (sender..devices)
            .step_by(senders)
            .map(|n| {
                let device = uuid::Uuid::new_v4();
                let client = Client { agent: agent.clone(), device, ..people[n / 100].clone() };
                (client, pause.mul_f64(n as f64 / devices as f64))
            })
            .collect();
        let mut times = Vec::new();
        let mut asked = 0;
        for (round, minute) in all.iter().enumerate() {
            for (client, phase) in &own {
                let due = pause * u32::try_from(round).unwrap() + *phase;
                std::thread::sleep(due.saturating_sub(started.elapsed()));
                let answer = client.sync(std::slice::from_ref(minute)).expect(200);
                assert_eq!(answer.json["accepted"], 1);
                asked += usize::from(answer.json.get("send_every_s").is_some());
                times.push(started.elapsed().saturating_sub(due));
            }
        }
        (times, asked)
    };
    let (mut times, mut asked) = (Vec::new(), 0);
    std::thread::scope(|scope| {
        let sends = &sends;
        let threads: Vec<_> = (0..senders).map(|sender| scope.spawn(move || sends(sender))).collect();
        for thread in threads {
            let (own, own_asked) = thread.join().unwrap();
            times.extend(own);
            asked += own_asked;
        }
    });
    let took = started.elapsed();
    let cpu = (cpu_time(server.pid()) - cpu_before).as_secs_f64() / took.as_secs_f64();
    times.sort();
    assert_eq!(times.len(), devices * all.len());
    let of = |share: usize| times[(times.len() * share / 1_000).min(times.len() - 1)];
    figure(
        &format!("{devices} devices on PostgreSQL"),
        &format!("{:.0} uploads/s", times.len() as f64 / took.as_secs_f64()),
        &format!(
            "{} uploads in {took:.0?}, 0 errors; from when it was due: p50 {:.1?}, p99 {:.1?}, worst {:.1?}; asked to send \
             less often {asked}; the server: {:.0} % of a processor, {} MB at most",
            times.len(),
            of(500),
            of(990),
            of(1_000),
            100.0 * cpu,
            peak_mb(server.pid())
        ),
    );
}

/// `WAW_LOAD_DEVICES`, to look for the most that a machine sustains.
fn load_devices() -> usize {
    std::env::var("WAW_LOAD_DEVICES").map_or(30_000, |devices| devices.parse().unwrap())
}

/// The CPU time of a process so far.
fn cpu_time(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The second field, the name, is in parentheses; utime and stime are the 14th and the 15th (proc(5)).
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let ticks: u64 = fields.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

#[test]
fn a_year_by_day_reads_in_milliseconds() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let app = TestApp::start(backend);
        app.set_time("2027-01-01T01:00:00Z");
        let ada = app.user_in("Europe/Berlin");
        let days = if long() { 365 } else { 60 };
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
