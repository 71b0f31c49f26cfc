//! A provider's addresses and keys, from its discovery document. They are remembered for 15 minutes.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jsonwebtoken::jwk::JwkSet;
use serde::{Deserialize, de::DeserializeOwned};

use super::{OidcError, Provider, off_thread};
use crate::{config, http::client};

/// For this long the provider's addresses and keys are used without asking again.
const FRESH: Duration = Duration::from_secs(15 * 60);

/// For this long a provider that failed is not asked again: otherwise each sign-in would wait for its time-out in turn.
const REST: Duration = Duration::from_secs(5);

/// The provider's metadata (OpenID Connect Discovery, section 3).
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Discovery {
    pub(super) issuer: String,
    pub(super) authorization_endpoint: String,
    pub(super) token_endpoint: String,
    pub(super) jwks_uri: String,
    #[serde(default)]
    pub(super) userinfo_endpoint: Option<String>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

impl Discovery {
    /// Whether the client's secret goes into an HTTP Basic header, the default for a provider that names no method.
    pub(super) fn takes_basic(&self) -> bool {
        let takes = |way: &str| {
            self.token_endpoint_auth_methods_supported.as_ref().is_some_and(|ways| ways.iter().any(|w| w == way))
        };
        !takes("client_secret_post")
    }

    /// Refuses plain HTTP: a provider behind a proxy that ends TLS may name such addresses, and codes, secrets and keys
    /// would cross the network unencrypted.
    fn check_addresses(&self) -> Result<(), OidcError> {
        let named = [&self.authorization_endpoint, &self.token_endpoint, &self.jwks_uri];
        for address in named.into_iter().chain(&self.userinfo_endpoint) {
            let refused = |why| OidcError::Setup(format!("an address that it names {why}"));
            config::check_private(address).map_err(refused)?;
        }
        Ok(())
    }
}

pub(super) struct Known {
    pub(super) discovery: Discovery,
    pub(super) keys: JwkSet,
    at: Instant,
}

/// What was last learnt from the provider.
#[derive(Default)]
pub(super) struct Memory {
    known: Option<Arc<Known>>,
    /// When and why the last request failed.
    failed: Option<(Instant, OidcError)>,
}

impl Memory {
    /// The answer without asking, if there is one. While the provider does not answer, old addresses and keys are used;
    /// with `anew` it must answer.
    fn told(&self, anew: bool) -> Option<Result<Arc<Known>, OidcError>> {
        let old = self.known.clone().filter(|_| !anew);
        let rests = self.failed.clone().filter(|(at, _)| at.elapsed() < REST);
        match (old, rests) {
            (Some(old), rests) if rests.is_some() || old.at.elapsed() < FRESH => Some(Ok(old)),
            (None, Some((_, why))) => Some(Err(why)),
            _ => None,
        }
    }
}

impl Provider {
    /// The provider's addresses and keys. One caller at a time asks for them; the others wait, and on no thread.
    pub(super) async fn known(self: &Arc<Self>, anew: bool) -> Result<Arc<Known>, OidcError> {
        let mut memory = self.memory.lock().await;
        if let Some(told) = memory.told(anew) {
            return told;
        }
        let this = self.clone();
        match off_thread(move || this.learn()).await {
            Ok(known) => {
                let known = Arc::new(known);
                *memory = Memory { known: Some(known.clone()), failed: None };
                Ok(known)
            }
            Err(e) => {
                memory.failed = Some((Instant::now(), e.clone()));
                memory.known.clone().filter(|_| !anew).ok_or(e)
            }
        }
    }

    /// Asks the provider. Its issuer may differ from the setting by a final slash; its tokens carry its own spelling.
    fn learn(&self) -> Result<Known, OidcError> {
        let discovery: Discovery = get(&format!("{}/.well-known/openid-configuration", self.issuer()))?;
        if discovery.issuer.trim_end_matches('/') != self.issuer() {
            let told = "it calls itself otherwise than CLOUD_API_OIDC_ISSUER does";
            return Err(OidcError::Setup(told.to_owned()));
        }
        discovery.check_addresses()?;
        let keys = get(&discovery.jwks_uri)?;
        Ok(Known { discovery, keys, at: Instant::now() })
    }
}

fn get<T: DeserializeOwned>(address: &str) -> Result<T, OidcError> {
    let mut answer = client::agent().get(address).call().map_err(|e| OidcError::Unreachable(e.to_string()))?;
    match answer.status().as_u16() {
        200 => answer.body_mut().read_json().map_err(|_| OidcError::Setup("its description cannot be read".to_owned())),
        status @ (408 | 429 | 500..) => Err(OidcError::Unreachable(format!("it says {status}"))),
        status => {
            Err(OidcError::Setup(format!("an address of its description says {status}; check CLOUD_API_OIDC_ISSUER")))
        }
    }
}
