//! Several servers on one PostgreSQL.

use std::{
    thread,
    time::{Duration, Instant},
};

use cloud_api::open;
use diesel::connection::SimpleConnection as _;
use serde_json::json;

use super::kit::*;
use crate::{handover::until_waiting, harness::*};

fn two() -> (TestApp, TestApp) {
    let one = TestApp::start_with(Backend::Postgres, |app| {
        app.reader = Some(std::sync::Arc::new(Script::default()));
        app.access.rate_limit = false;
        // Both must open what the other sealed.
        let key = app.folder.path().join("master.key");
        std::fs::write(&key, [7; 32]).unwrap();
        app.master_key_file = Some(key);
    });
    let two = one.replica();
    (one, two)
}

/// The same session at another server.
fn at(app: &TestApp, who: &Client) -> Client {
    Client { base: app.address.clone(), ..who.clone() }
}

#[test]
fn of_fifty_marks_at_once_one_counts() {
    let (one, two) = two();
    let (kiosk, _) = with_alice(&one);
    let challenges: Vec<Challenge> = (0..50)
        .map(|_| {
            let there = challenge(&one, &kiosk);
            pass(&one, -21_000);
            there
        })
        .collect();
    for app in [&one, &two] {
        pass(app, 21_000);
    }
    let answers: Vec<Answer> = thread::scope(|scope| {
        let sent = challenges.iter().enumerate().map(|(n, challenge)| {
            let who = at(if n % 2 == 0 { &one } else { &two }, &kiosk);
            let parts = challenge.answered(&json!({"face": 1.0, "blinks": challenge.blinks()}));
            scope.spawn(move || send(&who, MARK, &parts))
        });
        sent.collect::<Vec<_>>().into_iter().map(|answer| answer.join().unwrap()).collect()
    });
    let count = |status: &str| answers.iter().filter(|answer| decision(answer).0 == status).count();
    println!("50 marks at once on two replicas: {} present, {} already_marked", count("late"), count("already_marked"));
    assert_eq!((count("late"), count("already_marked")), (1, 49));
}

#[test]
fn what_one_learns_or_forgets_the_other_knows_within_a_second() {
    let (one, two) = two();
    let (kiosk, manager) = with_alice(&one);
    let picture = [("image", jpeg(&json!({"face": 1.0})))];
    let there = at(&two, &kiosk);
    // Each mark looks for changes itself, so even the first one is right.
    assert_eq!(decision(&send(&there, MARK, &picture)).0, "liveness_failed");
    manager.send("DELETE", "/api/attendance/people/alice", &[], None).expect(200);
    assert_eq!(decision(&send(&there, MARK, &picture)), ("unknown", Some("not_recognized")));
    // And its memory is emptied without one: enrolments there compare with what is known.
    let began = Instant::now();
    enrol(&at(&two, &manager), "Bob", &[1.0]).expect(201);
    assert!(began.elapsed() < Duration::from_secs(1));
    assert_eq!(enrol(&manager, "Carol", &[1.0]).expect(409).code(), "face_taken");
}

/// Waits until both servers have followed the database, each by itself, and changes something else in it before they look
/// again: marks then find nothing to follow.
fn followed(app: &TestApp, change: &str) {
    let (mut other, mut eyes) = (open::connect(&app.target).unwrap(), open::connect(&app.target).unwrap());
    // Who waits the second time has ended what it began after the first.
    for then in ["SELECT 1", change] {
        other.batch_execute("BEGIN; LOCK TABLE attendance_gallery IN ACCESS EXCLUSIVE MODE").unwrap();
        until_waiting(&mut eyes, 2);
        other.batch_execute(&format!("{then}; COMMIT")).unwrap();
    }
}

#[test]
fn what_one_learns_or_forgets_is_in_the_others_memory_without_a_mark() {
    let (one, two) = two();
    let (kiosk, manager) = with_alice(&one);
    let there = at(&two, &kiosk);
    let picture = [("image", jpeg(&json!({"face": 1.0})))];
    // What is sealed in the database cannot be opened from now on: she is known from memory alone.
    followed(&one, "UPDATE attendance_encodings SET sealed = ''; CREATE TABLE kept AS SELECT * FROM attendance_people");
    assert_eq!(decision(&send(&there, MARK, &picture)).0, "liveness_failed");
    // When she is back in the database without her face, memory no longer has it.
    manager.send("DELETE", "/api/attendance/people/alice", &[], None).expect(200);
    followed(&one, "INSERT INTO attendance_people SELECT * FROM kept");
    assert_eq!(decision(&send(&there, MARK, &picture)), ("unknown", Some("not_recognized")));
}

#[test]
fn a_face_that_is_replaced_while_it_marks_is_compared_anew() {
    let (one, two) = two();
    let (kiosk, manager) = with_alice(&one);
    let challenge = challenge(&one, &kiosk);
    pass(&two, 21_000);
    let (mut other, mut eyes) = (open::connect(&one.target).unwrap(), open::connect(&one.target).unwrap());
    other.batch_execute("BEGIN; SELECT 1 FROM attendance_people WHERE id = 'alice' FOR UPDATE").unwrap();
    let mut again = enrolment("Alice", &[5.0]);
    again.push(text("force", "true"));
    let manager = at(&two, &manager);
    let replaced = thread::spawn(move || send(&manager, "/api/attendance/register-user", &again));
    until_waiting(&mut eyes, 1);
    let parts = challenge.answered(&json!({"face": 1.0, "blinks": challenge.blinks()}));
    let marked = thread::spawn(move || send(&kiosk, MARK, &parts));
    until_waiting(&mut eyes, 2);
    other.batch_execute("COMMIT").unwrap();
    replaced.join().unwrap().expect(201);
    assert_eq!(decision(&marked.join().unwrap()), ("unknown", Some("not_recognized")));
}

#[test]
fn one_face_is_enrolled_once_whoever_is_first() {
    let (one, two) = two();
    let manager = with_role(&one, "manager");
    let other = with_role(&one, "manager");
    let statuses: Vec<u16> = thread::scope(|scope| {
        let sent = (0..8).map(|n| {
            let who = if n % 2 == 0 { at(&one, &manager) } else { at(&two, &other) };
            scope.spawn(move || enrol(&who, &format!("Person {n}"), &[1.0]).status)
        });
        sent.collect::<Vec<_>>().into_iter().map(|status| status.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [201, 409, 503].contains(status)), "{statuses:?}");
}
