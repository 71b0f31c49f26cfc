//! Clients that reset their connection while the server erases something of theirs.

use std::{fs, io::Write as _, net::TcpStream, os::linux::fs::MetadataExt as _, sync::mpsc, thread, time::Duration};

use cloud_api::{
    ledger::{self, EntryKind},
    open,
};
use diesel::connection::SimpleConnection as _;
use rustix::net::sockopt::set_socket_linger;
use serde_json::json;

use crate::{
    archive_kit::eventually,
    harness::*,
    oidc_kit::{sign_in, with_provider},
};

const ERASE: &str = "DELETE /api/user/me";

/// Whether somebody waits for the lock of this file.
fn is_waited_for(file: &fs::File) -> bool {
    let ending = format!(":{} 0 EOF", file.metadata().unwrap().st_ino());
    let locks = fs::read_to_string("/proc/locks").unwrap();
    locks.lines().any(|line| line.contains("-> FLOCK") && line.ends_with(&ending))
}

/// Sends a request and resets its connection before its commit; returns the ledger, whose lock the request waits for.
pub(crate) fn begin_and_hang_up(app: &TestApp, who: &Client, line: &str, body: &str) -> fs::File {
    let ledger = fs::File::open(app.folder.path().join("ledger.ndjson")).unwrap();
    ledger.lock().unwrap();
    let mut head = format!("{line} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n", who.access);
    if !body.is_empty() {
        head += &format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
    }
    let request = format!("{head}\r\n{body}");
    hang_up(app, &[request], "the request waits for the ledger", || is_waited_for(&ledger));
    ledger
}

/// Sends requests, waits until `begun`, and resets their connections.
fn hang_up(app: &TestApp, requests: &[String], what: &str, begun: impl FnMut() -> bool) {
    let send = |request: &String| {
        let mut stream = TcpStream::connect(app.address.trim_start_matches("http://")).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream
    };
    let streams: Vec<_> = requests.iter().map(send).collect();
    eventually(what, begun);
    for stream in streams {
        set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
    }
    // Each of these comes to the next worker, and after the reset.
    (0..6).for_each(|_| drop(app.anonymous().get("/health").expect(200)));
}

/// Whether SQLite's log holds this text.
fn log_holds(app: &TestApp, text: &str) -> bool {
    let log = fs::read(app.folder.path().join("server.db-wal")).unwrap();
    log.windows(text.len()).any(|window| window == text.as_bytes())
}

contract! {
    fn an_erasure_goes_to_its_end_without_its_client(app) {
        let ada = app.user();
        ada.store(&minutes("2026-03-10T09:00:00Z", 20, 3));
        let ledger = begin_and_hang_up(app, &ada, ERASE, "");
        ledger.unlock().unwrap();
        eventually("the account is gone", || ada.get("/api/user/me").status == 401);
        if app.postgres.is_none() {
            eventually("the log holds nothing of it", || !log_holds(app, &ada.email));
        }
    }
}

#[test]
fn an_erasure_that_fails_without_its_client_is_taken_back() {
    let app = TestApp::start(Backend::Postgres);
    let ada = app.user();
    let ledger = begin_and_hang_up(&app, &ada, ERASE, "");
    app.postgres.as_ref().unwrap().throw_out();
    ledger.unlock().unwrap();
    let path = app.folder.path().join("ledger.ndjson");
    let taken_back =
        || ledger::read(&path).unwrap().iter().any(|line| matches!(line.what, EntryKind::NotErased { .. }));
    eventually("the ledger takes it back", taken_back);
    eventually("the account stands", || ada.get("/api/user/me").status == 200);
}

#[test]
fn minutes_that_a_person_disowns_leave_the_log_without_its_client() {
    let base = TestApp::start(Backend::Sqlite);
    let (app, provider, _mock) = with_provider(&base);
    let eve = app.user();
    eve.store(&minutes("2026-03-10T09:00:00Z", 4, 3));
    *provider.claims.lock().unwrap() = json!({"email": eve.email});
    let mut ada = app.anonymous();
    ada.sign_in(&sign_in(&app, &provider).expect(200).json);
    let device = eve.device.to_string();
    assert!(log_holds(&base, &device));
    let body = json!({"kind": "tracking", "granted": true, "version": "1", "earlier_minutes": "remove"}).to_string();
    let ledger = begin_and_hang_up(&app, &ada, "PUT /api/user/me/consents", &body);
    ledger.unlock().unwrap();
    eventually("the log holds nothing of them", || !log_holds(&base, &device));
    assert_eq!(ada.totals().0, 0);
}

/// What a person reads takes two of the harness's four connections at most, whether or not somebody waits for the answer.
#[test]
fn reads_without_their_clients_keep_their_turns() {
    let app = TestApp::start(Backend::Postgres);
    let ada = app.user();
    let mut other = open::connect(&app.target).unwrap();
    other.batch_execute("BEGIN; LOCK TABLE blink_data IN ACCESS EXCLUSIVE MODE").unwrap();
    for path in ["/api/user/me/insights", "/api/user/me/letter"] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n", ada.access);
        let waiting = || app.postgres.as_ref().unwrap().waiting() == 2;
        hang_up(&app, &[request.clone(), request], "both reads wait for the table", waiting);
        let (told, statuses) = mpsc::channel();
        for _ in 0..40 {
            let (ada, told) = (ada.clone(), told.clone());
            thread::spawn(move || told.send(ada.get(path).status));
        }
        // The two still read, 32 wait, and nobody else is let in.
        let next = || statuses.recv_timeout(Duration::from_secs(30)).unwrap();
        (0..8).for_each(|_| assert_eq!(next(), 429, "{path}"));
        other.batch_execute("ROLLBACK").unwrap();
        (0..32).for_each(|_| assert_eq!(next(), 200, "{path}"));
        other.batch_execute("BEGIN; LOCK TABLE blink_data IN ACCESS EXCLUSIVE MODE").unwrap();
    }
}
