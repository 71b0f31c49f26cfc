//! A demonstration: made-up people are there, everything answers as if, and nothing that visitors do is stored.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use cloud_api::attendance::liveness::Mode;
use rustix::process::Signal;
use serde_json::{Value, json};

use super::kit::*;
use crate::{
    archive_kit::eventually,
    harness::*,
    process::{Running, program},
};

/// Whatever people can write. Sign-ins, and the demonstration's own day, are not among them.
const TABLES: [&str; 17] = [
    "users",
    "consents",
    "one_time_tokens",
    "device_codes",
    // What sessions hold of a person; the sign-ins themselves are not.
    "sessions WHERE user_agent IS NOT NULL",
    "teams",
    "team_members",
    "attendance_people",
    "attendance_gallery",
    "attendance_encodings",
    "attendance_consents",
    "attendance_records",
    "attendance_corrections",
    "attendance_refusals",
    "attendance_outages",
    "attendance_challenges",
    "attendance_months",
];

fn demonstration(backend: Backend) -> TestApp {
    TestApp::start_with(backend, |app| {
        let video = app.folder.path().join("demo.mp4");
        fs::write(&video, mp4(&living())).unwrap();
        app.demo = Some(video);
        app.reader = Some(Arc::new(Script::default()));
        (app.attendance.liveness, app.access.rate_limit) = (Mode::Blink, false);
    })
}

fn living() -> Value {
    json!({"face": 1.0, "blinks": [3_000]})
}

fn visitor(app: &TestApp, role: &str) -> Client {
    let mut client = app.anonymous();
    let login = json!({"email": format!("{role}@demo.example"), "password": "a demonstration"});
    client.sign_in(&client.post("/api/auth/login", &login).expect(200).json);
    client
}

fn rows(app: &TestApp) -> BTreeMap<&'static str, i64> {
    TABLES.into_iter().map(|table| (table, app.count(table))).collect()
}

contract! {
    on demonstration;

    fn nothing_that_visitors_do_is_stored(app) {
        eventually("the recording's face to be enrolled", || app.count("attendance_encodings") == 1);
        let [member, manager, admin] = ["member", "manager", "admin"].map(|role| visitor(app, role));
        let people = manager.get("/api/attendance/people").expect(200).json;
        let enrolled: Vec<&Value> =
            people["items"].as_array().unwrap().iter().filter(|person| person["has_biometrics"] == true).collect();
        assert_eq!((enrolled.len(), &enrolled[0]["name"]), (1, &json!("Mara Lindqvist")));
        assert_eq!(enrolled[0]["image_path"], Value::Null, "a recording's face has no photo");
        let (before, mara) = (rows(app), member.get("/api/user/me").expect(200).json);
        for who in [&member, &manager, &member] {
            let marked = send(who, MARK, &[("video", mp4(&living()))]);
            assert_eq!(decision(&marked), ("late", None), "each try is the first");
            assert_eq!(marked.json["name"], "Mara Lindqvist");
        }
        assert_eq!(decision(&send(&manager, MARK, &[("video", mp4(&json!({"face": 7.0, "blinks": [3_000]})))])), ("unknown", Some("not_recognized")));
        assert_eq!(decision(&send(&manager, MARK, &[("image", jpeg(&json!({"face": 1.0})))])), ("liveness_failed", Some("still_picture")));
        enrol(&manager, "Somebody", &[4.0]).expect(201);
        manager.post("/api/attendance/records", &json!({"id": "member", "reason": "a try"})).expect(201);
        manager.post("/api/team", &json!({"name": "Another"})).expect(201);
        manager.send("DELETE", "/api/attendance/people/luca-moretti", &[], None).expect(200);
        let change = json!({"name": "Somebody else", "password": "another password", "current_password": "a demonstration"});
        let body = change.to_string();
        member.send("PATCH", "/api/user/me", &[("content-type", "application/json")], Some(body.as_bytes())).expect(200);
        let erasure = json!({"password": "a demonstration"}).to_string();
        admin.send("DELETE", "/api/user/me", &[("content-type", "application/json")], Some(erasure.as_bytes()));
        assert_eq!(app.anonymous().post("/api/auth/device", &json!({})).expect(403).code(), "demo");
        let code = json!({"user_code": "BCDF-GHJK", "approve": true});
        assert_eq!(member.post("/api/auth/device/approve", &code).expect(403).code(), "demo");
        assert_eq!(member.sync(&minutes("2026-03-10T09:00:00Z", 2, 3)).expect(403).code(), "demo");
        assert_eq!(rows(app), before);
        assert_eq!(visitor(app, "member").get("/api/user/me").expect(200).json, mara);
        assert_eq!(fs::read_to_string(app.folder.path().join("ledger.ndjson")).unwrap(), "", "what is taken back leaves no line");
    }

    fn visitors_see_and_leave_nothing_of_each_other(app) {
        let [first, second] = ["member", "member"].map(|role| visitor(app, role));
        for who in [&first, &second] {
            let own = who.get("/api/user/me/sessions").expect(200).json["items"].clone();
            assert_eq!(own.as_array().unwrap().len(), 1);
            assert_eq!((&own[0]["current"], &own[0]["user_agent"]), (&json!(true), &Value::Null));
            let exported = who.get("/api/user/me/export").expect(200).json["sessions"].clone();
            assert_eq!(exported.as_array().unwrap().iter().map(|s| &s["id"]).collect::<Vec<_>>(), [&own[0]["id"]]);
        }
        assert_eq!((app.count("sessions WHERE user_agent IS NOT NULL"), app.count("device_codes")), (0, 0));
    }

    fn its_people_have_weeks_behind_them(app) {
        let [member, manager] = ["member", "manager"].map(|role| visitor(app, role));
        let days = member.blinks("group=day&limit=1000").expect(200).json["items"].as_array().unwrap().len();
        assert!((25..=31).contains(&days), "{days} of 30 workdays and today");
        let insights = member.get("/api/user/me/insights").expect(200).json;
        assert!(insights["baseline_blinks_per_minute"].is_number() && insights["blinks_per_minute"].is_number(), "{insights}");
        let team = manager.get("/api/team").expect(200).json["items"][0].clone();
        let weeks = manager.get(&format!("/api/team/{}/blinks", team["id"].as_str().unwrap())).expect(200);
        let told = weeks.json["items"].as_array().unwrap().iter().filter(|week| week["suppressed"] == false).count();
        assert!(told >= 4, "{weeks:?}");
        let analytics = manager.get("/api/attendance/get-analytics").expect(200).json;
        assert!(analytics["daily"].as_array().unwrap().len() > 15, "{analytics}");
    }
}

