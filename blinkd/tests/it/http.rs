//! Tests of the real HTTP client against a minimal server on a port of its own.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use blink_proto::{DeviceId, Secret, http::SyncRequest};
use blinkd::upload::{BaseUrl, MinutesOf, NetError, PageOf, Server, http::HttpServer};
use flate2::read::GzDecoder;
use rstest::rstest;

/// A request as received.
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

/// Answers one request with `answer`; the thread returns the request.
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

#[test]
fn a_query_holds_what_is_asked_and_nothing_that_was_smuggled_in() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 31\r\n\r\n{\"items\":[],\"next_cursor\":null}";
    let of = PageOf {
        from: Some("2026-03-01T10:00:00Z".parse().unwrap()),
        to: None,
        cursor: Some("a&limit=1 #é".to_owned()),
    };
    let (base, server) = serve(answer);
    client(base).minutes(&Secret::new("t"), &of).unwrap();
    let line = server.join().unwrap().line;
    let query = line.strip_prefix("GET /api/user/me/blinks?").unwrap().strip_suffix(" HTTP/1.1").unwrap();
    let names: Vec<_> = query.split('&').map(|pair| pair.split_once('=').unwrap().0).collect();
    assert_eq!(names, ["group", "limit", "from", "cursor"], "{query}");
    assert!(query.ends_with("=a%26limit%3D1%20%23%C3%A9") && query.contains("limit=1000&"), "{query}");
}

