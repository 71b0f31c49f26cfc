//! Requests that this server makes itself: bounded in time, without redirects, errors as answers.

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

/// The one agent; call it off the async threads.
#[must_use]
pub(crate) fn agent() -> &'static Agent {
    &AGENT
}
