//! `cloud-api serve`: answers requests until it is told to stop.

use std::{io, sync::Arc};

use crate::{
    archive::spool::Spool,
    clock::Clock,
    config::{Config, ServeArgs},
    failure::Failure,
    logging,
    startup::Application,
};

pub(crate) fn run(args: &ServeArgs) -> Result<(), Failure> {
    let config = Config::from_args(args)?;
    let spool = config.archive.is_some().then(|| open_spool(&config)).transpose()?;
    logging::start(&config.log, spool.clone())?;
    actix_web::rt::System::new().block_on(async {
        let application = Application::build(config, Clock::System).await?.with_spool(spool);
        announce(&application);
        application.run_until_stopped(stop_signal()?).await
    })
}

/// Beside the ledger: the place outside the database that must be there and be written anyway.
fn open_spool(config: &Config) -> Result<Arc<Spool>, Failure> {
    let folder = config.database.ledger.with_extension("log-spool");
    Spool::new(&folder).map(Arc::new).map_err(|e| {
        let message = format!("The log on its way into the archive cannot be kept in {}: {e}", folder.display());
        Failure::failed(
            "spool_unwritable",
            message,
            "Make its folder writable, or set CLOUD_API_LEDGER=FILE elsewhere.",
        )
    })
}

/// Prints the one line on stdout that tells scripts where the server listens.
#[expect(clippy::print_stdout, reason = "the line that scripts and tests wait for")]
fn announce(application: &Application) {
    use std::io::Write as _;
    println!("cloud-api listening on {}://{}", application.scheme(), application.address());
    let _ = io::stdout().flush();
}

/// Completes on SIGTERM or SIGINT.
///
/// # Errors
/// When the signals cannot be watched.
fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    let failed =
        |e: io::Error| Failure::failed("no_signals", format!("Signals cannot be watched: {e}"), "Start again.");
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        Ok(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    {
        let _ = failed;
        Ok(async {
            let _ = tokio::signal::ctrl_c().await;
        })
    }
}
