//! Logs: lines of JSON in the state folder, a file a day, a week kept. They hold no personal data: no address, no
//! name of a file, nothing that was seen beyond the figures of a minute.

use std::path::Path;

use tracing_appender::rolling::{InitError, RollingFileAppender, Rotation};
use tracing_subscriber::{Layer as _, filter::LevelFilter, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// Files kept.
const KEPT: usize = 7;

/// Why there are no logs. The daemon runs without.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The folder.
    #[error("the log folder cannot be made: {0}")]
    Folder(#[from] std::io::Error),
    /// The file.
    #[error("the log file cannot be written: {0}")]
    File(#[from] InitError),
}

/// Starts logging to `folder`.
///
/// # Errors
///
/// The folder cannot be written.
pub fn start(folder: &Path, level: tracing::Level) -> Result<(), LogError> {
    crate::profile::files::make_private_folder(folder)?;
    let file = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("blinkd")
        .filename_suffix("log")
        .max_log_files(KEPT)
        .build(folder)?;
    let layer = tracing_subscriber::fmt::layer().json().with_writer(file).with_filter(LevelFilter::from_level(level));
    // A second start, in tests, leaves the first in place.
    let _ = tracing_subscriber::registry().with(layer).try_init();
    Ok(())
}
