//! Tests each entry of the OWASP API Security Top 10 (2023) that applies. Where another file tests an entry in detail,
//! it is named here and tested briefly, so that this file shows that none is missing.

use serde_json::{Value, json};

use crate::harness::*;

const JSON: (&str, &str) = ("content-type", "application/json");

contract! {
    /// API1, broken object level authorization: other people's objects answer 403 or 404 and stay as they were.
    fn api1_other_peoples_objects(app) {
        let (ada, eve, boss) = (app.user(), app.user(), app.user());
        app.set_role(&boss, "admin");
        ada.store(&minutes("2026-03-09T08:00:00Z", 5, 3));
        let sessions = ada.get("/api/user/me/sessions").expect(200);
        let session = sessions.json["items"][0]["id"].as_str().unwrap();
        for stranger in [&eve, &boss] {
            stranger.get(&format!("/api/user/{}/blinks", ada.id)).expect(403);
            stranger.send("DELETE", &format!("/api/user/me/sessions/{session}"), &[], None).expect(404);
            stranger.send("DELETE", &format!("/api/user/me/devices/{}", ada.device), &[], None).expect(404);
            // Minutes with another person's id are refused; those with another's device id are stored as one's own.
            let forged = changed(minutes("2026-03-09T09:00:00Z", 1, 9).remove(0), &json!({"user_id": ada.id}));
            assert_eq!(stranger.sync(&[forged]).expect(200).json["rejected"][0]["code"], "wrong_user");
            let same_device = Client { device: ada.device, ..stranger.clone() };
            same_device.store(&minutes("2026-03-09T08:00:00Z", 1, 100));
        }
        assert_eq!(ada.totals().0, 15);
    }

    /// API2, broken authentication. Forged tokens are tested in `tokens`, guessing in `operation`, reuse in `accounts`.
    fn api2_nothing_opens_without_a_live_session(app) {
        let document = app.anonymous().get("/api/openapi.json").expect(200).json;
        let mut guarded = 0;
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                // These operations are open to all, or also to a page's cookie.
                let ways = operation["security"].as_array().unwrap();
                if ways.is_empty() || ways.contains(&json!({})) {
                    continue;
                }
                guarded += 1;
                let path = path.replace("{id}", "x").replace("{user_id}", "y");
                let answer = app.anonymous().send(&method.to_uppercase(), &path, &[JSON], Some(b"{}"));
                assert_eq!((answer.status, answer.code()), (401, "unauthenticated"), "{method} {path}");
            }
        }
        assert!(guarded > 20, "{guarded}");
    }

    /// API2 again: a stolen session does not help to guess the password, wherever one is asked for.
    fn api2_a_password_is_guessed_nowhere(app) {
        let ada = app.user();
        let guess = |n: usize| {
            let text = format!("not it at all {n}");
            if n.is_multiple_of(2) {
                let body = json!({"password": "another horse battery", "current_password": text}).to_string();
                ada.send("PATCH", "/api/user/me", &[JSON], Some(body.as_bytes()))
            } else {
                ada.send("DELETE", "/api/user/me", &[JSON], Some(json!({"password": text}).to_string().as_bytes()))
            }
        };
        for n in 0..20 {
            assert_eq!(guess(n).expect(403).code(), "wrong_password");
        }
        for n in 20..22 {
            assert_eq!(guess(n).expect(429).header("retry-after"), "900");
        }
        // The right password is refused too, because guessing could go on otherwise; later it is accepted.
        let right = json!({"name": "Ada L.", "email": ada.email, "current_password": PASSWORD}).to_string();
        ada.send("PATCH", "/api/user/me", &[JSON], Some(right.as_bytes())).expect(429);
        app.set_time("2026-03-10T12:15:00Z");
        app.again(&ada).send("PATCH", "/api/user/me", &[JSON], Some(right.as_bytes())).expect(200);
    }

    /// API3, broken object property level authorization: mass assignment, and fields that must not be shown.
    fn api3_properties(app) {
        let ada = app.user();
        let more = json!({"name": "Ada", "role": "admin", "id": uuid::Uuid::nil(), "email_key": "x", "password_hash": "x", "tracking_consent": false, "awaits_consent": true, "created_at": "2000-01-01T00:00:00Z"});
        let me = ada.send("PATCH", "/api/user/me", &[JSON], Some(more.to_string().as_bytes())).expect(200);
        assert_eq!((&me.json["role"], &me.json["id"], &me.json["created_at"]), (&json!("member"), &json!(ada.id), &json!(NOW)));
        ada.store(&minutes("2026-03-09T08:00:00Z", 1, 1));
        for path in ["/api/user/me", "/api/user/me/export", "/api/user/me/sessions"] {
            let text = ada.get(path).expect(200).text;
            assert!(!text.contains("argon2") && !text.contains("next_token") && !text.contains("email_key"), "{path}");
        }
    }

    /// API4, unrestricted resource consumption. Sizes are tested in `ingest` and `envelope`, rates in `operation`.
    fn api4_consumption(app) {
        let ada = app.user();
        ada.blinks("limit=1001").expect(422);
        ada.blinks("limit=99999999999999999999").expect(422);
        ada.blinks("limit=-1").expect(422);
        // One body is deeply nested, the other has very many small parts.
        let deep = format!("{{\"device_id\":\"{}\",\"buckets\":{}{}}}", ada.device, "[".repeat(50_000), "]".repeat(50_000));
        assert!(matches!(ada.send("POST", "/api/blink/sync", &[JSON], Some(deep.as_bytes())).status, 200 | 400 | 422));
        let many = format!("{{\"device_id\":\"{}\",\"buckets\":[{}0]}}", ada.device, "0,".repeat(3_000_000));
        ada.send("POST", "/api/blink/sync", &[JSON], Some(many.as_bytes())).expect(413);
        ada.get("/health").expect(200);
    }

    /// API5, broken function level authorization: functions of other roles are refused.
    fn api5_functions(app) {
        let ada = app.user();
        for role in ["kiosk", "member", "manager"] {
            app.set_role(&ada, role);
            ada.get("/api/admin/users").expect(403);
            let jump = ada.send("PATCH", &format!("/api/admin/users/{}", ada.id), &[JSON], Some(b"{\"role\":\"admin\"}"));
            assert_eq!(jump.code(), "forbidden", "{role}");
            let team = ada.post("/api/team", &json!({"name": "x"}));
            assert_eq!(team.status, if role == "manager" { 201 } else { 403 }, "{role}");
        }
        // A role that was taken away has no effect from the next request on.
        app.set_role(&ada, "admin");
        let other = app.user();
        app.set_role(&other, "admin");
        ada.get("/api/admin/users").expect(200);
        app.set_role(&ada, "member");
        ada.get("/api/admin/users").expect(403);
    }

    /// API6, unrestricted access to sensitive business flows: one address cannot make hundreds of accounts.
    fn api6_flows(app) {
        let nobody = app.anonymous();
        let refused = (0..400).map(|_| nobody.post("/api/auth/device", &json!({}))).find(|answer| answer.status != 200);
        let refused = refused.expect("never refused");
        assert_eq!((refused.status, refused.code()), (429, "too_many_requests"));
    }

    /// API8, security misconfiguration: errors reveal no internals, other sites and unused methods are refused.
    fn api8_misconfiguration(app) {
        let ada = app.user();
        for answer in [
            ada.get("/api/user/%00/blinks"),
            ada.get("/api/%2e%2e/%2e%2e/etc/passwd"),
            ada.get("/.env"),
            ada.get("/server.keys.json"),
            ada.send("TRACE", "/api/user/me", &[], None),
            ada.send("POST", "/api/auth/login", &[JSON], Some(b"{\"email\": 1e999}")),
            ada.send("GET", "/api/consents", &[("origin", "https://evil.example")], None),
        ] {
            let text = answer.text.to_lowercase();
            for inside in ["diesel", "sqlite", "postgres", "panicked", "src/", ".rs", "select ", "/tmp"] {
                assert!(!text.contains(inside), "{inside}: {answer:?}");
            }
            assert_eq!(answer.header("server"), "");
            assert_eq!(answer.header("access-control-allow-origin"), "");
            assert!(answer.status < 500, "{answer:?}");
        }
    }

    /// Injection, which the 2023 list no longer has: SQL, HTML or header text is stored and shown as text.
    fn injection(app) {
        let name = "Robert'); DROP TABLE users;-- <script>alert(1)</script>";
        let ada = app.user();
        let me = ada.send("PATCH", "/api/user/me", &[JSON], Some(json!({"name": name}).to_string().as_bytes())).expect(200);
        assert_eq!(me.json["name"], name);
        for query in ["cursor=%27%20OR%201%3D1", "from=2026-01-01T00:00:00Z%27%3B--", "group=day%27", "to=%00"] {
            ada.blinks(query).expect(422);
        }
        for email in ["' OR '1'='1", "a@b.c' --", "%", "a@b.c\r\nSet-Cookie: x=y"] {
            app.anonymous().post("/api/auth/login", &json!({"email": email, "password": PASSWORD})).expect(401);
        }
        // PostgreSQL cannot store U+0000 in a text, so it is refused before.
        for (path, body) in [
            ("/api/user/me/consents", json!({"kind": "team", "granted": false, "version": "\u{0}"})),
            ("/api/user/me/consents", json!({"kind": "team", "granted": false, "version": "1".repeat(51)})),
        ] {
            let refused = ada.send("PUT", path, &[JSON], Some(body.to_string().as_bytes())).expect(422);
            assert!(!refused.field("version").is_empty(), "{refused:?}");
        }
        ada.send("PATCH", "/api/user/me", &[JSON], Some(b"{\"name\": \"a\\u0000b\"}")).expect(422);
        app.anonymous().post("/api/auth/device", &json!({"device_name": "a\u{0}b"})).expect(422);
        app.anonymous().post("/api/auth/reset", &json!({"token": "\u{0}", "password": PASSWORD})).expect(401);
        assert_eq!(ada.get("/api/user/me").expect(200).json["name"], name);
        assert_eq!(app.anonymous().get("/x%0d%0aSet-Cookie:%20a=b").expect(404).header("set-cookie"), "");
    }

    /// API9, improper inventory: every path that answers is described, and every described path answers.
    fn api9_inventory(app) {
        let document = app.anonymous().get("/api/openapi.json").expect(200).json;
        let ada = app.user();
        for (path, methods) in document["paths"].as_object().unwrap() {
            let allowed: Vec<String> = methods.as_object().unwrap().keys().map(|m| m.to_uppercase()).collect();
            let real = path.replace("{id}", &ada.id).replace("{user_id}", &ada.id);
            let answer = ada.send("TRACE", &real, &[], None).expect(405);
            let said: Vec<&str> = answer.header("allow").split(", ").collect();
            assert!(allowed.iter().all(|m| said.contains(&m.as_str())) && said.len() == allowed.len(), "{path}: {said:?}");
        }
        assert_ne!(document["info"]["version"], Value::Null);
    }
}
