//! The meaning of each signal to a daemon that may also run in a terminal.
//!
//! SIGTERM and SIGINT stop it. SIGHUP stops a daemon whose terminal is closed; without a terminal it reloads the
//! settings, as is customary. SIGUSR1 and SIGUSR2 are ignored, while their default would end the process.

use crate::daemon::Daemon;

#[cfg(unix)]
pub(crate) use unix::stop_asked;

#[cfg(unix)]
mod unix {
    use std::{fs, future::pending};

    use blink_proto::ipc::{Outcome, Request};
    use tokio::signal::unix::{Signal, SignalKind, signal};

    use super::Daemon;

    /// The bit of SIGHUP (signal 1) in the masks of `/proc/self/status`.
    const HANGUP_BIT: u64 = 1;

    pub(crate) async fn stop_asked(daemon: &Daemon) {
        let (Some(mut terminate), Some(mut interrupt)) =
            (heard(SignalKind::terminate()), heard(SignalKind::interrupt()))
        else {
            return pending().await;
        };
        let mut hangup = if hangup_is_ignored() { None } else { heard(SignalKind::hangup()) };
        let (mut first, mut second) = (heard(SignalKind::user_defined1()), heard(SignalKind::user_defined2()));
        let in_terminal = has_terminal();
        loop {
            tokio::select! {
                _ = terminate.recv() => return,
                _ = interrupt.recv() => return,
                () = next(&mut hangup) => {
                    if in_terminal {
                        return;
                    }
                    reload(daemon).await;
                }
                () = next(&mut first) => tracing::info!("SIGUSR1 means nothing to blinkd"),
                () = next(&mut second) => tracing::info!("SIGUSR2 means nothing to blinkd"),
            }
        }
    }

    fn heard(kind: SignalKind) -> Option<Signal> {
        signal(kind).inspect_err(|error| tracing::error!(%error, "a signal cannot be listened for")).ok()
    }

    async fn next(signal: &mut Option<Signal>) {
        let got = match signal {
            Some(signal) => signal.recv().await,
            None => pending().await,
        };
        if got.is_none() {
            *signal = None;
        }
    }

    /// Whether there is a terminal, whose closing sends SIGHUP.
    fn has_terminal() -> bool {
        fs::File::open("/dev/tty").is_ok()
    }

    /// Whether SIGHUP was ignored at the start, as `nohup` does it. Listening for it would undo that.
    fn hangup_is_ignored() -> bool {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & HANGUP_BIT != 0)
    }

    async fn reload(daemon: &Daemon) {
        match daemon.answer(Request::Reload).await {
            Outcome::Ok(_) => tracing::info!("SIGHUP: the settings were read again"),
            Outcome::Error(problem) => tracing::warn!(code = problem.code, "SIGHUP: the settings cannot be taken"),
        }
    }
}

#[cfg(not(unix))]
pub(crate) async fn stop_asked(_daemon: &Daemon) {
    let _ = tokio::signal::ctrl_c().await;
}
