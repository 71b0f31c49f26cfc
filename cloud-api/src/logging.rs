//! JSON lines on stderr. They carry request ids, route patterns and pseudonyms: never paths, names or addresses.

use tracing_subscriber::{EnvFilter, fmt, prelude::*};

use crate::failure::Failure;

/// Starts logging, once for the process.
///
/// # Errors
/// When the filter cannot be read.
pub fn start(filter: &str) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(filter).map_err(|e| {
        Failure::usage(
            "bad_log_filter",
            format!("CLOUD_API_LOG is no log filter: {e}"),
            "For example CLOUD_API_LOG=info.",
        )
    })?;
    let lines = fmt::layer().json().flatten_event(true).with_current_span(false).with_writer(std::io::stderr);
    // A second start in one process, as in tests, keeps the first.
    let _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
    Ok(())
}
