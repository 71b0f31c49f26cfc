//! People, and what is removed of them.

use cloud_api::open;
use diesel::connection::SimpleConnection as _;
use serde_json::json;

use super::{
    kit::{self, *},
    pin::put,
};
use crate::{handover::until_waiting, harness::*};

fn delete(who: &Client, path: &str) -> Answer {
    who.send("DELETE", path, &[], None)
}

const TABLES: [&str; 7] = [
    "attendance_people",
    "attendance_encodings",
    "attendance_consents",
    "attendance_records",
    "attendance_corrections",
    "attendance_refusals",
    "attendance_months",
];

fn nothing_is_left(app: &TestApp) {
    for table in TABLES {
        assert_eq!(app.count(table), 0, "{table}");
    }
}

/// Alice with everything that can be known of her.
fn whole_alice(app: &TestApp, manager: &Client, kiosk: &Client) {
    put(manager, "/api/attendance/people/alice/pin", &json!({"pin": "482917"})).expect(204);
    send(kiosk, MARK, &[("image", jpeg(&json!({"face": 1.0})))]).expect(200);
    assert_eq!(decision(&mark(app, kiosk, 1.0)).0, "late");
    let day = json!({"id": "alice", "date": "2026-03-09", "reason": "camera was covered"});
    manager.post("/api/attendance/records", &day).expect(201);
}

