//! The HTTP client for requests that this server makes itself: it has time-outs, follows no redirects, and returns
//! error statuses as answers.

use std::{sync::LazyLock, time::Duration};

use ureq::Agent;

static AGENT: LazyLock<Agent> = LazyLock::new(|| {
    Agent::config_builder()
        .timeout_connect(Some(Duration::from_secs(5)))
        .timeout_global(Some(Duration::from_secs(30)))
        .max_redirects(0)
        .http_status_as_error(false)
        .build()
        .new_agent()
});

/// The shared agent. It blocks, so it must not be used on an async thread.
#[must_use]
pub(crate) fn agent() -> &'static Agent {
    &AGENT
}
