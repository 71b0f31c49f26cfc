//! Checks for, and removal of, what an erasure left on this machine.

use std::fs::{self, TryLockError};

use blink_profile::Paths;
use blink_profile::contents;
use blink_proto::MinuteStart;
use jiff::Timestamp;

use crate::{
    days::{Days, Range},
    output::counted,
};

/// Minutes in the history from before the erasure; those begun since then are new.
pub(super) fn minutes_before(paths: &Paths, at: Timestamp) -> Vec<String> {
    let range = Range { from: None, to: Some(MinuteStart::containing(at).start()) };
    let mut left = Vec::new();
    let mut days = match Days::open(paths, range) {
        Ok(days) => days,
        Err(error) => return vec![error.to_string()],
    };
    let mut minutes = 0;
    for day in days.by_ref() {
        match day {
            Ok(day) => minutes += day.len() as u64,
            Err(error) => left.push(error.to_string()),
        }
    }
    if minutes > 0 {
        left.push(format!("{} in {}", counted(minutes, "minute"), paths.history().display()));
    }
    if days.skipped() > 0 {
        left.push(format!("{} in {}", counted(days.skipped(), "damaged line"), paths.history().display()));
    }
    left
}

/// Removes what the daemon left of the profile; returns what could not be removed. Nothing is removed while a daemon
/// runs, since it would go on without its files.
pub(super) fn sweep(paths: &Paths) -> Vec<String> {
    // The lock is held to the end, so that no daemon starts meanwhile; without the file there is none.
    let lock = fs::File::open(paths.lock());
    if lock.as_ref().is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock))) {
        return vec![format!("{}, which a running blinkd uses", paths.data.display())];
    }
    let mut left = contents::remove_everything(paths);
    if left.is_empty() {
        left = contents::remove_last(paths);
    }
    left.into_iter().map(|left| format!("{} ({})", left.path.display(), left.source)).collect()
}

#[cfg(test)]
mod tests {
    use blink_proto::example;

    use super::*;

    #[test]
    fn nothing_is_taken_from_a_daemon_that_runs() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        fs::create_dir_all(paths.data.join("store")).unwrap();
        let lock = fs::File::create(paths.lock()).unwrap();
        lock.try_lock().unwrap();
        assert_eq!(sweep(&paths), [format!("{}, which a running blinkd uses", paths.data.display())]);
        assert!(paths.data.join("store").is_dir() && paths.lock().is_file());
        drop(lock);
        assert_eq!(sweep(&paths), [""; 0]);
        assert!(!paths.data.exists());
    }

    #[test]
    fn our_folders_go_and_what_is_not_ours_stays() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        let ours = [
            paths.config_file(),
            paths.data.join("store.damaged-1/db"),
            paths.state.join("blinkd.log"),
            paths.lock(),
            paths.socket(),
        ];
        let theirs = [paths.config.join("ca.pem"), paths.data.join("models/shape.dat"), paths.data.join("mine")];
        for file in ours.iter().chain(&theirs) {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "x").unwrap();
        }
        assert_eq!(sweep(&paths), [""; 0]);
        assert!(!ours.iter().any(|file| file.exists()) && theirs.iter().all(|file| file.exists()));
        assert!(!paths.state.exists() && !paths.runtime.exists());
    }

    #[test]
    fn old_minutes_are_found_and_new_ones_are_no_remains() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        assert_eq!(minutes_before(&paths, Timestamp::now()), Vec::<String>::new());
        fs::create_dir_all(paths.history()).unwrap();
        let minute = example::minute(29_534_400);
        let file = paths.history().join("2026-02-26.ndjson");
        fs::write(&file, serde_json::to_string(&minute).unwrap()).unwrap();
        assert_eq!(minutes_before(&paths, minute.from_timestamp), Vec::<String>::new());
        assert_eq!(minutes_before(&paths, minute.to_timestamp).len(), 1);
        fs::write(&file, "torn").unwrap();
        assert_eq!(minutes_before(&paths, minute.to_timestamp).len(), 1);
    }
}
