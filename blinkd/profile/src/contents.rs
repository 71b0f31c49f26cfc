//! The list of what belongs to a profile, by which blinkd and blinkctl erase.
//!
//! Everything else stays: people keep files of their own beside blinkd's, such as a certificate beside the settings,
//! and no erasure may remove those.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use blink_proto::UserId;

use crate::{
    AccountFile, Paths,
    day_files::day_of_name,
    paths::{PULL_PLACE, SOCKET},
    pulled,
};

/// The kind of an entry in a profile's folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// It holds minutes, or may hold them, as an unfinished write does.
    Minutes,
    /// Settings, sign-in, consent, enrolled face and logs.
    Person,
    /// It is removed after everything else: the note of the erasure, the socket, the lock.
    Last,
    /// A folder whose entries are judged one by one.
    Folder,
    /// The models, which hold no personal data and stay.
    Models,
}

fn in_config(paths: &Paths, path: &Path) -> Option<Kind> {
    (path == paths.config_file() || blink_files::is_unfinished(path)).then_some(Kind::Person)
}

fn in_state(_: &Paths, path: &Path) -> Option<Kind> {
    let name = name(path)?;
    (name.starts_with("blinkd.") && name.ends_with(".log")).then_some(Kind::Person)
}

fn in_runtime(_: &Paths, path: &Path) -> Option<Kind> {
    (name(path)? == SOCKET).then_some(Kind::Last)
}

fn in_history(_: &Paths, path: &Path) -> Option<Kind> {
    (day_of_name(name(path)?).is_some() || blink_files::is_unfinished(path)).then_some(Kind::Minutes)
}

fn in_pulled(_: &Paths, path: &Path) -> Option<Kind> {
    pulled::is_of_account(path).then_some(Kind::Folder)
}

fn in_pulled_of(paths: &Paths, path: &Path) -> Option<Kind> {
    if name(path)? == PULL_PLACE { Some(Kind::Minutes) } else { in_history(paths, path) }
}

fn in_data(paths: &Paths, path: &Path) -> Option<Kind> {
    let person = [
        paths.account_file(),
        AccountFile::set_aside(paths),
        paths.consent_file(),
        paths.device_file(),
        paths.mcp_log(),
        paths.owner_file(),
        paths.pause_file(),
        paths.reminded_file(),
        paths.tokens_file(),
    ];
    let is = |one: PathBuf| path == one;
    if person.into_iter().any(is) {
        return Some(Kind::Person);
    }
    if [paths.erasing_file(), paths.lock()].into_iter().any(is) {
        return Some(Kind::Last);
    }
    if [paths.history(), paths.pulled(), paths.run_in_data()].into_iter().any(is) {
        return Some(Kind::Folder);
    }
    if is(paths.models()) {
        return Some(Kind::Models);
    }
    let damaged = name(path)?.starts_with("store.damaged-");
    (is(paths.store()) || is(paths.setups_file()) || damaged || blink_files::is_unfinished(path))
        .then_some(Kind::Minutes)
}

/// The name, unless it is not UTF-8, in which case the entry is not ours.
fn name(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

type Judge = fn(&Paths, &Path) -> Option<Kind>;

/// Every folder of a profile, inner ones first, with the function that judges its entries. Where the system has no
/// runtime folder, the socket is in `run` of the data folder; a start in another environment may have left one there.
fn folders(paths: &Paths) -> Vec<(PathBuf, Judge)> {
    let of_accounts = pulled::folders(paths).unwrap_or_default();
    let mut folders: Vec<(PathBuf, Judge)> =
        of_accounts.into_iter().map(|folder| (folder, in_pulled_of as Judge)).collect();
    folders.extend([
        (paths.pulled(), in_pulled as Judge),
        (paths.config.clone(), in_config),
        (paths.state.clone(), in_state),
        (paths.history(), in_history),
        (paths.runtime.clone(), in_runtime),
        (paths.run_in_data(), in_runtime),
        (paths.data.clone(), in_data),
    ]);
    folders
}

/// Something that could not be removed.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be removed: {source}", path.display())]
pub struct Left {
    pub path: PathBuf,
    #[source]
    pub source: io::Error,
}

fn left(path: &Path) -> impl FnOnce(io::Error) -> Left {
    let path = path.to_owned();
    move |source| Left { path, source }
}

/// The entries of `folder`; empty where there is no folder.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, Left> {
    let found = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        found => found.map_err(left(folder))?,
    };
    found.map(|entry| entry.map(|entry| entry.path()).map_err(left(folder))).collect()
}

