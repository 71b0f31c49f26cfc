//! Connections that say nothing, or never end what they say.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use rstest::rstest;
use rustix::net::{AddressFamily, SocketType, bind, connect, ipproto, socket};

use crate::{
    archive_kit::eventually,
    harness::*,
    process::{Running, serve},
};

fn open(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    stream
}

/// Sends `drip` again and again until the server closes the connection; returns what the server sent.
fn drip(mut stream: TcpStream, drip: &str) -> String {
    let started = Instant::now();
    let mut answer = Vec::new();
    let mut part = [0; 4_096];
    loop {
        assert!(started.elapsed() < Duration::from_secs(60), "it stays open: {}", String::from_utf8_lossy(&answer));
        let _ = stream.write_all(drip.as_bytes());
        match stream.read(&mut part) {
            Ok(0) => break,
            Ok(n) => answer.extend_from_slice(&part[..n]),
            Err(e) if matches!(e.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
            // The server closed while the client was still sending.
            Err(_) => break,
        }
    }
    String::from_utf8(answer).unwrap()
}

/// The first is refused before its body is read, the others after the 30 s that a body has.
#[rstest]
#[case::refused_chunks("DELETE /api/user/me", "1\r\nx\r\n", 401, 0..15)]
#[case::slow_chunks("POST /api/auth/login", "1\r\n \r\n", 408, 29..50)]
#[case::an_endless_chunk_extension("POST /api/auth/login", "1;x", 408, 29..50)]
fn an_answer_before_the_end_of_the_body_ends_the_connection(
    #[case] line: &str,
    #[case] part: &str,
    #[case] status: u16,
    #[case] seconds: std::ops::Range<u64>,
) {
    let app = TestApp::start(Backend::Sqlite);
    let started = Instant::now();
    let mut stream = open(&app.address);
    let head = "host: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked";
    stream.write_all(format!("{line} HTTP/1.1\r\n{head}\r\n\r\n").as_bytes()).unwrap();
    let answer = drip(stream, part);
    assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    assert!(answer.contains("connection: close") && answer.ends_with("}}"), "{answer}");
    assert!(seconds.contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
}

#[test]
fn a_second_head_that_never_ends_ends_the_connection() {
    let app = TestApp::start(Backend::Sqlite);
    let mut stream = open(&app.address);
    stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\nGET /health HTTP/1.1\r\n").unwrap();
    let started = Instant::now();
    let answer = drip(stream, "x: y\r\n");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.matches("HTTP/1.1").count() == 1, "{answer}");
    assert!(started.elapsed() < Duration::from_secs(40), "{:?}", started.elapsed());
}

#[test]
fn behind_a_proxy_an_idle_connection_lives_longer_than_the_proxy_keeps_it() {
    let home = tempfile::tempdir().unwrap();
    let mut command = serve(home.path());
    command.env("CLOUD_API_BEHIND_PROXY", "true").env("CLOUD_API_PUBLIC_URL", "https://wellness.example.org");
    let server = Running::start(command);
    let mut stream = open(&server.address);
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut ask = || {
        stream.write_all(b"GET /health HTTP/1.1\r\nhost: wellness.example.org\r\n\r\n").unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
        let _ = stream.read(&mut [0; 4_096]).unwrap();
    };
    ask();
    // nginx and Amazon's load balancers keep theirs for 60 s; clients' own are closed after 5 s.
    let idle = if std::env::var_os("WAW_TEST_LONG").is_some() { 62 } else { 22 };
    std::thread::sleep(Duration::from_secs(idle));
    ask();
}

/// A server whose files are limited to 100, or to 400 when it asks.
fn limited(home: &Path) -> Running {
    let mut command = Command::new("/bin/sh");
    let script = "ulimit -S -n 100; ulimit -H -n 400; exec \"$0\" serve --listen 127.0.0.1:0";
    command.args(["-c", script, env!("CARGO_BIN_EXE_cloud-api")]).env_clear().env("HOME", home).current_dir(home);
    Running::start(command)
}

/// The status of `GET /health` asked from this address of the loopback network; none when the connection is shut.
fn health(server: &str, from: [u8; 4]) -> Option<String> {
    let server: SocketAddr = server.trim_start_matches("http://").parse().unwrap();
    let socket = socket(AddressFamily::INET, SocketType::STREAM, Some(ipproto::TCP)).unwrap();
    bind(&socket, &SocketAddr::from((from, 0))).unwrap();
    connect(&socket, &server).unwrap();
    let mut stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let _ = stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer.split(' ').nth(1).map(str::to_owned)
}

/// Whether a read finds nothing yet, rather than the end.
fn is_open(mut stream: &TcpStream) -> bool {
    matches!(stream.read(&mut [0]), Err(e) if e.kind() == std::io::ErrorKind::WouldBlock)
}

#[test]
fn silent_connections_of_one_address_leave_the_others_theirs() {
    let home = tempfile::tempdir().unwrap();
    let server = limited(home.path());
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.pid())).unwrap();
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    assert_eq!(files.split_whitespace().skip(3).take(2).collect::<Vec<_>>(), ["400", "400"]);
    let silent: Vec<TcpStream> = (0..450).map(|_| open(&server.address)).collect();
    silent.iter().for_each(|stream| stream.set_nonblocking(true).unwrap());
    // A quarter of the 72 that fit stays; the others are shut at once.
    eventually("18 stay", || silent.iter().filter(|stream| is_open(stream)).count() == 18);
    assert_eq!(health(&server.address, [127, 0, 0, 1]), None);
    for n in 2..6 {
        assert_eq!(health(&server.address, [127, 0, 0, n]).as_deref(), Some("200"));
    }
    drop(silent);
    eventually("the places are free", || health(&server.address, [127, 0, 0, 1]).as_deref() == Some("200"));
}
