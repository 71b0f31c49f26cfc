//! `cloud-api serve` answers requests until it is told to stop.

use std::sync::Arc;

use tokio::sync::Notify;

use super::signals;
use crate::{
    archive::spool::Spool,
    clock::Clock,
    config::{Config, ServeArgs},
    failure::{Failure, chain},
    logging,
    startup::Application,
};

pub(crate) fn run(args: &ServeArgs) -> Result<(), Failure> {
    let config = Config::from_args(args)?;
    let demo_folder = config.demo_folder.clone();
    let spool = config.archive.is_some().then(|| open_spool(&config)).transpose()?;
    logging::start(&config.log, spool.clone())?;
    let system = actix_web::rt::System::new();
    let ended = system.block_on(async {
        // Signals are watched from the start on: migrations may take long, and process 1 of a container has no default.
        let reload = Arc::new(Notify::new());
        let mut stop = Box::pin(signals::until_stop(reload.clone())?);
        let application = tokio::select! {
            built = Application::build(config, Clock::System) => built?.with_spool(spool).reloading_on(reload),
            () = &mut stop => return Ok(()),
        };
        announce(&application);
        application.run_until_stopped(stop).await
    });
    // Dropping the runtime would wait for threads that wait for a database that does not answer.
    std::mem::forget(system);
    // The database is closed by now.
    if let Some(Err(e)) = demo_folder.and_then(Arc::into_inner).map(tempfile::TempDir::close) {
        tracing::warn!(cause = chain(&e), "the demonstration's temporary folder cannot be removed");
    }
    ended
}

/// The spool lies beside the ledger, whose folder must be writable anyway.
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

/// Prints the line that tells scripts where the server listens. It does not matter if nobody reads it.
fn announce(application: &Application) {
    let _ = super::print(format!("cloud-api listening on {}://{}\n", application.scheme(), application.address()));
}
