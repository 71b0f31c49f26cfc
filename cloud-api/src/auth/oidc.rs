//! OpenID Connect, the authorization code flow with PKCE: the provider's addresses, the way there, and the id token.
//!
//! Requests to the provider are made off the async threads, with time-outs, and follow no redirects.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use actix_web::web;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::{config::OidcConfig, db::oidc::Pending, http::client};

/// How long the provider's addresses and keys are taken as they were.
const FRESH: Duration = Duration::from_secs(15 * 60);

/// How long a provider that failed is not asked again: everybody who signs in would wait for its time-out in turn.
const REST: Duration = Duration::from_secs(5);

/// Why a sign-in through the provider failed. None of it holds a token.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// It could not be asked.
    #[error("the provider cannot be reached: {0}")]
    Unreachable(String),
    /// It answered something else than it should.
    #[error("the provider's answer is not as it should be: {0}")]
    Answer(&'static str),
    /// The code is not one of this sign-in, or was used.
    #[error("the provider refuses the code")]
    Code,
    /// The id token is not good.
    #[error("the id token is refused: {0}")]
    Token(String),
}

#[derive(Clone, Debug, Deserialize)]
struct Discovery {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
}

struct Known {
    discovery: Discovery,
    keys: JwkSet,
    at: Instant,
}

/// What was learnt of the provider.
#[derive(Default)]
struct Memory {
    known: Option<Arc<Known>>,
    failed_at: Option<Instant>,
}

/// The provider.
pub struct Provider {
    config: OidcConfig,
    redirect_uri: String,
    memory: Mutex<Memory>,
}

/// What an id token says of a person.
#[derive(Clone, Debug, Deserialize)]
pub struct Person {
    /// The provider's name for them.
    pub sub: String,
    /// Their address.
    #[serde(default)]
    pub email: Option<String>,
    /// Whether the provider knows that it is theirs.
    #[serde(default, deserialize_with = "flag")]
    pub email_verified: bool,
    /// Their name.
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    nonce: Option<String>,
}

/// Some providers say `"true"`.
fn flag<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(value == serde_json::Value::Bool(true) || value.as_str() == Some("true"))
}

/// 256 random bits, as text.
#[must_use]
pub fn random() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

impl Provider {
    /// A provider whose people come back to `public_url`.
    #[must_use]
    pub fn new(config: OidcConfig, public_url: &str) -> Self {
        Self { config, redirect_uri: format!("{public_url}/api/auth/google/callback"), memory: Mutex::default() }
    }

