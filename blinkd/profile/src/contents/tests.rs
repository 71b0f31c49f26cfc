//! What is a profile's own, and what is somebody's beside it.

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

const OURS: [&str; 26] = [
    "config/blinkd/config.toml",
    "config/blinkd/.blink-Ab12Cd",
    "state/blinkd/blinkd.2026-03-01.log",
    "run/blinkd/blinkd.sock",
    "data/blinkd/run/blinkd.sock",
    "data/blinkd/history/2026-02-26.ndjson",
    "data/blinkd/history/.blink-Ab12Cd",
    "data/blinkd/pulled/01990000-0000-7000-8000-000000000001/2026-02-26.ndjson",
    "data/blinkd/pulled/01990000-0000-7000-8000-000000000001/place.json",
    "data/blinkd/pulled/01990000-0000-7000-8000-000000000001/.blink-Ab12Cd",
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
    const THEIRS: [&str; 9] = [
        "config/blinkd/ca.pem",
        "config/blinkd/config.toml~",
        "data/blinkd/history/2026-02-26 copy.ndjson",
        "data/blinkd/history/notes.txt",
        "data/blinkd/mine/photo.jpg",
        "data/blinkd/models/shape.dat",
        "data/blinkd/pulled/01990000-0000-7000-8000-000000000001/mine.txt",
        "data/blinkd/pulled/notes.txt",
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
    assert_eq!(entries(&paths.pulled()).unwrap(), [""; 0].map(PathBuf::from), "no account is named any more");
    let there = OURS.iter().filter(|file| folder.path().join(file).exists());
    let minutes = ["/history/", "/pulled/", "/setups", "/store", "data/blinkd/.blink-"];
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
