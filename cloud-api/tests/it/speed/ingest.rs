//! The speed of ingest through HTTP: batches beside the database's own speed, single minutes of many at once, and devices
//! that send one each minute.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use diesel::{RunQueryDsl as _, connection::SimpleConnection as _, sql_query};
use serde_json::{Value, json};
use waw_tests::program::cpu_time;

use super::{figure, long};
use crate::{
    harness::*,
    load::peak_mb,
    postgres::Database,
    process::{Running, program},
};

/// A server without rate limits, on SQLite where there is no `database`.
fn serve(home: &Path, database: Option<&Database>) -> Running {
    let mut command = program(home);
    command.env("CLOUD_API_RATE_LIMIT", "off").env("CLOUD_API_LOG", "warn");
    if let Some(database) = database {
        command.env("DATABASE_URL", database.url());
    }
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    Running::start(command)
}

fn person(server: &Running, n: usize) -> Client {
    let mut client = Client::new(&server.address);
    let email = format!("{n}@example.org");
    client.sign_in(&client.post("/api/auth/register", &registration(&email, "UTC")).expect(201).json);
    client
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
    let server = serve(home.path(), Some(&database));
    let newest = blink_proto::MinuteStart::containing(jiff::Timestamp::now()).start();
    let each = rows / clients;
    let people: Vec<(Client, Vec<Vec<u8>>)> = (0..clients)
        .map(|n| {
            let client = person(&server, n);
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
        let server = serve(home.path(), database.as_ref());
        let newest = blink_proto::MinuteStart::containing(jiff::Timestamp::now()).start();
        let from = newest - jiff::SignedDuration::from_mins(each + 1);
        let all = minutes(&from.to_string(), each, 12);
        let people: Vec<Client> = (0..clients).map(|n| person(&server, n)).collect();
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
    let server = serve(home.path(), Some(&database));
    let newest = blink_proto::MinuteStart::containing(jiff::Timestamp::now()).start();
    let from = newest - jiff::SignedDuration::from_mins(20);
    let all = minutes(&from.to_string(), rounds, 12);
    // An account may have 100 devices.
    let people: Vec<Client> = (0..devices.div_ceil(100)).map(|n| person(&server, n)).collect();
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
