//! Exports that the client does not read, and exports that are broken off.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use rustix::net::{AddressFamily, SocketType, connect, ipproto, socket, sockopt};
use serde_json::json;

use crate::harness::*;

/// A connection with a small receive buffer, so that unread data waits in the server.
fn narrow(address: &str) -> TcpStream {
    let address: SocketAddr = address.trim_start_matches("http://").parse().unwrap();
    let socket = socket(AddressFamily::INET, SocketType::STREAM, Some(ipproto::TCP)).unwrap();
    sockopt::set_socket_recv_buffer_size(&socket, 4_096).unwrap();
    connect(&socket, &address).unwrap();
    TcpStream::from(socket)
}

/// Requests an export and reads only its first bytes.
pub(crate) fn begin(who: &Client) -> TcpStream {
    ask(&who.base, "/api/user/me/export", &who.access)
}

/// Requests a path and reads only the first bytes.
pub(crate) fn ask(address: &str, path: &str, token: &str) -> TcpStream {
    let mut stream = narrow(address);
    let asked = format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n");
    stream.write_all(asked.as_bytes()).unwrap();
    let mut status = [0; 12];
    stream.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.1 200");
    stream
}

/// Stores more minutes than a connection's buffers hold while the client does not read.
fn fill(who: &Client) {
    for from in ["2026-02-20T00:00:00Z", "2026-03-03T00:00:00Z"] {
        who.store(&minutes(from, 10_000, 1));
    }
}

contract! {
    fn a_person_has_one_export_at_a_time(app) {
        let (ada, eve) = (app.user(), app.user());
        fill(&ada);
        let unread = begin(&ada);
        for _ in 0..3 {
            let refused = ada.get("/api/user/me/export").expect(429);
            assert_eq!((refused.code(), refused.header("retry-after")), ("too_many_requests", "30"));
        }
        eve.get("/api/user/me/export").expect(200);
        drop(unread);
        let deadline = Instant::now() + Duration::from_secs(30);
        let whole = loop {
            match ada.get("/api/user/me/export") {
                answer if answer.status == 200 => break answer,
                answer => assert!(answer.status == 429 && Instant::now() < deadline, "{}", answer.status),
            }
        };
        assert_eq!(whole.json["minutes"].as_array().unwrap().len(), 20_000);
    }

    fn what_is_left_of_an_export_is_not_taken_for_the_whole(app) {
        let gone: [fn(&Client); 2] = [
            |who| drop(who.send("DELETE", "/api/user/me", &[("content-type", "application/json")], Some(json!({"password": PASSWORD}).to_string().as_bytes())).expect(200)),
            |who| drop(who.send("POST", "/api/auth/logout", &[], None).expect(204)),
        ];
        for end in gone {
            let ada = app.user();
            fill(&ada);
            let mut unread = begin(&ada);
            end(&ada);
            let mut rest = Vec::new();
            unread.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
            let read = unread.read_to_end(&mut rest);
            let tail = String::from_utf8_lossy(&rest[rest.len().saturating_sub(40)..]).into_owned();
            assert!(!tail.ends_with("0\r\n\r\n") && !tail.contains("]}"), "{read:?} {tail}");
        }
    }
}
