//! Enrolment.

use rstest::rstest;
use serde_json::json;

use super::kit::{self, *};
use crate::harness::*;

const REGISTER: &str = "/api/attendance/register-user";

contract! {
    on kit::start;

    fn a_face_is_enrolled_with_its_persons_consent(app) {
        let manager = with_role(app, "manager");
        let answer = enrol(&manager, "Zo\u{eb} O'Hara", &[1.0, 1.1]).expect(201);
        assert_eq!(answer.json["id"], "zoe-o-hara");
        assert_eq!((answer.json["name"].as_str(), &answer.json["embedding_dim"]), (Some("Zo\u{eb} O'Hara"), &json!(128)));
        let path = answer.json["image_path"].as_str().unwrap();
        let photo = app.anonymous().send("GET", path, &[], None);
        assert_eq!((photo.status, photo.header("content-type")), (200, "image/jpeg"));
        assert_eq!(app.anonymous().get(&path.replace("sig=", "sig=x")).expect(403).code(), "bad_signature");
        pass(app, 5 * 60_000);
        assert_eq!(app.anonymous().get(path).expect(403).code(), "bad_signature");
        // By its alias, too.
        send(&manager, "/register-user", &enrolment("Bob", &[5.0])).expect(201);
        let people = manager.get("/api/attendance/people").expect(200).json;
        let ids: Vec<_> = people["items"].as_array().unwrap().iter().map(|person| person["id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["bob", "zoe-o-hara"]);
        assert!(!people.to_string().contains("encoding"));
    }

    fn only_managers_enrol(app) {
        for role in ["member", "kiosk"] {
            assert_eq!(enrol(&with_role(app, role), "Alice", &[1.0]).expect(403).code(), "forbidden");
        }
        enrol(&with_role(app, "admin"), "Alice", &[1.0]).expect(201);
        app.anonymous().send("POST", REGISTER, &[MULTIPART], Some(&form(&enrolment("Eve", &[2.0])))).expect(401);
    }

    fn nobody_is_enrolled_twice(app) {
        let (_, manager) = with_alice(app);
        assert_eq!(enrol(&manager, "Alice", &[7.0]).expect(409).code(), "id_taken");
        let same = enrol(&manager, "Bob", &[1.2]);
        assert_eq!(same.code(), "face_taken");
        assert_eq!((same.status, same.field("image")), (409, "is enrolled as alice"));
        let mut forced = enrolment("Alice B.", &[7.0]);
        forced.extend([text("id", "ALICE"), text("force", "true")]);
        let answer = send(&manager, REGISTER, &forced).expect(201).json;
        assert_eq!((&answer["id"], &answer["name"]), (&json!("alice"), &json!("Alice B.")));
        // Her old face is nobody's now.
        assert_eq!(decision(&mark(app, &with_role(app, "kiosk"), 1.0)), ("unknown", Some("not_recognized")));
    }

    fn what_is_missing_or_wrong_is_named(app) {
        let manager = with_role(app, "manager");
        let wrong = send(&manager, REGISTER, &[text("name", " "), text("consent", "yes"), text("id", "a/b"), text("email", "x")]);
        assert_eq!(wrong.status, 422);
        for name in ["name", "consent", "consent_version", "id", "email", "image"] {
            assert!(!wrong.field(name).is_empty(), "{name}: {wrong:?}");
        }
        let without = |name: &str| {
            let mut parts = enrolment("Alice", &[1.0]);
            parts.retain(|(field, _)| *field != name);
            send(&manager, REGISTER, &parts).expect(422)
        };
        for name in ["name", "consent", "consent_version", "image"] {
            assert!(!without(name).field(name).is_empty(), "{name}");
        }
        let long = send(&manager, REGISTER, &enrolment(&"x".repeat(10_000), &[1.0])).expect(422);
        assert!(!long.field("name").is_empty());
        let hidden = send(&manager, REGISTER, &enrolment("Ada\u{202e}x", &[1.0])).expect(422);
        assert!(!hidden.field("name").is_empty());
        let six = send(&manager, REGISTER, &enrolment("Alice", &[1.0; 6])).expect(413);
        assert_eq!(six.code(), "too_large");
        let nobody = { let mut parts = enrolment("Alice", &[1.0]); parts.push(text("email", "nobody@example.org")); parts };
        assert!(!send(&manager, REGISTER, &nobody).expect(422).field("email").is_empty());
        assert_eq!(manager.get("/api/attendance/people").expect(200).json["items"], json!([]));
    }

    fn names_of_any_script_have_an_id(app) {
        let manager = with_role(app, "manager");
        let arabic = enrol(&manager, "\u{645}\u{631}\u{64a}\u{645}", &[1.0]).expect(201).json;
        assert_eq!(arabic["id"], "\u{645}\u{631}\u{64a}\u{645}");
        app.anonymous().get(arabic["image_path"].as_str().unwrap()).expect(200);
        // One that is composed in another way is the same.
        enrol(&manager, "Ame\u{301}lie", &[3.0]).expect(201);
        assert_eq!(enrol(&manager, "Am\u{e9}lie", &[5.0]).expect(409).code(), "id_taken");
        assert!(!enrol(&manager, "\u{1f469}\u{200d}\u{1f4bb}", &[7.0]).expect(422).field("id").is_empty());
    }

    fn pictures_of_two_people_are_refused(app) {
        let manager = with_role(app, "manager");
        assert_eq!(enrol(&manager, "Alice", &[1.0, 1.7]).expect(422).code(), "different_faces");
    }

    fn an_account_is_linked_by_its_address_and_knows_of_it(app) {
        let (manager, ada) = (with_role(app, "manager"), app.user());
        let mut parts = enrolment("Ada", &[1.0]);
        parts.push(text("email", &ada.email.to_uppercase()));
        send(&manager, REGISTER, &parts).expect(201);
        assert_eq!(ada.get("/api/attendance/me").expect(200).json["id"], "ada");
        let consents = ada.get("/api/user/me/consents").expect(200).json;
        let last = consents["items"].as_array().unwrap().last().unwrap();
        assert_eq!((&last["kind"], &last["granted"]), (&json!("biometric"), &json!(true)));
        let held = &ada.get("/api/user/me/export").expect(200).json["attendance"];
        assert_eq!((&held["consents"][0]["taken_by"], &held["encodings"]), (&json!(manager.id), &json!(1)));
        // Nobody else can be linked to it.
        let mut other = enrolment("Eve", &[5.0]);
        other.push(text("email", &ada.email));
        assert_eq!(send(&manager, REGISTER, &other).expect(409).code(), "account_taken");
    }
}

#[rstest]
#[case("no_face")]
#[case("several_faces")]
#[case("too_small")]
#[case("too_dark")]
#[case("too_blurred")]
#[case("turned_away")]
#[case("partial_face")]
#[case("unreadable")]
fn a_bad_picture_is_refused_with_what_to_do(#[case] fault: &str) {
    let app = kit::start(Backend::Sqlite);
    let mut parts = enrolment("Alice", &[1.0]);
    parts.push(("webcam_frame", jpeg(&json!({"fault": fault}))));
    let refused = send(&with_role(&app, "manager"), REGISTER, &parts).expect(422);
    assert_eq!((refused.code(), refused.field("image")), (fault, format!("picture 2 of 2: {fault}").as_str()));
    assert!(refused.json["error"]["message"].as_str().unwrap().ends_with('.'));
}
