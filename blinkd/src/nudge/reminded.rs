//! When the person was last reminded of blinking, kept in a file: a restart brings no second reminder within the hour.

use std::path::PathBuf;

use blink_profile::Paths;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::profile::files;

#[derive(Clone, Debug)]
pub(super) struct Reminded {
    path: PathBuf,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct ReminderFile {
    low_rate: Timestamp,
}

impl Reminded {
    pub(super) fn of(paths: &Paths) -> Self {
        Self { path: paths.reminded_file() }
    }

    /// The last reminder; `None` where there was none, or its file cannot be read.
    pub(super) fn last(&self) -> Option<Timestamp> {
        let file: Option<ReminderFile> = files::load(&self.path).unwrap_or_else(|error| {
            tracing::warn!(why = error.why(), "when the last reminder was cannot be read");
            None
        });
        file.map(|file| file.low_rate)
    }

    pub(super) fn note(&self, at: Timestamp) {
        if let Err(error) = files::save(&self.path, &ReminderFile { low_rate: at }) {
            tracing::warn!(why = error.why(), "when a reminder was cannot be written");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_last_one_is_known_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        fs::create_dir_all(&paths.data).unwrap();
        let reminded = || Reminded::of(&paths);
        assert_eq!(reminded().last(), None);
        reminded().note(Timestamp::UNIX_EPOCH);
        assert_eq!(reminded().last(), Some(Timestamp::UNIX_EPOCH));
        fs::write(paths.reminded_file(), "?").unwrap();
        assert_eq!(reminded().last(), None);
    }
}
