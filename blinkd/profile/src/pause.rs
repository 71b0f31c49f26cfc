//! A pause, kept in a file so that it survives a restart.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Paths,
    files::{self, FileError},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct PauseFile {
    /// `None`: until resumed.
    until: Option<Timestamp>,
}

/// Whether tracking is paused.
#[derive(Debug)]
pub struct Pause {
    path: PathBuf,
    now: Option<PauseFile>,
}

impl Pause {
    /// The pause of the profile. A file that cannot be read is a pause: rather no picture than one nobody wanted.
    #[must_use]
    pub fn open(paths: &Paths) -> Self {
        let path = paths.pause_file();
        let now = files::load(&path).unwrap_or_else(|error| {
            tracing::error!(why = error.why(), "the pause file cannot be read: taken as a pause");
            Some(PauseFile { until: None })
        });
        Self { path, now }
    }

    /// Whether it holds at `now`.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        self.now.is_some_and(|pause| pause.until.is_none_or(|until| now < until))
    }

    /// Ends a pause whose time is over.
    pub fn expire(&mut self, now: Timestamp) {
        if self.now.is_some() && !self.holds(now) {
            // If the file stays, it says the same on the next start: over.
            let _ = files::remove(&self.path);
            self.now = None;
        }
    }

    /// Pauses until then, or until [`Self::end`]. It holds for this process even where it cannot be written.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn begin(&mut self, until: Option<Timestamp>) -> Result<(), FileError> {
        let pause = PauseFile { until };
        self.now = Some(pause);
        files::save(&self.path, &pause)
    }

    /// Goes on.
    ///
    /// # Errors
    ///
    /// The file cannot be removed.
    pub fn end(&mut self) -> Result<(), FileError> {
        self.now = None;
        files::remove(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_survives_and_ends_by_itself() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        let t = |s| Timestamp::from_second(s).unwrap();
        let mut pause = Pause::open(&paths);
        assert!(!pause.holds(t(0)));
        pause.begin(Some(t(100))).unwrap();
        let mut again = Pause::open(&paths);
        assert!(again.holds(t(99)) && !again.holds(t(100)));
        again.expire(t(100));
        assert!(!Pause::open(&paths).holds(t(0)));
        pause.begin(None).unwrap();
        assert!(Pause::open(&paths).holds(t(1_000_000)));
        pause.end().unwrap();
        assert!(!Pause::open(&paths).holds(t(0)));
        std::fs::write(paths.pause_file(), "?").unwrap();
        assert!(Pause::open(&paths).holds(t(0)));
    }
}