    /// Its address.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.config.issuer
    }

    /// Where to send a browser, with `state` and what is remembered under it.
    ///
    /// # Errors
    /// When the provider cannot be asked for its addresses.
    pub async fn way(self: Arc<Self>, state: &str, pending: &Pending) -> Result<String, OidcError> {
        let this = self.clone();
        let known = off_thread(move || this.known(false)).await?;
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&pending.verifier));
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("response_type", "code"),
                ("client_id", &self.config.client_id),
                ("redirect_uri", &self.redirect_uri),
                ("scope", "openid email profile"),
                ("state", state),
                ("nonce", &pending.nonce),
                ("code_challenge", &challenge),
                ("code_challenge_method", "S256"),
            ])
            .finish();
        let page = &known.discovery.authorization_endpoint;
        Ok(format!("{page}{}{query}", if page.contains('?') { '&' } else { '?' }))
    }

    /// Exchanges a code for the person it stands for.
    ///
    /// # Errors
    /// When the provider refuses, or its token is not good.
    pub async fn person(self: Arc<Self>, code: String, pending: Pending) -> Result<Person, OidcError> {
        off_thread(move || self.exchange(&code, &pending)).await
    }

    fn exchange(&self, code: &str, pending: &Pending) -> Result<Person, OidcError> {
        #[derive(Deserialize)]
        struct Tokens {
            id_token: String,
        }
        let known = self.known(false)?;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect_uri),
            ("client_id", &self.config.client_id),
            ("code_verifier", &pending.verifier),
        ];
        if let Some(secret) = &self.config.client_secret {
            form.push(("client_secret", secret.expose()));
        }
        let mut answer = client::agent()
            .post(&known.discovery.token_endpoint)
            .send_form(form)
            .map_err(|e| OidcError::Unreachable(e.to_string()))?;
        // RFC 6749, 5.2: 400 is about this request; 401 is about who we are, and other people's sign-ins would fail too.
        if answer.status() == 400 {
            return Err(OidcError::Code);
        }
        if !answer.status().is_success() {
            return Err(OidcError::Answer("the token's address answers with an error"));
        }
        let tokens: Tokens = answer.body_mut().read_json().map_err(|_| OidcError::Answer("no id token"))?;
        self.verify(&tokens.id_token, pending)
    }

    fn verify(&self, token: &str, pending: &Pending) -> Result<Person, OidcError> {
        let refused = |e: jsonwebtoken::errors::Error| OidcError::Token(e.to_string());
        let header = jsonwebtoken::decode_header(token).map_err(refused)?;
        // Never what is signed with a secret both sides know, or not at all.
        if !matches!(
            header.alg,
            Algorithm::RS256 | Algorithm::RS384 | Algorithm::RS512 | Algorithm::ES256 | Algorithm::PS256
        ) {
            return Err(OidcError::Token("its algorithm is none of RS256, PS256, ES256".to_owned()));
        }
        let find = |known: &Known| match &header.kid {
            Some(kid) => known.keys.find(kid).cloned(),
            None => known.keys.keys.first().cloned(),
        };
        // A key that is not known may be new.
        let jwk = match find(&*self.known(false)?) {
            Some(jwk) => jwk,
            None => find(&*self.known(true)?).ok_or(OidcError::Token("its key is not known".to_owned()))?,
        };
        let key = DecodingKey::from_jwk(&jwk).map_err(refused)?;
        let mut rules = Validation::new(header.alg);
        rules.set_audience(&[&self.config.client_id]);
        rules.set_issuer(&[&self.config.issuer]);
        rules.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        let person = jsonwebtoken::decode::<Person>(token, &key, &rules).map_err(refused)?.claims;
        if person.nonce.as_deref() == Some(&pending.nonce) {
            return Ok(person);
        }
        Err(OidcError::Token("its nonce is another sign-in's".to_owned()))
    }

    /// Its addresses and keys. Old ones are better than none while it does not answer, unless they were not enough.
    fn known(&self, anew: bool) -> Result<Arc<Known>, OidcError> {
        let mut memory = self.memory.lock().map_err(|_| OidcError::Answer("a look-up failed half way"))?;
        let old = memory.known.clone().filter(|_| !anew);
        let rests = memory.failed_at.is_some_and(|at| at.elapsed() < REST);
        match old {
            Some(old) if rests || old.at.elapsed() < FRESH => return Ok(old),
            None if rests => return Err(OidcError::Answer("it failed a moment ago")),
            _ => {}
        }
        match self.learn() {
            Ok(known) => {
                let known = Arc::new(known);
                *memory = Memory { known: Some(known.clone()), failed_at: None };
                Ok(known)
            }
            Err(e) => {
                memory.failed_at = Some(Instant::now());
                memory.known.clone().filter(|_| !anew).ok_or(e)
            }
        }
    }

    fn learn(&self) -> Result<Known, OidcError> {
        let address = format!("{}/.well-known/openid-configuration", self.config.issuer.trim_end_matches('/'));
        let discovery: Discovery = get(&address)?;
        if discovery.issuer.trim_end_matches('/') != self.config.issuer.trim_end_matches('/') {
            return Err(OidcError::Answer("it names itself otherwise"));
        }
        let keys = get(&discovery.jwks_uri)?;
        Ok(Known { discovery, keys, at: Instant::now() })
    }
}

fn get<T: serde::de::DeserializeOwned>(address: &str) -> Result<T, OidcError> {
    let mut answer = client::agent().get(address).call().map_err(|e| OidcError::Unreachable(e.to_string()))?;
    if !answer.status().is_success() {
        return Err(OidcError::Answer("an address of it answers with an error"));
    }
    answer.body_mut().read_json().map_err(|_| OidcError::Answer("its description cannot be read"))
}

async fn off_thread<T: Send + 'static>(
    f: impl FnOnce() -> Result<T, OidcError> + Send + 'static,
) -> Result<T, OidcError> {
    web::block(f).await.map_err(|_| OidcError::Answer("the question was cancelled"))?
}
