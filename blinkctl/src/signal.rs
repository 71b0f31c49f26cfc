//! Requests to end the program: Ctrl-C, a closed terminal, or a signal of the system.

use crate::exit::Failure;

/// Resolves when the person or the system asks the program to end.
pub(crate) async fn stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (terminate, hang_up) = (signal(SignalKind::terminate()), signal(SignalKind::hangup()));
        if let (Ok(mut terminate), Ok(mut hang_up)) = (terminate, hang_up) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
                _ = hang_up.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

/// The failure of a command that was stopped before its end.
pub(crate) fn stopped(what: &str) -> Failure {
    Failure::failed("stopped", format!("{what} was stopped before its end"), "Run the command again.")
}
