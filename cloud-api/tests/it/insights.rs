//! Insights from a person's figures, and questions about them.

use std::{
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use cloud_api::config::{AskConfig, OutsideConfig};
use serde_json::{Value, json};

use crate::{archive_kit::eventually, harness::*, mock::Mock};

contract! {
    fn this_week_is_held_against_the_weeks_before(app) {
        let ada = app.user_in("Europe/Berlin");
        assert_eq!(ada.get("/api/user/me/insights").expect(200).json["direction"], "unknown");
        for day in 10..=25 {
            ada.store(&minutes(&format!("2026-02-{day}T08:00:00Z"), 60, 20));
        }
        for day in 5..=9 {
            ada.store(&minutes(&format!("2026-03-0{day}T08:00:00Z"), 30, 15));
            ada.store(&minutes(&format!("2026-03-0{day}T15:00:00Z"), 30, 11));
        }
        let said = ada.get("/api/user/me/insights").expect(200).json;
        assert_eq!((&said["blinks_per_minute"], &said["baseline_blinks_per_minute"], &said["direction"]), (&json!(13.0), &json!(20.0), &json!("down")));
        assert!((said["change_percent"].as_f64().unwrap() + 35.0).abs() < 1e-9);
        assert_eq!((&said["best_hour"]["hour"], &said["worst_hour"]["hour"]), (&json!(9), &json!(16)), "in Berlin");
        assert_eq!(said["coverage"], 0.5);
        let compared = &said["comparison"];
        assert_eq!((&compared["verdict"], &compared["days"]), (&json!("down"), &json!([5, 16])));
        assert!((compared["change_percent"].as_f64().unwrap() + 25.0).abs() < 1e-9, "nine o'clock alone: {compared}");
        assert!(said["text"][0].as_str().unwrap().contains("13.0"));
        app.anonymous().get("/api/user/me/insights").expect(401);
    }

    fn another_machine_is_never_compared_in_silence(app) {
        let ada = app.user_in("Europe/Berlin");
        let other = Client { device: uuid::Uuid::new_v4(), ..ada.clone() };
        for day in 10..=25 {
            ada.store(&minutes(&format!("2026-02-{day}T08:00:00Z"), 60, 20));
        }
        for day in 5..=9 {
            other.store(&minutes(&format!("2026-03-0{day}T08:00:00Z"), 60, 15));
        }
        for path in ["/api/user/me/insights", "/api/user/me/letter"] {
            let compared = &ada.get(path).expect(200).json["comparison"];
            assert_eq!((&compared["verdict"], &compared["why"]), (&json!("unknown"), &json!("changed")), "{path}");
            assert_eq!(compared["changed"], json!(["machine"]), "{path}");
        }
    }

    fn a_weeks_letter_holds_it_against_the_weeks_before(app) {
        let ada = app.user_in("Europe/Berlin");
        // Now is Tuesday, 10 March: the last whole week began on the 2nd.
        for day in ["09", "10", "11", "12", "13", "16", "17", "18"] {
            ada.store(&minutes(&format!("2026-02-{day}T08:00:00Z"), 60, 20));
        }
        for day in 2..=6 {
            ada.store(&minutes(&format!("2026-03-0{day}T08:00:00Z"), 60, 15));
        }
        let letter = ada.get("/api/user/me/letter").expect(200).json;
        assert_eq!((&letter["week"], &letter["complete"]), (&json!("2026-W10"), &json!(true)));
        assert_eq!((&letter["total"]["rate_per_minute"], &letter["total"]["coverage"]), (&json!(15.0), &json!(1.0)));
        let compared = &letter["comparison"];
        assert_eq!((&compared["verdict"], &compared["days"]), (&json!("down"), &json!([5, 8])));
        assert!((compared["change_percent"].as_f64().unwrap() + 25.0).abs() < 1e-9, "{compared}");
        let first = ada.get("/api/user/me/letter?week=2026-W07").expect(200).json;
        assert_eq!((&first["comparison"]["verdict"], &first["comparison"]["why"]), (&json!("unknown"), &json!("nothing_observed")));
        let page = ada.get("/api/user/me/letter?format=html").expect(200);
        assert!(page.text.starts_with("<!DOCTYPE html>") && page.header("content-type") == "text/html; charset=utf-8");
        assert!(ada.get("/api/user/me/letter?format=md").expect(200).text.starts_with("# Your week, 2 to 8 March 2026"));
        for (query, field) in [("week=2026-10", "week"), ("week=2025-W53", "week"), ("week=", "week"), ("week=2026-W10&week=2026-W11", "week"), ("format=pdf", "format")] {
            assert_ne!(ada.get(&format!("/api/user/me/letter?{query}")).expect(422).field(field), "", "{query}");
        }
        for week in ["2026-W12", "9999-W52", "0000-W01", "1969-W40"] {
            let letter = ada.get(&format!("/api/user/me/letter?week={week}")).expect(200).json;
            assert_eq!(letter["total"]["blink_count"], Value::Null, "{week}");
        }
        // Another's minutes are in no letter of mine.
        assert_eq!(app.user().get("/api/user/me/letter").expect(200).json["total"]["blink_count"], Value::Null);
        app.anonymous().get("/api/user/me/letter").expect(401);
    }

    fn a_number_that_the_model_made_up_is_struck_out(app) {
        let model = Mock::start(|_, _| (200, json!({"choices": [{"message": {"content": "15 a minute, of 21.7 usually."}}]}).to_string()));
        let ask = AskConfig { url: format!("{}/v1", model.address), model: "small".to_owned(), key: None };
        let app = app.replica_with(OutsideConfig { oidc: None, ask: Some(ask) });
        let ada = app.user();
        ada.store(&minutes("2026-03-09T08:00:00Z", 60, 15));
        let answer = ada.post("/api/user/me/ask", &json!({"question": "How am I?"})).expect(200).json;
        assert_eq!((&answer["answer"], &answer["stricken"]), (&json!("15 a minute, of ~~21.7~~ usually."), &json!(["21.7"])));
    }

    fn questions_are_off_unless_a_model_was_chosen(app) {
        let answer = app.user().post("/api/user/me/ask", &json!({"question": "How am I?"})).expect(404);
        assert_eq!(answer.code(), "not_configured");
    }

    fn only_aggregates_leave_with_a_question(app) {
        let model = Mock::start(|_, request| {
            if request.body.contains("break it") {
                return (500, "{}".to_owned());
            }
            (200, json!({"choices": [{"message": {"role": "assistant", "content": " You blinked 15 times a minute. "}}]}).to_string())
        });
        let ask = AskConfig { url: format!("{}/v1", model.address), model: "small".to_owned(), key: Some(blink_proto::Secret::new("k")) };
        let app = app.replica_with(OutsideConfig { oidc: None, ask: Some(ask) });
        let ada = app.user();
        ada.store(&minutes("2026-03-09T08:00:00Z", 60, 15));
        let answer = ada.post("/api/user/me/ask", &json!({"question": "How am I?"})).expect(200);
        assert_eq!(answer.json, json!({"answer": "You blinked 15 times a minute.", "model": "small"}));
        let seen = model.seen.lock().unwrap()[0].clone();
        assert_eq!(seen.path, "/v1/chat/completions");
        assert!(seen.headers.to_ascii_lowercase().contains("authorization: bearer k"));
        let asked: Value = serde_json::from_str(&seen.body).unwrap();
        assert_eq!(asked["model"], "small");
        assert!(seen.body.contains("How am I?") && seen.body.contains("blinks_per_minute"));
        assert!(seen.body.contains("comparison") && !seen.body.contains("direction"), "{}", seen.body);
        for private in [ada.id.as_str(), &ada.email, "Ada", "from_timestamp", "2026-03-09", &ada.device.to_string()] {
            assert!(!seen.body.contains(private), "{private}");
        }
        assert_eq!(ada.post("/api/user/me/ask", &json!({"question": "break it"})).expect(502).code(), "model_failed");
        for question in [json!(""), json!("x".repeat(1_001)), json!(5), Value::Null] {
            assert_ne!(ada.post("/api/user/me/ask", &json!({"question": question})).expect(422).field("question"), "");
        }
        let refused = (0..20).map(|_| ada.post("/api/user/me/ask", &json!({"question": "Again?"}))).find(|a| a.status == 429);
        assert!(refused.is_some(), "questions cost money: never refused");
    }
}

/// A model that hangs on some questions is there for other people's.
#[test]
fn one_persons_questions_leave_the_others_theirs() {
    let model = Mock::start(|_, request| {
        if request.body.contains("freeze") {
            thread::sleep(Duration::from_secs(60));
        }
        (200, json!({"choices": [{"message": {"role": "assistant", "content": "15."}}]}).to_string())
    });
    let app = TestApp::start(Backend::Sqlite);
    let ask = AskConfig { url: format!("{}/v1", model.address), model: "small".to_owned(), key: None };
    let app = app.replica_with(OutsideConfig { oidc: None, ask: Some(ask) });
    let ada = app.user();
    let (told, answers) = mpsc::channel();
    for eve in [app.user(), app.user()] {
        for _ in 0..10 {
            let (eve, told) = (eve.clone(), told.clone());
            thread::spawn(move || drop(told.send(eve.post("/api/user/me/ask", &json!({"question": "freeze"})))));
        }
    }
    eventually("two questions of each are asked", || model.seen.lock().unwrap().len() == 4);
    let started = Instant::now();
    ada.post("/api/user/me/ask", &json!({"question": "How am I?"})).expect(200);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    // Who waits is refused in the end.
    let refused = answers.recv_timeout(Duration::from_secs(20)).unwrap().expect(503);
    assert_eq!((refused.code(), refused.header("retry-after")), ("busy", "5"));
}
