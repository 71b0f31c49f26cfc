//! The real HTTP client against a server of a few lines, on a port of its own.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use blink_proto::{DeviceId, Secret, http::SyncRequest};
use blinkd::upload::{BaseUrl, NetError, Server, http::HttpServer};
use flate2::read::GzDecoder;
use rstest::rstest;

/// A request as it arrived.
struct Request {
    line: String,
    headers: Vec<String>,
    body: Vec<u8>,
}

impl Request {
    fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find_map(|h| h.split_once(": ").filter(|(n, _)| n.eq_ignore_ascii_case(name)));
        header.map(|(_, value)| value)
    }
}

/// Answers one request with `answer`, and hands it out.
fn serve(answer: &'static str) -> (BaseUrl, JoinHandle<Request>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = BaseUrl::parse(&format!("http://{}", listener.local_addr().unwrap()), false).unwrap();
    let thread = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let request = read(&mut stream);
        stream.write_all(answer.as_bytes()).unwrap();
        request
    });
    (base, thread)
}

fn read(stream: &mut TcpStream) -> Request {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut request = Request { line: lines.remove(0), headers: lines, body: Vec::new() };
    let length = request.header("content-length").map_or(0, |n| n.parse().unwrap());
    request.body = vec![0; length];
    reader.read_exact(&mut request.body).unwrap();
    request
}

fn client(base: BaseUrl) -> HttpServer {
    HttpServer::new(base, None).unwrap()
}

fn empty_sync() -> SyncRequest {
    SyncRequest { device_id: DeviceId::new(), buckets: Vec::new() }
}

#[test]
fn a_sync_is_gzipped_json_with_the_token() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 42\r\n\r\n{\"accepted\":3,\"duplicates\":1,\"rejected\":[]}";
    let answer = answer.replace("42", &(answer.len() - answer.find("\r\n\r\n").unwrap() - 4).to_string());
    let (base, server) = serve(answer.leak());
    let request = empty_sync();
    let response = client(base).sync(&Secret::new("the-token"), &request).unwrap();
    assert_eq!((response.accepted, response.duplicates), (3, 1));
    let got = server.join().unwrap();
    assert_eq!(got.line, "POST /api/blink/sync HTTP/1.1");
    assert_eq!(got.header("authorization"), Some("Bearer the-token"));
    assert_eq!(got.header("content-encoding"), Some("gzip"));
    assert_eq!(got.header("content-type"), Some("application/json"));
    let mut json = String::new();
    GzDecoder::new(&got.body[..]).read_to_string(&mut json).unwrap();
    assert_eq!(json, serde_json::to_string(&request).unwrap());
}

#[rstest]
#[case("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n", Some(503), "http_503")]
#[case("HTTP/1.1 413 Too Large\r\ncontent-length: 4\r\n\r\nwhat", Some(413), "http_413")]
#[case(
    "HTTP/1.1 403 Forbidden\r\ncontent-length: 79\r\n\r\n\
     {\"error\":{\"code\":\"consent_withdrawn\",\"message\":\"Withdrawn.\",\"request_id\":\"r1\"}} ",
    Some(403),
    "consent_withdrawn"
)]
#[case("HTTP/1.1 307 Moved\r\nlocation: http://evil.example/\r\ncontent-length: 0\r\n\r\n", None, "wrong_server")]
#[case("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nwhat", None, "wrong_server")]
#[case("SSH-2.0-OpenSSH_9.2\r\n\r\n", None, "wrong_server")]
fn every_answer_becomes_a_problem(#[case] answer: &'static str, #[case] status: Option<u16>, #[case] code: &str) {
    let (base, server) = serve(answer);
    let error = client(base).sync(&Secret::new("t"), &empty_sync()).unwrap_err();
    assert_eq!((error.status(), error.problem().code.as_str()), (status, code), "{error:?}");
    server.join().unwrap();
}

#[test]
fn retry_after_is_read() {
    let (base, server) = serve("HTTP/1.1 429 Slow\r\nretry-after: 17\r\ncontent-length: 0\r\n\r\n");
    let error = client(base).health().unwrap_err();
    assert_eq!(error, NetError::Status { status: 429, detail: None, retry_after: Some(Duration::from_secs(17)) });
    server.join().unwrap();
}

#[test]
fn a_server_that_is_not_there_or_hangs_up_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = BaseUrl::parse(&format!("http://{}", listener.local_addr().unwrap()), false).unwrap();
    let hanging_up = thread::spawn(move || drop(listener.accept().unwrap()));
    let client = client(base);
    assert_eq!(client.health().unwrap_err().problem().code, "server_unreachable");
    hanging_up.join().unwrap();
    let begun = Instant::now();
    assert_eq!(client.health().unwrap_err().problem().code, "server_unreachable");
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn what_speaks_no_tls_is_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let plain = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut hello = [0; 16];
        stream.read_exact(&mut hello).unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").unwrap();
    });
    let base = BaseUrl::parse(&format!("https://{address}"), false).unwrap();
    let error = client(base).health().unwrap_err();
    assert_eq!(error.problem().code, "tls_failed", "{error:?}");
    plain.join().unwrap();
}
