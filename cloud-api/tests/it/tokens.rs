//! Tokens that must be refused: forged, foreign, mixed-up and expired ones.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use diesel::RunQueryDsl as _;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::harness::*;

fn parts(token: &str) -> (Value, Value) {
    let mut parts = token
        .split('.')
        .map(|part| serde_json::from_slice(&B64.decode(part).unwrap_or_default()).unwrap_or(Value::Null));
    (parts.next().unwrap(), parts.next().unwrap())
}

fn forge(token: &str, alg: Algorithm, secret: &[u8], change: &Value) -> String {
    let (header, claims) = parts(token);
    let header = Header { kid: header["kid"].as_str().map(str::to_owned), ..Header::new(alg) };
    jsonwebtoken::encode(&header, &changed(claims, change), &EncodingKey::from_secret(secret)).unwrap()
}

/// The server's signing secret, read from its database or file.
fn secret(app: &TestApp) -> Vec<u8> {
    #[derive(diesel::QueryableByName)]
    struct Key {
        #[diesel(sql_type = diesel::sql_types::Binary)]
        secret: Vec<u8>,
    }
    if let Some(database) = &app.postgres {
        let key: Key =
            diesel::sql_query("SELECT secret FROM signing_keys").get_result(&mut database.connect()).unwrap();
        return key.secret;
    }
    let keys = std::fs::read(app.folder.path().join("server.keys.json")).unwrap();
    let keys: Value = serde_json::from_slice(&keys).unwrap();
    B64.decode(keys["keys"][0]["secret"].as_str().unwrap()).unwrap()
}

contract! {
    fn an_access_token_ends_after_fifteen_minutes(app) {
        let ada = app.user();
        app.set_time("2026-03-10T12:14:59Z");
        ada.get("/api/user/me").expect(200);
        app.set_time("2026-03-10T12:15:00Z");
        let answer = ada.get("/api/user/me").expect(401);
        assert_eq!(answer.code(), "unauthenticated");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }

    fn the_algorithm_none_is_refused(app) {
        let ada = app.user();
        let (header, claims) = parts(&ada.access);
        for alg in ["none", "None", "NONE", "nOnE"] {
            let header = changed(header.clone(), &json!({"alg": alg}));
            for signature in ["", "AAAA"] {
                let token = format!("{}.{}.{signature}", B64.encode(header.to_string()), B64.encode(claims.to_string()));
                ada.with_access(&token).get("/api/user/me").expect(401);
            }
        }
    }

    fn a_wrong_key_another_algorithm_and_another_key_id_are_refused(app) {
        let ada = app.user();
        let own = secret(app);
        ada.with_access(&forge(&ada.access, Algorithm::HS256, &own, &json!({}))).get("/api/user/me").expect(200);
        for (alg, secret) in [(Algorithm::HS256, &[7; 32][..]), (Algorithm::HS384, &own), (Algorithm::HS512, &own), (Algorithm::HS256, b"")] {
            ada.with_access(&forge(&ada.access, alg, secret, &json!({}))).get("/api/user/me").expect(401);
        }
        let (_, claims) = parts(&ada.access);
        for kid in [None, Some("other".to_owned()), Some("../../../dev/null".to_owned())] {
            let header = Header { kid, ..Header::new(Algorithm::HS256) };
            let token = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&own)).unwrap();
            ada.with_access(&token).get("/api/user/me").expect(401);
        }
    }

    fn other_audience_issuer_person_or_session_is_refused(app) {
        let (ada, eve) = (app.user(), app.user());
        let own = secret(app);
        let nil = uuid::Uuid::nil();
        for change in [
            json!({"aud": "cloud-api/refresh"}), json!({"aud": ["x"]}), json!({"aud": null}), json!({"iss": "elsewhere"}),
            json!({"exp": 0}), json!({"exp": null}), json!({"sub": eve.id}), json!({"sid": nil}), json!({"sub": "x"}),
        ] {
            let token = forge(&ada.access, Algorithm::HS256, &own, &change);
            assert_eq!(ada.with_access(&token).get("/api/user/me").expect(401).code(), "unauthenticated", "{change}");
        }
    }

    fn an_access_token_does_not_refresh_and_a_refresh_token_opens_nothing(app) {
        let ada = app.user();
        ada.with_access(&ada.refresh).get("/api/user/me").expect(401);
        let answer = app.anonymous().post("/api/auth/refresh", &json!({"refresh_token": ada.access})).expect(401);
        assert_eq!(answer.code(), "invalid_refresh_token");
        // Neither attempt ended the session.
        ada.get("/api/user/me").expect(200);
    }

    fn garbage_is_no_token(app) {
        let nobody = app.anonymous();
        for header in ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer a.b.c", "Bearer ....", "bearer \u{7f}"] {
            let answer = nobody.try_send("GET", "/api/user/me", &[("authorization", header)], None);
            if let Ok(answer) = answer {
                assert_eq!(answer.status, 401, "{header:?}");
            }
        }
        nobody.post("/api/auth/refresh", &json!({"refresh_token": "x".repeat(10_000)})).expect(401);
    }
}
