//! What an erasure left behind on this machine.

use std::{
    fs::{self, TryLockError},
    io,
    path::{Path, PathBuf},
};

use blink_proto::{MinuteStart, paths::Paths};
use jiff::Timestamp;

use crate::history::{History, Range};

/// Where models are fetched to. They are no one's data, and stay.
pub(super) fn models(paths: &Paths) -> PathBuf {
    paths.data.join("models")
}

/// Minutes of the history from before the erasure; those begun since are new.
pub(super) fn minutes_before(paths: &Paths, at: Timestamp) -> Vec<String> {
    let range = Range { from: None, to: Some(MinuteStart::containing(at).start()) };
    let mut left = Vec::new();
    let mut history = match History::open(paths, range) {
        Ok(history) => history,
        Err(error) => return vec![error.to_string()],
    };
    let mut minutes = 0;
    for day in history.by_ref() {
        match day {
            Ok(day) => minutes += day.len(),
            Err(error) => left.push(error.to_string()),
        }
    }
    if minutes > 0 {
        let minutes = if minutes == 1 { "1 minute".to_owned() } else { format!("{minutes} minutes") };
        left.push(format!("{minutes} in {}", paths.history().display()));
    }
    if history.skipped() > 0 {
        let lines = history.skipped();
        let lines = if lines == 1 { "1 damaged line".to_owned() } else { format!("{lines} damaged lines") };
        left.push(format!("{lines} in {}", paths.history().display()));
    }
    left
}

/// Removes what is left of the profile's own folders, but for the models; returns what could not be removed. While a
/// daemon runs nothing is: it would go on without its files.
pub(super) fn sweep(paths: &Paths) -> Vec<String> {
    let mut left = Vec::new();
    // Held to the end, so that none starts meanwhile; without the file there is none.
    let lock = fs::File::open(paths.lock());
    if lock.as_ref().is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock))) {
        return vec![format!("{}, which a running blinkd uses", paths.data.display())];
    }
    for folder in [&paths.runtime, &paths.config, &paths.state, &paths.data] {
        empty(folder, &models(paths), &mut left);
    }
    left
}

fn empty(folder: &Path, keep: &Path, left: &mut Vec<String>) {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return,
        Err(error) => return left.push(told(folder, &error)),
    };
    let mut kept = false;
    for entry in entries {
        let removed = entry.and_then(|entry| {
            let path = entry.path();
            if path == keep {
                kept = true;
                return Ok(());
            }
            // A link is removed, never what it leads to.
            let is_folder = entry.file_type()?.is_dir();
            let removed = if is_folder { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            match removed {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    left.push(told(&path, &error));
                    kept = true;
                }
                _ => {}
            }
            Ok(())
        });
        if let Err(error) = removed {
            left.push(told(folder, &error));
            kept = true;
        }
    }
    if !kept
        && let Err(error) = fs::remove_dir(folder)
        && error.kind() != io::ErrorKind::NotFound
    {
        left.push(told(folder, &error));
    }
}

fn told(path: &Path, error: &io::Error) -> String {
    format!("{} ({error})", path.display())
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
    fn all_folders_go_and_the_models_stay() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        let files = [
            paths.config_file(),
            paths.data.join("store.damaged/db"),
            paths.data.join("models/shape.dat"),
            paths.state.join("blinkd.log"),
            paths.lock(),
            paths.socket(),
        ];
        for file in &files {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "x").unwrap();
        }
        let outside = folder.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("mine"), "x").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(&outside, paths.data.join("link")).unwrap();
        assert_eq!(sweep(&paths), Vec::<String>::new());
        let there: Vec<_> = files.iter().filter(|file| file.exists()).collect();
        assert_eq!(there, [&paths.data.join("models/shape.dat")]);
        assert!(!paths.config.exists() && !paths.state.exists() && !paths.runtime.exists());
        assert!(outside.join("mine").exists(), "what a link leads to is not ours");
        fs::remove_dir_all(models(&paths)).unwrap();
        assert_eq!(sweep(&paths), Vec::<String>::new());
        assert!(!paths.data.exists());
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
