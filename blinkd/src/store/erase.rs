//! Erasing what this machine keeps (GDPR, article 17).
//!
//! What is to be erased is written down first, in `erasing.json`, and that note goes last: an erasure that is cut off
//! anywhere is finished at the next start, before anything is read. Without the note, minutes that were already gone
//! from the store would be queued anew from the history, or the other way about.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use blink_proto::{Problem, paths::Paths, receipt::LocalErasure};
use serde::{Deserialize, Serialize};

use super::{History, Store, StoreError, keys, ownership::place};
use crate::{
    minutes::OpenMinute,
    profile::files::{self, FileError},
};

/// What stays when everything goes: the models hold nothing of anybody.
const MODELS: &str = "models";
/// Begins the names of files that were being written when a process died.
const HALF_WRITTEN: &str = ".tmp";

/// Why something is still there.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// The note of what is being erased.
    #[error(transparent)]
    Note(#[from] FileError),
    /// Something cannot be removed. What else could be is gone.
    #[error("{} cannot be removed: {source}", path.display())]
    Left {
        /// What is left.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl EraseError {
    /// What is wrong, for the logs, which name no file.
    #[must_use]
    pub fn why(&self) -> String {
        match self {
            Self::Note(error) => error.why(),
            Self::Left { source, .. } => format!("it cannot be removed: {}", source.kind()),
        }
    }
}

/// `erasing.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    everything: bool,
}

fn note(paths: &Paths) -> PathBuf {
    paths.data.join("erasing.json")
}

/// What there is to be erased, the open minutes in which there was a face included.
///
/// # Errors
///
/// The store or the history cannot be read.
pub fn count<'a>(
    store: Option<&Store>,
    history: &History,
    open: impl Iterator<Item = &'a OpenMinute>,
) -> Result<LocalErasure, StoreError> {
    let mut minutes = BTreeSet::new();
    let mut unsent = BTreeSet::new();
    for day in history.days()?.into_keys() {
        minutes.extend(history.read(day, 0)?.iter().map(|line| place(&line.minute)));
    }
    if let Some(store) = store {
        let queue: Vec<(_, super::Queued)> = store.scan(keys::QUEUE, usize::MAX)?;
        let aside: Vec<(_, super::Aside)> = store.scan(keys::ASIDE, usize::MAX)?;
        unsent.extend(queue.iter().map(|(_, queued)| place(&queued.minute)));
        unsent.extend(aside.iter().map(|(_, aside)| place(&aside.queued.minute)));
    }
    unsent.extend(open.filter(|open| open.face).map(|open| (open.from.start(), open.device_id)));
    minutes.extend(unsent.iter().copied());
    Ok(LocalErasure { minutes: minutes.len() as u64, unsent: unsent.len() as u64, everything: false })
}

/// Writes down what is to be erased. It comes before anything else of an erasure, which is finished from then on.
///
/// # Errors
///
/// The note cannot be written, for which there must be room: nothing is erased, and the next start does not try.
pub fn begin(paths: &Paths, everything: bool) -> Result<(), Problem> {
    let begun_before = is_begun(paths);
    files::save(&note(paths), &Note { everything }).map_err(|error| {
        // An erasure that was promised before is still owed.
        if !begun_before {
            let _ = files::remove(&note(paths));
        }
        let fix = "Free some space on the disk, or check the data folder's permissions, then try again.";
        Problem::new("nothing_erased", format!("Nothing was erased on this machine: {error}."), fix)
    })
}

/// Erases the minutes, as was [begun](begin): the store, stores that were set aside, the history. The store is closed.
///
/// # Errors
///
/// Something is left; the next start tries again.
pub fn minutes(paths: &Paths) -> Result<(), EraseError> {
    remove_minutes(paths)?;
    Ok(files::remove(&note(paths))?)
}

