//! How far a long command is, on a terminal only.

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::Output;

/// A line on stderr that goes away with the value.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Counts up to `total`.
    pub(crate) fn up_to(total: u64, what: &'static str, output: Output) -> Self {
        Self::styled(Some(total), "{msg} {pos} of {len} minutes {bar:30} {eta} left", what, output)
    }

    /// Counts towards an end that nobody knows.
    pub(crate) fn counting(what: &'static str, output: Output) -> Self {
        Self::styled(None, "{msg} {pos} minutes", what, output)
    }

    /// So many are done.
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