#[test]
fn wrong_passwords_of_one_visitor_shut_out_no_other() {
    let app = TestApp::start_with(Backend::Sqlite, |app| {
        app.demo = Some(app.folder.path().join("none.mp4"));
        app.access.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    });
    let sign_in = |from: &str, password: &str| {
        let login = json!({"email": "member@demo.example", "password": password}).to_string();
        let headers = [("content-type", "application/json"), ("x-forwarded-for", from)];
        app.anonymous().send("POST", "/api/auth/login", &headers, Some(login.as_bytes())).status
    };
    for _ in 0..20 {
        assert_eq!(sign_in("203.0.113.66", "not it at all"), 401);
    }
    assert_eq!(sign_in("203.0.113.66", "a demonstration"), 429);
    assert_eq!(sign_in("203.0.113.67", "a demonstration"), 200);
}

#[test]
fn a_database_that_has_accounts_is_not_filled() {
    let mut app = TestApp::start(Backend::Sqlite);
    app.user();
    app.stop();
    app.demo = Some(app.folder.path().join("none.mp4"));
    let started = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| app.restart()));
    assert!(started.is_err());
    assert_eq!(app.count("users"), 1);
}

/// Everything in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn the_configured_database_is_not_touched_and_the_temporary_one_goes() {
    let home = tempfile::tempdir().unwrap();
    let own = home.path().join("own.db");
    fs::write(&own, "not even a database").unwrap();
    fs::create_dir(home.path().join("tmp")).unwrap();
    let mut command = program(home.path());
    command.args(["serve", "--listen", "127.0.0.1:0"]).env("DEMO_MODE", "true").env("TMPDIR", home.path().join("tmp"));
    command.env("DATABASE_URL", format!("sqlite:{}", own.display()));
    let running = Running::start(command);
    let refused = Client::new(&running.address).post("/api/auth/register", &registration("ada@example.org", "UTC"));
    assert_eq!(refused.expect(403).code(), "registration_closed");
    assert_eq!(names(&home.path().join("tmp")).len(), 1);
    assert_eq!(running.stop(Signal::TERM).0, Some(0));
    assert_eq!(names(&home.path().join("tmp")), Vec::<String>::new());
    assert_eq!(fs::read_to_string(&own).unwrap(), "not even a database");
    let mut left = names(home.path());
    left.sort();
    assert_eq!(left, ["own.db", "tmp"]);
}
