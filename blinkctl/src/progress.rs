//! The progress of a long command, shown on terminals only.

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::Output;

/// A progress line on stderr, removed when dropped.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn up_to(total: u64, what: &'static str, output: Output) -> Self {
        Self::styled(Some(total), "{msg} {pos} of {len} minutes {bar:30} {eta} left", what, output)
    }

    /// Counts without a known total.
    pub(crate) fn counting(what: &'static str, output: Output) -> Self {
        Self::styled(None, "{msg} {pos} minutes", what, output)
    }

    /// Turns while something of unknown length goes on.
    pub(crate) fn waiting(what: &'static str, output: Output) -> Self {
        let progress = Self::styled(None, "{spinner} {msg} {elapsed}", what, output);
        progress.0.enable_steady_tick(Duration::from_millis(120));
        progress
    }

    pub(crate) fn set(&self, done: u64) {
        self.0.set_position(done);
    }

    fn styled(total: Option<u64>, template: &str, what: &'static str, output: Output) -> Self {
        let seen = !output.is_json() && io::stderr().is_terminal();
        let target = if seen { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(total, target).with_message(what);
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self(bar)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
