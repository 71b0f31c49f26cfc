//! Standard error, reserved for the program's own messages.
//!
//! Some libraries write to descriptor 2 regardless of their settings, for example libjpeg about a damaged picture. So
//! at start-up we keep a duplicate of the descriptor and point the original to `/dev/null`.

use std::{
    io::{self, IsTerminal as _, Write as _},
    sync::OnceLock,
};

use indicatif::{ProgressBar, ProgressDrawTarget};

#[cfg(unix)]
static OURS: OnceLock<std::fs::File> = OnceLock::new();

/// Reserves standard error for us; if that fails, it stays as it is.
pub fn take() {
    #[cfg(unix)]
    {
        let Ok(ours) = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stderr(), 3) else { return };
        let Ok(nowhere) = std::fs::OpenOptions::new().write(true).open("/dev/null") else { return };
        if OURS.set(ours.into()).is_ok() {
            // If this fails, the libraries' output is visible, which is no reason to stop.
            let _ = rustix::stdio::dup2_stderr(&nowhere);
        }
    }
}

/// Prints one line. If standard error is closed, there is nobody to tell.
pub fn say(line: &str) {
    #[cfg(unix)]
    if let Some(mut ours) = OURS.get() {
        let _ = ours.write_all(format!("{line}\n").as_bytes());
        return;
    }
    let _ = writeln!(io::stderr().lock(), "{line}");
}

#[must_use]
pub fn is_terminal() -> bool {
    #[cfg(unix)]
    if let Some(ours) = OURS.get() {
        return ours.is_terminal();
    }
    io::stderr().is_terminal()
}

/// A progress bar of `length` steps on a terminal, else one that is never drawn.
#[must_use]
pub fn progress(length: u64) -> ProgressBar {
    let hidden = ProgressDrawTarget::hidden;
    let target = if is_terminal() { terminal().unwrap_or_else(hidden) } else { hidden() };
    ProgressBar::with_draw_target(Some(length), target)
}

#[cfg(unix)]
fn terminal() -> Option<ProgressDrawTarget> {
    let Some(ours) = OURS.get() else { return Some(ProgressDrawTarget::stderr()) };
    let (read, write) = (ours.try_clone().ok()?, ours.try_clone().ok()?);
    Some(ProgressDrawTarget::term(console::Term::read_write_pair(read, write), 10))
}

#[cfg(not(unix))]
fn terminal() -> Option<ProgressDrawTarget> {
    Some(ProgressDrawTarget::stderr())
}
