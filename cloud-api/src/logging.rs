//! JSON lines on stderr. They carry request ids, route patterns and pseudonyms: never paths, names or addresses.

use std::sync::Arc;

use tracing_subscriber::{EnvFilter, fmt, prelude::*};

use crate::{
    archive::spool::{Spool, SpoolWriter},
    failure::Failure,
};

/// Starts logging, once for the process; with a spool the same lines go there too.
pub(crate) fn start(filter: &str, spool: Option<Arc<Spool>>) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(filter).map_err(|e| {
        Failure::usage(
            "bad_log_filter",
            format!("CLOUD_API_LOG is no log filter: {e}"),
            "For example CLOUD_API_LOG=info.",
        )
    })?;
    let lines = fmt::layer().json().flatten_event(true).with_current_span(false).with_writer(std::io::stderr);
    let kept = spool.map(|spool| {
        fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_writer(SpoolWriter(spool))
            // A full disk must not turn each line into two on standard error.
            .log_internal_errors(false)
    });
    // A second start in one process, as in tests, keeps the first.
    let _ = tracing_subscriber::registry().with(filter).with(lines).with(kept).try_init();
    Ok(())
}
