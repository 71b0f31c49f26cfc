//! Providers as they differ: their spellings, what they take and tell, the tokens that must be refused, and failures.

use std::{
    net::TcpListener,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use cloud_api::{
    config::{OidcConfig, OutsideConfig},
    open,
};
use jsonwebtoken::{Algorithm, Header};
use serde_json::{Value, json};

use crate::{harness::*, oidc_kit::*};

contract! {
    fn a_token_for_several_says_whom_it_was_handed_to(app) {
        let (app, provider, _mock) = with_provider(app);
        for claims in [json!({"aud": ["waw", "other"], "azp": "other"}), json!({"aud": ["waw", "other"]}), json!({"azp": "other"})] {
            *provider.claims.lock().unwrap() = claims.clone();
            assert_eq!(sign_in(&app, &provider).expect(401).code(), "sign_in_failed", "{claims}");
        }
        for claims in [json!({"aud": ["waw", "other"], "azp": "waw"}), json!({"aud": ["waw"]}), json!({"azp": "waw"})] {
            *provider.claims.lock().unwrap() = claims.clone();
            sign_in(&app, &provider).expect(200);
        }
    }

    fn the_last_slash_of_an_issuer_does_not_matter(app) {
        let mut ids = Vec::new();
        for (configured, own) in [("", ""), ("/", ""), ("", "/"), ("/", "/")] {
            let (provider, mock) = provider();
            let own = format!("{}{own}", mock.address);
            *provider.description.lock().unwrap() = json!({"issuer": own});
            *provider.claims.lock().unwrap() = json!({"iss": own});
            let oidc = OidcConfig { issuer: format!("{}{configured}", mock.address), client_id: "waw".to_owned(), client_secret: None };
            let replica = app.replica_with(OutsideConfig { oidc: Some(oidc), ask: None });
            *provider.claims.lock().unwrap() = json!({"iss": own, "email": format!("{}@example.org", uuid::Uuid::new_v4().simple())});
            let first = sign_in(&replica, &provider).expect(200).json["user"]["id"].clone();
            assert_eq!(sign_in(&replica, &provider).expect(200).json["user"]["id"], first, "{configured:?} {own:?}");
            ids.push(first);
            // A token of another issuer is refused.
            *provider.claims.lock().unwrap() = json!({"iss": format!("{}/app", mock.address)});
            sign_in(&replica, &provider).expect(401);
        }
        assert_eq!(ids.len(), 4);
    }

    fn a_person_known_under_the_other_spelling_is_known(app) {
        let (app, provider, _mock) = with_provider(app);
        let ada = app.user();
        let mut conn = open::connect(&app.target).unwrap();
        cloud_api::db::oidc::link(&mut conn, &format!("{}/", provider.issuer), "ada", ada.id.parse().unwrap()).unwrap();
        assert_eq!(sign_in(&app, &provider).expect(200).json["user"]["id"], ada.id);
    }

    fn the_secret_goes_where_the_provider_takes_it(app) {
        for (ways, in_header) in [(json!(["client_secret_basic"]), true), (json!(["client_secret_post"]), false), (json!(["client_secret_basic", "client_secret_post"]), false), (Value::Null, true)] {
            let (app, provider, mock) = with_provider(app);
            *provider.description.lock().unwrap() = json!({"token_endpoint_auth_methods_supported": ways});
            *provider.claims.lock().unwrap() = json!({"sub": uuid::Uuid::new_v4(), "email": format!("{}@example.org", uuid::Uuid::new_v4().simple())});
            sign_in(&app, &provider).expect(200);
            let seen = mock.seen.lock().unwrap().iter().find(|r| r.path == "/token").unwrap().clone();
            assert_eq!((seen.headers.contains("Basic "), seen.body.contains("client_secret=shh")), (in_header, !in_header), "{ways}");
        }
    }

    fn an_address_that_only_userinfo_tells_is_asked_for(app) {
        let (app, provider, mock) = with_provider(app);
        *provider.description.lock().unwrap() = json!({"userinfo_endpoint": format!("{}/userinfo", mock.address)});
        *provider.claims.lock().unwrap() = json!({"email": null, "email_verified": null});
        *provider.userinfo.lock().unwrap() = json!({"sub": "another", "email": "ada@example.org", "email_verified": true});
        assert_eq!(sign_in(&app, &provider).expect(403).code(), "email_missing");
        *provider.userinfo.lock().unwrap() = json!({"sub": "ada"});
        assert_eq!(sign_in(&app, &provider).expect(403).code(), "email_missing");
        *provider.userinfo.lock().unwrap() = json!({"sub": "ada", "email": "ada@example.org"});
        assert_eq!(sign_in(&app, &provider).expect(403).code(), "email_unverified");
        *provider.userinfo.lock().unwrap() = json!({"sub": "ada", "email": "ada@example.org", "email_verified": true});
        assert_eq!(sign_in(&app, &provider).expect(200).json["user"]["email"], "ada@example.org");
        let seen = mock.seen.lock().unwrap().iter().rfind(|r| r.path == "/userinfo").unwrap().headers.clone();
        assert!(seen.contains("Bearer x"), "{seen}");
    }

    fn a_provider_whose_addresses_are_in_the_clear_is_not_used(app) {
        for (name, address) in [
            ("authorization_endpoint", "http://idp.example.org/x"),
            ("token_endpoint", "http://localhost:x@idp.example.org/x"),
            ("jwks_uri", "http://idp.example.org/x"),
            ("userinfo_endpoint", "https://a:b@idp.example.org/x"),
        ] {
            let (app, provider, mock) = with_provider(app);
            *provider.description.lock().unwrap() = json!({name: address});
            // The second time the failure is remembered and the provider is not asked.
            for _ in 0..2 {
                assert_eq!(app.anonymous().get("/api/auth/google").expect(502).code(), "provider_misconfigured", "{name}");
            }
            assert!(mock.seen.lock().unwrap().iter().all(|request| request.path == "/.well-known/openid-configuration"));
        }
    }

    fn each_failure_of_a_provider_has_its_own_advice(app) {
        let (app, provider, _mock) = with_provider(app);
        for (refusal, status, code) in [
            ((400, json!({"error": "invalid_grant"})), 401, "sign_in_failed"),
            ((401, json!({"error": "invalid_client"})), 502, "provider_misconfigured"),
            ((400, json!({"error": "unauthorized_client"})), 502, "provider_misconfigured"),
            ((503, json!({})), 502, "provider_failed"),
            ((200, json!({"access_token": "x"})), 502, "provider_misconfigured"),
        ] {
            *provider.refusal.lock().unwrap() = Some(refusal.clone());
            let answer = sign_in(&app, &provider).expect(status);
            assert_eq!(answer.code(), code, "{refusal:?}");
            let retry = answer.text.contains("again in a moment") || answer.text.contains("begin again");
            assert_eq!(retry, code != "provider_misconfigured", "{answer:?}");
        }
        *provider.refusal.lock().unwrap() = None;
        sign_in(&app, &provider).expect(200);
        let no = |word: &str| {
            let (query, cookie) = begin(&app);
            let path = format!("/api/auth/google/callback?error={word}&state={}", query["state"]);
            app.anonymous().send("GET", &path, &[("cookie", &cookie)], None).expect(401).text
        };
        assert!(no("access_denied").contains("begin again"));
        assert!(no("invalid_scope").contains("operator"));
    }

    fn a_token_that_is_not_for_us_is_refused(app) {
        let (app, provider, _mock) = with_provider(app);
        for claims in [json!({"aud": "another"}), json!({"iss": "https://evil.example"}), json!({"exp": 1_000}), json!({"nonce": "another"}), json!({"nonce": null}), json!({"sub": null})] {
            *provider.claims.lock().unwrap() = claims.clone();
            assert_eq!(sign_in(&app, &provider).expect(401).code(), "sign_in_failed", "{claims}");
        }
        *provider.claims.lock().unwrap() = json!({});
        // The token is signed with a shared secret, or with an unknown key.
        let good = provider.header.lock().unwrap().clone();
        for header in [Header { alg: Algorithm::HS256, ..good.clone() }, Header { kid: Some("two".to_owned()), ..good.clone() }] {
            *provider.header.lock().unwrap() = header;
            assert_eq!(sign_in(&app, &provider).expect(401).code(), "sign_in_failed");
        }
        *provider.header.lock().unwrap() = good;
        sign_in(&app, &provider).expect(200);
    }
}

/// 100 people want to sign in through a provider that says nothing: few wait for it, and uploads go on.
#[test]
fn a_provider_that_hangs_holds_up_nobody_else() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let issuer = format!("http://{}", silent.local_addr().unwrap());
    let oidc = OidcConfig { issuer, client_id: "waw".to_owned(), client_secret: None };
    let app = TestApp::start(Backend::Sqlite);
    let app = app.replica_with(OutsideConfig { oidc: Some(oidc), ask: None });
    let ada = app.user();
    let (told, statuses) = mpsc::channel();
    for _ in 0..100 {
        let (nobody, told) = (app.anonymous(), told.clone());
        thread::spawn(move || told.send(nobody.get("/api/auth/google").status));
    }
    let next = || statuses.recv_timeout(Duration::from_secs(20)).unwrap();
    // 16 ask and 64 wait, for 10 s.
    (0..20).for_each(|_| assert_eq!(next(), 429));
    let started = Instant::now();
    ada.store(&minutes("2026-03-10T09:00:00Z", 1, 1));
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    (0..64).for_each(|_| assert_eq!(next(), 503));
}
