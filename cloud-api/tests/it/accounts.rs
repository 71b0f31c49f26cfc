//! Registering, signing in, refreshing and signing out.

use std::time::{Duration, Instant};

use cloud_api::db::users::{self, Change};
use serde_json::{Value, json};

use crate::harness::*;

contract! {
    fn a_person_registers_and_is_signed_in(app) {
        let client = app.anonymous();
        let answer = client.post("/api/auth/register", &registration("Ada@Example.org", "Europe/Berlin")).expect(201);
        assert_eq!(answer.json["token_type"], "Bearer");
        assert_eq!(answer.json["expires_in"], 900);
        let user = &answer.json["user"];
        assert_eq!(user["email"], "Ada@Example.org");
        assert_eq!(user["role"], "member");
        assert_eq!(user["created_at"], NOW);
        let mut ada = client;
        ada.sign_in(&answer.json);
        let me = ada.get("/api/user/me").expect(200);
        assert_eq!(&me.json, user);
        let mut names: Vec<_> = me.json.as_object().unwrap().keys().cloned().collect();
        names.sort();
        assert_eq!(names, ["created_at", "email", "id", "name", "role", "timezone"]);
    }

    fn an_address_is_taken_once_whatever_its_capitals(app) {
        let client = app.anonymous();
        client.post("/api/auth/register", &registration("ada@example.org", "UTC")).expect(201);
        let again = client.post("/api/auth/register", &registration("ADA@Example.org", "UTC")).expect(409);
        assert_eq!(again.code(), "email_taken");
    }

    fn an_address_that_looks_like_another_is_none(app) {
        let client = app.anonymous();
        client.post("/api/auth/register", &registration("kate@example.org", "UTC")).expect(201);
        for text in ["\u{212a}ate@example.org", "kat\u{200b}e@example.org", "\u{202e}kate@example.org", "k\u{430}te@example.org", "\u{ff4b}ate@example.org", "ka\u{ad}te@example.org", "\u{441}\u{43e}\u{440}\u{435}@example.org", "kate\u{2019}@example.org"] {
            let refused = client.post("/api/auth/register", &registration(text, "UTC")).expect(422);
            assert_ne!(refused.field("email"), "", "{}", text.escape_unicode());
        }
        // One letter may be encoded in two ways.
        client.post("/api/auth/register", &registration("ad\u{e4}m@example.org", "UTC")).expect(201);
        let again = client.post("/api/auth/register", &registration("ada\u{308}m@example.org", "UTC")).expect(409);
        assert_eq!(again.code(), "email_taken");
        let login = |email: &str| client.post("/api/auth/login", &json!({"email": email, "password": PASSWORD})).status;
        assert_eq!((login("ad\u{e4}m@example.org"), login("ADA\u{308}M@example.org")), (200, 200));
    }

    fn an_account_from_before_that_rule_goes_on(app) {
        let ada = app.user();
        let mut conn = cloud_api::open::connect(&app.target).unwrap();
        for old in ["ada\u{200b}@example.org", "ada\u{308}m@example.org"] {
            let change = Change { email: Some(old.to_owned()), email_key: Some(old.to_owned()), ..Change::default() };
            users::change(&mut conn, ada.id.parse().unwrap(), &change).unwrap();
            let login = json!({"email": old.to_uppercase(), "password": PASSWORD});
            assert_eq!(app.anonymous().post("/api/auth/login", &login).expect(200).json["user"]["id"], ada.id);
        }
    }

    fn a_time_zone_means_the_same_everywhere(app) {
        for zone in ["Asia/Calcutta", "US/Pacific", "Europe/Kiev"] {
            let made = app.anonymous().post("/api/auth/register", &registration(&format!("{}@example.org", zone.replace('/', ".")), zone)).expect(201);
            assert_eq!(made.json["user"]["timezone"], zone);
        }
        for zone in ["localtime", "posixrules", "Factory", "posix/UTC", "right/UTC"] {
            let refused = app.anonymous().post("/api/auth/register", &registration("zone@example.org", zone)).expect(422);
            assert_ne!(refused.field("timezone"), "", "{zone}");
        }
    }

    fn without_consent_there_is_no_account(app) {
        let client = app.anonymous();
        for consent in [Value::Null, json!({}), json!({"tracking": false, "version": "1"}), json!({"tracking": true}), json!({"tracking": true, "version": "99"})] {
            let body = changed(registration("ada@example.org", "UTC"), &json!({"consent": consent}));
            let answer = client.post("/api/auth/register", &body).expect(422);
            assert_eq!(answer.code(), "consent_required");
        }
        client.post("/api/auth/login", &json!({"email": "ada@example.org", "password": PASSWORD})).expect(401);
    }

    fn every_wrong_field_of_a_registration_is_named(app) {
        let body = json!({"email": "nobody", "password": "short", "name": 5, "timezone": "Mars/Olympus", "consent": "yes"});
        let answer = app.anonymous().post("/api/auth/register", &body).expect(422);
        assert_eq!(answer.code(), "invalid");
        for field in ["email", "password", "name", "timezone", "consent", "consent.tracking", "consent.version"] {
            assert_ne!(answer.field(field), "", "{field} in {answer:?}");
        }
        for length in [11, 129] {
            let body = changed(registration("a@example.org", "UTC"), &json!({"password": "x".repeat(length)}));
            assert_ne!(app.anonymous().post("/api/auth/register", &body).expect(422).field("password"), "");
        }
    }

    fn nothing_but_the_named_fields_can_be_assigned(app) {
        let body = changed(registration("eve@example.org", "UTC"), &json!({"role": "admin", "id": uuid::Uuid::nil(), "created_at": "2000-01-01T00:00:00Z"}));
        let answer = app.anonymous().post("/api/auth/register", &body).expect(201);
        assert_eq!(answer.json["user"]["role"], "member");
        assert_eq!(answer.json["user"]["created_at"], NOW);
        assert_ne!(answer.json["user"]["id"], uuid::Uuid::nil().to_string());
    }

    fn unknown_and_wrong_are_refused_alike_in_the_same_time(app) {
        let ada = app.user();
        let try_in = |email: &str, password: &str| {
            let started = Instant::now();
            let answer = app.anonymous().post("/api/auth/login", &json!({"email": email, "password": password})).expect(401);
            let mut error = answer.json["error"].clone();
            error.as_object_mut().unwrap().remove("request_id");
            assert_eq!(answer.code(), "wrong_credentials");
            (error, started.elapsed())
        };
        let (mut wrong, mut unknown, mut impossible) = (Duration::MAX, Duration::MAX, Duration::MAX);
        let alike = |wrong: Duration, unknown: Duration, impossible: Duration| unknown * 2 > wrong && impossible * 2 > wrong;
        // The fastest of several tries shows what the work costs; a busy machine needs more of them. Without the same
        // work, an unknown account would take a tenth of the time.
        for round in 0..18 {
            if round > 2 && alike(wrong, unknown, impossible) {
                break;
            }
            let (a, t_wrong) = try_in(&ada.email, "not her password");
            let (b, t_unknown) = try_in("nobody@example.org", "not her password");
            let (c, t_impossible) = try_in("no address", "not her password");
            assert_eq!(a, b);
            assert_eq!(a, c);
            (wrong, unknown, impossible) = (wrong.min(t_wrong), unknown.min(t_unknown), impossible.min(t_impossible));
        }
        assert!(alike(wrong, unknown, impossible), "wrong {wrong:?}, unknown {unknown:?}, impossible {impossible:?}");
    }

    fn a_person_signs_in_with_any_capitals(app) {
        let ada = app.user();
        let answer = app.anonymous().post("/api/auth/login", &json!({"email": ada.email.to_uppercase(), "password": PASSWORD})).expect(200);
        assert_eq!(answer.json["user"]["id"], ada.id);
        assert_ne!(answer.json["access_token"], ada.access);
    }

    fn tokens_rotate(app) {
        let mut ada = app.user();
        for _ in 0..3 {
            let old = ada.refresh.clone();
            let answer = ada.post("/api/auth/refresh", &json!({"refresh_token": old})).expect(200);
            assert_eq!(answer.json["user"]["id"], ada.id);
            ada.sign_in(&answer.json);
            assert_ne!(ada.refresh, old);
            ada.get("/api/user/me").expect(200);
        }
    }

    fn a_lost_answer_costs_nothing(app) {
        let ada = app.user();
        let ask = |token: &str| ada.post("/api/auth/refresh", &json!({"refresh_token": token}));
        let lost = ask(&ada.refresh).expect(200);
        let heard = ask(&ada.refresh).expect(200);
        let next = heard.json["refresh_token"].as_str().unwrap();
        assert_ne!(lost.json["refresh_token"], next);
        let after = ask(next).expect(200);
        // The first answer's token was replaced before it was used, so whoever presents it is not the person.
        ada.with_access(after.json["access_token"].as_str().unwrap()).get("/api/user/me").expect(200);
        let replaced = ask(lost.json["refresh_token"].as_str().unwrap()).expect(401);
        assert_eq!(replaced.code(), "refresh_token_reused");
    }

    fn a_used_token_ends_the_session_when_it_comes_again(app) {
        let ada = app.user();
        let ask = |token: &str| ada.post("/api/auth/refresh", &json!({"refresh_token": token}));
        let second = ask(&ada.refresh).expect(200).json["refresh_token"].as_str().unwrap().to_owned();
        let third = ask(&second).expect(200);
        assert_eq!(ask(&ada.refresh).expect(401).code(), "refresh_token_reused");
        assert_eq!(ask(third.json["refresh_token"].as_str().unwrap()).expect(401).code(), "invalid_refresh_token");
        let newest = ada.with_access(third.json["access_token"].as_str().unwrap());
        assert_eq!(newest.get("/api/user/me").expect(401).code(), "unauthenticated");
    }

    fn a_session_ends_sixty_days_after_its_last_refresh(app) {
        let mut ada = app.user();
        app.set_time("2026-05-09T11:59:59Z");
        let answer = ada.post("/api/auth/refresh", &json!({"refresh_token": ada.refresh})).expect(200);
        ada.sign_in(&answer.json);
        app.set_time("2026-07-08T12:00:00Z");
        let late = ada.post("/api/auth/refresh", &json!({"refresh_token": ada.refresh})).expect(401);
        assert_eq!(late.code(), "invalid_refresh_token");
    }

    fn logout_kills_both_tokens_at_once_and_no_other_session(app) {
        let ada = app.user();
        let elsewhere = app.anonymous().post("/api/auth/login", &json!({"email": ada.email, "password": PASSWORD})).expect(200);
        let gone = ada.send("POST", "/api/auth/logout", &[], None).expect(204);
        assert_eq!(gone.text, "");
        assert_eq!(ada.get("/api/user/me").expect(401).code(), "unauthenticated");
        ada.post("/api/auth/refresh", &json!({"refresh_token": ada.refresh})).expect(401);
        assert_eq!(ada.send("POST", "/api/auth/logout", &[], None).expect(401).code(), "unauthenticated");
        ada.with_access(elsewhere.json["access_token"].as_str().unwrap()).get("/api/user/me").expect(200);
    }

    fn logout_does_not_mind_a_body(app) {
        app.user().post("/api/auth/logout", &json!({"refresh_token": "whatever"})).expect(204);
    }

    fn the_consent_texts_are_there(app) {
        let answer = app.anonymous().get("/api/consents").expect(200);
        assert_eq!(answer.json["tracking"]["version"], "1");
        assert_eq!(answer.json["tracking"]["text"], blink_proto::consent::TRACKING_TEXT);
        for kind in ["team", "biometric"] {
            assert!(answer.json[kind]["text"].as_str().unwrap().len() > 100, "{kind}");
        }
    }
}

#[test]
fn sessions_outlive_a_restart() {
    let mut app = TestApp::start(Backend::Sqlite);
    let ada = app.user();
    app.restart();
    let again = Client { access: ada.access.clone(), ..app.anonymous() };
    again.get("/api/user/me").expect(200);
}