/// Erases everything but the models, as was [begun](begin): what blinkd made in the folders of the profile. The store is
/// closed. The note and the lock stay until [`finish`], which is called when nothing writes any more.
///
/// # Errors
///
/// Something is left; the next start tries again.
pub fn everything(paths: &Paths) -> Result<(), EraseError> {
    remove_everything(paths)
}

/// Whether an erasure was begun and not finished.
#[must_use]
pub fn is_begun(paths: &Paths) -> bool {
    note(paths).exists()
}

/// Whether everything is being erased: from then on nothing may be written.
#[must_use]
pub fn is_everything(paths: &Paths) -> bool {
    matches!(files::load(&note(paths)), Ok(Some(Note { everything: true })))
}

/// Finishes an erasure that was begun, at its end or at the next start. The caller holds the lock, which goes with
/// everything else. Returns whether there was one.
///
/// # Errors
///
/// Something is left; the next start tries again.
pub fn finish(paths: &Paths) -> Result<bool, EraseError> {
    let begun = match files::load::<Note>(&note(paths)) {
        Ok(None) => return Ok(false),
        Ok(Some(begun)) => begun,
        // Somebody wanted an erasure; which is not known any more. The smaller one is certain.
        Err(FileError::Damaged { .. }) => Note { everything: false },
        Err(error) => return Err(error.into()),
    };
    if !begun.everything {
        remove_minutes(paths)?;
        files::remove(&note(paths))?;
        return Ok(true);
    }
    remove_everything(paths)?;
    files::remove(&note(paths))?;
    files::remove(&paths.lock())?;
    for folder in [&paths.config, &paths.state, &paths.runtime, &paths.data] {
        // A folder in which somebody keeps something else, or models, stays.
        let _ = fs::remove_dir(folder);
    }
    Ok(true)
}

/// Removes what a process that was killed left half written.
pub fn sweep_half_written(paths: &Paths) {
    for folder in [&paths.data, &paths.history()] {
        let half = |name: &str| name.starts_with(HALF_WRITTEN);
        if let Err(error) = remove_entries(folder, half) {
            tracing::warn!(why = error.why(), "what was half written is left");
        }
    }
}

fn remove_minutes(paths: &Paths) -> Result<(), EraseError> {
    let store = remove_entries(&paths.data, |name| {
        name == "store" || name.starts_with("store.damaged-") || name.starts_with(HALF_WRITTEN)
    });
    let history = remove_entries(&paths.history(), |name| name.ends_with(".ndjson") || name.starts_with(HALF_WRITTEN));
    store.and(history)
}

fn remove_everything(paths: &Paths) -> Result<(), EraseError> {
    let lock = paths.lock();
    let stays = [MODELS, "erasing.json", lock.file_name().and_then(|name| name.to_str()).unwrap_or_default()];
    let data = remove_entries(&paths.data, |name| !stays.contains(&name) && paths.data.join(name) != paths.runtime);
    let logs = remove_entries(&paths.state, |_| true);
    // Beside the configuration people keep files of their own, such as a certificate.
    let config = remove_entries(&paths.config, |name| name == "config.toml" || name.starts_with(HALF_WRITTEN));
    data.and(logs).and(config)
}

/// Removes the entries of `folder` for which `goes` holds, all that can be; the first that cannot is the error.
fn remove_entries(folder: &Path, goes: impl Fn(&str) -> bool) -> Result<(), EraseError> {
    let left = |path: &Path| {
        let path = path.to_owned();
        move |source| EraseError::Left { path, source }
    };
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(left(folder))?,
    };
    let mut outcome = Ok(());
    for entry in entries {
        let entry = entry.map_err(left(folder))?;
        if !entry.file_name().to_str().is_none_or(&goes) {
            continue;
        }
        let path = entry.path();
        // A link is removed, never followed.
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let removed = if is_folder { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        if let Err(error) = removed
            && error.kind() != io::ErrorKind::NotFound
        {
            outcome = outcome.and(Err(left(&path)(error)));
        }
    }
    if outcome.is_ok() {
        files::sync_folder(folder).map_err(left(folder))?;
    }
    outcome
}
