//! Clients that reset their connection while the server erases them.

use std::{fs, io::Write as _, net::TcpStream, os::linux::fs::MetadataExt as _, time::Duration};

use cloud_api::ledger::{self, EntryKind};
use rustix::net::sockopt::set_socket_linger;

use crate::{archive_kit::eventually, harness::*};

/// Whether somebody waits for the lock of this file.
fn is_waited_for(file: &fs::File) -> bool {
    let ending = format!(":{} 0 EOF", file.metadata().unwrap().st_ino());
    let locks = fs::read_to_string("/proc/locks").unwrap();
    locks.lines().any(|line| line.contains("-> FLOCK") && line.ends_with(&ending))
}

/// Begins an erasure and resets its connection before its commit; returns the ledger, whose lock the erasure waits for.
fn begin_and_hang_up(app: &TestApp, who: &Client) -> fs::File {
    let ledger = fs::File::open(app.folder.path().join("ledger.ndjson")).unwrap();
    ledger.lock().unwrap();
    let mut stream = TcpStream::connect(app.address.trim_start_matches("http://")).unwrap();
    let head = format!("DELETE /api/user/me HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n", who.access);
    stream.write_all(head.as_bytes()).unwrap();
    eventually("the erasure waits for the ledger", || is_waited_for(&ledger));
    set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
    drop(stream);
    // Each of these comes to the next worker, and after the reset.
    (0..6).for_each(|_| drop(app.anonymous().get("/health").expect(200)));
    ledger
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

contract! {
    fn an_erasure_goes_to_its_end_without_its_client(app) {
        let ada = app.user();
        ada.store(&minutes("2026-03-10T09:00:00Z", 20, 3));
        let ledger = begin_and_hang_up(app, &ada);
        ledger.unlock().unwrap();
        eventually("the account is gone", || ada.get("/api/user/me").status == 401);
        if app.postgres.is_none() {
            let log = || fs::read(app.folder.path().join("server.db-wal")).unwrap();
            eventually("the log holds nothing of it", || !holds(&log(), &ada.email));
        }
    }
}

#[test]
fn an_erasure_that_fails_without_its_client_is_taken_back() {
    let app = TestApp::start(Backend::Postgres);
    let ada = app.user();
    let ledger = begin_and_hang_up(&app, &ada);
    app.postgres.as_ref().unwrap().throw_out();
    ledger.unlock().unwrap();
    let path = app.folder.path().join("ledger.ndjson");
    let taken_back =
        || ledger::read(&path).unwrap().iter().any(|line| matches!(line.what, EntryKind::NotErased { .. }));
    eventually("the ledger takes it back", taken_back);
    eventually("the account stands", || ada.get("/api/user/me").status == 200);
}
