//! Tests of the real program on a damaged profile: it starts, or says in one line why not, and loses no undamaged
//! minute.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::Stdio,
};

use blink_profile::Paths;
use blink_proto::{Minute, MinuteStart, UserId, consent::ConsentRecord, example, ipc::Request};
use blinkd::{
    profile::{AccountFile, Device, FirstAccount, SignedInAccount, files},
    store::{History, Line, Queued, Store, ownership::MinuteOwnership},
};
use jiff::Timestamp;
use rstest::rstest;
use tempfile::TempDir;

use crate::{
    fixture::{Client, until},
    program::{Program, blinkd, said},
};

const MINUTES: i64 = 40;

/// A profile signed in to an unreachable server, with minutes of the last hours in its history and queue.
fn profile() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let paths = Paths::under(root.path());
    let device = Device::open(&paths, None).unwrap();
    let account = SignedInAccount {
        server: "http://127.0.0.1:9".to_owned(),
        user_id: UserId::new(),
        email: "ada@example.org".to_owned(),
        session_ended: false,
    };
    let owner = account.owner();
    let first = FirstAccount { owner: owner.clone(), adopted: true, at: Timestamp::UNIX_EPOCH };
    let file = AccountFile { current: Some(account), first: Some(first.clone()), ..AccountFile::default() };
    file.save(&paths).unwrap();
    files::save(&paths.consent_file(), &ConsentRecord::withdrawn(Timestamp::now())).unwrap();
    let history = History::open(&paths.history()).unwrap();
    let ownership = MinuteOwnership { device_id: device.id, first: Some(&first), erased: &[] };
    let (mut store, _) =
        Store::open(&paths.data.join("store"), &history, ownership, &BTreeSet::new(), Timestamp::now()).unwrap();
    let now = MinuteStart::containing(Timestamp::now()).number();
    for number in now - MINUTES - 5..now - 5 {
        let minute = Minute { user_id: Some(owner.user_id), device_id: device.id, ..example::minute(number) };
        let at = history.append(&Line::sealed(minute.clone(), Some(owner.server.clone()))).unwrap();
        store.sealed(&Queued::sealed(minute, Some(owner.clone())), at).unwrap();
    }
    root
}

fn minutes(root: &Path) -> Vec<Minute> {
    let history = History::open(&Paths::under(root).history()).unwrap();
    let days = history.days().unwrap().into_keys();
    days.flat_map(|day| history.read(day, 0).unwrap()).map(|line| line.minute).collect()
}

/// Opens the store's database as soon as whoever had it open has let go of it.
fn database(store: &Path) -> sled::Db {
    let mut db = None;
    until("the lock of the store", || {
        db = sled::open(store).ok();
        db.is_some()
    });
    db.unwrap()
}

/// Starts the program; returns the client, or the line that says why it did not start.
fn start(root: &Path) -> Result<(Program, Client), String> {
    let mut command = blinkd(root, &["run", "--headless", "--source", "synthetic"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let socket = Paths::under(root).socket();
    let mut over = None;
    until("an answer or an end", || {
        over = child.try_wait().unwrap();
        over.is_some() || UnixStream::connect(&socket).is_ok()
    });
    // It may listen and still fail afterwards.
    if over.is_none()
        && let Some(client) = Client::try_greeted(&socket)
    {
        return Ok((Program(child), client));
    }
    let output = child.wait_with_output().unwrap();
    assert!(matches!(output.status.code(), Some(1 | 2)), "{output:?}");
    Err(said(&output))
}

fn damage(path: &Path, how: &str) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    match how {
        "truncated" => bytes.truncate(middle),
        "emptied" => bytes.clear(),
        "flipped" => {
            if let Some(byte) = bytes.get_mut(middle) {
                *byte ^= 0x10;
            }
        }
        _ => bytes = b"\xff\xfe{]".to_vec(),
    }
    fs::write(path, bytes).unwrap();
}

fn files_of(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_of(&path) } else { vec![path] }).collect()
}

