//! OpenID Connect's authorization code flow with PKCE: the redirect to the provider and the exchange of its code.
//!
//! - `known`: the provider's addresses and keys
//! - `id_token`: the token that says who a person is, and every reason to refuse it
//!
//! Requests to the provider are made off the async threads, with time-outs, and follow no redirects.
//!
//! The crate `openidconnect` (4.1) is not used. It would bring a second set of signature libraries (rsa, p256, p384 and
//! ed25519) beside the one that verifies our own tokens. It also compares the issuer exactly, although providers and
//! operators differ in its final slash. Only its exchange and the checks of `id_token` would be used, and each of those
//! has a test here.

mod id_token;
mod known;

use std::sync::Arc;

use actix_web::web;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;

use crate::{config::OidcConfig, db::oidc::Pending, http::client};
pub(crate) use id_token::Person;
use known::{Known, Memory};

/// Why a sign-in through the provider failed. No variant holds a token, so all may be logged.
#[derive(Clone, Debug, thiserror::Error)]
pub enum OidcError {
    /// The provider could not be reached, or answered with an error of its own.
    #[error("the provider cannot be asked: {0}")]
    Unreachable(String),
    /// The settings of the provider and this server do not match; somebody has to change one.
    #[error("the provider and this server do not fit together: {0}")]
    Setup(String),
    /// The code does not belong to this sign-in, or was used before.
    #[error("the provider refuses the code: {0}")]
    Code(String),
    /// The id token failed a check.
    #[error("the id token is refused: {0}")]
    Token(String),
}

pub struct Provider {
    config: OidcConfig,
    redirect_uri: String,
    memory: Mutex<Memory>,
}

/// The answer of the token endpoint.
#[derive(Deserialize)]
struct Tokens {
    id_token: Option<String>,
    access_token: Option<String>,
}

/// An error of the token endpoint (RFC 6749, section 5.2).
#[derive(Deserialize)]
struct Refusal {
    error: String,
}

/// 256 random bits in base64url.
#[must_use]
pub(crate) fn random() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

impl Provider {
    /// The provider redirects browsers back to a path below `public_url`.
    #[must_use]
    pub fn new(config: OidcConfig, public_url: &str) -> Self {
        Self { config, redirect_uri: format!("{public_url}/api/auth/google/callback"), memory: Mutex::default() }
    }

    /// The issuer without a final slash, so that stored identities keep matching when the setting gains or loses one.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.config.issuer.trim_end_matches('/')
    }

    /// The address to redirect a browser to, with `state` and the pending sign-in's nonce and PKCE challenge.
    pub async fn way(self: Arc<Self>, state: &str, pending: &Pending) -> Result<String, OidcError> {
        let known = self.known(false).await?;
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

    /// Exchanges a code for the person who signed in.
    pub async fn person(self: Arc<Self>, code: String, pending: Pending) -> Result<Person, OidcError> {
        let known = self.known(false).await?;
        let (this, of, verifier) = (self.clone(), known.clone(), pending.verifier.clone());
        let (id_token, access_token) = off_thread(move || this.exchange(&of, &code, &verifier)).await?;
        let person = self.verify(&id_token, &pending).await?;
        off_thread(move || Ok(Self::completed(person, &known, access_token.as_deref()))).await
    }

    /// Returns the id token, and the access token if there is one.
    fn exchange(&self, known: &Known, code: &str, verifier: &str) -> Result<(String, Option<String>), OidcError> {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", verifier),
        ];
        let mut request = client::agent().post(&known.discovery.token_endpoint).header("accept", "application/json");
        match &self.config.client_secret {
            Some(secret) if known.discovery.takes_basic() => {
                request = request.header("authorization", basic(&self.config.client_id, secret.expose()));
            }
            Some(secret) => form.extend([("client_id", &*self.config.client_id), ("client_secret", secret.expose())]),
            None => form.push(("client_id", &self.config.client_id)),
        }
        let mut answer = request.send_form(form).map_err(|e| OidcError::Unreachable(e.to_string()))?;
        let status = answer.status().as_u16();
        if status != 200 {
            let word = answer.body_mut().read_json::<Refusal>().map_or_else(|_| String::new(), |said| said.error);
            return Err(refusal(status, &word));
        }
        let not_understood = || OidcError::Setup("its answer to the code holds no id token".to_owned());
        let tokens: Tokens = answer.body_mut().read_json().map_err(|_| not_understood())?;
        Ok((tokens.id_token.ok_or_else(not_understood)?, tokens.access_token))
    }

    /// Some providers give a person's e-mail address only at the userinfo endpoint (OpenID Connect Core, 5.3). An
    /// answer about another person is not used, and an endpoint that fails does not end the sign-in.
    fn completed(mut person: Person, known: &Known, access_token: Option<&str>) -> Person {
        let (Some(page), Some(token)) = (&known.discovery.userinfo_endpoint, access_token) else { return person };
        if person.email.is_some() && person.email_verified {
            return person;
        }
        let asked = client::agent().get(page).header("authorization", format!("Bearer {token}")).call();
        let said = asked.map_err(|e| e.to_string()).and_then(|mut answer| match answer.status().as_u16() {
            200 => answer.body_mut().read_json::<Person>().map_err(|e| e.to_string()),
            status => Err(format!("it answered {status}")),
        });
        match said {
            Ok(said) if said.sub != person.sub => {
                tracing::warn!("the provider's userinfo is about another person; it is not used");
            }
            Ok(said) if said.email.is_some() => {
                person.email = said.email;
                person.email_verified = said.email_verified;
                person.name = person.name.or(said.name);
            }
            Ok(_) => {}
            Err(cause) => tracing::warn!(cause, "the provider's userinfo could not be read"),
        }
        person
    }
}

