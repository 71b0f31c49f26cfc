//! Signing in through a provider: the way there and back, and every token that must be refused.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use cloud_api::{
    config::OidcConfig,
    config::OutsideConfig,
    db::{
        DbError, one_time, transaction,
        types::DbId,
        users::{self, Change},
    },
    open,
    routes::reset,
};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::PublicKeyData as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{handover::until_waiting, harness::*, mock::Mock};

/// What the provider says of the person who signs in next, changed by each test.
#[derive(Clone)]
struct Provider {
    claims: Arc<Mutex<Value>>,
    header: Arc<Mutex<Header>>,
    nonce: Arc<Mutex<String>>,
    issuer: String,
}

fn provider() -> (Provider, Mock) {
    let key = rcgen::KeyPair::generate().unwrap();
    let point = key.der_bytes()[1..].to_vec();
    let jwks = json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": "one", "alg": "ES256", "use": "sig", "x": B64.encode(&point[..32]), "y": B64.encode(&point[32..])}]});
    let sign = EncodingKey::from_ec_der(&key.serialize_der());
    let header = Header { kid: Some("one".to_owned()), ..Header::new(Algorithm::ES256) };
    let mut provider = Provider {
        claims: Arc::new(Mutex::new(json!({}))),
        header: Arc::new(Mutex::new(header)),
        nonce: Arc::default(),
        issuer: String::new(),
    };
    let (claims, header, nonce) = (provider.claims.clone(), provider.header.clone(), provider.nonce.clone());
    let mock = Mock::start(move |own, request| match request.path.as_str() {
        "/.well-known/openid-configuration" => {
            let page = |name: &str| format!("{own}/{name}");
            (200, json!({"issuer": own, "authorization_endpoint": page("authorize"), "token_endpoint": page("token"), "jwks_uri": page("jwks")}).to_string())
        }
        "/jwks" => (200, jwks.to_string()),
        "/token" if request.body.contains("code=good") => {
            let now = jiff::Timestamp::now().as_second();
            let base = json!({"iss": own, "aud": "waw", "sub": "ada", "iat": now, "exp": now + 600, "nonce": *nonce.lock().unwrap(), "email": "ada@example.org", "email_verified": true, "name": "Ada"});
            let header = header.lock().unwrap().clone();
            let key = if header.alg == Algorithm::HS256 {
                EncodingKey::from_secret(jwks.to_string().as_bytes())
            } else {
                sign.clone()
            };
            let token = jsonwebtoken::encode(&header, &changed(base, &claims.lock().unwrap()), &key).unwrap();
            (200, json!({"id_token": token, "access_token": "x", "token_type": "Bearer"}).to_string())
        }
        _ => (400, json!({"error": "invalid_grant"}).to_string()),
    });
    provider.issuer.clone_from(&mock.address);
    (provider, mock)
}

fn with_provider(app: &TestApp) -> (TestApp, Provider, Mock) {
    let (provider, mock) = provider();
    let oidc = OidcConfig {
        issuer: mock.address.clone(),
        client_id: "waw".to_owned(),
        client_secret: Some(blink_proto::Secret::new("shh")),
    };
    let app = app.replica_with(OutsideConfig { oidc: Some(oidc), ask: None });
    (app, provider, mock)
}

/// The way to the provider: its query, and the cookie that binds the browser.
fn begin(app: &TestApp) -> (BTreeMap<String, String>, String) {
    let answer = app.anonymous().get("/api/auth/google").expect(303);
    let cookie = answer.header("set-cookie").to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    let (_, query) = answer.header("location").split_once('?').unwrap();
    let decode = |text: &str| text.replace("%3A", ":").replace("%2F", "/").replace('+', " ");
    let query =
        query.split('&').map(|pair| pair.split_once('=').unwrap()).map(|(k, v)| (k.to_owned(), decode(v))).collect();
    (query, cookie.split(';').next().unwrap().to_owned())
}

fn come_back(app: &TestApp, query: &BTreeMap<String, String>, cookie: &str, code: &str) -> Answer {
    let path = format!("/api/auth/google/callback?code={code}&state={}", query["state"]);
    app.anonymous().send("GET", &path, &[("cookie", cookie)], None)
}

/// Signs in with what the provider says now.
fn sign_in(app: &TestApp, provider: &Provider) -> Answer {
    let (query, cookie) = begin(app);
    provider.nonce.lock().unwrap().clone_from(&query["nonce"]);
    come_back(app, &query, &cookie, "good")
}