/// Damages each file of the store in turn.
#[rstest]
fn whatever_is_broken_in_the_store_every_minute_is_there_and_waits(
    #[values("truncated", "flipped", "emptied")] how: &str,
) {
    let sound = profile();
    let store = |root: &Path| Paths::under(root).data.join("store");
    let names: Vec<_> = files_of(&store(sound.path()))
        .into_iter()
        .map(|path| path.strip_prefix(store(sound.path())).unwrap().to_owned())
        .collect();
    assert!(names.len() >= 2, "{names:?}");
    for name in names {
        let root = profile();
        let before = minutes(root.path());
        let path = store(root.path()).join(&name);
        if !path.exists() {
            // The names of snapshots depend on their content, so this one may not exist here.
            continue;
        }
        damage(&path, how);
        let (program, mut client) = start(root.path()).unwrap_or_else(|line| panic!("{}: {line}", name.display()));
        let status = client.status();
        let pending = status.queue.pending;
        assert_eq!(pending, u64::try_from(MINUTES).unwrap(), "{} {how}: {:?}", name.display(), status.last_error);
        assert_eq!(minutes(root.path()), before, "{} {how}", name.display());
        drop(program);
    }
}

/// Damages each small file in turn. What the file says is lost; the other files and every minute stay.
#[rstest]
fn whatever_small_file_is_broken_it_starts_or_says_why_and_every_minute_is_there(
    #[values("account.json", "consent.json", "device.json", "pause.json", "tokens.json", "owner.json", "erasing.json")]
    name: &str,
    #[values("truncated", "garbage", "emptied", "folder")] how: &str,
) {
    let root = profile();
    let before = minutes(root.path());
    let path = Paths::under(root.path()).data.join(name);
    if !path.exists() {
        fs::write(&path, "{\"until\":null}").unwrap();
    }
    if how == "folder" {
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
    } else {
        damage(&path, how);
    }
    match start(root.path()) {
        Ok((_program, mut client)) => {
            let status = client.status();
            assert!(!status.consent, "a damaged file is never consent");
            let signed_in = status.account.is_some();
            assert_eq!(signed_in, name != "account.json");
            if signed_in && name != "erasing.json" {
                assert_eq!(status.queue.pending, u64::try_from(MINUTES).unwrap(), "{name} {how}");
            }
            client.call(Request::Status).unwrap();
        }
        Err(line) => {
            assert_eq!(how, "folder", "{name}: {line}");
            assert!(line.contains(name), "{line}");
        }
    }
    let after = minutes(root.path());
    // A damaged note of an erasure means that somebody asked for one.
    let expected = if name == "erasing.json" && how != "folder" { Vec::new() } else { before };
    assert_eq!(after, expected, "{name} {how}");
}

#[test]
fn damaged_lines_of_the_history_cost_themselves_alone() {
    let root = profile();
    let before = minutes(root.path());
    let day = files_of(&Paths::under(root.path()).history()).remove(0);
    let lines = fs::read(&day).unwrap().split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
    let mut bytes = fs::read(&day).unwrap();
    bytes[40] = b'\x00';
    bytes.extend_from_slice(b"{\"id\":\"torn");
    fs::write(&day, bytes).unwrap();
    let (_program, mut client) = start(root.path()).unwrap();
    client.status();
    assert!(lines >= 1);
    assert_eq!(minutes(root.path()).len(), before.len() - 1);
}

#[test]
fn a_store_of_a_later_version_is_left_as_it_is_and_said() {
    let root = profile();
    let store = Paths::under(root.path()).data.join("store");
    {
        let db = database(&store);
        let meta = db.get(b"m").unwrap().unwrap();
        let mut meta: serde_json::Value = serde_json::from_slice(&meta).unwrap();
        meta["schema"] = 99.into();
        db.insert(b"m", serde_json::to_vec(&meta).unwrap()).unwrap();
        db.flush().unwrap();
    }
    let before = minutes(root.path());
    let line = start(root.path()).map(|_| ()).unwrap_err();
    assert!(line.contains("later blinkd") && line.contains("99"), "{line}");
    assert_eq!(minutes(root.path()), before);
    let db = database(&store);
    let queued = db.scan_prefix(b"q").count();
    assert_eq!(queued, usize::try_from(MINUTES).unwrap(), "nothing in it was touched");
}

#[rstest]
#[case("[upload]\nserver = \"http://127.0.0.1:9\n", "line 2")]
#[case("\u{0}\u{0}\u{0}", "line 1")]
#[case("[camera]\nsource = 7\n", "line 2")]
fn a_damaged_configuration_is_exit_2_with_its_line(#[case] text: &str, #[case] says: &str) {
    let root = profile();
    let before = minutes(root.path());
    let file = Paths::under(root.path()).config_file();
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, text).unwrap();
    let output = blinkd(root.path(), &["run", "--headless"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains(says));
    assert_eq!(minutes(root.path()), before);
}
