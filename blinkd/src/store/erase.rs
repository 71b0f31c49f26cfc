//! Erasure of what this machine keeps (GDPR, article 17).
//!
//! The order is first noted in `erasing.json`, and that note is removed last: an erasure that is interrupted anywhere
//! is finished at the next start, before anything is read. Without the note, minutes gone from the store would be
//! queued again from the history, or those gone from the history would stay in the store.

use std::{collections::BTreeSet, path::PathBuf};

use blink_profile::Paths;
use blink_profile::{
    contents::{self, Left},
    day_files::{self, identity},
    pulled,
};
use blink_proto::{Minute, Problem, problem::code, receipt::LocalErasure};
use serde::{Deserialize, Serialize};

use super::{History, Store, StoreError, keys};
use crate::{
    minutes::OpenMinute,
    profile::files::{self, FileError},
};

#[derive(Debug, thiserror::Error)]
pub(crate) enum EraseError {
    /// The note cannot be read or written.
    #[error(transparent)]
    Note(#[from] FileError),
    /// Something cannot be removed; everything else is gone.
    #[error(transparent)]
    Left(#[from] Left),
}

impl EraseError {
    /// The reason without file names, for the logs.
    #[must_use]
    pub(crate) fn why(&self) -> String {
        match self {
            Self::Note(error) => error.why(),
            Self::Left(left) => format!("it cannot be removed: {}", left.source.kind()),
        }
    }
}

/// The content of `erasing.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    everything: bool,
}

fn note(paths: &Paths) -> PathBuf {
    paths.erasing_file()
}

/// Counts what would be erased, including the open minutes that have a face, and what was pulled.
pub(crate) fn count<'a>(
    paths: &Paths,
    store: Option<&Store>,
    history: &History,
    open: impl Iterator<Item = &'a OpenMinute>,
) -> Result<LocalErasure, StoreError> {
    let mut minutes = BTreeSet::new();
    let mut unsent = BTreeSet::new();
    for day in history.days()?.into_keys() {
        minutes.extend(history.read(day, 0)?.iter().map(|line| identity(&line.minute)));
    }
    for folder in pulled::folders(paths)? {
        for day in day_files::days(&folder)?.into_keys() {
            minutes.extend(day_files::read::<Minute>(&folder, day, 0)?.records.iter().map(identity));
        }
    }
    if let Some(store) = store {
        let queue: Vec<(_, super::Queued)> = store.scan(keys::QUEUE, usize::MAX)?;
        let aside: Vec<(_, super::Aside)> = store.scan(keys::ASIDE, usize::MAX)?;
        unsent.extend(queue.iter().map(|(_, queued)| identity(&queued.minute)));
        unsent.extend(aside.iter().map(|(_, aside)| identity(&aside.queued.minute)));
    }
    unsent.extend(open.filter(|open| open.face).map(|open| (open.from.start(), open.device_id)));
    minutes.extend(unsent.iter().copied());
    Ok(LocalErasure { minutes: minutes.len() as u64, unsent: unsent.len() as u64, everything: false })
}

/// Notes what is to be erased, which comes first in every erasure: from then on it will be finished. When the note
/// cannot be written, as on a full disk, nothing is erased and the next start does not try.
pub(crate) fn begin(paths: &Paths, everything: bool) -> Result<(), Problem> {
    let begun_before = is_begun(paths);
    files::save(&note(paths), &Note { everything }).map_err(|error| {
        // An erasure that was noted before must still be finished.
        if !begun_before {
            let _ = files::remove(&note(paths));
        }
        let fix = "Free some space on the disk, or check the data folder's permissions, then try again.";
        Problem::new(code::NOTHING_ERASED, format!("Nothing was erased on this machine: {error}."), fix)
    })
}

/// Erases the minutes after [`begin`]: the store, which is closed, the stores that were set aside, the history, and what was
/// pulled. If
/// something is left, the next start tries again.
pub(crate) fn minutes(paths: &Paths) -> Result<(), EraseError> {
    first_left(contents::remove_minutes(paths))?;
    Ok(files::remove(&note(paths))?)
}

/// Erases what blinkd made in the profile's folders, by [its list](contents), except the models, after [`begin`]. The
/// store is closed. The note and the lock stay until [`finish`], which is called when nothing writes any more. If
/// something is left, the next start tries again.
pub(crate) fn everything(paths: &Paths) -> Result<(), EraseError> {
    first_left(contents::remove_everything(paths))
}

fn first_left(left: Vec<Left>) -> Result<(), EraseError> {
    left.into_iter().next().map_or(Ok(()), |left| Err(left.into()))
}

/// Whether an erasure was begun and not finished.
#[must_use]
pub(crate) fn is_begun(paths: &Paths) -> bool {
    note(paths).exists()
}

/// Whether everything is being erased: nothing may be written from then on.
#[must_use]
pub(crate) fn is_everything(paths: &Paths) -> bool {
    matches!(files::load(&note(paths)), Ok(Some(Note { everything: true })))
}

/// Finishes an erasure that was begun, at its end or at the next start; returns whether there was one. The caller holds
/// the lock, which is erased with everything else. If something is left, the next start tries again.
pub(crate) fn finish(paths: &Paths) -> Result<bool, EraseError> {
    let begun = match files::load::<Note>(&note(paths)) {
        Ok(None) => return Ok(false),
        Ok(Some(begun)) => begun,
        // The kind of the erasure is unknown; erasing the minutes is part of both.
        Err(FileError::Damaged { .. }) => Note { everything: false },
        Err(error) => return Err(error.into()),
    };
    if !begun.everything {
        minutes(paths)?;
        return Ok(true);
    }
    everything(paths)?;
    first_left(contents::remove_last(paths))?;
    Ok(true)
}

/// Removes files that a killed process left half written.
pub(crate) fn sweep_half_written(paths: &Paths) {
    for left in contents::remove_unfinished(paths) {
        tracing::warn!(why = left.source.kind().to_string(), "what was half written is left");
    }
}