contract! {
    on kit::start;

    fn a_person_is_removed_to_nothing(app) {
        let (kiosk, manager) = with_alice(app);
        whole_alice(app, &manager, &kiosk);
        assert!(app.count("attendance_refusals") > 0 && app.count("attendance_corrections") > 0);
        assert_eq!(delete(&app.user(), "/api/attendance/people/alice").expect(403).code(), "forbidden");
        let removed = delete(&manager, "/api/attendance/people/alice").expect(200).json["removed"].clone();
        assert_eq!(
            removed,
            json!({"desk_people": 1, "desk_encodings": 3, "desk_photos": 1, "desk_records": 2, "desk_corrections": 1,
                "desk_consents": 1, "desk_refusals": 1})
        );
        nothing_is_left(app);
        assert_eq!(delete(&manager, "/api/attendance/people/alice").expect(404).code(), "no_such_person");
        assert_eq!(decision(&mark(app, &kiosk, 1.0)), ("unknown", Some("not_recognized")));
        // The ledger names nobody.
        let ledger = std::fs::read_to_string(app.folder.path().join("ledger.ndjson")).unwrap();
        assert!(ledger.contains("desk_erased") && !ledger.contains("alice"), "{ledger}");
    }

    fn an_account_takes_its_person_with_it(app) {
        let (manager, ada, kiosk) = (with_role(app, "manager"), app.user(), with_role(app, "kiosk"));
        let mut parts = enrolment("Alice", &[1.0, 1.1, 0.9]);
        parts.push(text("email", &ada.email));
        send(&manager, "/api/attendance/register-user", &parts).expect(201);
        whole_alice(app, &manager, &kiosk);
        let body = json!({"password": PASSWORD}).to_string();
        let receipt = ada.send("DELETE", "/api/user/me", &[("content-type", "application/json")], Some(body.as_bytes()));
        let removed = &receipt.expect(200).json["stores"][0]["removed"];
        assert_eq!((&removed["desk_people"], &removed["desk_encodings"], &removed["desk_records"]), (&json!(1), &json!(3), &json!(2)));
        nothing_is_left(app);
        assert_eq!(decision(&mark(app, &kiosk, 1.0)), ("unknown", Some("not_recognized")));
    }

    fn a_face_is_removed_and_the_other_ways_stay(app) {
        let (kiosk, manager) = with_alice(app);
        whole_alice(app, &manager, &kiosk);
        let photo = manager.get("/api/attendance/people").expect(200).json["items"][0]["image_path"].as_str().unwrap().to_owned();
        let removed = delete(&manager, "/api/attendance/people/alice/biometrics").expect(200).json["removed"].clone();
        assert_eq!(removed, json!({"desk_encodings": 3, "desk_photos": 1}));
        assert_eq!((app.count("attendance_encodings"), app.count("attendance_consents")), (0, 2));
        assert_eq!(app.count("attendance_people WHERE sealed_key IS NULL AND photo IS NULL"), 1);
        app.anonymous().get(&photo).expect(404);
        assert_eq!(decision(&mark(app, &kiosk, 1.0)), ("unknown", Some("not_recognized")));
        let by_pin = kiosk.post("/api/attendance/mark-pin", &json!({"id": "alice", "pin": "482917"}));
        assert_eq!(decision(&by_pin).0, "already_marked");
        // She may be enrolled again, with a new consent.
        let mut again = enrolment("Alice", &[1.0]);
        again.push(text("force", "true"));
        send(&manager, "/api/attendance/register-user", &again).expect(201);
        assert_eq!(decision(&mark(app, &kiosk, 1.0)).0, "already_marked");
    }

    fn withdrawing_the_consent_removes_the_face(app) {
        let (manager, ada, kiosk) = (with_role(app, "manager"), app.user(), with_role(app, "kiosk"));
        let mut parts = enrolment("Ada", &[1.0]);
        parts.push(text("email", &ada.email));
        send(&manager, "/api/attendance/register-user", &parts).expect(201);
        put(&ada, "/api/user/me/consents", &json!({"kind": "biometric", "granted": false})).expect(200);
        assert_eq!((app.count("attendance_encodings"), app.count("attendance_people")), (0, 1));
        assert_eq!(decision(&mark(app, &kiosk, 1.0)), ("unknown", Some("not_recognized")));
        // She may also do it at the desk's own address; nobody else's.
        let mut again = enrolment("Ada", &[1.0]);
        again.push(text("force", "true"));
        send(&manager, "/api/attendance/register-user", &again).expect(201);
        assert_eq!(delete(&app.user(), "/api/attendance/people/ada/biometrics").expect(403).code(), "forbidden");
        delete(&ada, "/api/attendance/people/ada/biometrics").expect(200);
        let consents = ada.get("/api/user/me/consents").expect(200).json;
        assert_eq!(consents["items"].as_array().unwrap().last().unwrap()["granted"], false);
        assert_eq!(app.count("attendance_gallery WHERE version = 4"), 1, "each of the four changes took one number");
    }

    fn people_come_in_pages_to_managers(app) {
        let manager = with_role(app, "manager");
        for name in ["Carol", "Ada", "Bob"] {
            manager.post("/api/attendance/people", &json!({"name": name})).expect(201);
        }
        assert_eq!(manager.post("/api/attendance/people", &json!({"name": "Bob"})).expect(409).code(), "id_taken");
        let page = manager.get("/api/attendance/people?limit=2").expect(200).json;
        assert_eq!((&page["items"][1]["id"], &page["next_cursor"]), (&json!("bob"), &json!("bob")));
        let rest = manager.get("/api/attendance/people?limit=2&cursor=bob").expect(200).json;
        assert_eq!((&rest["items"][0]["id"], &rest["next_cursor"]), (&json!("carol"), &json!(null)));
        assert_eq!(app.user().get("/api/attendance/people").expect(403).code(), "forbidden");
        assert_eq!(with_role(app, "kiosk").get("/api/attendance/people").expect(403).code(), "forbidden");
        for id in ["a%2Fb", "%2e%2e%2fx", "x".repeat(10_000).as_str()] {
            let answer = delete(&manager, &format!("/api/attendance/people/{id}"));
            assert!([404, 414].contains(&answer.status), "{answer:?}");
        }
    }

    fn nothing_of_a_face_is_in_the_database_in_the_clear(app) {
        let (_, _) = with_alice(app);
        let mut conn = cloud_api::open::connect(&app.target).unwrap();
        let mut backup = Vec::new();
        cloud_api::backup::write(&mut conn, &mut backup, app.clock.now().timestamp()).unwrap();
        let mut plain = String::new();
        std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&backup[..]), &mut plain).unwrap();
        let hex: String = PHOTO.iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(plain.contains("attendance_encodings") && !plain.contains(&hex));
        // An encoding of Alice begins with 1.0, and goes on with zeros.
        let encoded: String = 1.0_f32.to_le_bytes().iter().chain(&[0; 16]).map(|byte| format!("{byte:02x}")).collect();
        assert!(!plain.contains(&encoded));
    }
}

/// Encodings that an enrolment under way adds go with the others.
#[test]
fn a_withdrawal_waits_for_an_enrolment_under_way() {
    let app = kit::start(Backend::Postgres);
    let (manager, ada) = (with_role(&app, "manager"), app.user());
    let mut parts = enrolment("Ada", &[1.0]);
    parts.push(text("email", &ada.email));
    send(&manager, "/api/attendance/register-user", &parts).expect(201);
    let (mut other, mut eyes) = (open::connect(&app.target).unwrap(), open::connect(&app.target).unwrap());
    other
        .batch_execute(
            "BEGIN; SELECT 1 FROM attendance_people WHERE id = 'ada' FOR UPDATE;
             INSERT INTO attendance_encodings SELECT gen_random_uuid(), person, sealed, made_at FROM attendance_encodings",
        )
        .unwrap();
    let withdrawal = json!({"kind": "biometric", "granted": false});
    let withdrawn = std::thread::spawn(move || put(&ada, "/api/user/me/consents", &withdrawal));
    until_waiting(&mut eyes, 1);
    other.batch_execute("COMMIT").unwrap();
    withdrawn.join().unwrap().expect(200);
    assert_eq!(app.count("attendance_encodings"), 0);
}
