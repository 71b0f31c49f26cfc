//! Settings of access: registration, rate limits, trusted proxies, foreign origins, and the metrics token.
//!
//! | variable | flag | default |
//! | --- | --- | --- |
//! | `CLOUD_API_REGISTRATION` | `--registration` | `open`; `domain:example.org`, `closed` |
//! | `CLOUD_API_RATE_LIMIT` | `--rate-limit` | `on`; `off` on loopback alone |
//! | `CLOUD_API_SEND_EVERY` | `--send-every` | none; seconds, 60 to 3600 |
//! | `CLOUD_API_TRUSTED_PROXIES` | `--trusted-proxies` | none; addresses or networks, comma-separated |
//! | `CLOUD_API_CORS_ORIGINS` | `--cors-origins` | none; origins, comma-separated |
//! | `CLOUD_API_METRICS_TOKEN` | | none; needed for /metrics off loopback |

use std::str::FromStr;

use blink_proto::Secret;
use clap::Args;

use super::outside::web_address;
use crate::{address::Network, domain::account::Email, failure::Failure};

/// The flags.
#[derive(Clone, Debug, Args)]
pub struct AccessArgs {
    /// Who may make an account: open, domain:example.org, or closed
    #[arg(long, value_name = "WHO", env = "CLOUD_API_REGISTRATION", default_value = "open")]
    pub registration: Registration,
    /// Rate limits; off is for load tests on loopback
    #[arg(long, value_name = "on|off", env = "CLOUD_API_RATE_LIMIT", default_value = "on", value_parser = ["on", "off"])]
    pub rate_limit: String,
    /// Ask machines to leave so many seconds between uploads; they are asked for more when the database cannot keep up
    #[arg(long, value_name = "SECONDS", env = "CLOUD_API_SEND_EVERY", value_parser = clap::value_parser!(u32).range(60..=3_600))]
    pub send_every: Option<u32>,
    /// Proxies whose X-Forwarded-For is believed: addresses or networks, comma-separated
    #[arg(long, value_name = "LIST", env = "CLOUD_API_TRUSTED_PROXIES", value_delimiter = ',')]
    pub trusted_proxies: Vec<Network>,
    /// Origins of other sites whose pages may use this API, comma-separated
    #[arg(long, value_name = "LIST", env = "CLOUD_API_CORS_ORIGINS", value_delimiter = ',')]
    pub cors_origins: Vec<String>,
    /// Token that /metrics wants off loopback
    #[arg(long, value_name = "TOKEN", env = "CLOUD_API_METRICS_TOKEN", hide_env_values = true)]
    pub metrics_token: Option<String>,
}

#[derive(Clone, Debug)]
pub struct AccessConfig {
    pub registration: Registration,
    pub rate_limit: bool,
    /// The seconds that machines are asked to leave between uploads.
    pub send_every: Option<u32>,
    /// Proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<Network>,
    /// Origins of other sites whose pages may use the API.
    pub cors_origins: Vec<String>,
    /// The token that `/metrics` requires from clients that are not on loopback.
    pub metrics_token: Option<Secret>,
}

impl Default for AccessConfig {
    fn default() -> Self {
        Self {
            registration: Registration::Open,
            rate_limit: true,
            send_every: None,
            trusted_proxies: Vec::new(),
            cors_origins: Vec::new(),
            metrics_token: None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registration {
    Open,
    /// People with an address of this domain, which is in lower case.
    Domain(String),
    /// Only an operator makes accounts.
    Closed,
}

impl FromStr for Registration {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "open" => Ok(Self::Open),
            None if text == "closed" => Ok(Self::Closed),
            // The domain is read as that of an address, because it is compared with those of addresses.
            Some(("domain", domain)) => match Email::parse(&format!("a@{domain}")) {
                Ok(email) => Ok(Self::Domain(email.domain().to_owned())),
                Err(_) => Err(format!("{domain:?} is not one domain, such as domain:example.org")),
            },
            _ => Err("must be open, domain:example.org, or closed".to_owned()),
        }
    }
}

impl AccessArgs {
    /// Refuses `--rate-limit off` beyond loopback, and origins in a form that no browser sends.
    pub fn resolve(&self, loopback: bool) -> Result<AccessConfig, Failure> {
        let rate_limit = self.rate_limit == "on";
        if !rate_limit && !loopback {
            let message = "CLOUD_API_RATE_LIMIT=off is for load tests on loopback alone";
            return Err(Failure::usage("rate_limit_off", message, "Listen on 127.0.0.1, or leave rate limits on."));
        }
        for origin in &self.cors_origins {
            // An origin must be written as browsers write it; another spelling would never match.
            let written = web_address(origin).map(|url| url.origin().ascii_serialization());
            if written.as_ref() != Ok(origin) || origin.contains('*') {
                let message = format!("CLOUD_API_CORS_ORIGINS: {origin:?} is no origin");
                return Err(Failure::usage(
                    "bad_origin",
                    message,
                    "Give scheme and host, for example https://wellness.example.org.",
                ));
            }
        }
        Ok(AccessConfig {
            registration: self.registration.clone(),
            rate_limit,
            send_every: self.send_every,
            trusted_proxies: self.trusted_proxies.clone(),
            cors_origins: self.cors_origins.clone(),
            metrics_token: self.metrics_token.clone().filter(|token| !token.is_empty()).map(Secret::new),
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("open", Some(Registration::Open))]
    #[case("closed", Some(Registration::Closed))]
    #[case("domain:Example.org", Some(Registration::Domain("example.org".to_owned())))]
    #[case("domain:", None)]
    #[case("domain:@example.org", None)]
    #[case("domain:example.org,example.com", None)]
    #[case("domain:example.org example.com", None)]
    #[case("domain:*.example.org", None)]
    #[case("example.org", None)]
    fn a_policy_that_nobody_could_meet_is_refused(#[case] text: &str, #[case] expected: Option<Registration>) {
        assert_eq!(text.parse().ok(), expected);
    }
}
