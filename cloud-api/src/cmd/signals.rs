//! Handles signals: SIGTERM and SIGINT stop the server, and SIGHUP has keys and certificate read anew. SIGUSR1 and
//! SIGUSR2 are ignored, because by default they would end the process.

use std::{io, sync::Arc};

use tokio::sync::Notify;

use crate::failure::Failure;

/// Completes on SIGTERM or SIGINT, and notifies `reload` on SIGHUP.
#[cfg(unix)]
pub(super) fn until_stop(reload: Arc<Notify>) -> Result<impl Future<Output = ()>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let watch = |kind| {
        signal(kind).map_err(|e: io::Error| {
            Failure::failed("no_signals", format!("Signals cannot be watched: {e}"), "Start again.")
        })
    };
    let (mut terminate, mut interrupt) = (watch(SignalKind::terminate())?, watch(SignalKind::interrupt())?);
    let mut hang_up = watch(SignalKind::hangup())?;
    let (mut first, mut second) = (watch(SignalKind::user_defined1())?, watch(SignalKind::user_defined2())?);
    Ok(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => return,
                _ = interrupt.recv() => return,
                _ = hang_up.recv() => {
                    tracing::info!("SIGHUP: keys and certificate are read anew; other settings want a restart");
                    reload.notify_waiters();
                }
                _ = first.recv() => tracing::info!("SIGUSR1 has no meaning here"),
                _ = second.recv() => tracing::info!("SIGUSR2 has no meaning here"),
            }
        }
    })
}

/// Completes on Ctrl-C.
#[cfg(not(unix))]
pub(super) fn until_stop(_: Arc<Notify>) -> Result<impl Future<Output = ()>, Failure> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
