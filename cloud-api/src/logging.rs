//! Logs JSON lines to standard error. They carry request ids, route patterns and pseudonyms, but no paths, names or
//! addresses.

use std::sync::Arc;

use tracing_subscriber::{EnvFilter, fmt, prelude::*};

use crate::{
    archive::spool::{Spool, SpoolWriter},
    failure::Failure,
};

/// Starts logging for the whole process. With a spool the same lines go there too.
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
            // On a full disk each line would otherwise add an error line on standard error.
            .log_internal_errors(false)
    });
    // If logging was started before in this process, as in tests, the first start stays in effect.
    let _ = tracing_subscriber::registry().with(filter).with(lines).with(kept).try_init();
    Ok(())
}
