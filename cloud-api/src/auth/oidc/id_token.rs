//! Checks an id token, which says who the person is according to the provider (OpenID Connect Core, 3.1.3.7).

use std::sync::Arc;

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{OidcError, Provider, known::Known};
use crate::db::oidc::Pending;

/// A person, as the provider describes them.
#[derive(Clone, Debug, Deserialize)]
pub struct Person {
    /// The provider's stable id of the person.
    pub sub: String,
    #[serde(default)]
    pub email: Option<String>,
    /// Whether the provider verified that the address belongs to the person.
    #[serde(default, deserialize_with = "flag")]
    pub email_verified: bool,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    nonce: Option<String>,
    /// The client the token was issued to (authorized party).
    #[serde(default)]
    azp: Option<String>,
    /// The audience: one client id, or a list of them.
    #[serde(default)]
    aud: Value,
}

/// Some providers send the string `"true"` instead of a boolean.
fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(value == Value::Bool(true) || value.as_str() == Some("true"))
}

impl Provider {
    pub(super) async fn verify(self: &Arc<Self>, token: &str, pending: &Pending) -> Result<Person, OidcError> {
        let refused = |e: jsonwebtoken::errors::Error| OidcError::Token(e.to_string());
        let header = jsonwebtoken::decode_header(token).map_err(refused)?;
        // Only asymmetric signatures are accepted: no shared-secret algorithm, and not `none`.
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
        let mut known = self.known(false).await?;
        // The provider may have a new key, so its keys are asked for once more.
        let jwk = match find(&known) {
            Some(jwk) => jwk,
            None => {
                known = self.known(true).await?;
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
    /// A token for several audiences must name the client it was issued to, and a named client must be this server.
    fn was_handed_to(&self, client_id: &str) -> bool {
        let several = self.aud.as_array().is_some_and(|audiences| audiences.len() > 1);
        self.azp.as_deref().map_or(!several, |azp| azp == client_id)
    }
}
