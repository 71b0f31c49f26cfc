//! `blinkd run`: count blinks until stopped.

use std::{path::PathBuf, sync::Arc};

use blink_proto::status::State;
use blink_vision::SourceSpec;

use crate::{
    app::{self, AppDeps},
    capture::native::NativeReader,
    clock::{RealClock, Zone},
    config::Settings,
    desktop::{self, DesktopDeps},
    exit::Failure,
    logs,
    owner::OwnerDesk,
    profile::{Vault, device},
    session::Buses,
    stderr, upload,
};

/// The flags of `blinkd run`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    blinkd run --headless\n  \
    blinkd run --headless --source camera:1\n  \
    blinkd run --headless --source file:clip.avi\n  \
    blinkd run --source synthetic:bpm=12,seed=3")]
pub struct Args {
    /// Where frames come from.
    #[arg(
        long,
        value_name = "SRC",
        help = "Where frames come from: camera[:N], file:PATH[,loop], gst:PIPELINE, an rtsp:// URL or synthetic[:KEY=VALUE,..]"
    )]
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
pub(crate) fn run(args: Args) -> Result<(), Failure> {
    let paths = super::profile()?;
    let file = args.config.clone().unwrap_or_else(|| paths.config_file());
    app::finish_erasing(&paths)?;
    let settings = Arc::new(Settings::load(&file, args.config.is_some(), args.source)?);
    let config = settings.config();
    let source = config.source.clone();
    if let Err(error) = logs::start(&paths.state, config.log_level) {
        stderr::say(&format!("blinkd: no logs are written: {error}."));
    }
    tracing::info!(version = env!("CARGO_PKG_VERSION"), headless = args.headless, "starting");
    let owner = Arc::new(OwnerDesk::open(paths.owner_file()));
    let running = app::start(AppDeps {
        clock: Arc::new(RealClock::default()),
        tz: Zone::system(),
        machine: device::fingerprint(),
        source: source.to_string(),
        reader: {
            let (settings, owner) = (Arc::clone(&settings), Arc::clone(&owner));
            Box::new(move || Box::new(NativeReader::new(settings.config().source, Arc::clone(&owner))))
        },
        owner,
        policy: config.capture_policy(),
        connect: upload::http::connector(config.ca_file),
        server: config.server,
        insecure: args.insecure,
        retention_days: config.retention_days,
        buses: Buses::standard(),
        reminds: !args.headless,
        vault: Vault::open(&paths, config.keyring),
        settings: Some(Arc::clone(&settings)),
        paths: paths.clone(),
    })?;
    if stderr::is_terminal() {
        stderr::say(&format!(
            "blinkd {}: source {source}, {}; socket {}. Ctrl-C stops it.",
            env!("CARGO_PKG_VERSION"),
            in_words(&running),
            paths.socket().display()
        ));
    }
    if args.headless {
        running.wait(true);
    } else {
        desktop::run(&running, DesktopDeps { config_file: file, settings, paths });
    }
    running.stop()
}

fn in_words(running: &app::Running) -> &'static str {
    match running.state() {
        Some(State::NoConsent) => "waiting for consent (`blinkctl consent grant`), the camera stays closed",
        Some(State::Paused) => "paused (`blinkctl resume` goes on)",
        _ => "counting (`blinkctl status` shows how it goes)",
    }
}
