//! Logs: JSON lines in the state folder, one file a day, kept for a week. They hold no personal data: no address, no
//! file name, no observation, not even the figures of a minute.

use std::{path::Path, sync::OnceLock};

use tracing_appender::rolling::{InitError, RollingFileAppender, Rotation};
use tracing_subscriber::{
    Layer as _, filter::LevelFilter, layer::SubscriberExt as _, reload, util::SubscriberInitExt as _,
};

/// Sets the level of the running logs.
static LEVEL: OnceLock<Box<dyn Fn(tracing::Level) + Send + Sync>> = OnceLock::new();

const KEPT: usize = 7;

/// Why logging cannot start; the daemon runs without.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogError {
    #[error("the log folder cannot be made: {0}")]
    Folder(#[from] std::io::Error),
    #[error("the log file cannot be written: {0}")]
    File(#[from] InitError),
}

pub(crate) fn start(folder: &Path, level: tracing::Level) -> Result<(), LogError> {
    blink_files::private_folder(folder)?;
    let file = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("blinkd")
        .filename_suffix("log")
        .max_log_files(KEPT)
        .build(folder)?;
    let (filter, handle) = reload::Layer::new(LevelFilter::from_level(level));
    let layer = tracing_subscriber::fmt::layer().json().with_writer(file).with_filter(filter);
    // A second start, as in tests, leaves the first in place.
    if tracing_subscriber::registry().with(layer).try_init().is_ok() {
        let _ =
            LEVEL.set(Box::new(move |level| drop(handle.modify(|filter| *filter = LevelFilter::from_level(level)))));
    }
    Ok(())
}

/// Changes the level, if there are logs.
pub(crate) fn set_level(level: tracing::Level) {
    if let Some(set) = LEVEL.get() {
        set(level);
    }
}
