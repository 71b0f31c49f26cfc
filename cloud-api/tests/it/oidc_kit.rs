//! A provider whose answers each test chooses, and the redirects to it and back.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use cloud_api::config::{OidcConfig, OutsideConfig};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::PublicKeyData as _;
use serde_json::{Value, json};

use crate::{harness::*, mock::Mock};

/// The provider's answers for the next sign-in. Tests change them.
#[derive(Clone)]
pub(crate) struct Provider {
    pub(crate) claims: Arc<Mutex<Value>>,
    pub(crate) header: Arc<Mutex<Header>>,
    pub(crate) nonce: Arc<Mutex<String>>,
    /// Fields that are added to its discovery document or replaced in it.
    pub(crate) description: Arc<Mutex<Value>>,
    /// The answer of its userinfo endpoint.
    pub(crate) userinfo: Arc<Mutex<Value>>,
    /// The error with which it answers every code, instead of a token.
    pub(crate) refusal: Arc<Mutex<Option<(u16, Value)>>>,
    pub(crate) issuer: String,
}

pub(crate) fn provider() -> (Provider, Mock) {
    let key = rcgen::KeyPair::generate().unwrap();
    let point = key.der_bytes()[1..].to_vec();
    let jwks = json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": "one", "alg": "ES256", "use": "sig", "x": B64.encode(&point[..32]), "y": B64.encode(&point[32..])}]});
    let sign = EncodingKey::from_ec_der(&key.serialize_der());
    let header = Header { kid: Some("one".to_owned()), ..Header::new(Algorithm::ES256) };
    let mut provider = Provider {
        claims: Arc::new(Mutex::new(json!({}))),
        header: Arc::new(Mutex::new(header)),
        nonce: Arc::default(),
        description: Arc::new(Mutex::new(json!({}))),
        userinfo: Arc::new(Mutex::new(json!({}))),
        refusal: Arc::default(),
        issuer: String::new(),
    };
    let (claims, header, nonce) = (provider.claims.clone(), provider.header.clone(), provider.nonce.clone());
    let (description, userinfo, refusal) =
        (provider.description.clone(), provider.userinfo.clone(), provider.refusal.clone());
    let mock = Mock::start(move |own, request| match request.path.as_str() {
        "/.well-known/openid-configuration" => {
            let page = |name: &str| format!("{own}/{name}");
            let base = json!({"issuer": own, "authorization_endpoint": page("authorize"), "token_endpoint": page("token"), "jwks_uri": page("jwks")});
            (200, changed(base, &description.lock().unwrap()).to_string())
        }
        "/userinfo" => (200, userinfo.lock().unwrap().to_string()),
        "/token" if refusal.lock().unwrap().is_some() => {
            let (status, said) = refusal.lock().unwrap().clone().unwrap();
            (status, said.to_string())
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

pub(crate) fn with_provider(app: &TestApp) -> (TestApp, Provider, Mock) {
    let (provider, mock) = provider();
    let oidc = OidcConfig {
        issuer: mock.address.clone(),
        client_id: "waw".to_owned(),
        client_secret: Some(blink_proto::Secret::new("shh")),
    };
    let app = app.replica_with(OutsideConfig { oidc: Some(oidc), ask: None });
    (app, provider, mock)
}

/// Begins a sign-in: the query of the redirect, and the cookie that binds the browser.
pub(crate) fn begin(app: &TestApp) -> (BTreeMap<String, String>, String) {
    let answer = app.anonymous().get("/api/auth/google").expect(303);
    let cookie = answer.header("set-cookie").to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    let (_, query) = answer.header("location").split_once('?').unwrap();
    let decode = |text: &str| text.replace("%3A", ":").replace("%2F", "/").replace('+', " ");
    let query =
        query.split('&').map(|pair| pair.split_once('=').unwrap()).map(|(k, v)| (k.to_owned(), decode(v))).collect();
    (query, cookie.split(';').next().unwrap().to_owned())
}

pub(crate) fn come_back(app: &TestApp, query: &BTreeMap<String, String>, cookie: &str, code: &str) -> Answer {
    let path = format!("/api/auth/google/callback?code={code}&state={}", query["state"]);
    app.anonymous().send("GET", &path, &[("cookie", cookie)], None)
}

/// Signs in with the provider's current answers.
pub(crate) fn sign_in(app: &TestApp, provider: &Provider) -> Answer {
    let (query, cookie) = begin(app);
    provider.nonce.lock().unwrap().clone_from(&query["nonce"]);
    come_back(app, &query, &cookie, "good")
}

pub(crate) const JSON: (&str, &str) = ("content-type", "application/json");

/// Consents to tracking, with additional fields.
pub(crate) fn consent(who: &Client, also: &Value) -> Answer {
    let body = changed(json!({"kind": "tracking", "granted": true, "version": "1"}), also).to_string();
    who.send("PUT", "/api/user/me/consents", &[JSON], Some(body.as_bytes()))
}
