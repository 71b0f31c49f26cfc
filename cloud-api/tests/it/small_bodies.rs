//! Small bodies: those that anybody may send are limited, and take no more memory than their size.

use serde_json::json;

use crate::harness::*;

const JSON: (&str, &str) = ("content-type", "application/json");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const GZIP: (&str, &str) = ("content-encoding", "gzip");

contract! {
    fn every_address_has_its_own_limit(app) {
        let boss = app.user();
        app.set_role(&boss, "admin");
        let admin = format!("/api/admin/users/{}", boss.id);
        for (method, path, limit) in [
            ("POST", "/api/auth/login", 16), ("POST", "/api/auth/register", 16), ("POST", "/api/auth/refresh", 16),
            ("POST", "/api/auth/reset", 16), ("POST", "/api/auth/device", 16), ("POST", "/api/auth/device/token", 16),
            ("POST", "/api/auth/device/approve", 16), ("PATCH", admin.as_str(), 16), ("PATCH", "/api/user/me", 16),
            ("PUT", "/api/user/me/consents", 16), ("POST", "/api/blink", 64),
        ] {
            let body = format!("{{\"x\":\"{}\"}}", " ".repeat((limit << 10) - 8));
            let (fits, large) = (body.as_bytes(), format!("{body} "));
            assert_eq!(fits.len(), limit << 10);
            assert_ne!(boss.send(method, path, &[JSON], Some(fits)).status, 413, "{path}");
            for (headers, large) in [(&[JSON][..], large.clone().into_bytes()), (&[JSON, GZIP], gzip(large.as_bytes()))] {
                let refused = boss.send(method, path, headers, Some(&large)).expect(413);
                assert_eq!(refused.code(), "too_large");
                let message = refused.json["error"]["message"].as_str().unwrap();
                assert!(message.contains(&format!("{limit} KB")), "{message}");
            }
        }
        let form = format!("device_code={}", "x".repeat(16 << 10));
        app.anonymous().send("POST", "/api/auth/device/token", &[FORM], Some(form.as_bytes())).expect(413);
    }

    fn a_field_that_is_given_twice_is_named(app) {
        let twice = br#"{"email": "a@example.org", "password": "x", "password": "y", "email": null}"#;
        let refused = app.anonymous().send("POST", "/api/auth/login", &[JSON], Some(twice)).expect(422);
        assert_eq!((refused.field("email"), refused.field("password")), ("must be given once", "must be given once"));
        let twice = b"grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code=a&device_code=b";
        let refused = app.anonymous().send("POST", "/api/auth/device/token", &[FORM], Some(twice)).expect(400);
        assert_eq!(refused.json["error"], "invalid_request");
    }

    fn what_nobody_asks_for_is_skipped_however_deep_it_is(app) {
        let ada = app.user();
        let deep = format!("{}{}", "[".repeat(7_000), "]".repeat(7_000));
        let body = format!("{{\"x\":{deep},\"email\":\"{}\",\"password\":\"{PASSWORD}\",\"y\":1e400}}", ada.email);
        app.anonymous().send("POST", "/api/auth/login", &[JSON], Some(body.as_bytes())).expect(200);
        let wrong = format!("{{\"email\":{deep},\"password\":1e400}}");
        let refused = app.anonymous().send("POST", "/api/auth/login", &[JSON], Some(wrong.as_bytes())).expect(422);
        assert_eq!((refused.field("email"), refused.field("password")), ("must be a string", "must be a string"));
    }

    /// A rejected minute is parsed for its faults, so its size is limited by itself.
    fn a_huge_minute_is_rejected_by_its_place_and_the_others_are_stored(app) {
        let ada = app.user();
        let sound = minutes("2026-03-10T09:00:00Z", 2, 3);
        let huge = changed(sound[0].clone(), &json!({"id": vec![json!({"": 0}); 700_000]}));
        let answer = ada.sync(&[sound[0].clone(), huge, sound[1].clone()]).expect(200);
        assert_eq!(answer.json["accepted"], 2);
        let rejected = &answer.json["rejected"];
        assert_eq!((&rejected[0]["index"], &rejected[0]["code"]), (&json!(1), &json!("invalid")));
        assert!(rejected[0]["detail"].as_str().unwrap().contains("64 KB"), "{rejected}");
        // Unknown fields, which later versions may send, are accepted.
        let later = changed(minutes("2026-03-10T10:00:00Z", 1, 3).remove(0), &json!({"later": "x".repeat(60_000)}));
        ada.store(&[later]);
    }

    fn a_password_opens_however_a_keyboard_composes_it(app) {
        let (composed, decomposed) = ("Pa\u{df}w\u{f6}rt mit \u{fc}mlaut", "Pa\u{df}wo\u{308}rt mit u\u{308}mlaut");
        let nobody = app.anonymous();
        let body = changed(registration("ada@example.org", "UTC"), &json!({"password": composed}));
        let mut ada = nobody.clone();
        ada.sign_in(&nobody.post("/api/auth/register", &body).expect(201).json);
        for (password, status) in [(composed, 200), (decomposed, 200), ("Passwort mit umlaut", 401)] {
            nobody.post("/api/auth/login", &json!({"email": ada.email, "password": password})).expect(status);
        }
        // A password set in decomposed form is accepted in composed form.
        let change = json!({"password": format!("{decomposed}!"), "current_password": decomposed}).to_string();
        ada.send("PATCH", "/api/user/me", &[JSON], Some(change.as_bytes())).expect(200);
        nobody.post("/api/auth/login", &json!({"email": ada.email, "password": format!("{composed}!")})).expect(200);
    }
}