#[test]
fn whole_minutes_are_asked_for_by_what_is_missing() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 62\r\n\r\n\
                  {\"items\":[],\"next_cursor\":null,\"as_of\":\"2026-03-01T10:00:00Z\"}";
    let of = MinutesOf {
        from: "2026-02-01T00:00:00Z".parse().unwrap(),
        received_from: Some("2026-03-01T09:00:00Z".parse().unwrap()),
        not_device: uuid::Uuid::nil().into(),
        cursor: Some("a&limit=1".to_owned()),
    };
    let (base, server) = serve(answer);
    client(base).own_minutes(&Secret::new("t"), &of).unwrap();
    let line = server.join().unwrap().line;
    let query = line.strip_prefix("GET /api/user/me/minutes?").unwrap().strip_suffix(" HTTP/1.1").unwrap();
    let names: Vec<_> = query.split('&').map(|pair| pair.split_once('=').unwrap().0).collect();
    assert_eq!(names, ["from", "not_device", "received_from", "limit", "cursor"], "{query}");
    assert!(query.contains("limit=1000&") && query.ends_with("=a%26limit%3D1"), "{query}");
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
#[case("HTTP/1.1 307 Moved\r\nlocation: http://evil.example/\r\ncontent-length: 0\r\n\r\n", None, "redirected")]
#[case("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nwhat", None, "wrong_server")]
#[case("HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\n<html>Wi-Fi</ht", None, "web_page")]
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

#[test]
fn a_page_before_everything_is_no_healthy_server_and_a_redirection_is_told_without_its_query() {
    let (base, server) = serve("HTTP/1.1 200 OK\r\ncontent-length: 19\r\n\r\n <!DOCTYPE html><p>");
    assert_eq!(client(base).health(), Err(NetError::WebPage));
    server.join().unwrap();
    let (base, server) =
        serve("HTTP/1.1 302 Found\r\nlocation: http://portal.example/in?mac=1234\r\ncontent-length: 0\r\n\r\n");
    assert_eq!(client(base).health(), Err(NetError::Redirected("http://portal.example/in".into())));
    server.join().unwrap();
}

#[test]
fn the_servers_time_is_read() {
    let (base, server) = serve("HTTP/1.1 200 OK\r\ndate: Sun, 01 Mar 2026 10:00:00 GMT\r\ncontent-length: 2\r\n\r\n{}");
    assert_eq!(client(base).health(), Ok(Some("2026-03-01T10:00:00Z".parse().unwrap())));
    server.join().unwrap();
}

#[test]
fn a_name_that_is_not_known_is_told_apart_from_a_server_that_is_not_there() {
    let base = BaseUrl::parse("https://no-such-host.invalid", false).unwrap();
    let problem = client(base).health().unwrap_err().problem();
    assert_eq!(problem.code, "server_unreachable");
    assert!(!problem.message.contains("nothing listens"), "{problem}");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let base = BaseUrl::parse(&format!("http://{free}"), false).unwrap();
    assert!(client(base).health().unwrap_err().problem().message.contains("nothing listens there"));
}

#[test]
fn a_sign_in_through_the_browser_speaks_rfc_8628() {
    let answer = |status: &str, body: &str| {
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).leak() as &'static str
    };
    let start = r#"{"device_code":"dc","user_code":"AB-CD","verification_uri":"https://x/device","expires_in":600}"#;
    let (base, server) = serve(answer("200 OK", start));
    let started = client(base).device_start("desk").unwrap();
    assert_eq!((started.user_code.as_str(), started.expires_in, started.interval), ("AB-CD", 600, None));
    let sent: serde_json::Value = serde_json::from_slice(&server.join().unwrap().body).unwrap();
    assert_eq!(sent, serde_json::json!({"device_name": "desk"}));
    for (word, want) in [
        ("authorization_pending", "Pending"),
        ("slow_down", "SlowDown"),
        ("access_denied", "Denied"),
        ("expired_token", "Expired"),
    ] {
        let (base, server) = serve(answer("400 Bad Request", &format!(r#"{{"error":"{word}"}}"#)));
        assert_eq!(format!("{:?}", client(base).device_token(&Secret::new("dc")).unwrap()), want);
        let body = String::from_utf8(server.join().unwrap().body).unwrap();
        assert!(
            body.contains("device_code=dc") && body.contains("device_code&") || body.starts_with("grant_type="),
            "{body}"
        );
    }
    let (base, server) = serve(answer("400 Bad Request", r#"{"error":"invalid_client"}"#));
    assert_eq!(client(base).device_token(&Secret::new("dc")).unwrap_err().problem().code, "wrong_server");
    server.join().unwrap();
}

#[test]
fn a_server_without_tls_is_told_from_a_bad_certificate() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = BaseUrl::parse(&format!("https://{}", listener.local_addr().unwrap()), false).unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut greeting = [0; 4096];
        assert!(stream.read(&mut greeting).unwrap() > 0);
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").unwrap();
    });
    let _ = rustls::crypto::ring::default_provider().install_default();
    let problem = client(base).health().unwrap_err().problem();
    server.join().unwrap();
    assert!(problem.message.contains("does not speak TLS") && !problem.fix.contains("clock"), "{problem}");
}

/// A TLS server whose certificate for `name` expires in `year`; returns its authority as PEM too.
fn secure(name: &str, year: i32) -> (BaseUrl, String, JoinHandle<()>) {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.distinguished_name.push(rcgen::DnType::CommonName, format!("authority {}", uuid::Uuid::now_v7()));
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let pem = authority.self_signed(&authority_key).unwrap().pem();
    let mut leaf = CertificateParams::new(vec![name.to_owned()]).unwrap();
    (leaf.not_before, leaf.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(year, 1, 1));
    let key = KeyPair::generate().unwrap();
    let certificate = leaf.signed_by(&key, &Issuer::new(authority, authority_key)).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let connection = rustls::ServerConnection::new(std::sync::Arc::new(config)).unwrap();
        let mut stream = rustls::StreamOwned::new(connection, stream);
        // A client that does not trust the certificate disconnects during the handshake.
        let mut request = [0; 1024];
        if stream.read(&mut request).is_ok_and(|n| n > 0) {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
        }
    });
    (BaseUrl::parse(&format!("https://localhost:{port}"), false).unwrap(), pem, thread)
}

#[rstest]
#[case("localhost", 2099, true, None)]
#[case("localhost", 2099, false, Some("unknown authority"))]
#[case("localhost", 2021, true, Some("expired"))]
#[case("elsewhere.example", 2099, true, Some("another name"))]
fn certificates_are_told_apart(
    #[case] name: &str,
    #[case] year: i32,
    #[case] trusted: bool,
    #[case] says: Option<&str>,
) {
    let (base, pem, server) = secure(name, year);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let other = secure("localhost", 2099);
    std::fs::write(&file, if trusted { pem } else { other.1.clone() }).unwrap();
    let answer = HttpServer::new(base, Some(&file)).unwrap().health();
    match says {
        None => assert_eq!(answer, Ok(None)),
        Some(says) => {
            let problem = answer.unwrap_err().problem();
            assert_eq!(problem.code, "tls_failed");
            assert!(problem.message.contains(says), "{problem}");
        }
    }
    server.join().unwrap();
    // Its thread waits for a client, so a connection is made that ends at once.
    drop(TcpStream::connect(other.0.to_string().trim_start_matches("https://")));
    other.2.join().unwrap();
}
