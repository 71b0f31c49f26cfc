//! The limits of memory and response time under load. It runs the real program, so that its memory can be measured.
//! `WAW_TEST_LONG=1` uses the numbers that docs/security.md quotes.

use std::{
    collections::BTreeMap,
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use serde_json::json;
use uuid::Uuid;

use crate::{
    export,
    harness::*,
    process::{Running, program},
};

fn long() -> bool {
    std::env::var_os("WAW_TEST_LONG").is_some()
}

#[expect(clippy::print_stdout, reason = "figures that documents quote")]
fn figure(what: &str, value: &str) {
    println!("  {what:<58}{value}");
}

/// The peak resident memory of a process, in MB.
pub(crate) fn peak_mb(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1_024
}

fn sockets(pid: u32) -> usize {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
    open.filter(|fd| fs::read_link(fd.path()).is_ok_and(|to| to.to_string_lossy().starts_with("socket:"))).count()
}

/// Requests `/health` repeatedly until it is stopped; returns the response times, sorted.
struct Probe {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Duration>>,
}

impl Probe {
    fn start(address: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (client, stopped) = (Client::new(address), stop.clone());
        let thread = std::thread::spawn(move || {
            let mut times = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                let started = Instant::now();
                client.get("/health").expect(200);
                times.push(started.elapsed());
                std::thread::sleep(Duration::from_millis(5));
            }
            times.sort();
            times
        });
        Self { stop, thread }
    }

    fn end(self) -> Vec<Duration> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

fn request(path: &str, token: &str, gzipped: bool, body: &[u8]) -> Vec<u8> {
    let mut head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n",
        body.len()
    );
    if !token.is_empty() {
        head += &format!("authorization: Bearer {token}\r\n");
    }
    if gzipped {
        head += "content-encoding: gzip\r\n";
    }
    [head.as_bytes(), b"\r\n", body].concat()
}

/// Sends each request on its own connection, all before any answer is read; counts the answers by status.
fn all_at_once(address: &str, requests: impl Iterator<Item = Vec<u8>>) -> BTreeMap<String, usize> {
    let address = address.trim_start_matches("http://");
    let send = |request: Vec<u8>| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(&request).unwrap();
        stream
    };
    let streams: Vec<_> = requests.map(send).collect();
    let mut statuses = BTreeMap::new();
    for mut stream in streams {
        stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
        let mut status = [0; 12];
        stream.read_exact(&mut status).unwrap();
        *statuses.entry(String::from_utf8_lossy(&status[9..]).into_owned()).or_default() += 1;
    }
    statuses
}

/// A body of about 1 MB, far over the limit, whose parts would take the most memory if they were parsed.
fn hostile() -> Vec<u8> {
    let parts = vec!["{\"\":0}"; 149_000].join(",");
    gzip(format!("{{\"email\":\"nobody@example.org\",\"password\":\"aaaaaaaaaaaa\",\"x\":[{parts}]}}").as_bytes())
}

/// A body of 8 MB that compresses to a few KB; its elements are rejected one by one.
fn bomb() -> Vec<u8> {
    let head = format!("{{\"device_id\":\"{}\",\"buckets\":[{}0],\"x\":\"", Uuid::new_v4(), "0,".repeat(4_000));
    gzip(format!("{head}{}\"}}", "a".repeat((8 << 20) - head.len() - 2)).as_bytes())
}

fn people(address: &str, count: usize) -> Vec<Client> {
    let register = |n: usize| {
        let mut client = Client::new(address);
        let answer = client.post("/api/auth/register", &registration(&format!("{n}@example.org"), "UTC"));
        client.sign_in(&answer.expect(201).json);
        client
    };
    (0..count).map(register).collect()
}

fn only(statuses: &BTreeMap<String, usize>, allowed: &[&str]) {
    assert!(statuses.keys().all(|status| allowed.contains(&status.as_str())), "{statuses:?}");
}

/// A server under load, and people with accounts on it.
struct Load {
    server: Running,
    people: Vec<Client>,
}

impl Load {
    fn told(&self, what: &str, statuses: &BTreeMap<String, usize>) {
        figure(what, &format!("peak {:>4} MB so far  {statuses:?}", peak_mb(self.server.pid())));
    }

    fn at_once(&self, what: &str, count: usize, request: impl Fn(usize) -> Vec<u8>) -> BTreeMap<String, usize> {
        let statuses = all_at_once(&self.server.address, (0..count).map(request));
        self.told(&format!("{count} {what}"), &statuses);
        statuses
    }

