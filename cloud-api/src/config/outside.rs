//! What is outside this server: an OpenID provider, and a model that answers questions. Both are off by default.
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

use crate::failure::Failure;

/// The flags.
#[derive(Clone, Debug, Args)]
pub struct OutsideArgs {
    /// The OpenID provider's address
    #[arg(long, value_name = "URL", env = "CLOUD_API_OIDC_ISSUER", default_value = "https://accounts.google.com")]
    pub oidc_issuer: String,
    /// Who this server is to the provider; without it, sign-in through a provider is off
    #[arg(long, value_name = "ID", env = "CLOUD_API_OIDC_CLIENT_ID")]
    pub oidc_client_id: Option<String>,
    /// How the provider knows this server
    #[arg(long, value_name = "SECRET", env = "CLOUD_API_OIDC_CLIENT_SECRET", hide_env_values = true, hide = true)]
    pub oidc_client_secret: Option<String>,
    /// OpenAI-compatible base address of a model that answers questions; without it they are off
    #[arg(long, value_name = "URL", env = "CLOUD_API_ASK_URL")]
    pub ask_url: Option<String>,
    /// The model's name there
    #[arg(long, value_name = "NAME", env = "CLOUD_API_ASK_MODEL")]
    pub ask_model: Option<String>,
    /// What the model's address wants to see
    #[arg(long, value_name = "KEY", env = "CLOUD_API_ASK_KEY", hide_env_values = true, hide = true)]
    pub ask_key: Option<String>,
}

/// How the OpenID provider is reached.
#[derive(Clone, Debug)]
pub struct OidcConfig {
    /// Its address, exactly as it names itself.
    pub issuer: String,
    /// Who we are to it.
    pub client_id: String,
    /// How it knows us.
    pub client_secret: Option<Secret>,
}

/// The model an operator chose, at an OpenAI-compatible address.
#[derive(Clone, Debug)]
pub struct AskConfig {
    /// Its base address, such as `http://127.0.0.1:11434/v1`.
    pub url: String,
    /// Its name there.
    pub model: String,
    /// What it wants to see, if anything.
    pub key: Option<Secret>,
}

/// The checked settings.
#[derive(Clone, Debug, Default)]
pub struct OutsideConfig {
    /// The provider.
    pub oidc: Option<OidcConfig>,
    /// The model.
    pub ask: Option<AskConfig>,
}

fn given(value: Option<&String>) -> Option<String> {
    value.filter(|text| !text.is_empty()).cloned()
}

/// Secrets cross only connections that nobody reads: TLS, or this machine alone.
pub(super) fn safe_address(name: &str, url: &str, example: &str) -> Result<(), Failure> {
    let host = |rest: &str| rest.split(['/', ':']).next().unwrap_or("").to_owned();
    let local =
        url.strip_prefix("http://").is_some_and(|rest| matches!(host(rest).as_str(), "127.0.0.1" | "localhost"));
    if local || url.starts_with("https://") {
        return Ok(());
    }
    Err(Failure::usage(
        "bad_address",
        format!("{name} must begin with https:// (or be on this machine)"),
        format!("For example {example}."),
    ))
}

impl OutsideArgs {
    /// Checks them.
    ///
    /// # Errors
    /// When an address would carry secrets in the clear, or the model has no name.
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
