//! Signing a tray in through a browser.

use cloud_api::{db::one_time, open, routes::reset};
use serde_json::{Value, json};

use crate::harness::*;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

fn start(app: &TestApp) -> Value {
    app.anonymous().post("/api/auth/device", &json!({"device_name": "Ada's laptop"})).expect(200).json
}

fn poll(app: &TestApp, codes: &Value) -> Answer {
    app.anonymous().post("/api/auth/device/token", &json!({"grant_type": GRANT, "device_code": codes["device_code"]}))
}

fn said(answer: &Answer) -> &str {
    assert_eq!(answer.status, 400, "{answer:?}");
    assert!(answer.json["error_description"].is_string());
    answer.json["error"].as_str().unwrap()
}

contract! {
    fn a_tray_is_signed_in_from_the_browser(app) {
        let ada = app.user();
        let codes = start(app);
        assert_eq!((&codes["expires_in"], &codes["interval"]), (&json!(600), &json!(5)));
        assert_eq!(codes["verification_uri"], format!("{}/device", app.address));
        assert!(codes["verification_uri_complete"].as_str().unwrap().ends_with(codes["user_code"].as_str().unwrap()));
        assert!(app.anonymous().get("/device").expect(200).text.contains("id=\"device\""));
        assert_eq!(said(&poll(app, &codes)), "authorization_pending");
        assert_eq!(said(&poll(app, &codes)), "slow_down");
        // People may type the code in lower case and without the dash.
        let typed = codes["user_code"].as_str().unwrap().to_lowercase().replace('-', " ");
        app.anonymous().post("/api/auth/device/approve", &json!({"user_code": typed})).expect(401);
        let shown = ada.post("/api/auth/device/approve", &json!({"user_code": typed})).expect(200);
        assert_eq!((&shown.json["status"], &shown.json["device_name"], &shown.json["address"]), (&json!("waiting"), &json!("Ada's laptop"), &json!("127.0.0.1")));
        app.set_time("2026-03-10T12:00:10Z");
        assert_eq!(said(&poll(app, &codes)), "authorization_pending");
        assert_eq!(ada.post("/api/auth/device/approve", &json!({"user_code": typed, "approve": true})).expect(200).json["status"], "approved");
        let tokens = poll(app, &codes).expect(200);
        let mut tray = app.anonymous();
        tray.sign_in(&tokens.json);
        assert_eq!(tray.id, ada.id);
        tray.store(&minutes("2026-03-10T09:00:00Z", 1, 1));
        let sessions = ada.get("/api/user/me/sessions").expect(200);
        assert!(sessions.json["items"].as_array().unwrap().iter().any(|s| s["user_agent"] == "Ada's laptop"));
        // A code can be exchanged once.
        assert_eq!(said(&poll(app, &codes)), "invalid_grant");
        ada.post("/api/auth/device/approve", &json!({"user_code": typed, "approve": true})).expect(404);
    }

    fn a_refused_tray_hears_so(app) {
        let (ada, codes) = (app.user(), start(app));
        ada.post("/api/auth/device/approve", &json!({"user_code": codes["user_code"], "approve": false})).expect(200);
        assert_eq!(said(&poll(app, &codes)), "access_denied");
        assert_eq!(said(&poll(app, &codes)), "invalid_grant");
    }

    fn a_new_password_is_for_trays_that_have_not_asked_yet_as_well(app) {
        let (ada, codes) = (app.user(), start(app));
        ada.post("/api/auth/device/approve", &json!({"user_code": codes["user_code"], "approve": true})).expect(200);
        let change = json!({"password": "another horse battery", "current_password": PASSWORD}).to_string();
        ada.send("PATCH", "/api/user/me", &[("content-type", "application/json")], Some(change.as_bytes())).expect(200);
        assert_eq!(said(&poll(app, &codes)), "invalid_grant");
        let codes = start(app);
        ada.post("/api/auth/device/approve", &json!({"user_code": codes["user_code"], "approve": true})).expect(200);
        let (mut conn, id) = (open::connect(&app.target).unwrap(), ada.id.parse().unwrap());
        let link = one_time::create(&mut conn, id, reset::PURPOSE, at(NOW).plus(reset::LIFE_MS)).unwrap();
        app.anonymous().post("/api/auth/reset", &json!({"token": link.expose(), "password": PASSWORD})).expect(204);
        assert_eq!(said(&poll(app, &codes)), "invalid_grant");
    }

    fn an_approval_ends_with_the_session_that_gave_it(app) {
        let approve = |who: &Client| {
            let codes = start(app);
            who.post("/api/auth/device/approve", &json!({"user_code": codes["user_code"], "approve": true})).expect(200);
            codes
        };
        let ada = app.user();
        // The session is ended from another one, as an owner ends a thief's.
        let thief = app.again(&ada);
        let codes = approve(&thief);
        let sessions = ada.get("/api/user/me/sessions").expect(200).json["items"].clone();
        let other = sessions.as_array().unwrap().iter().find(|s| s["current"] == false).unwrap()["id"].as_str().unwrap().to_owned();
        ada.send("DELETE", &format!("/api/user/me/sessions/{other}"), &[], None).expect(204);
        assert_eq!(said(&poll(app, &codes)), "invalid_grant");
        // The session signs out.
        let other = app.again(&ada);
        let codes = approve(&other);
        other.send("POST", "/api/auth/logout", &[], None).expect(204);
        assert_eq!(said(&poll(app, &codes)), "invalid_grant");
        // The session ends because a refresh token was reused.
        let other = app.again(&ada);
        let codes = approve(&other);
        let refresh = |token: &str| app.anonymous().post("/api/auth/refresh", &json!({"refresh_token": token}));
        let next = refresh(&other.refresh).expect(200).json["refresh_token"].as_str().unwrap().to_owned();
        refresh(&next).expect(200);
        refresh(&other.refresh).expect(401);
        assert_eq!(said(&poll(app, &codes)), "invalid_grant");
        assert_eq!(ada.get("/api/user/me/sessions").expect(200).json["items"].as_array().unwrap().len(), 1);
        poll(app, &approve(&ada)).expect(200);
    }

    fn a_device_is_no_fresh_sign_in(app) {
        let (ada, codes) = (app.user(), start(app));
        ada.post("/api/auth/device/approve", &json!({"user_code": codes["user_code"], "approve": true})).expect(200);
        app.set_time("2026-03-10T12:04:00Z");
        let mut tray = app.anonymous();
        tray.sign_in(&poll(app, &codes).expect(200).json);
        app.set_time("2026-03-10T12:05:01Z");
        let sessions = tray.get("/api/user/me/sessions").expect(200).json["items"].clone();
        assert!(sessions.as_array().unwrap().iter().all(|s| s["signed_in_at"] == NOW), "{sessions}");
        assert_eq!(tray.send("DELETE", "/api/user/me", &[], None).expect(403).code(), "fresh_sign_in_required");
    }

    fn approving_wants_a_fresh_sign_in_and_looking_and_refusing_do_not(app) {
        let ada = app.user();
        app.set_time("2026-03-10T12:05:01Z");
        let (codes, others) = (start(app), start(app));
        let approve = json!({"user_code": codes["user_code"], "approve": true});
        ada.post("/api/auth/device/approve", &json!({"user_code": codes["user_code"]})).expect(200);
        assert_eq!(ada.post("/api/auth/device/approve", &approve).expect(403).code(), "fresh_sign_in_required");
        assert_eq!(said(&poll(app, &codes)), "authorization_pending");
        ada.post("/api/auth/device/approve", &json!({"user_code": others["user_code"], "approve": false})).expect(200);
        app.again(&ada).post("/api/auth/device/approve", &approve).expect(200);
    }

    fn a_device_has_a_name_that_is_seen_as_it_is(app) {
        for name in ["Lenovo\u{202e}5.0.0.01 ta", "Len\u{200b}ovo", "Lenovo\nat 10.0.0.5"] {
            let refused = app.anonymous().post("/api/auth/device", &json!({"device_name": name})).expect(422);
            assert_ne!(refused.field("device_name"), "", "{name:?}");
        }
    }

    fn codes_live_ten_minutes(app) {
        let (ada, codes) = (app.user(), start(app));
        app.set_time("2026-03-10T12:10:00Z");
        ada.post("/api/auth/device/approve", &json!({"user_code": codes["user_code"], "approve": true})).expect(404);
        assert_eq!(said(&poll(app, &codes)), "expired_token");
    }

    fn codes_are_tried_five_times(app) {
        let (ada, codes) = (app.user(), start(app));
        for _ in 0..5 {
            let wrong = ada.post("/api/auth/device/approve", &json!({"user_code": "BBBB-BBBB", "approve": true})).expect(404);
            assert_eq!(wrong.code(), "no_such_code");
        }
        let right = json!({"user_code": codes["user_code"], "approve": true});
        assert_eq!(ada.post("/api/auth/device/approve", &right).expect(429).code(), "too_many_requests");
        app.user().post("/api/auth/device/approve", &right).expect(200);
    }

    fn a_right_code_is_no_try_even_when_it_may_not_be_approved_yet(app) {
        let (ada, codes) = (app.user(), start(app));
        let approve = |code: &Value| ada.post("/api/auth/device/approve", &json!({"user_code": code, "approve": true}));
        (0..4).for_each(|_| drop(approve(&json!("BBBB-BBBB")).expect(404)));
        app.set_time("2026-03-10T12:05:01Z");
        for _ in 0..6 {
            assert_eq!(approve(&codes["user_code"]).expect(403).code(), "fresh_sign_in_required");
        }
        let right = json!({"user_code": codes["user_code"], "approve": true});
        app.again(&ada).post("/api/auth/device/approve", &right).expect(200);
        // Wrong ones still count, and what was right takes none of them back.
        assert_eq!(approve(&json!("BBBB-BBBB")).expect(404).code(), "no_such_code");
        assert_eq!(approve(&json!("BBBB-BBBB")).expect(429).code(), "too_many_requests");
    }

    fn a_burst_of_codes_is_no_better_than_a_row(app) {
        let ada = app.user();
        let wrong = json!({"user_code": "BBBB-BBBB"});
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let ask = || ada.post("/api/auth/device/approve", &wrong).status;
            let threads: Vec<_> = (0..12).map(|_| scope.spawn(ask)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(statuses.iter().filter(|status| **status == 404).count(), 5, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 7, "{statuses:?}");
    }

    fn it_speaks_forms_as_oauth_clients_do(app) {
        let (ada, nobody) = (app.user(), app.anonymous());
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let codes = nobody.send("POST", "/api/auth/device", &form, Some(b"client_id=tray&device_name=Form+user")).expect(200).json;
        ada.post("/api/auth/device/approve", &json!({"user_code": codes["user_code"], "approve": true})).expect(200);
        let body = format!("grant_type={}&device_code={}", GRANT.replace(':', "%3A"), codes["device_code"].as_str().unwrap());
        nobody.send("POST", "/api/auth/device/token", &form, Some(body.as_bytes())).expect(200);
        assert_eq!(said(&nobody.send("POST", "/api/auth/device/token", &form, Some(b"grant_type=password&device_code=x"))), "unsupported_grant_type");
        assert_eq!(said(&nobody.post("/api/auth/device/token", &json!({}))), "invalid_request");
        let json = [("content-type", "application/json")];
        assert_eq!(said(&nobody.send("POST", "/api/auth/device/token", &json, Some(b"v\xff"))), "invalid_request");
        assert_eq!(said(&nobody.post("/api/auth/device/token", &json!({"grant_type": GRANT, "device_code": "x"}))), "invalid_grant");
        // An empty body starts a sign-in as well.
        nobody.send("POST", "/api/auth/device", &[], None).expect(200);
    }
}
