//! A pause, kept in a file so that it survives a restart.
//!
//! It ends when the wall clock says so, or when the monotonic clock has run for its length: setting the clock back does
//! not extend a pause of ten minutes to a day. After a restart it lasts at most its length again.

use std::{path::PathBuf, time::Duration};

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
    /// Wall clock time of its beginning; absent in files of older versions.
    #[serde(default)]
    begun: Option<Timestamp>,
}

impl PauseFile {
    /// The most time that may be left of it; the wall clock may have been set.
    fn left(&self, now: Timestamp) -> Option<Duration> {
        let until = self.until?;
        let from = self.begun.map_or(now, |begun| begun.max(now));
        Some(until.duration_since(from).try_into().unwrap_or(Duration::ZERO))
    }
}

#[derive(Debug)]
pub struct Pause {
    path: PathBuf,
    now: Option<PauseFile>,
    /// Monotonic time at which its length is over.
    ends: Option<Duration>,
}

impl Pause {
    /// Reads the profile's pause. A file that cannot be read counts as a pause, because observing against the person's
    /// wish would be worse.
    #[must_use]
    pub fn open(paths: &Paths, now: Timestamp, mono: Duration) -> Self {
        let path = paths.pause_file();
        let file: Option<PauseFile> = files::load(&path).unwrap_or_else(|error| {
            tracing::error!(why = error.why(), "the pause file cannot be read: taken as a pause");
            Some(PauseFile { until: None, begun: None })
        });
        let left = file.and_then(|pause| pause.left(now));
        Self { path, now: file, ends: left.map(|left| mono.saturating_add(left)) }
    }

    #[must_use]
    pub fn holds(&self, now: Timestamp, mono: Duration) -> bool {
        self.now.is_some_and(|pause| pause.until.is_none_or(|until| now < until))
            && self.ends.is_none_or(|ends| mono < ends)
    }

    pub fn expire(&mut self, now: Timestamp, mono: Duration) {
        if self.now.is_some() && !self.holds(now, mono) {
            // If the file cannot be removed, it has expired at the next start too.
            let _ = files::remove(&self.path);
            (self.now, self.ends) = (None, None);
        }
    }

    /// Pauses until the given time, or until [`Self::end`]. It holds for this process even where it cannot be written.
    pub fn begin(&mut self, until: Option<Timestamp>, now: Timestamp, mono: Duration) -> Result<(), FileError> {
        let pause = PauseFile { until, begun: Some(now) };
        self.now = Some(pause);
        self.ends = pause.left(now).map(|left| mono.saturating_add(left));
        files::save(&self.path, &pause)
    }

    pub fn end(&mut self) -> Result<(), FileError> {
        (self.now, self.ends) = (None, None);
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
        let (t, zero) = (|s| Timestamp::from_second(s).unwrap(), Duration::ZERO);
        let at = |s| Pause::open(&paths, t(s), zero);
        let mut pause = at(0);
        assert!(!pause.holds(t(0), zero));
        pause.begin(Some(t(100)), t(0), zero).unwrap();
        let mut again = at(0);
        assert!(again.holds(t(99), zero) && !again.holds(t(100), zero));
        again.expire(t(100), zero);
        assert!(!at(0).holds(t(0), zero));
        pause.begin(None, t(0), zero).unwrap();
        assert!(at(0).holds(t(1_000_000), Duration::from_secs(1_000_000)));
        pause.end().unwrap();
        assert!(!at(0).holds(t(0), zero));
        std::fs::write(paths.pause_file(), "?").unwrap();
        assert!(at(0).holds(t(0), zero));
    }

    #[test]
    fn a_clock_that_is_set_back_makes_no_pause_longer() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        let (t, s) = (|s| Timestamp::from_second(s).unwrap(), Duration::from_secs);
        let mut pause = Pause::open(&paths, t(1_000_000), s(50));
        pause.begin(Some(t(1_000_600)), t(1_000_000), s(50)).unwrap();
        // The wall clock is set back a day, so only the monotonic clock ends the pause.
        assert!(pause.holds(t(914_000), s(649)) && !pause.holds(t(914_000), s(650)));
        let again = Pause::open(&paths, t(914_000), s(0));
        assert!(again.holds(t(914_000), s(599)) && !again.holds(t(914_000), s(600)), "no longer than it was long");
        let older = r#"{"until":"1970-01-12T13:56:40Z"}"#;
        std::fs::write(paths.pause_file(), older).unwrap();
        assert!(Pause::open(&paths, t(1_000_500), s(0)).holds(t(1_000_500), s(99)));
    }
}
