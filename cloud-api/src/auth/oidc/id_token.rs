//! The id token: who the provider says that a person is (OpenID Connect Core, 3.1.3.7).

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{OidcError, Provider, known::Known};
use crate::db::oidc::Pending;

/// What a provider says of a person.
#[derive(Clone, Debug, Deserialize)]
pub struct Person {
    /// The provider's name for them.
    pub sub: String,
    #[serde(default)]
    pub email: Option<String>,
    /// Whether the provider knows that it is theirs.
    #[serde(default, deserialize_with = "flag")]
    pub email_verified: bool,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    nonce: Option<String>,
    /// Whom the token was handed to.
    #[serde(default)]
    azp: Option<String>,
    /// Whom it is for: one, or a list.
    #[serde(default)]
    aud: Value,
}

/// Some providers say `"true"`.
fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(value == Value::Bool(true) || value.as_str() == Some("true"))
}

impl Provider {
    pub(super) fn verify(&self, token: &str, pending: &Pending) -> Result<Person, OidcError> {
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
        let mut known = self.known(false)?;
        // A key that is not known may be new.
        let jwk = match find(&known) {
            Some(jwk) => jwk,
            None => {
                known = self.known(true)?;
                find(&known).ok_or(OidcError::Token("its key is not known".to_owned()))?
            }
        };
        let key = DecodingKey::from_jwk(&jwk).map_err(refused)?;
        let mut rules = Validation::new(header.alg);
        rules.set_audience(&[&self.config.client_id]);
        rules.set_issuer(&[&known.discovery.issuer]);
        rules.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        let person = jsonwebtoken::decode::<Person>(token, &key, &rules).map_err(refused)?.claims;
        if person.nonce.as_deref() != Some(&pending.nonce) {
            return Err(OidcError::Token("its nonce is another sign-in's".to_owned()));
        }
        if !person.was_handed_to(&self.config.client_id) {
            return Err(OidcError::Token("it was handed to another client (azp)".to_owned()));
        }
        Ok(person)
    }
}

impl Person {
    /// A token for several must say whom it was handed to; whoever says so must mean this server.
    fn was_handed_to(&self, client_id: &str) -> bool {
        let several = self.aud.as_array().is_some_and(|audiences| audiences.len() > 1);
        self.azp.as_deref().map_or(!several, |azp| azp == client_id)
    }
}
