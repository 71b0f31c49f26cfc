//! The program that reads faces, played by a script that works, hangs, ends, or talks nonsense.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use rstest::rstest;
use serde_json::json;

use super::kit::*;
use crate::{archive_kit::eventually, harness::*};

/// Speaks the protocol as `face-worker` does, and reads the face that a picture names.
const PROGRAM: &str = r#"#!/usr/bin/python3
import json, os, struct, sys, time
MODE = "{mode}"

def say(message, body=b""):
    head = json.dumps(message).encode()
    sys.stdout.buffer.write(struct.pack(">II", len(head), len(body)) + head + body)
    sys.stdout.buffer.flush()

if MODE == "no_models":
    say({"type": "unable", "code": "model_missing", "message": "a model is missing: run blinkd models --fetch"})
    sys.exit(1)
if sorted(os.environ) != sorted(name for name in os.environ if name in ("BLINKD_MODELS_DIR", "XDG_DATA_HOME", "HOME", "LC_CTYPE")):
    sys.exit("the environment holds more than it should")
protocol = 99 if MODE == "other_version" else 1
say({"type": "ready", "protocol": protocol, "version": "0", "load_ms": 1, "lockdown": []})
while True:
    prefix = sys.stdin.buffer.read(8)
    if len(prefix) < 8:
        break
    head, size = struct.unpack(">II", prefix)
    job = json.loads(sys.stdin.buffer.read(head))
    body = sys.stdin.buffer.read(size)
    if MODE == "hang":
        time.sleep(3600)
    if MODE == "end":
        sys.exit(1)
    if MODE == "nonsense":
        sys.stdout.buffer.write(b"\xff" * 64)
        sys.stdout.buffer.flush()
        continue
    if MODE == "slow":
        time.sleep(0.5)
    face = json.loads(body[body.index(b"{"):].decode())["face"]
    report = {"type": "still", "width": 640, "height": 480, "face_px": 180.0, "lightness": 120.0, "sharpness": 9.0,
              "yaw": 0.0, "encoding": [face] + [0.0] * 127}
    number = job["id"] + 1 if MODE == "other_job" else job["id"]
    say({"type": "answer", "id": number, "took_ms": 1, "outcome": report}, b"\xff\xd8\xffphoto")
"#;

/// A server with this program in the place of `face-worker`.
fn start(mode: &str) -> TestApp {
    TestApp::start_with(Backend::Sqlite, |app| {
        app.attendance.worker = Some(program(app, mode));
        app.attendance.workers = 1;
        app.access.rate_limit = false;
    })
}

fn program(app: &TestApp, mode: &str) -> PathBuf {
    let path = app.folder.path().join(format!("{mode}-worker"));
    fs::write(&path, PROGRAM.replace("{mode}", mode)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    path
}

fn attendance(app: &TestApp) -> String {
    app.anonymous().get("/healthz").expect(200).json["attendance"].as_str().unwrap().to_owned()
}

fn picture(face: f64) -> [Part<'static>; 1] {
    [("image", jpeg(&json!({"face": face})))]
}

#[test]
fn a_working_program_enrols_and_recognises() {
    let app = start("good");
    eventually("the program to be ready", || attendance(&app) == "ok");
    let (kiosk, _) = with_alice(&app);
    assert_eq!(decision(&send(&kiosk, MARK, &picture(1.0))), ("liveness_failed", Some("still_picture")));
    assert_eq!(decision(&send(&kiosk, MARK, &picture(9.0))), ("unknown", Some("not_recognized")));
}

#[rstest]
#[case("no_models")]
#[case("other_version")]
fn without_a_program_that_works_the_other_ways_do(#[case] mode: &str) {
    let app = start(mode);
    let manager = with_role(&app, "manager");
    eventually("the program's failure to be known", || enrol(&manager, "Alice", &[1.0]).status == 503);
    assert_eq!(attendance(&app), "unavailable");
    let refused = enrol(&manager, "Alice", &[1.0]).expect(503);
    assert_eq!(refused.code(), "attendance_unavailable");
    manager.post("/api/attendance/people", &json!({"name": "Alice"})).expect(201);
    manager.post("/api/attendance/records", &json!({"id": "alice", "reason": "no camera"})).expect(201);
}

#[test]
fn no_program_at_all_is_unavailable() {
    let app = TestApp::start(Backend::Sqlite);
    let manager = with_role(&app, "manager");
    eventually("the lack to be known", || enrol(&manager, "Alice", &[1.0]).status == 503);
    assert_eq!(attendance(&app), "unavailable");
}

#[rstest]
#[case("end")]
#[case("nonsense")]
#[case("other_job")]
fn a_program_that_fails_is_replaced_and_everybody_answered(#[case] mode: &str) {
    let app = start(mode);
    eventually("the program to be ready", || attendance(&app) == "ok");
    let kiosk = with_role(&app, "kiosk");
    let tries = if mode == "end" { 100 } else { 5 };
    for _ in 0..tries {
        assert_eq!(send(&kiosk, MARK, &picture(1.0)).expect(503).code(), "face_reading_failed");
    }
    println!("{tries} programs that failed ({mode}): {tries} callers answered with 503");
    // Once a sound one is there, it is taken.
    program(&app, "good");
    fs::rename(app.folder.path().join("good-worker"), app.folder.path().join(format!("{mode}-worker"))).unwrap();
    send(&kiosk, MARK, &picture(1.0)).expect(503);
    eventually("a sound program", || send(&kiosk, MARK, &picture(1.0)).status == 200);
    let mut conn = cloud_api::open::connect(&app.target).unwrap();
    assert!(cloud_api::db::attendance::records::of_person(&mut conn, "alice").unwrap().is_empty());
}

#[test]
fn a_program_that_hangs_is_killed() {
    let app = start("hang");
    eventually("the program to be ready", || attendance(&app) == "ok");
    let kiosk = with_role(&app, "kiosk");
    let began = Instant::now();
    assert_eq!(send(&kiosk, MARK, &picture(1.0)).expect(503).code(), "face_reading_failed");
    let took = began.elapsed();
    assert!((Duration::from_secs(9)..Duration::from_secs(15)).contains(&took), "{took:?}");
}

#[test]
fn a_full_queue_refuses_at_once_and_health_is_quick() {
    let app = start("slow");
    eventually("the program to be ready", || attendance(&app) == "ok");
    let kiosk = with_role(&app, "kiosk");
    let (answers, mut health) = thread::scope(|scope| {
        let sent: Vec<_> = (0..16).map(|_| scope.spawn(|| send(&kiosk, MARK, &picture(1.0)))).collect();
        thread::sleep(Duration::from_millis(150));
        let health: Vec<Duration> = (0..100)
            .map(|_| {
                let began = Instant::now();
                app.anonymous().get("/health").expect(200);
                began.elapsed()
            })
            .collect();
        (sent.into_iter().map(|answer| answer.join().unwrap()).collect::<Vec<_>>(), health)
    });
    health.sort_unstable();
    println!("GET /health with a full queue: p50 {:?}, p99 {:?}", health[50], health[98]);
    assert!(health[98] < Duration::from_millis(250), "{:?}", health[98]);
    let busy: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 503).collect();
    assert!(busy.iter().all(|answer| answer.code() == "busy" && !answer.header("retry-after").is_empty()));
    let read = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(read + busy.len(), 16);
    assert!((5..=8).contains(&read), "{read} were read");
}
