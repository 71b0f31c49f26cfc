//! Marks by PIN and by code.

use std::thread;

use serde_json::{Value, json};

use super::kit::{self, *};
use crate::harness::*;

const PIN: &str = "/api/attendance/mark-pin";

fn set_pin(manager: &Client, id: &str, pin: &Value) -> Answer {
    put(manager, &format!("/api/attendance/people/{id}/pin"), &json!({"pin": pin}))
}

pub(super) fn put(who: &Client, path: &str, body: &Value) -> Answer {
    who.send("PUT", path, &[("content-type", "application/json")], Some(body.to_string().as_bytes()))
}

contract! {
    on kit::start;

    fn a_pin_marks_its_person(app) {
        let (kiosk, manager) = with_alice(app);
        set_pin(&manager, "alice", &json!("482917")).expect(204);
        app.set_time("2026-03-10T08:00:00Z");
        let answer = kiosk.post(PIN, &json!({"id": "Alice", "pin": "482917"}));
        assert_eq!((decision(&answer), &answer.json["message"]), (("present", None), &json!("Alice 9:00 AM, by PIN")));
        assert_eq!((&answer.json["confidence"], &answer.json["liveness_verified"]), (&Value::Null, &json!(false)));
        assert_eq!(decision(&kiosk.post(PIN, &json!({"id": "alice", "pin": "482917"}))).0, "already_marked");
        assert_eq!(decision(&mark(app, &kiosk, 1.0)).0, "already_marked");
        set_pin(&manager, "alice", &Value::Null).expect(204);
        assert_eq!(kiosk.post(PIN, &json!({"id": "alice", "pin": "482917"})).expect(403).code(), "wrong_pin");
    }

    fn wrong_and_unknown_are_refused_alike(app) {
        let (kiosk, manager) = with_alice(app);
        set_pin(&manager, "alice", &json!("482917")).expect(204);
        enrol(&manager, "Bob", &[5.0]).expect(201);
        let said = |id: &str| {
            let mut answer = kiosk.post(PIN, &json!({"id": id, "pin": "482918"})).expect(403).json;
            answer["error"]["request_id"].take();
            answer
        };
        let wrong = said("alice");
        // Bob has no PIN, and Eve is nobody.
        assert_eq!((said("bob"), said("eve")), (wrong.clone(), wrong.clone()));
        assert_eq!(said("../alice"), wrong);
        assert_eq!(wrong["error"]["code"], "wrong_pin");
    }

    fn five_wrong_pins_are_all_that_a_caller_has(app) {
        let (kiosk, manager) = with_alice(app);
        set_pin(&manager, "alice", &json!("482917")).expect(204);
        // In parallel they are no more.
        let statuses: Vec<u16> = thread::scope(|scope| {
            let guess = |n: u32| kiosk.post(PIN, &json!({"id": "alice", "pin": format!("77{n:04}")})).status;
            let sent: Vec<_> = (0..12).map(|n| scope.spawn(move || guess(n))).collect();
            sent.into_iter().map(|answer| answer.join().unwrap()).collect()
        });
        let count = |status| statuses.iter().filter(|each| **each == status).count();
        assert_eq!((count(403), count(429)), (5, 7), "{statuses:?}");
        assert_eq!(kiosk.post(PIN, &json!({"id": "alice", "pin": "482917"})).status, 429);
        // Another caller may still try, and a quarter of an hour later this one.
        let other = with_role(app, "kiosk");
        assert_eq!(decision(&other.post(PIN, &json!({"id": "alice", "pin": "482917"}))).0, "late");
        app.set_time("2026-03-10T12:15:00Z");
        assert_eq!(decision(&app.again(&kiosk).post(PIN, &json!({"id": "alice", "pin": "482917"}))).0, "already_marked");
    }

    fn guessing_anothers_pin_shuts_it_for_nobody_and_leaves_no_trace(app) {
        let (kiosk, manager) = with_alice(app);
        set_pin(&manager, "alice", &json!("482917")).expect(204);
        for _ in 0..9 {
            let member = app.user();
            let said: Vec<u16> = (0..6).map(|_| member.post(PIN, &json!({"id": "alice", "pin": "482918"})).status).collect();
            assert_eq!(said, [403, 403, 403, 403, 403, 429]);
        }
        assert_eq!(app.count("attendance_refusals"), 0);
        // What a desk's caller guesses is a try of hers.
        kiosk.post(PIN, &json!({"id": "alice", "pin": "482918"})).expect(403);
        assert_eq!(app.count("attendance_refusals"), 1);
        assert_eq!(decision(&kiosk.post(PIN, &json!({"id": "alice", "pin": "482917"}))).0, "late");
    }

    fn a_code_of_the_account_marks_for_a_minute(app) {
        let (kiosk, manager) = with_alice(app);
        let ada = app.user();
        assert_eq!(ada.get("/api/attendance/code").expect(404).code(), "not_at_the_desk");
        let person = manager.post("/api/attendance/people", &json!({"name": "Ada L.", "email": ada.email})).expect(201);
        assert_eq!((&person.json["id"], &person.json["has_biometrics"]), (&json!("ada-l"), &json!(false)));
        let code = |who: &Client| who.get("/api/attendance/code").expect(200).json["code"].as_str().unwrap().to_owned();
        let first = code(&ada);
        let answer = kiosk.post(PIN, &json!({"qr": first}));
        assert_eq!((decision(&answer).0, &answer.json["name"]), ("late", &json!("Ada L.")));
        pass(app, 60_000);
        assert_eq!(kiosk.post(PIN, &json!({"qr": first})).expect(403).code(), "bad_code");
        assert_eq!(kiosk.post(PIN, &json!({"qr": "x"})).expect(403).code(), "bad_code");
        // A token for another use is none, and another member may not use it.
        assert_eq!(kiosk.post(PIN, &json!({"qr": ada.access})).expect(403).code(), "bad_code");
        assert_eq!(app.user().post(PIN, &json!({"qr": code(&ada)})).expect(403).code(), "forbidden");
        assert_eq!(decision(&ada.post(PIN, &json!({"qr": code(&ada)}))).0, "already_marked");
        assert_eq!(kiosk.get("/api/attendance/code").expect(403).code(), "forbidden");
    }

    fn a_member_sets_their_own_pin_and_uses_no_other(app) {
        let (_, manager) = with_alice(app);
        set_pin(&manager, "alice", &json!("482917")).expect(204);
        let ada = app.user();
        assert_eq!(put(&ada, "/api/attendance/pin", &json!({"pin": "246813"})).expect(404).code(), "not_at_the_desk");
        manager.post("/api/attendance/people", &json!({"name": "Ada", "email": ada.email})).expect(201);
        for weak in ["12345", "123456", "111111", "abcdef"] {
            assert!(!put(&ada, "/api/attendance/pin", &json!({"pin": weak})).expect(422).field("pin").is_empty(), "{weak}");
        }
        put(&ada, "/api/attendance/pin", &json!({"pin": "246813"})).expect(204);
        assert_eq!(set_pin(&ada, "alice", &json!("246813")).expect(403).code(), "forbidden");
        assert_eq!(ada.post(PIN, &json!({"id": "alice", "pin": "482917"})).expect(403).code(), "wrong_pin");
        assert_eq!(decision(&ada.post(PIN, &json!({"id": "ada", "pin": "246813"}))).0, "late");
    }

    fn a_face_with_a_pin_or_a_code_is_compared_with_its_person_alone(app) {
        let (kiosk, manager) = with_alice(app);
        set_pin(&manager, "alice", &json!("482917")).expect(204);
        enrol(&manager, "Bob", &[1.7]).expect(201);
        let ada = app.user();
        let with_email = [&enrolment("Ada", &[5.0])[..], &[text("email", &ada.email)]].concat();
        send(&manager, "/api/attendance/register-user", &with_email).expect(201);
        let try_of = |who: &Client, face: f64, more: &[Part<'static>]| {
            let challenge = challenge(app, who);
            let answered = challenge.answered(&json!({"face": face, "blinks": challenge.blinks()}));
            send(who, MARK, &[&answered[..], more].concat())
        };
        let alice = |pin: &str| [text("id", "Alice"), text("pin", pin)];
        // Between two people, until it is known who it should be.
        assert_eq!(decision(&try_of(&kiosk, 1.35, &[])), ("unknown", Some("ambiguous")));
        assert_eq!(try_of(&kiosk, 1.35, &alice("482918")).expect(403).code(), "wrong_pin");
        let answer = try_of(&kiosk, 1.35, &alice("482917"));
        assert_eq!((decision(&answer), &answer.json["id"]), (("late", None), &json!("alice")));
        assert_eq!(answer.json["liveness_verified"], true);
        // Her PIN does not make somebody else her, and no other face is looked for.
        assert_eq!(decision(&try_of(&kiosk, 5.0, &alice("482917"))), ("unknown", Some("not_recognized")));
        let code = || vec![text("qr", ada.get("/api/attendance/code").expect(200).json["code"].as_str().unwrap())];
        // The challenge takes its time, and a code is good for a minute.
        let answer = try_of(&kiosk, 5.0, &code());
        assert_eq!((decision(&answer).0, &answer.json["id"]), ("late", &json!("ada")));
        assert_eq!(try_of(&ada, 1.0, &alice("482917")).expect(403).code(), "wrong_pin");
        let both = [&alice("482917")[..], &code()].concat();
        assert!(!try_of(&kiosk, 1.0, &both).expect(422).field("pin").is_empty());
        assert!(!try_of(&kiosk, 1.0, &[text("id", "alice")]).expect(422).field("pin").is_empty());
        // Each of the right ones took the wrong guesses back.
        for _ in 0..4 {
            try_of(&kiosk, 1.35, &alice("482918")).expect(403);
        }
        assert_eq!(decision(&try_of(&kiosk, 1.35, &alice("482917"))).0, "already_marked");
    }

    fn either_a_pin_or_a_code_is_given(app) {
        let (kiosk, _) = with_alice(app);
        for body in [json!({}), json!({"id": "alice"}), json!({"pin": "482917"}), json!({"id": "alice", "pin": "482917", "qr": "x"})] {
            assert!(!kiosk.post(PIN, &body).expect(422).field("pin").is_empty(), "{body}");
        }
        assert!(!kiosk.post(PIN, &json!({"qr": "x", "session_id": "x"})).expect(422).field("session_id").is_empty());
    }
}
