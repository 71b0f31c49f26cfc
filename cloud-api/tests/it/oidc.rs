//! Signing in through a provider: redirect and return, and whose account it opens.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as B64},
};
use cloud_api::{
    config::AccessConfig,
    db::{
        DbError, one_time, transaction,
        users::{self, Change},
    },
    open,
    routes::reset,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{handover::until_waiting, harness::*, oidc_kit::*};

contract! {
    fn a_new_person_signs_in_and_consents_before_anything_else(app) {
        let (app, provider, mock) = with_provider(app);
        let (query, cookie) = begin(&app);
        assert_eq!((query["response_type"].as_str(), query["client_id"].as_str(), query["code_challenge_method"].as_str()), ("code", "waw", "S256"));
        provider.nonce.lock().unwrap().clone_from(&query["nonce"]);
        let answer = come_back(&app, &query, &cookie, "good").expect(200);
        // The provider got the verifier of the challenge, and the client's secret.
        let exchange = mock.seen.lock().unwrap().iter().find(|r| r.path == "/token").unwrap().clone();
        let (exchange, headers) = (exchange.body, exchange.headers);
        let verifier = exchange.split('&').find_map(|pair| pair.strip_prefix("code_verifier=")).unwrap().to_owned();
        assert_eq!(B64.encode(Sha256::digest(&verifier)), query["code_challenge"]);
        assert!(headers.contains(&format!("Basic {}", STANDARD.encode("waw:shh"))) && !exchange.contains("shh"), "{headers}");
        assert_eq!(answer.json["user"]["email"], "ada@example.org");
        let mut ada = app.anonymous();
        ada.sign_in(&answer.json);
        for path in ["/api/user/me", "/api/user/me/export", "/api/user/me/sessions"] {
            assert_eq!(ada.get(path).expect(403).code(), "consent_required", "{path}");
        }
        assert_eq!(ada.sync(&[]).expect(403).code(), "consent_required");
        for path in ["challenge", "mark-attendance", "mark-pin"] {
            let path = format!("/api/attendance/{path}");
            assert_eq!(ada.post(&path, &json!({})).expect(403).code(), "consent_required", "{path}");
        }
        ada.get("/api/user/me/consents").expect(200);
        let consent = json!({"kind": "tracking", "granted": true, "version": "1"}).to_string();
        ada.send("PUT", "/api/user/me/consents", &[("content-type", "application/json")], Some(consent.as_bytes())).expect(200);
        ada.store(&minutes("2026-03-10T09:00:00Z", 1, 1));
        // The same subject signs in to the same account, even with a new address.
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
        assert_eq!(sign_in(&app, &provider).expect(403).code(), "email_missing");
        *provider.claims.lock().unwrap() = json!({"email": ada.email.to_uppercase(), "email_verified": "true"});
        assert_eq!(sign_in(&app, &provider).expect(200).json["user"]["id"], ada.id);
    }

    fn whoever_made_the_account_before_loses_it_to_whom_the_address_is(app) {
        let (app, provider, _mock) = with_provider(app);
        // Eve makes an account with Ada's address and waits for Ada to sign in.
        let eve = app.user();
        let codes = app.anonymous().post("/api/auth/device", &json!({"device_name": "Eve's"})).expect(200).json;
        let approved = json!({"user_code": codes["user_code"], "approve": true});
        eve.post("/api/auth/device/approve", &approved).expect(200);
        let mut conn = open::connect(&app.target).unwrap();
        let eve_id = eve.id.parse().unwrap();
        let link = one_time::create(&mut conn, eve_id, reset::PURPOSE, at(NOW).plus(reset::LIFE_MS)).unwrap();
        *provider.claims.lock().unwrap() = json!({"email": eve.email});
        let mut ada = app.anonymous();
        ada.sign_in(&sign_in(&app, &provider).expect(200).json);
        assert_eq!(ada.id, eve.id);
        eve.get("/api/user/me").expect(401);
        eve.post("/api/auth/refresh", &json!({"refresh_token": eve.refresh})).expect(401);
        let login = json!({"email": eve.email, "password": PASSWORD});
        assert_eq!(eve.post("/api/auth/login", &login).expect(401).code(), "wrong_credentials");
        // Neither a device she approved before nor a link she requested works any more.
        let poll = json!({"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": codes["device_code"]});
        assert_eq!(app.anonymous().post("/api/auth/device/token", &poll).expect(400).json["error"], "invalid_grant");
        let reset = json!({"token": link.expose(), "password": "eve's horse battery"});
        assert_eq!(app.anonymous().post("/api/auth/reset", &reset).expect(401).code(), "invalid_link");
        assert_eq!(ada.get("/api/user/me").expect(403).code(), "consent_required");
        consent(&ada, &json!({})).expect(200);
        // Ada's later sign-ins end none of her sessions, and she may set a password.
        let password = json!({"password": "another horse battery"}).to_string();
        ada.send("PATCH", "/api/user/me", &[("content-type", "application/json")], Some(password.as_bytes())).expect(200);
        sign_in(&app, &provider).expect(200);
        ada.get("/api/user/me").expect(200);
        app.anonymous().post("/api/auth/login", &json!({"email": eve.email, "password": "another horse battery"})).expect(200);
    }

    fn whoever_proves_an_address_inherits_no_consent_and_no_team(app) {
        let (app, provider, _mock) = with_provider(app);
        for (answer, left) in [("keep", 12), ("remove", 0)] {
            let (eve, boss) = (app.user(), app.user());
            app.set_role(&boss, "manager");
            let team = boss.post("/api/team", &json!({"name": "Eve's"})).expect(201).json["id"].as_str().unwrap().to_owned();
            let path = format!("/api/team/{team}/members/{}", eve.id);
            boss.send("PUT", &path, &[JSON], Some(b"{}")).expect(201);
            eve.send("PUT", &path, &[JSON], Some(b"{}")).expect(200);
            eve.store(&minutes("2026-03-10T09:00:00Z", 4, 3));
            *provider.claims.lock().unwrap() = json!({"sub": answer, "email": eve.email});
            let mut ada = Client { device: eve.device, ..app.anonymous() };
            ada.sign_in(&sign_in(&app, &provider).expect(200).json);
            assert_eq!(ada.id, eve.id);
            // She is asked for consent. Until then nothing is shown or accepted.
            for refused in [ada.get("/api/user/me"), ada.blinks(""), ada.get("/api/user/me/export"), ada.sync(&minutes("2026-03-10T10:00:00Z", 1, 1))] {
                assert_eq!(refused.expect(403).code(), "consent_required");
            }
            let said = ada.get("/api/user/me/consents").expect(200).json["items"].clone();
            let newest = |kind: &str| said.as_array().unwrap().iter().rfind(|c| c["kind"] == kind).unwrap()["granted"].clone();
            assert_eq!((newest("tracking"), newest("team")), (json!(false), json!(false)));
            assert_eq!(boss.get("/api/team").expect(200).json["items"][0]["members"], json!([]));
            let ledger = std::fs::read_to_string(app.folder.path().join("ledger.ndjson")).unwrap();
            assert_eq!(ledger.lines().filter(|line| line.contains(&eve.id) && line.contains("\"granted\":false")).count(), 2);
            // Only she can say whose the minutes are.
            let asked = consent(&ada, &json!({})).expect(422);
            assert_ne!(asked.field("earlier_minutes"), "");
            assert_ne!(consent(&ada, &json!({"earlier_minutes": "perhaps"})).expect(422).field("earlier_minutes"), "");
            consent(&ada, &json!({"earlier_minutes": answer})).expect(200);
            assert_eq!(ada.totals().0, left, "{answer}");
            assert_eq!(ada.get("/api/user/me/export").expect(200).json["minutes"].as_array().unwrap().len() as u64, left / 3);
            assert_eq!(ada.get("/api/user/me/devices").expect(200).json["items"], json!([]));
            ada.store(&minutes("2026-03-10T10:00:00Z", 1, 1));
            // This happens only once: from now on the account is hers.
            assert_eq!(sign_in(&app, &provider).expect(200).json["user"]["id"], ada.id);
            ada.get("/api/user/me").expect(200);
        }
    }

    fn an_admin_who_was_never_tracked_need_not_be(app) {
        let (app, provider, _mock) = with_provider(app);
        let boss = app.user();
        app.set_role(&boss, "admin");
        boss.send("PUT", "/api/user/me/consents", &[JSON], Some(b"{\"kind\": \"tracking\", \"granted\": false}")).expect(200);
        *provider.claims.lock().unwrap() = json!({"email": boss.email});
        let mut same = app.anonymous();
        same.sign_in(&sign_in(&app, &provider).expect(200).json);
        same.get("/api/admin/users").expect(200);
        assert_eq!(same.sync(&[]).expect(403).code(), "consent_withdrawn");
    }

    fn a_provider_opens_the_address_it_verified_and_none_that_looks_like_it(app) {
        let (app, provider, _mock) = with_provider(app);
        let kate = app.anonymous().post("/api/auth/register", &registration("kate@example.org", "UTC")).expect(201).json;
        *provider.claims.lock().unwrap() = json!({"email": "\u{212a}ate@example.org"});
        assert_eq!(sign_in(&app, &provider).expect(403).code(), "email_refused");
        app.anonymous().post("/api/auth/register", &registration("\u{e4}da@example.org", "UTC")).expect(201);
        *provider.claims.lock().unwrap() = json!({"email": "\u{c4}da@example.org"});
        assert_eq!(sign_in(&app, &provider).expect(409).code(), "email_taken");
        *provider.claims.lock().unwrap() = json!({"email": "KATE@Example.org"});
        assert_eq!(sign_in(&app, &provider).expect(200).json["user"]["id"], kate["user"]["id"]);
    }

    fn an_account_of_before_is_found_by_the_address_as_it_was_kept(app) {
        let (app, provider, _mock) = with_provider(app);
        let (ada, old) = (app.user(), "ada\u{308}m@example.org");
        let mut conn = open::connect(&app.target).unwrap();
        let change = Change { email: Some(old.to_owned()), email_key: Some(old.to_owned()), ..Change::default() };
        users::change(&mut conn, ada.id.parse().unwrap(), &change).unwrap();
        *provider.claims.lock().unwrap() = json!({"email": "Ada\u{308}m@example.org"});
        assert_eq!(sign_in(&app, &provider).expect(200).json["user"]["id"], ada.id);
    }

    fn an_address_that_went_to_somebody_new_opens_nothing(app) {
        let (app, provider, _mock) = with_provider(app);
        let first = sign_in(&app, &provider).expect(200).json["user"]["id"].clone();
        *provider.claims.lock().unwrap() = json!({"sub": "another person with the address"});
        assert_eq!(sign_in(&app, &provider).expect(409).code(), "email_taken");
        *provider.claims.lock().unwrap() = json!({});
        assert_eq!(sign_in(&app, &provider).expect(200).json["user"]["id"], first);
    }

    fn whoever_the_provider_knows_takes_nobody_elses_address(app) {
        let (mut app, provider, _mock) = with_provider(app);
        let mut eve = app.anonymous();
        eve.sign_in(&sign_in(&app, &provider).expect(200).json);
        consent(&eve, &json!({})).expect(200);
        let patch = |change: Value| eve.send("PATCH", "/api/user/me", &[JSON], Some(change.to_string().as_bytes()));
        assert_eq!(patch(json!({"email": "boss@example.org"})).expect(403).code(), "email_of_provider");
        patch(json!({"email": "ADA@example.org", "password": "another horse battery"})).expect(200);
        let own = json!({"email": "boss@example.org", "current_password": "another horse battery"});
        assert_eq!(patch(own).expect(403).code(), "email_of_provider");
        // So its owner can register, and the provider's people can sign in.
        app.anonymous().post("/api/auth/register", &registration("boss@example.org", "UTC")).expect(201);
        // An address that the provider verified since is taken over, but no other account's.
        for (told, has) in [("boss@example.org", "ADA@example.org"), ("eve@example.org", "eve@example.org")] {
            *provider.claims.lock().unwrap() = json!({"email": told});
            let user = sign_in(&app, &provider).expect(200).json["user"].clone();
            assert_eq!((&user["id"], &user["email"]), (&json!(eve.id), &json!(has)));
            assert_eq!(eve.get("/api/user/me").expect(200).json["email"], has);
        }
        *provider.claims.lock().unwrap() = json!({"email": "unverified@example.org", "email_verified": false});
        assert_eq!(sign_in(&app, &provider).expect(200).json["user"]["email"], "eve@example.org");
        // Nor an address that accounts here may not have.
        let registration = "domain:example.org".parse().unwrap();
        app.set_access(AccessConfig { registration, ..AccessConfig::default() });
        *provider.claims.lock().unwrap() = json!({"email": "eve@example.com"});
        assert_eq!(sign_in(&app, &provider).expect(200).json["user"]["email"], "eve@example.org");
    }

    fn a_sign_in_that_was_not_begun_here_is_refused(app) {
        let (app, provider, _mock) = with_provider(app);
        let (query, cookie) = begin(&app);
        let (other, _) = begin(&app);
        provider.nonce.lock().unwrap().clone_from(&query["nonce"]);
        // Refused are another browser, another sign-in's state, and a forged cookie.
        for (query, cookie) in [(&query, "x=y"), (&other, cookie.as_str()), (&query, "waw_oidc=forged")] {
            assert_eq!(come_back(&app, query, cookie, "good").expect(401).code(), "sign_in_failed");
        }
        app.anonymous().get("/api/auth/google/callback?error=access_denied").expect(401);
        assert_eq!(come_back(&app, &query, &cookie, "bad").expect(401).code(), "sign_in_failed");
        // That used the sign-in up. A new one expires after ten minutes.
        come_back(&app, &query, &cookie, "good").expect(401);
        let (query, cookie) = begin(&app);
        app.set_time("2026-03-10T12:10:00Z");
        come_back(&app, &query, &cookie, "good").expect(401);
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
            let id = eve.id.parse().unwrap();
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
