//! The list of what belongs to a profile, by which blinkd and blinkctl erase.
//!
//! Everything else stays: people keep files of their own beside blinkd's, such as a certificate beside the settings,
//! and no erasure may remove those.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{AccountFile, Paths, day_files::day_of_name, paths::SOCKET};

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

fn in_data(paths: &Paths, path: &Path) -> Option<Kind> {
    let person = [
        paths.account_file(),
        AccountFile::set_aside(paths),
        paths.consent_file(),
        paths.device_file(),
        paths.mcp_log(),
        paths.owner_file(),
        paths.pause_file(),
        paths.tokens_file(),
    ];
    let is = |one: PathBuf| path == one;
    if person.into_iter().any(is) {
        return Some(Kind::Person);
    }
    if [paths.erasing_file(), paths.lock()].into_iter().any(is) {
        return Some(Kind::Last);
    }
    if [paths.history(), paths.run_in_data()].into_iter().any(is) {
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
fn folders(paths: &Paths) -> [(PathBuf, Judge); 6] {
    [
        (paths.config.clone(), in_config),
        (paths.state.clone(), in_state),
        (paths.history(), in_history),
        (paths.runtime.clone(), in_runtime),
        (paths.run_in_data(), in_runtime),
        (paths.data.clone(), in_data),
    ]
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

/// Removes the minutes: the store, stores that were set aside, the history, and unfinished writes of them. The store
/// must be closed. Returns what could not be removed.
#[must_use]
pub fn remove_minutes(paths: &Paths) -> Vec<Left> {
    remove(paths, &[Kind::Minutes])
}

/// Removes unfinished writes in the data folder and in the history. Nothing else may use the profile meanwhile. Returns
/// what could not be removed.
#[must_use]
pub fn remove_unfinished(paths: &Paths) -> Vec<Left> {
    let mut remains = Vec::new();
    for folder in [paths.history(), paths.data.clone()] {
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
mod tests {
    use super::*;

    fn profile(files: &[&str]) -> (tempfile::TempDir, Paths) {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        let paths = Paths::under(folder.path());
        (folder, paths)
    }

    const OURS: [&str; 23] = [
        "config/blinkd/config.toml",
        "config/blinkd/.blink-Ab12Cd",
        "state/blinkd/blinkd.2026-03-01.log",
        "run/blinkd/blinkd.sock",
        "data/blinkd/run/blinkd.sock",
        "data/blinkd/history/2026-02-26.ndjson",
        "data/blinkd/history/.blink-Ab12Cd",
        "data/blinkd/store/db",
        "data/blinkd/store.damaged-1/db",
        "data/blinkd/.blink-Ab12Cd",
        "data/blinkd/account.json",
        "data/blinkd/account.json.damaged",
        "data/blinkd/consent.json",
        "data/blinkd/device.json",
        "data/blinkd/mcp.ndjson",
        "data/blinkd/setups.ndjson",
        "data/blinkd/owner.json",
        "data/blinkd/pause.json",
        "data/blinkd/tokens.json",
        "data/blinkd/erasing.json",
        "data/blinkd/blinkd.lock",
        "data/blinkd/store/conf",
        "state/blinkd/blinkd.log",
    ];

    #[test]
    fn all_that_is_ours_goes_with_its_folders() {
        let (folder, paths) = profile(&OURS);
        assert_eq!(others(&paths), [""; 0].map(PathBuf::from));
        assert!(remove_everything(&paths).is_empty());
        assert!(paths.lock().exists() && paths.erasing_file().exists(), "these go last");
        assert!(remove_last(&paths).is_empty());
        for path in [paths.config, paths.state, paths.runtime, paths.data] {
            assert!(!path.exists(), "{}", path.display());
        }
        assert!(folder.path().join("config").exists(), "the folder above is the system's");
    }

    #[test]
    fn what_people_keep_beside_it_stays_and_so_do_the_models() {
        const THEIRS: [&str; 7] = [
            "config/blinkd/ca.pem",
            "config/blinkd/config.toml~",
            "data/blinkd/history/2026-02-26 copy.ndjson",
            "data/blinkd/history/notes.txt",
            "data/blinkd/mine/photo.jpg",
            "data/blinkd/models/shape.dat",
            "state/blinkd/why.log",
        ];
        let (folder, paths) = profile(&[OURS.as_slice(), THEIRS.as_slice()].concat());
        let found = others(&paths);
        assert!(remove_everything(&paths).is_empty() && remove_last(&paths).is_empty());
        assert!(THEIRS.iter().all(|file| folder.path().join(file).exists()));
        assert!(!OURS.iter().any(|file| folder.path().join(file).exists()));
        assert_eq!(others(&paths), found);
        let mut named: Vec<_> =
            THEIRS.iter().filter(|file| !file.contains("models")).map(|file| folder.path().join(file)).collect();
        named[4].pop();
        named.sort();
        assert_eq!(found, named);
    }

    #[test]
    fn where_all_folders_are_one_its_files_are_ours_all_the_same() {
        let names = OURS.iter().map(|file| file.rsplit("blinkd/").next().unwrap());
        let files: Vec<_> = names.chain(["ca.pem"]).map(|name| format!("one/blinkd/{name}")).collect();
        let (folder, _) = profile(&files.iter().map(String::as_str).collect::<Vec<_>>());
        let one = folder.path().join("one/blinkd");
        let paths = Paths { config: one.clone(), data: one.clone(), state: one.clone(), runtime: one.clone() };
        assert_eq!(others(&paths), [one.join("ca.pem")]);
        assert!(remove_everything(&paths).is_empty() && remove_last(&paths).is_empty());
        assert_eq!(entries(&one).unwrap(), [one.join("ca.pem")]);
    }

    #[test]
    fn a_persons_files_that_begin_with_a_dot_are_not_taken_for_unfinished_ones() {
        const THEIRS: [&str; 4] = [
            "data/blinkd/.tmpbackup/photo.jpg",
            "data/blinkd/.blink-backup/photo.jpg",
            "data/blinkd/history/.tmpAb12Cd",
            "config/blinkd/.tmpnotes",
        ];
        let (folder, paths) = profile(&[OURS.as_slice(), THEIRS.as_slice()].concat());
        assert!(remove_unfinished(&paths).is_empty());
        assert!(!paths.data.join(".blink-Ab12Cd").exists() && !paths.history().join(".blink-Ab12Cd").exists());
        assert!(remove_everything(&paths).is_empty() && remove_last(&paths).is_empty());
        assert!(THEIRS.iter().all(|file| folder.path().join(file).exists()));
    }

    #[test]
    fn only_minutes_go_where_only_they_are_to() {
        let (folder, paths) = profile(&OURS);
        assert!(remove_minutes(&paths).is_empty());
        let there = OURS.iter().filter(|file| folder.path().join(file).exists());
        let minutes = ["/history/", "/setups", "/store", "data/blinkd/.blink-"];
        assert_eq!(
            there.collect::<Vec<_>>(),
            OURS.iter().filter(|file| !minutes.iter().any(|part| file.contains(part))).collect::<Vec<_>>()
        );
    }

    #[cfg(unix)]
    #[test]
    fn what_a_link_leads_to_is_left_alone() {
        let (folder, paths) = profile(&["elsewhere/mine", "data/blinkd/account.json"]);
        let outside = folder.path().join("elsewhere");
        std::os::unix::fs::symlink(&outside, paths.data.join("store")).unwrap();
        std::os::unix::fs::symlink(&outside, paths.data.join("link")).unwrap();
        assert!(remove_everything(&paths).is_empty());
        assert!(outside.join("mine").exists() && !paths.data.join("store").exists());
        assert_eq!(others(&paths), [paths.data.join("link")]);
    }

    #[test]
    fn what_cannot_be_removed_is_named_and_the_rest_goes() {
        let (_folder, paths) = profile(&["data/blinkd/account.json", "data/blinkd/consent.json"]);
        fs::create_dir(paths.lock()).unwrap();
        assert!(remove_everything(&paths).is_empty());
        let remains = remove_last(&paths);
        assert_eq!(remains.iter().map(|left| &left.path).collect::<Vec<_>>(), [&paths.lock()]);
    }
}