/// Removes the entries of `folder` for which `goes` holds, as far as possible, and syncs the folder. A link is removed,
/// never followed.
fn remove_from(folder: &Path, goes: impl Fn(&Path) -> bool, remains: &mut Vec<Left>) {
    let entries = match entries(folder) {
        Ok(entries) => entries,
        Err(error) => return remains.push(error),
    };
    let mut removed = false;
    for path in entries.into_iter().filter(|path| goes(path)) {
        let is_folder = fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_dir());
        let outcome = if is_folder { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        match outcome {
            Err(error) if error.kind() != io::ErrorKind::NotFound => remains.push(left(&path)(error)),
            _ => removed = true,
        }
    }
    if removed && let Err(error) = blink_files::sync_folder(folder) {
        remains.push(left(folder)(error));
    }
}

fn remove(paths: &Paths, kinds: &[Kind]) -> Vec<Left> {
    let mut remains = Vec::new();
    for (folder, judge) in folders(paths) {
        remove_from(&folder, |path| judge(paths, path).is_some_and(|kind| kinds.contains(&kind)), &mut remains);
    }
    remains
}

/// Removes the minutes: the store, stores that were set aside, the history, pulled minutes, and unfinished writes of
/// them. The store must be closed. Returns what could not be removed.
#[must_use]
pub fn remove_minutes(paths: &Paths) -> Vec<Left> {
    let remains = remove(paths, &[Kind::Minutes]);
    // An account's folder is named after it, so it goes too, unless somebody keeps files of their own there.
    for folder in pulled::folders(paths).unwrap_or_default() {
        let _ = fs::remove_dir(folder);
    }
    remains
}

/// Removes what was pulled for one account. Returns what could not be removed.
#[must_use]
pub fn remove_pulled(paths: &Paths, user_id: UserId) -> Vec<Left> {
    let (folder, mut remains) = (paths.pulled_of(user_id), Vec::new());
    remove_from(&folder, |path| in_pulled_of(paths, path).is_some(), &mut remains);
    let _ = fs::remove_dir(folder);
    remains
}

/// Removes unfinished writes in the data folder, in the history and among pulled minutes. Nothing else may use the profile meanwhile. Returns
/// what could not be removed.
#[must_use]
pub fn remove_unfinished(paths: &Paths) -> Vec<Left> {
    let mut remains = Vec::new();
    let of_accounts = pulled::folders(paths).unwrap_or_default();
    for folder in of_accounts.into_iter().chain([paths.history(), paths.data.clone()]) {
        remove_from(&folder, blink_files::is_unfinished, &mut remains);
    }
    remains
}

/// Removes the profile's files except for those of [`remove_last`]. Returns what could not be removed.
#[must_use]
pub fn remove_everything(paths: &Paths) -> Vec<Left> {
    remove(paths, &[Kind::Minutes, Kind::Person])
}

/// Removes the note of the erasure, the socket and finally the lock, which the caller holds, then each empty folder.
/// Returns what could not be removed; the lock stays in that case.
#[must_use]
pub fn remove_last(paths: &Paths) -> Vec<Left> {
    let mut remains = Vec::new();
    for path in [paths.erasing_file(), paths.socket(), paths.run_in_data().join(SOCKET), paths.lock()] {
        if remains.is_empty()
            && let Err(error) = fs::remove_file(&path)
            && !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
        {
            remains.push(left(&path)(error));
        }
    }
    for (folder, _) in folders(paths) {
        // A folder that holds models or somebody's own files is not empty and stays.
        let _ = fs::remove_dir(folder);
    }
    remains
}

/// What is in the profile's folders but not blinkd's, and so stays, in order. Folders that cannot be read are left out.
#[must_use]
pub fn others(paths: &Paths) -> Vec<PathBuf> {
    let folders = folders(paths);
    // Two folders of a profile may be the same, or one inside the other.
    let is_ours = |path: &Path| {
        let claims = |(folder, judge): &(PathBuf, Judge)| {
            folder.starts_with(path) || (path.parent() == Some(folder) && judge(paths, path).is_some())
        };
        folders.iter().any(claims)
    };
    let found = folders.iter().flat_map(|(folder, _)| entries(folder).unwrap_or_default());
    let mut others: Vec<_> = found.filter(|path| !is_ours(path)).collect();
    others.sort();
    others.dedup();
    others
}

#[cfg(test)]
mod tests;