    fn hostile_bodies(&self, count: usize) {
        let hostile = hostile();
        for path in ["/api/auth/login", "/api/auth/device/token", "/api/auth/reset"] {
            let what = format!("hostile bodies of 1 MB at {path}");
            only(&self.at_once(&what, count, |_| request(path, "", true, &hostile)), &["413", "429"]);
        }
        // These bodies are as large as the limit allows.
        let small = format!("{{\"email\":\"a@b\",\"x\":[{}0]}}", "{\"\":0},".repeat(2_300));
        let sent = |_| request("/api/auth/login", "", false, small.as_bytes());
        only(&self.at_once("hostile bodies of 16 KB", count, sent), &["422"]);
    }

    fn sign_ins(&self, count: usize) {
        let login = |n: usize| {
            let known = self.people[n % self.people.len()].email.clone();
            let email = if n.is_multiple_of(2) { known } else { format!("x{n}@nowhere.org") };
            request("/api/auth/login", "", false, json!({"email": email, "password": PASSWORD}).to_string().as_bytes())
        };
        let statuses = self.at_once("sign-ins", count, login);
        assert_eq!(statuses, BTreeMap::from([("200".to_owned(), count / 2), ("401".to_owned(), count / 2)]));
    }

    fn bombs(&self, count: usize) {
        let bomb = bomb();
        let token = |n: usize| &self.people[n % self.people.len().min(5)].access;
        let upload = |n: usize| request("/api/blink/sync", token(n), true, &bomb);
        let what = format!("uploads of 8 MB as {} KB", bomb.len() >> 10);
        let statuses = self.at_once(&what, count, upload);
        only(&statuses, &["200", "429", "503"]);
        assert!(statuses.contains_key("200"), "nobody was served: {statuses:?}");
    }

    /// Requests the largest answer that needs no sign-in, and does not read it.
    fn unread_pages(&self, count: usize) {
        let unread: Vec<TcpStream> =
            (0..count).map(|_| export::ask(&self.server.address, "/api/docs/swagger-ui-bundle.js", "")).collect();
        self.told(&format!("{count} pages of 1.5 MB that nobody reads"), &BTreeMap::new());
        drop(unread);
    }

    fn unread_exports(&self) {
        let newest = blink_proto::MinuteStart::containing(jiff::Timestamp::now()).start();
        let from = newest - jiff::SignedDuration::from_hours(24 * 8);
        self.people.iter().for_each(|person| person.store(&minutes(&from.to_string(), 10_000, 12)));
        let unread: Vec<TcpStream> = self.people.iter().map(export::begin).collect();
        // Each export is running until it is read, so a second one is refused.
        self.people.iter().for_each(|person| drop(person.get("/api/user/me/export").expect(429)));
        self.told(&format!("{} exports that nobody reads", unread.len()), &BTreeMap::new());
        if long() {
            // The connections are neither read nor closed, and the server still drops them.
            let started = Instant::now();
            while sockets(self.server.pid()) >= unread.len() {
                assert!(started.elapsed() < Duration::from_secs(150), "{} sockets", sockets(self.server.pid()));
                std::thread::sleep(Duration::from_millis(500));
            }
            figure("given up after", &format!("{:.0?}", started.elapsed()));
        }
    }
}

#[test]
fn memory_and_health_keep_their_bounds_under_hostile_load() {
    let [bodies, sign_ins, bombs, exports] = if long() { [60, 200, 150, 60] } else { [30, 60, 40, 8] };
    let home = tempfile::tempdir().unwrap();
    let mut command = program(home.path());
    command.env("CLOUD_API_LOG", "warn").args(["serve", "--listen", "127.0.0.1:0"]);
    let server = Running::start(command);
    let people = people(&server.address, exports);
    let probe = Probe::start(&server.address);
    let load = Load { server, people };
    load.hostile_bodies(bodies);
    load.sign_ins(sign_ins);
    load.bombs(bombs);
    load.unread_pages(2 * sign_ins);
    load.unread_exports();
    let times = probe.end();
    let (p50, p99) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    let (most, worst) = (peak_mb(load.server.pid()), times.last().unwrap());
    println!(
        "  in all: at most {most} MB; /health {} times: p50 {p50:.1?}, p99 {p99:.1?}, worst {worst:.1?}",
        times.len()
    );
    assert!(most < 300, "{most} MB");
    // With small numbers other tests run at the same time, so the limit is wider.
    assert!(p99 < Duration::from_millis(if long() { 100 } else { 1_000 }), "{p99:?}");
}
