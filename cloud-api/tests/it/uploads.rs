//! Uploads share memory: those that stall keep nobody else's waiting.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::mpsc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use cloud_api::config::AccessConfig;
use rstest::rstest;
use serde_json::json;

use crate::harness::*;

const STALLING: &str = "203.0.113.66";

/// Announces an upload of 8 MB, sends all but its last byte, says so, and returns the status of the answer.
fn stall(who: &Client, written: mpsc::Sender<()>) -> JoinHandle<String> {
    let head = format!(
        "POST /api/blink/sync HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nx-forwarded-for: {STALLING}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        who.access,
        8 << 20
    );
    let address = who.base.strip_prefix("http://").unwrap().to_owned();
    thread::spawn(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        // The server may refuse it before it is all sent.
        if stream.write_all(&vec![b' '; (8 << 20) - 1]).is_ok() {
            written.send(()).unwrap();
        }
        let mut answer = [0; 12];
        let read = stream.read_exact(&mut answer);
        if read.is_ok() { String::from_utf8_lossy(&answer[9..]).into_owned() } else { "cut".to_owned() }
    })
}

fn sync_from(who: &Client, from: &str, padding: usize) -> Answer {
    let body =
        json!({"device_id": who.device, "buckets": minutes("2026-03-10T09:00:00Z", 1, 1), "x": "x".repeat(padding)});
    let headers = [("content-type", "application/json"), ("x-forwarded-for", from)];
    who.send("POST", "/api/blink/sync", &headers, Some(body.to_string().as_bytes()))
}

#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
fn uploads_that_stall_keep_nobody_else_waiting_and_are_given_up(#[case] backend: Backend) {
    let mut app = TestApp::start(backend);
    let trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    app.set_access(AccessConfig { trusted_proxies, ..AccessConfig::default() });
    let (written, told) = mpsc::channel();
    let stalling: Vec<Client> = (0..3).map(|_| app.user()).collect();
    let (ada, neighbour) = (app.user(), app.user());
    let began = Instant::now();
    let stalled: Vec<_> = (0..6).map(|n| stall(&stalling[n % 3], written.clone())).collect();
    (0..3).for_each(|_| told.recv_timeout(Duration::from_secs(60)).unwrap());
    let asked = Instant::now();
    // An ordinary upload and a large one from elsewhere, and an ordinary one from the same address.
    for (who, from, padding) in [(&ada, "198.51.100.7", 0), (&ada, "198.51.100.7", 1 << 20), (&neighbour, STALLING, 0)]
    {
        sync_from(who, from, padding).expect(200);
    }
    assert!(asked.elapsed() < Duration::from_secs(5), "they waited for the stalled ones: {:?}", asked.elapsed());
    let answers: Vec<String> = stalled.into_iter().map(|stalled| stalled.join().unwrap()).collect();
    assert!(answers.iter().filter(|answer| *answer == "408").count() >= 3, "{answers:?}");
    assert!(!answers.iter().any(|answer| answer.starts_with('2')), "{answers:?}");
    assert!(began.elapsed() < Duration::from_secs(25), "{:?}", began.elapsed());
}

contract! {
    fn a_body_of_unknown_length_is_taken(app) {
        let ada = app.user();
        let body = json!({"device_id": ada.device, "buckets": minutes("2026-03-10T09:00:00Z", 3, 1)}).to_string();
        let mut stream = TcpStream::connect(ada.base.strip_prefix("http://").unwrap()).unwrap();
        stream.set_nodelay(true).unwrap();
        let head = format!(
            "POST /api/blink/sync HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
             transfer-encoding: chunked\r\nconnection: close\r\n\r\n",
            ada.access
        );
        stream.write_all(head.as_bytes()).unwrap();
        for piece in body.as_bytes().chunks(50) {
            stream.write_all(format!("{:x}\r\n{}\r\n", piece.len(), String::from_utf8_lossy(piece)).as_bytes()).unwrap();
        }
        stream.write_all(b"0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"accepted\":3"), "{answer}");
    }
}