/// An HTTP Basic header; id and secret are form-encoded first (RFC 6749, section 2.3.1).
fn basic(client_id: &str, secret: &str) -> String {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(client_id), encoded(secret))))
}

/// Sorts the token endpoint's error codes (RFC 6749, section 5.2): some mean that this server is not set up right and
/// every sign-in would fail, others are about this one code.
fn refusal(status: u16, word: &str) -> OidcError {
    let plain = word.len() <= 40 && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let said = if plain && !word.is_empty() { format!("{word} ({status})") } else { status.to_string() };
    match (status, word) {
        (_, "invalid_client" | "unauthorized_client" | "unsupported_grant_type" | "invalid_scope") => {
            OidcError::Setup(format!("it says {said}; check CLOUD_API_OIDC_CLIENT_ID and CLOUD_API_OIDC_CLIENT_SECRET"))
        }
        (400, _) => OidcError::Code(format!("it says {said}")),
        (408 | 429 | 500.., _) => OidcError::Unreachable(format!("it says {said}")),
        _ => OidcError::Setup(format!("its token address says {said}")),
    }
}

async fn off_thread<T: Send + 'static>(
    f: impl FnOnce() -> Result<T, OidcError> + Send + 'static,
) -> Result<T, OidcError> {
    web::block(f).await.map_err(|_| OidcError::Unreachable("the question was cancelled".to_owned()))?
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn basic_credentials_are_encoded_before_they_are_joined() {
        let told = basic("a:b", "p%q r");
        assert_eq!(STANDARD.decode(told.strip_prefix("Basic ").unwrap()).unwrap(), b"a%3Ab:p%25q+r");
    }

    #[rstest]
    #[case(400, "invalid_grant", "the provider refuses the code: it says invalid_grant (400)")]
    #[case(400, "", "the provider refuses the code: it says 400")]
    #[case(400, "<script>", "the provider refuses the code: it says 400")]
    #[case(503, "", "the provider cannot be asked: it says 503")]
    #[case(
        401,
        "invalid_client",
        "the provider and this server do not fit together: it says invalid_client (401); check CLOUD_API_OIDC_CLIENT_ID and CLOUD_API_OIDC_CLIENT_SECRET"
    )]
    #[case(404, "", "the provider and this server do not fit together: its token address says 404")]
    fn a_refusal_is_told_apart_and_its_word_is_said(#[case] status: u16, #[case] word: &str, #[case] said: &str) {
        assert_eq!(refusal(status, word).to_string(), said);
    }
}
