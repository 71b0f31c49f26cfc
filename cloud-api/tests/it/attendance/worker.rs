//! The program that reads faces, played by a script that works, hangs, ends, or talks nonsense.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use rstest::rstest;
use serde_json::json;

use super::kit::*;
use crate::{archive_kit::eventually, harness::*};

/// Speaks the protocol as `face-worker` does, and reads the face that a picture names.
const PROGRAM: &str = include_str!("worker.py");

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
    write_program(&path, mode);
    path
}

pub(crate) fn write_program(path: &Path, mode: &str) {
    let text = PROGRAM.replace("MODE = \"good\"", &format!("MODE = \"{mode}\""));
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
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
#[case("end_at_once")]
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
    let kiosks: Vec<Client> = (0..16).map(|_| with_role(&app, "kiosk")).collect();
    let (answers, mut health) = thread::scope(|scope| {
        let sent: Vec<_> = kiosks.iter().map(|kiosk| scope.spawn(|| send(kiosk, MARK, &picture(1.0)))).collect();
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
