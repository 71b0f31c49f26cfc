//! The request to the model, and every way in which it fails.

use std::{fs, path::Path, time::Duration};

use blink_figures::ask::{self, MAX_ANSWER_BYTES, NoAnswer};
use blink_profile::url::{BaseUrl, without_password};
use blink_proto::Secret;
use ureq::Agent;

use crate::{exit::Failure, output::plain};

/// A model on a slow machine takes minutes for an answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(300);

#[derive(Debug)]
pub(super) struct Model {
    agent: Agent,
    url: String,
    key: Option<Secret>,
}

impl Model {
    pub(super) fn new(url: &str, key_file: Option<&Path>) -> Result<Self, Failure> {
        let base = BaseUrl::parse(url, false).map_err(|problem| {
            let fix = "Give it as https://host/v1, or http://127.0.0.1:PORT/v1 on this machine.";
            Failure::usage("bad_model_url", problem.message, fix)
        })?;
        let key = key_file.map(read_key).transpose()?;
        // One provider is installed, so that no choice is left to the features of other crates.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut config = Agent::config_builder()
            .user_agent(concat!("blinkctl/", env!("CARGO_PKG_VERSION")))
            .http_status_as_error(false)
            // A redirect would send the figures elsewhere than the person said.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(ANSWERS_WITHIN))
            .timeout_connect(Some(Duration::from_secs(10)));
        if base.is_loopback() {
            config = config.proxy(None);
        }
        Ok(Self { agent: config.build().new_agent(), url: ask::address(&base.to_string()), key })
    }

    /// Posts `body` and returns the text of the answer.
    pub(super) fn ask(&self, body: &str) -> Result<String, Failure> {
        let mut request = self.agent.post(&self.url).content_type("application/json");
        if let Some(key) = &self.key {
            request = request.header("Authorization", format!("Bearer {}", key.expose()));
        }
        let mut answer = request.send(body.as_bytes()).map_err(|error| self.failed(&error))?;
        let status = answer.status();
        if status.is_redirection() {
            let to = answer.headers().get("location").and_then(|to| to.to_str().ok()).unwrap_or("elsewhere");
            let message =
                format!("{} sends on to {}, and nothing was sent there", self.shown(), plain(&without_password(to)));
            return Err(Failure::failed("model_redirects", message, "Name the address that answers itself."));
        }
        let read = answer.body_mut().with_config().limit(MAX_ANSWER_BYTES).read_to_vec();
        let bytes = read.map_err(|error| match error {
            ureq::Error::BodyExceedsLimit(_) => {
                Failure::failed("model_failed", "The model's answer is over 1 MB", "Choose another model.")
            }
            error => self.failed(&error),
        })?;
        if !status.is_success() {
            let fix = match status.as_u16() {
                401 | 403 => "Give the server's key with --key-file.",
                404 => "Check the address, which mostly ends in /v1, and name a model that it has with --model.",
                _ => "Look at the model's own log, or try again.",
            };
            return Err(Failure::failed("model_failed", format!("{} answered {status}", self.shown()), fix));
        }
        ask::text_of(&bytes).map_err(|none| match none {
            NoAnswer::NotACompletion => {
                let message = format!("{} does not answer as OpenAI's address does", self.shown());
                Failure::failed("model_failed", message, "Check the address, which mostly ends in /v1.")
            }
            NoAnswer::Empty => Failure::failed("model_failed", "The model's answer is empty", "Ask in other words."),
            NoAnswer::Refused(why) => {
                let message = format!("The model refuses: {}", plain(&why));
                Failure::failed("model_refused", message, "Ask in other words.")
            }
        })
    }

    fn failed(&self, error: &ureq::Error) -> Failure {
        let message = format!("{} does not answer: {error}", self.shown());
        Failure::failed("model_failed", message, "See that it runs and that the address is right.")
    }

    fn shown(&self) -> &str {
        self.url.strip_suffix("/chat/completions").unwrap_or(&self.url)
    }
}

fn read_key(path: &Path) -> Result<Secret, Failure> {
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::usage("bad_key_file", format!("{} cannot be read: {error}", path.display()), "Name the key's file.")
    })?;
    Ok(Secret::new(text.trim()))
}
