//! The wish that the program ends: Ctrl-C, a closed terminal, the system's request.

use crate::exit::Failure;

/// Ends when the person or the system asks the program to.
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

/// The failure of what was stopped before its end.
pub(crate) fn stopped(what: &str) -> Failure {
    Failure::failed("stopped", format!("{what} was stopped before its end"), "Run the command again.")
}
