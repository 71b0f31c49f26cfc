//! Forms that no honest client sends. Each gets the right code and one sentence, and the server answers meanwhile.

use std::{
    io::Write as _,
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use rstest::rstest;
use serde_json::json;

use super::kit::{self, *};
use crate::harness::*;

fn desk() -> (TestApp, Client) {
    let app = kit::start(Backend::Sqlite);
    let (kiosk, _) = with_alice(&app);
    (app, kiosk)
}

#[rstest]
#[case("image", b"GIF89a".to_vec())]
#[case("image", b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec())]
#[case("image", b"".to_vec())]
#[case("video", b"#EXTM3U\nfile:///etc/passwd".to_vec())]
#[case("video", jpeg(&json!({"face": 1.0})))]
#[case("image", mp4(&json!({"face": 1.0})))]
fn a_file_of_another_kind_is_refused_by_its_first_bytes(#[case] name: &'static str, #[case] bytes: Vec<u8>) {
    let (_app, kiosk) = desk();
    assert_eq!(send(&kiosk, MARK, &[(name, bytes)]).expect(415).code(), "unsupported_media_type");
}

#[rstest]
#[case("")]
#[case("multipart/form-data")]
#[case("application/json")]
#[case("multipart/form-data; boundary=other")]
fn a_body_that_is_no_form_is_refused(#[case] kind: &str) {
    let (_app, kiosk) = desk();
    let body = form(&[("image", jpeg(&json!({"face": 1.0})))]);
    let headers: &[(&str, &str)] = if kind.is_empty() { &[] } else { &[("content-type", kind)] };
    let answer = kiosk.send("POST", MARK, headers, Some(&body));
    assert!([400, 415, 422].contains(&answer.status), "{answer:?}");
    answer.code();
}

#[test]
fn a_form_that_is_cut_or_compressed_is_refused() {
    let (_app, kiosk) = desk();
    let body = form(&[("image", jpeg(&json!({"face": 1.0})))]);
    for cut in [1, 10, 60, body.len() - 8] {
        let answer = kiosk.send("POST", MARK, &[MULTIPART], Some(&body[..cut]));
        assert!([400, 422].contains(&answer.status), "{cut}: {answer:?}");
    }
    let packed = kiosk.send("POST", MARK, &[MULTIPART, ("content-encoding", "gzip")], Some(&gzip(&body)));
    assert_eq!(packed.expect(415).code(), "unsupported_media_type");
}

#[test]
fn too_much_is_refused() {
    let (_app, kiosk) = desk();
    let big = |bytes: usize| {
        let mut picture = jpeg(&json!({"face": 1.0}));
        picture.resize(bytes, b' ');
        picture
    };
    send(&kiosk, MARK, &[("image", big(10 << 20))]).expect(200);
    assert_eq!(send(&kiosk, MARK, &[("image", big((10 << 20) + 1))]).expect(413).code(), "too_large");
    let mut video = mp4(&json!({"face": 1.0}));
    video.resize((20 << 20) + 1, b' ');
    assert_eq!(send(&kiosk, MARK, &[("video", video)]).expect(413).code(), "too_large");
    let two = [("image", jpeg(&json!({}))), ("image", jpeg(&json!({})))];
    assert_eq!(send(&kiosk, MARK, &two).expect(413).code(), "too_large");
    let frames: Vec<Part<'_>> = (0..1_201).map(|_| ("frames[]", jpeg(&json!({})))).collect();
    assert_eq!(send(&kiosk, MARK, &frames).expect(413).code(), "too_large");
    let fields: Vec<Part<'_>> = (0..1_301).map(|_| text("x", "")).collect();
    assert_eq!(send(&kiosk, MARK, &fields).expect(413).code(), "too_large");
    assert_eq!(send(&kiosk, MARK, &[text("x", &"x".repeat(70_000))]).expect(413).code(), "too_large");
}

#[rstest]
#[case("[0, 33]")]
#[case("[0, NaN, 66]")]
#[case("[0, 66, 33]")]
#[case("[0, 0, 0]")]
#[case("[0, -33, 66]")]
#[case("[0, 33, 1e9]")]
#[case("")]
fn times_that_do_not_rise_are_refused(#[case] times: &str) {
    let (_app, kiosk) = desk();
    let mut parts = recording(&json!({"face": 1.0}));
    parts.retain(|(name, _)| *name != "timestamps_ms");
    parts.push(text("timestamps_ms", times));
    assert!(!send(&kiosk, MARK, &parts).expect(422).field("timestamps_ms").is_empty());
}

#[test]
fn one_of_picture_frames_and_video_is_given() {
    let (_app, kiosk) = desk();
    let (picture, video) = (("image", jpeg(&json!({"face": 1.0}))), ("video", mp4(&json!({"face": 1.0}))));
    assert!(!send(&kiosk, MARK, &[]).expect(422).field("image").is_empty());
    assert!(!send(&kiosk, MARK, &[picture.clone(), video]).expect(422).field("image").is_empty());
    for name in ["session_id", "challenge_id"] {
        let wrong = send(&kiosk, MARK, &[picture.clone(), text(name, "x")]).expect(422);
        assert!(!wrong.field(name).is_empty());
        let twice = [picture.clone(), text(name, "x"), text(name, "y")];
        assert!(!send(&kiosk, MARK, &twice).expect(422).field(name).is_empty());
    }
}

/// Forms that stall hold memory for a time, and nothing else.
#[test]
fn health_is_quick_while_forms_stall() {
    let (app, kiosk) = desk();
    let stalled: Vec<TcpStream> = (0..12)
        .map(|_| {
            let mut stream = TcpStream::connect(app.address.trim_start_matches("http://")).unwrap();
            let head = format!(
                "POST {MARK} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: {}\r\ncontent-length: 21000000\r\n\r\n--waw",
                kiosk.access, MULTIPART.1
            );
            stream.write_all(head.as_bytes()).unwrap();
            stream
        })
        .collect();
    thread::sleep(Duration::from_millis(200));
    let mut slowest = Duration::ZERO;
    for _ in 0..50 {
        let began = Instant::now();
        app.anonymous().get("/health").expect(200);
        slowest = slowest.max(began.elapsed());
    }
    println!("GET /health beside 12 stalled forms: at most {slowest:?}");
    // Others are served meanwhile, from the same address too.
    let other = with_role(&app, "kiosk");
    assert_eq!(
        decision(&send(&other, MARK, &[("image", jpeg(&json!({"face": 9.0})))])),
        ("unknown", Some("not_recognized"))
    );
    assert!(slowest < Duration::from_millis(250), "{slowest:?}");
    drop(stalled);
}
