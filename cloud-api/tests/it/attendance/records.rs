//! What managers record and correct.

use serde_json::{Value, json};

use super::kit::{self, *};
use crate::harness::*;

const RECORDS: &str = "/api/attendance/records";

fn patch(who: &Client, id: &str, body: &Value) -> Answer {
    let path = format!("{RECORDS}/{id}");
    who.send("PATCH", &path, &[("content-type", "application/json")], Some(body.to_string().as_bytes()))
}

contract! {
    on kit::start;

    fn a_manager_records_and_corrects_with_a_trail(app) {
        let (kiosk, manager) = with_alice(app);
        let new = json!({"id": "alice", "date": "2026-03-09", "time": "09:10", "reason": "camera was covered"});
        let answer = manager.post(RECORDS, &new).expect(201).json;
        assert_eq!((&answer["status"], &answer["time"], &answer["source"]), (&json!("present"), &json!("09:10:00"), &json!("manager")));
        assert_eq!(manager.post(RECORDS, &new).expect(409).code(), "already_recorded");
        let id = answer["record_id"].as_str().unwrap();
        let changed = patch(&manager, id, &json!({"status": "late", "time": "09:40:00", "reason": "was misread"})).expect(200).json;
        assert_eq!((&changed["status"], &changed["time"]), (&json!("late"), &json!("09:40:00")));
        let trail = changed["corrections"].as_array().unwrap();
        assert_eq!(trail.len(), 2);
        assert_eq!((&trail[0]["status_before"], &trail[0]["status_after"]), (&Value::Null, &json!("present")));
        assert_eq!((&trail[1]["time_before"], &trail[1]["time_after"]), (&json!("09:10:00"), &json!("09:40:00")));
        assert_eq!((&trail[1]["reason"], &trail[1]["made_by"]), (&json!("was misread"), &json!(manager.id)));
        // A day that a manager said she missed is hers again when she comes.
        let missed = manager.post(RECORDS, &json!({"id": "alice", "status": "absent", "reason": "not seen by noon"})).expect(201);
        assert_eq!(missed.json["corrections"][0]["time_after"], Value::Null, "nobody was there");
        assert_eq!(decision(&mark(app, &kiosk, 1.0)), ("late", None));
        assert_eq!(decision(&mark(app, &kiosk, 1.0)), ("already_marked", None));
    }

    fn only_managers_do_and_only_with_a_reason(app) {
        let (kiosk, manager) = with_alice(app);
        let body = json!({"id": "alice", "reason": "x"});
        for who in [&kiosk, &app.user()] {
            assert_eq!(who.post(RECORDS, &body).expect(403).code(), "forbidden");
        }
        for reason in [Value::Null, json!(" "), json!("x".repeat(501)), json!("a\u{7}")] {
            let answer = manager.post(RECORDS, &json!({"id": "alice", "reason": reason})).expect(422);
            assert!(!answer.field("reason").is_empty(), "{reason}");
        }
        for (name, value) in [("date", "2026-03-11"), ("date", "2026-02-30"), ("time", "25:00"), ("status", "here"), ("id", "a/b")] {
            let mut body = body.clone();
            body[name] = json!(value);
            assert!(!manager.post(RECORDS, &body).expect(422).field(name).is_empty(), "{name} {value}");
        }
        assert_eq!(manager.post(RECORDS, &json!({"id": "nobody", "reason": "x"})).expect(404).code(), "no_such_person");
        assert_eq!(patch(&manager, "x", &json!({"status": "late", "reason": "x"})).status, 404);
        let unknown = uuid::Uuid::new_v4().to_string();
        assert_eq!(patch(&manager, &unknown, &json!({"status": "late", "reason": "x"})).status, 404);
        let id = manager.post(RECORDS, &body).expect(201).json["record_id"].as_str().unwrap().to_owned();
        assert!(!patch(&manager, &id, &json!({"reason": "x"})).expect(422).field("status").is_empty());
        assert_eq!(patch(&kiosk, &id, &json!({"status": "late", "reason": "x"})).expect(403).code(), "forbidden");
    }

    fn a_time_that_the_clock_left_out_is_the_one_after_it(app) {
        let (_, manager) = with_alice(app);
        app.set_time("2026-03-30T08:00:00Z");
        let manager = app.again(&manager);
        let gap = json!({"id": "alice", "date": "2026-03-29", "time": "02:30", "reason": "night shift"});
        assert_eq!(manager.post(RECORDS, &gap).expect(201).json["time"], "03:30:00");
    }
}
