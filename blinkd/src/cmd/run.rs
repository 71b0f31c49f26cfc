//! `blinkd run`: count blinks until stopped.

use std::path::PathBuf;

use blink_vision::SourceSpec;

use crate::exit::Failure;

/// The flags of `blinkd run`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    blinkd run --headless\n  \
    blinkd run --headless --source camera:1\n  \
    blinkd run --headless --source file:clip.avi\n  \
    blinkd run --source synthetic:bpm=12,seed=3")]
pub struct Args {
    /// Where frames come from: camera[:N], file:PATH[,loop], gst:PIPELINE, an rtsp:// URL or synthetic[:KEY=VALUE,..]
    #[arg(long, value_name = "SRC")]
    pub source: Option<SourceSpec>,
    /// No tray and no notifications: everything goes through blinkctl
    #[arg(long)]
    pub headless: bool,
    /// Read this configuration file instead of the profile's own
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Allow http:// to servers beyond this machine
    #[arg(long)]
    pub insecure: bool,
}

/// Runs the daemon until it is told to stop.
///
/// # Errors
///
/// Wrong configuration, another daemon of this profile, or folders that cannot be written.
#[expect(clippy::needless_pass_by_value, reason = "every command takes its arguments over")]
pub fn run(args: Args) -> Result<(), Failure> {
    let _ = args;
    Err(Failure::failed("not_built", "This build does not run the daemon yet.", "Build a newer revision."))
}
