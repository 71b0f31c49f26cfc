//! Each minute is stored exactly once, although many clients send shuffled, overlapping and repeated batches and the
//! server is killed and restarted meanwhile. `WAW_TEST_LONG=1` uses the numbers that documents quote.

use std::{
    path::Path,
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use serde_json::Value;
use uuid::Uuid;

use crate::{
    harness::*,
    postgres::Database,
    process::{Running, program},
};

struct Numbers {
    clients: usize,
    minutes: usize,
    kills: usize,
}

fn numbers() -> Numbers {
    if std::env::var_os("WAW_TEST_LONG").is_some() {
        Numbers { clients: 32, minutes: 10_000, kills: 10 }
    } else {
        Numbers { clients: 8, minutes: 1_500, kills: 3 }
    }
}

fn serve(home: &Path, url: &str, port: u16) -> Running {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let mut command: Command = program(home);
        command.env("DATABASE_URL", url).env("CLOUD_API_RATE_LIMIT", "off").args([
            "serve",
            "--listen",
            &format!("127.0.0.1:{port}"),
        ]);
        // The port of a killed server may stay in use for a moment.
        match Running::try_start(command) {
            Ok(running) => return running,
            Err(why) => assert!(Instant::now() < deadline, "{why}"),
        }
    }
}

/// A xorshift generator: the order must only be mixed, and be the same for the same seed.
fn mixed(seed: &mut u64, below: usize) -> usize {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    usize::try_from(*seed % below as u64).unwrap()
}

/// Sends every minute in mixed batches, some of them twice, until each was acknowledged.
fn upload(client: &Client, all: &[Value], mut seed: u64) {
    let mut order: Vec<usize> = (0..all.len()).collect();
    for n in (1..order.len()).rev() {
        order.swap(n, mixed(&mut seed, n + 1));
    }
    let mut sent = 0;
    while sent < order.len() {
        let size = (60 + mixed(&mut seed, 400)).min(order.len() - sent);
        // Batches overlap: each repeats some minutes that were sent before.
        let again = mixed(&mut seed, 50).min(sent);
        let batch: Vec<Value> = order[sent - again..sent + size].iter().map(|n| all[*n].clone()).collect();
        let body = serde_json::json!({"device_id": client.device, "buckets": batch}).to_string();
        let headers = [("content-type", "application/json")];
        match client.try_send("POST", "/api/blink/sync", &headers, Some(body.as_bytes())) {
            Ok(answer) if answer.status == 200 => {
                let count = |name: &str| answer.json[name].as_u64().unwrap();
                assert_eq!(count("accepted") + count("duplicates"), batch.len() as u64, "{answer:?}");
                sent += size;
            }
            Ok(answer) => assert!(matches!(answer.status, 429 | 503), "{answer:?}"),
            // The server was killed meanwhile, so the client cannot know the result and sends the same again.
            Err(_) => std::thread::yield_now(),
        }
    }
}

#[expect(clippy::print_stdout, reason = "figures that documents quote")]
fn exactly_once(url: &str) {
    let Numbers { clients, minutes: count, kills } = numbers();
    let home = tempfile::tempdir().unwrap();
    let server = serve(home.path(), url, 0);
    let port = server.address.rsplit_once(':').unwrap().1.parse().unwrap();
    let mut ada = Client::new(&server.address);
    ada.sign_in(&ada.post("/api/auth/register", &registration("ada@example.org", "UTC")).expect(201).json);
    let newest =
        blink_proto::MinuteStart::containing(jiff::Timestamp::now() - jiff::SignedDuration::from_mins(1)).start();
    let first = newest - jiff::SignedDuration::from_secs(60 * count as i64);
    let all: Vec<Value> = (0..count)
        .map(|n| minute(first + jiff::SignedDuration::from_secs(60 * n as i64), u32::try_from(n % 40).unwrap()))
        .collect();
    let expected: u64 = (0..count as u64).map(|n| n % 40).sum();
    let finished = AtomicUsize::new(0);
    let started = Instant::now();
    let mut killed = 0;
    let mut server = Some(server);
    std::thread::scope(|scope| {
        for seed in 1..=clients as u64 {
            let (ada, all, finished) = (Client { device: ada.device, ..ada.clone() }, &all, &finished);
            scope.spawn(move || {
                upload(&ada, all, seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
                finished.fetch_add(1, Ordering::SeqCst);
            });
        }
        while killed < kills && finished.load(Ordering::SeqCst) < clients {
            // The kill must come at an arbitrary moment, so there is no condition to wait for.
            std::thread::sleep(Duration::from_millis(300 + (killed as u64 * 137) % 400));
            server.take().unwrap().stop(rustix::process::Signal::KILL);
            server = Some(serve(home.path(), url, port));
            killed += 1;
        }
    });
    let took = started.elapsed();
    let (blinks, observed_ms) = ada.totals();
    let rows = rows(&ada);
    println!(
        "{clients} clients, {count} minutes each, {killed} kills, {took:.1?}: {} rows, {blinks} of {expected} blinks",
        rows.len()
    );
    assert_eq!(rows.len(), count);
    assert_eq!((blinks, observed_ms), (expected, count as u64 * 60_000));
    assert_eq!(rows.iter().map(|row| row["blink_count"].as_u64().unwrap()).sum::<u64>(), expected);
    assert!(killed > 0, "the server was never killed while it worked");
}

fn rows(client: &Client) -> Vec<Value> {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = client.blinks(&format!("group=minute&limit=1000{cursor}")).expect(200);
        rows.extend(page.json["items"].as_array().unwrap().clone());
        match page.json["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return rows,
        }
    }
}

#[test]
fn whatever_is_killed_each_minute_is_there_once_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    exactly_once(&format!("sqlite:{}", folder.path().join(format!("{}.db", Uuid::new_v4())).display()));
}

#[test]
fn whatever_is_killed_each_minute_is_there_once_on_postgres() {
    exactly_once(&Database::create().url());
}
