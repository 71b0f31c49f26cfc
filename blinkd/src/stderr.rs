//! Standard error, for the program's own words alone.
//!
//! Some libraries write to descriptor 2 whatever they are told (libjpeg about a damaged picture, for one). So at start-up
//! the descriptor is kept aside for us, and what they write goes nowhere.

use std::{
    io::{self, IsTerminal as _, Write as _},
    sync::OnceLock,
};

use indicatif::{ProgressBar, ProgressDrawTarget};

#[cfg(unix)]
static OURS: OnceLock<std::fs::File> = OnceLock::new();

/// Takes standard error for us. What cannot be taken is left as it is.
pub fn take() {
    #[cfg(unix)]
    {
        let Ok(ours) = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stderr(), 3) else { return };
        let Ok(nowhere) = std::fs::OpenOptions::new().write(true).open("/dev/null") else { return };
        if OURS.set(ours.into()).is_ok() {
            // If this fails, libraries are heard: no reason not to run.
            let _ = rustix::stdio::dup2_stderr(&nowhere);
        }
    }
}

/// Says one line. With standard error closed there is nobody left to tell.
pub fn say(line: &str) {
    #[cfg(unix)]
    if let Some(mut ours) = OURS.get() {
        let _ = ours.write_all(format!("{line}\n").as_bytes());
        return;
    }
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Whether a person sees it.
#[must_use]
pub fn is_terminal() -> bool {
    #[cfg(unix)]
    if let Some(ours) = OURS.get() {
        return ours.is_terminal();
    }
    io::stderr().is_terminal()
}

/// A progress bar of `length` steps where a person sees it, else one that is never drawn.
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
