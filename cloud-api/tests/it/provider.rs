//! Signing in through a real provider, oauth2-mock-server: it repeats the nonce, checks the PKCE verifier, and signs
//! with RSA keys that it publishes. Answers that only a malicious provider gives are tested in [`crate::oidc`].

use std::{
    process::Command,
    time::{Duration, Instant},
};

use cloud_api::config::{OidcConfig, OutsideConfig};
use serde_json::{Value, json};

use crate::{
    harness::*,
    peers::{self, Peer},
};

/// The provider, and a server that trusts it.
struct ProviderSetup {
    provider: Peer,
    app: TestApp,
}

/// A browser's redirect: where the provider sends it back to, and the cookie that binds it.
struct Redirect {
    callback: String,
    cookie: String,
}

/// Starts the provider; the text after its mark is its address.
pub(crate) fn start() -> Peer {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/provider.mjs");
    let module = peers::file("node_modules/oauth2-mock-server/dist/index.mjs");
    Peer::start(Command::new(peers::file("bin/node")).arg(script).arg(module), "provider at ")
}

impl ProviderSetup {
    fn new(app: &TestApp) -> Self {
        let provider = start();
        let oidc = OidcConfig { issuer: provider.said.clone(), client_id: "waw".to_owned(), client_secret: None };
        let app = app.replica_with(OutsideConfig { oidc: Some(oidc), ..OutsideConfig::default() });
        Self { provider, app }
    }

    /// Goes to the provider and back, as the given person.
    fn redirect(&self, person: &Value, also: &str) -> Redirect {
        let begun = self.app.anonymous().get("/api/auth/google").expect(303);
        let cookie = begun.header("set-cookie").split(';').next().unwrap().to_owned();
        let person = form_urlencoded::byte_serialize(person.to_string().as_bytes()).collect::<String>();
        let page = format!("{}&person={person}{also}", begun.header("location"));
        assert!(page.starts_with(&self.provider.said), "{page}");
        let back = Client::new("").get(&page).expect(302).header("location").to_owned();
        let callback = back.strip_prefix(&self.app.address).expect("sent elsewhere").to_owned();
        assert!(callback.starts_with("/api/auth/google/callback?code="), "{callback}");
        Redirect { callback, cookie }
    }

    fn come_back(&self, redirect: &Redirect) -> Answer {
        self.app.anonymous().send("GET", &redirect.callback, &[("cookie", &redirect.cookie)], None)
    }

    fn sign_in(&self, person: &Value) -> Answer {
        self.come_back(&self.redirect(person, ""))
    }

    fn keys(&self) -> usize {
        Client::new(&self.provider.said).get("/jwks").expect(200).json["keys"].as_array().unwrap().len()
    }
}

fn person(sub: &str, email: &str, verified: bool) -> Value {
    json!({"sub": sub, "email": email, "email_verified": verified, "name": "Ada"})
}

fn parameter(path: &str, name: &str) -> String {
    let (_, query) = path.split_once('?').unwrap();
    form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).unwrap().1.into_owned()
}

contract! {
    fn a_person_of_a_real_provider_signs_in(app) {
        let setup = ProviderSetup::new(app);
        let ada = person("ada", "ada@example.org", true);
        let first = setup.sign_in(&ada).expect(200);
        assert_eq!((&first.json["user"]["email"], &first.json["user"]["name"]), (&json!("ada@example.org"), &json!("Ada")));
        let mut client = setup.app.anonymous();
        client.sign_in(&first.json);
        assert_eq!(client.sync(&[]).expect(403).code(), "consent_required");
        let consent = json!({"kind": "tracking", "granted": true, "version": "1"}).to_string();
        client.send("PUT", "/api/user/me/consents", &[("content-type", "application/json")], Some(consent.as_bytes())).expect(200);
        client.store(&minutes("2026-03-10T09:00:00Z", 1, 1));
        assert_eq!(setup.sign_in(&ada).expect(200).json["user"]["id"], client.id);
        // Another subject is another account, whatever name they choose.
        assert_ne!(setup.sign_in(&person("eve", "eve@example.org", true)).expect(200).json["user"]["id"], client.id);
    }

    fn a_code_is_good_for_the_sign_in_that_asked_for_it(app) {
        let setup = ProviderSetup::new(app);
        let stolen = setup.redirect(&person("ada", "ada@example.org", true), "");
        let own = setup.redirect(&person("eve", "eve@example.org", true), "");
        // Eve's browser presents Ada's code, and the provider finds that the verifier does not match its challenge.
        let (code, state) = (parameter(&stolen.callback, "code"), parameter(&own.callback, "state"));
        let injected = Redirect { callback: format!("/api/auth/google/callback?code={code}&state={state}"), cookie: own.cookie };
        assert_eq!(setup.come_back(&injected).expect(401).code(), "sign_in_failed");
        // That used the code up, so even Ada must begin again; and no way back works twice.
        assert_eq!(setup.come_back(&stolen).expect(401).code(), "sign_in_failed");
        let good = setup.redirect(&person("ada", "ada@example.org", true), "");
        setup.come_back(&good).expect(200);
        assert_eq!(setup.come_back(&good).expect(401).code(), "sign_in_failed");
    }

    fn a_provider_changes_its_keys(app) {
        let setup = ProviderSetup::new(app);
        let ada = person("ada", "ada@example.org", true);
        let id = setup.sign_in(&ada).expect(200).json["user"]["id"].clone();
        assert_eq!(setup.keys(), 1);
        let redirect = setup.redirect(&ada, "&rotate=1");
        let deadline = Instant::now() + Duration::from_secs(60);
        while setup.keys() == 1 {
            assert!(Instant::now() < deadline, "the provider never made a new key");
        }
        // The token is signed with a key that is newer than those the server read.
        assert_eq!(setup.come_back(&redirect).expect(200).json["user"]["id"], id);
        assert_eq!(setup.sign_in(&ada).expect(200).json["user"]["id"], id);
    }

    fn accounts_are_linked_by_what_the_provider_verified(app) {
        let setup = ProviderSetup::new(app);
        let ada = setup.app.user();
        assert_eq!(setup.sign_in(&person("eve", &ada.email, false)).expect(403).code(), "email_unverified");
        assert_eq!(setup.sign_in(&json!({"sub": "eve"})).expect(403).code(), "email_missing");
        ada.get("/api/user/me").expect(200);
        assert_eq!(setup.sign_in(&person("ada", &ada.email, true)).expect(200).json["user"]["id"], ada.id);
    }
}

#[test]
fn a_provider_that_is_away_is_said() {
    let mut app = TestApp::start(Backend::Sqlite);
    let oidc = OidcConfig { issuer: "http://127.0.0.1:9".to_owned(), client_id: "waw".to_owned(), client_secret: None };
    app.outside = OutsideConfig { oidc: Some(oidc), ..OutsideConfig::default() };
    app.restart();
    let away = app.anonymous().get("/api/auth/google").expect(502);
    assert_eq!(away.code(), "provider_failed");
    assert!(!away.text.contains("127.0.0.1"), "{away:?}");
}
