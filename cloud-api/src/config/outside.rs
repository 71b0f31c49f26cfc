//! Settings of outside services: an OpenID provider, and a model that answers questions. Both are off by default.
//!
//! | variable | flag | default |
//! | --- | --- | --- |
//! | `CLOUD_API_OIDC_ISSUER` | `--oidc-issuer` | `https://accounts.google.com` |
//! | `CLOUD_API_OIDC_CLIENT_ID` | `--oidc-client-id` | none: sign-in through a provider is off |
//! | `CLOUD_API_OIDC_CLIENT_SECRET` | | none |
//! | `CLOUD_API_ASK_URL` | `--ask-url` | none: questions are off; an OpenAI-compatible base address |
//! | `CLOUD_API_ASK_MODEL` | `--ask-model` | none; needed with the address |
//! | `CLOUD_API_ASK_KEY` | | none |

use blink_proto::Secret;
use clap::Args;
use url::{Host, Url};

use crate::failure::Failure;

/// The flags.
#[derive(Clone, Debug, Args)]
pub struct OutsideArgs {
    /// The OpenID provider's address
    #[arg(long, value_name = "URL", env = "CLOUD_API_OIDC_ISSUER", default_value = "https://accounts.google.com")]
    pub oidc_issuer: String,
    /// Client id of this server at the provider; without it, sign-in through a provider is off
    #[arg(long, value_name = "ID", env = "CLOUD_API_OIDC_CLIENT_ID")]
    pub oidc_client_id: Option<String>,
    /// Client secret of this server at the provider
    #[arg(long, value_name = "SECRET", env = "CLOUD_API_OIDC_CLIENT_SECRET", hide_env_values = true, hide = true)]
    pub oidc_client_secret: Option<String>,
    /// OpenAI-compatible base address of a model that answers questions; without it they are off
    #[arg(long, value_name = "URL", env = "CLOUD_API_ASK_URL")]
    pub ask_url: Option<String>,
    /// The model's name there
    #[arg(long, value_name = "NAME", env = "CLOUD_API_ASK_MODEL")]
    pub ask_model: Option<String>,
    /// API key for the model
    #[arg(long, value_name = "KEY", env = "CLOUD_API_ASK_KEY", hide_env_values = true, hide = true)]
    pub ask_key: Option<String>,
}

#[derive(Clone, Debug)]
pub struct OidcConfig {
    /// The provider's address, as it names itself; a final slash may differ.
    pub issuer: String,
    pub client_id: String,
    pub client_secret: Option<Secret>,
}

/// A model at an OpenAI-compatible address, which the operator chose.
#[derive(Clone, Debug)]
pub struct AskConfig {
    /// The base address, such as `http://127.0.0.1:11434/v1`.
    pub url: String,
    pub model: String,
    /// The API key, if one is needed.
    pub key: Option<Secret>,
}

#[derive(Clone, Debug, Default)]
pub struct OutsideConfig {
    pub oidc: Option<OidcConfig>,
    pub ask: Option<AskConfig>,
}

fn given(value: Option<&String>) -> Option<String> {
    value.filter(|text| !text.is_empty()).cloned()
}

/// Checks that an address is safe for secrets: HTTPS, or on this machine. The error says what is wrong without
/// repeating the address.
pub fn check_private(url: &str) -> Result<(), &'static str> {
    let url = web_address(url)?;
    if url.scheme() == "https" || is_this_machine(&url) {
        return Ok(());
    }
    Err("must begin with https:// (or be on this machine)")
}

pub(super) fn safe_address(name: &str, url: &str, example: &str) -> Result<(), Failure> {
    // The address is not shown: a password in it would end up in the journal.
    let wrong = |why| Failure::usage("bad_address", format!("{name} {why}"), format!("For example {example}."));
    check_private(url).map_err(wrong)
}

/// Parses an http(s) address. A name or password before an `@` is refused, because it can disguise the real host.
pub(super) fn web_address(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "is no address")?;
    match url.scheme() {
        "http" | "https" if !url.username().is_empty() || url.password().is_some() => {
            Err("must hold no name and no password")
        }
        "http" | "https" if url.fragment().is_some() => Err("must hold no #"),
        "http" | "https" => Ok(url),
        _ => Err("must begin with https:// or http://"),
    }
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl OutsideArgs {
    /// Fails when an address would send secrets unencrypted, or the model has no name.
    pub fn resolve(&self) -> Result<OutsideConfig, Failure> {
        let oidc = match given(self.oidc_client_id.as_ref()) {
            None => None,
            Some(client_id) => {
                safe_address("CLOUD_API_OIDC_ISSUER", &self.oidc_issuer, "https://accounts.google.com")?;
                let client_secret = given(self.oidc_client_secret.as_ref()).map(Secret::new);
                Some(OidcConfig { issuer: self.oidc_issuer.clone(), client_id, client_secret })
            }
        };
        let ask = match (given(self.ask_url.as_ref()), given(self.ask_model.as_ref())) {
            (None, _) => None,
            (Some(url), Some(model)) => {
                safe_address("CLOUD_API_ASK_URL", &url, "https://models.example.org/v1")?;
                Some(AskConfig { url, model, key: given(self.ask_key.as_ref()).map(Secret::new) })
            }
            (Some(_), None) => {
                let message = "CLOUD_API_ASK_URL is set without CLOUD_API_ASK_MODEL";
                return Err(Failure::usage(
                    "no_model",
                    message,
                    "Set CLOUD_API_ASK_MODEL to the model's name at that address.",
                ));
            }
        };
        Ok(OutsideConfig { oidc, ask })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://accounts.google.com", true)]
    #[case("https://idp.example.org:8443/app/", true)]
    #[case("http://127.0.0.1:11434/v1", true)]
    #[case("http://localhost:11434/v1", true)]
    #[case("http://[::1]:11434/v1", true)]
    #[case("HTTP://LOCALHOST/", true)]
    #[case("http://idp.example.org", false)]
    #[case("http://localhost:x@evil.example/", false)]
    #[case("http://localhost@evil.example/", false)]
    #[case("http://127.0.0.1:80@evil.example/", false)]
    #[case("http://localhost.evil.example/", false)]
    #[case("http://127.0.0.1.evil.example/", false)]
    #[case("http://evil.example\\@localhost/", false)]
    #[case("https://name:secret@idp.example.org/", false)]
    #[case("accounts.google.com", false)]
    #[case("ftp://localhost/", false)]
    #[case("https://", false)]
    #[case("", false)]
    fn secrets_cross_only_what_nobody_reads(#[case] url: &str, #[case] safe: bool) {
        let checked = safe_address("X", url, "https://example.org");
        assert_eq!(checked.is_ok(), safe, "{url}");
        if let Err(failure) = checked {
            assert!(!format!("{failure:?}").contains("secret"), "{failure:?}");
        }
    }
}