contract! {
    fn a_new_person_signs_in_and_consents_before_anything_else(app) {
        let (app, provider, mock) = with_provider(app);
        let (query, cookie) = begin(&app);
        assert_eq!((query["response_type"].as_str(), query["client_id"].as_str(), query["code_challenge_method"].as_str()), ("code", "waw", "S256"));
        provider.nonce.lock().unwrap().clone_from(&query["nonce"]);
        let answer = come_back(&app, &query, &cookie, "good").expect(200);
        // The provider was shown the verifier of the challenge, and our secret.
        let exchange = mock.seen.lock().unwrap().iter().find(|r| r.path == "/token").unwrap().body.clone();
        let verifier = exchange.split('&').find_map(|pair| pair.strip_prefix("code_verifier=")).unwrap().to_owned();
        assert_eq!(B64.encode(Sha256::digest(&verifier)), query["code_challenge"]);
        assert!(exchange.contains("client_secret=shh"));
        assert_eq!(answer.json["user"]["email"], "ada@example.org");
        let mut ada = app.anonymous();
        ada.sign_in(&answer.json);
        for path in ["/api/user/me", "/api/user/me/export", "/api/user/me/sessions"] {
            assert_eq!(ada.get(path).expect(403).code(), "consent_required", "{path}");
        }
        assert_eq!(ada.sync(&[]).expect(403).code(), "consent_required");
        ada.get("/api/user/me/consents").expect(200);
        let consent = json!({"kind": "tracking", "granted": true, "version": "1"}).to_string();
        ada.send("PUT", "/api/user/me/consents", &[("content-type", "application/json")], Some(consent.as_bytes())).expect(200);
        ada.store(&minutes("2026-03-10T09:00:00Z", 1, 1));
        // The same person again is the same account, whatever their address is by then.
        *provider.claims.lock().unwrap() = json!({"email": "new@example.org"});
        assert_eq!(sign_in(&app, &provider).expect(200).json["user"]["id"], ada.id);
        let export = ada.get("/api/user/me/export").expect(200);
        assert_eq!(export.json["identities"], json!([{"issuer": provider.issuer, "subject": "ada"}]));
        assert_eq!(export.json["has_password"], false);
    }

    fn a_new_person_may_be_erased_without_consenting(app) {
        let (app, provider, _mock) = with_provider(app);
        let mut ada = app.anonymous();
        ada.sign_in(&sign_in(&app, &provider).expect(200).json);
        let receipt = ada.send("DELETE", "/api/user/me", &[], None).expect(200);
        assert_eq!(receipt.json["stores"][0]["removed"]["identities"], 1);
    }

    fn an_account_is_linked_by_a_verified_address_alone(app) {
        let (app, provider, _mock) = with_provider(app);
        let ada = app.user();
        *provider.claims.lock().unwrap() = json!({"email": ada.email.to_uppercase(), "email_verified": false});
        assert_eq!(sign_in(&app, &provider).expect(403).code(), "email_unverified");
        *provider.claims.lock().unwrap() = json!({"email": ada.email, "email_verified": null});
        assert_eq!(sign_in(&app, &provider).expect(403).code(), "email_unverified");
        *provider.claims.lock().unwrap() = json!({"email": null});
        assert_eq!(sign_in(&app, &provider).expect(403).code(), "email_unverified");
        *provider.claims.lock().unwrap() = json!({"email": ada.email.to_uppercase(), "email_verified": "true"});
        assert_eq!(sign_in(&app, &provider).expect(200).json["user"]["id"], ada.id);
    }

    fn whoever_made_the_account_before_loses_it_to_whom_the_address_is(app) {
        let (app, provider, _mock) = with_provider(app);
        // Eve makes an account with Ada's address, and waits for Ada.
        let eve = app.user();
        let codes = app.anonymous().post("/api/auth/device", &json!({"device_name": "Eve's"})).expect(200).json;
        let approved = json!({"user_code": codes["user_code"], "approve": true});
        eve.post("/api/auth/device/approve", &approved).expect(200);
        let mut conn = open::connect(&app.target).unwrap();
        let eve_id = DbId(eve.id.parse().unwrap());
        let link = one_time::create(&mut conn, eve_id, reset::PURPOSE, at(NOW).plus(reset::LIFE_MS)).unwrap();
        *provider.claims.lock().unwrap() = json!({"email": eve.email});
        let mut ada = app.anonymous();
        ada.sign_in(&sign_in(&app, &provider).expect(200).json);
        assert_eq!(ada.id, eve.id);
        eve.get("/api/user/me").expect(401);
        eve.post("/api/auth/refresh", &json!({"refresh_token": eve.refresh})).expect(401);
        let login = json!({"email": eve.email, "password": PASSWORD});
        assert_eq!(eve.post("/api/auth/login", &login).expect(401).code(), "wrong_credentials");
        // Nor by a device that she approved before, nor by a link she had asked for.
        let poll = json!({"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": codes["device_code"]});
        assert_eq!(app.anonymous().post("/api/auth/device/token", &poll).expect(400).json["error"], "invalid_grant");
        let reset = json!({"token": link.expose(), "password": "eve's horse battery"});
        assert_eq!(app.anonymous().post("/api/auth/reset", &reset).expect(401).code(), "invalid_link");
        // Ada's later sign-ins end nothing of hers, and she may set a password of her own.
        let password = json!({"password": "another horse battery"}).to_string();
        ada.send("PATCH", "/api/user/me", &[("content-type", "application/json")], Some(password.as_bytes())).expect(200);
        sign_in(&app, &provider).expect(200);
        ada.get("/api/user/me").expect(200);
        app.anonymous().post("/api/auth/login", &json!({"email": eve.email, "password": "another horse battery"})).expect(200);
    }

    fn an_address_that_went_to_somebody_new_opens_nothing(app) {
        let (app, provider, _mock) = with_provider(app);
        let first = sign_in(&app, &provider).expect(200).json["user"]["id"].clone();
        *provider.claims.lock().unwrap() = json!({"sub": "another person with the address"});
        assert_eq!(sign_in(&app, &provider).expect(409).code(), "email_taken");
        *provider.claims.lock().unwrap() = json!({});
        assert_eq!(sign_in(&app, &provider).expect(200).json["user"]["id"], first);
    }

    fn a_sign_in_that_was_not_begun_here_is_refused(app) {
        let (app, provider, _mock) = with_provider(app);
        let (query, cookie) = begin(&app);
        let (other, _) = begin(&app);
        provider.nonce.lock().unwrap().clone_from(&query["nonce"]);
        // Another browser, another sign-in's state, no state.
        for (query, cookie) in [(&query, "x=y"), (&other, cookie.as_str()), (&query, "waw_oidc=forged")] {
            assert_eq!(come_back(&app, query, cookie, "good").expect(401).code(), "sign_in_failed");
        }
        app.anonymous().get("/api/auth/google/callback?error=access_denied").expect(401);
        assert_eq!(come_back(&app, &query, &cookie, "bad").expect(401).code(), "sign_in_failed");
        // Used up by that; and a new one ends after ten minutes.
        come_back(&app, &query, &cookie, "good").expect(401);
        let (query, cookie) = begin(&app);
        app.set_time("2026-03-10T12:10:00Z");
        come_back(&app, &query, &cookie, "good").expect(401);
    }

    fn a_token_that_is_not_for_us_is_refused(app) {
        let (app, provider, _mock) = with_provider(app);
        for claims in [json!({"aud": "another"}), json!({"iss": "https://evil.example"}), json!({"exp": 1_000}), json!({"nonce": "another"}), json!({"nonce": null}), json!({"sub": null})] {
            *provider.claims.lock().unwrap() = claims.clone();
            assert_eq!(sign_in(&app, &provider).expect(401).code(), "sign_in_failed", "{claims}");
        }
        *provider.claims.lock().unwrap() = json!({});
        // Signed with what everybody knows, or with a key nobody knows.
        let good = provider.header.lock().unwrap().clone();
        for header in [Header { alg: Algorithm::HS256, ..good.clone() }, Header { kid: Some("two".to_owned()), ..good.clone() }] {
            *provider.header.lock().unwrap() = header;
            assert_eq!(sign_in(&app, &provider).expect(401).code(), "sign_in_failed");
        }
        *provider.header.lock().unwrap() = good;
        sign_in(&app, &provider).expect(200);
    }

    fn without_a_provider_there_is_no_way(app) {
        assert_eq!(app.anonymous().get("/api/auth/google").expect(404).code(), "not_configured");
        assert_eq!(app.anonymous().get("/auth/google/callback").expect(404).code(), "not_configured");
    }
}

#[test]
fn whoever_gives_an_address_up_at_that_moment_keeps_their_account() {
    let app = TestApp::start(Backend::Postgres);
    let (app, provider, _mock) = with_provider(&app);
    let eve = app.user();
    *provider.claims.lock().unwrap() = json!({"email": eve.email});
    let (query, cookie) = begin(&app);
    provider.nonce.lock().unwrap().clone_from(&query["nonce"]);
    let (mut conn, mut eyes) = (open::connect(&app.target).unwrap(), open::connect(&app.target).unwrap());
    let answer = std::thread::scope(|scope| {
        let held = transaction(&mut conn, |conn| -> Result<_, DbError> {
            let id = DbId(eve.id.parse().unwrap());
            let (email, key) = (Some("eve@example.org".to_owned()), Some("eve@example.org".to_owned()));
            users::change(conn, id, &Change { email, email_key: key, ..Change::default() })?;
            let back = scope.spawn(|| come_back(&app, &query, &cookie, "good"));
            until_waiting(&mut eyes, 1);
            Ok(back)
        });
        held.unwrap().join().unwrap()
    });
    assert_ne!(answer.expect(200).json["user"]["id"], eve.id.as_str());
    assert_eq!(eve.get("/api/user/me").expect(200).json["email"], "eve@example.org");
}
