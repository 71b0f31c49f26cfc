//! Tests of erasing and importing over the socket, and of `blinkd erase` without a daemon, by what is left on disk.

use std::{fs, path::Path, sync::Arc};

use blink_profile::Paths;
use blink_proto::{
    Minute,
    ipc::{Erase, PauseSpan, Reply, Request},
    receipt::{LocalErasure, Receipt},
};
use blinkd::store::History;

use crate::{
    fixture::{Client, Fixture, until},
    program::{Program, blinkd, said},
};

fn delete(client: &mut Client, what: Erase) -> Receipt {
    match client.call(Request::Delete { what, password: None }) {
        Ok(Reply::Receipt(receipt)) => receipt,
        other => panic!("no receipt: {other:?}"),
    }
}

/// Every file under a folder, as relative paths.
fn files(folder: &Path) -> Vec<String> {
    fn gather(folder: &Path, root: &Path, into: &mut Vec<String>) {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                gather(&path, root, into);
            }
            into.push(path.strip_prefix(root).unwrap().display().to_string());
        }
    }
    let mut found = Vec::new();
    gather(folder, folder, &mut found);
    found.sort();
    found
}

fn history(root: &Path) -> Vec<Minute> {
    let history = History::open(&Paths::under(root).history()).unwrap();
    let days = history.days().unwrap().into_keys();
    days.flat_map(|day| history.read(day, 0).unwrap()).map(|line| line.minute).collect()
}

/// Minutes of yesterday, as in an export.
fn exported(count: i64) -> Vec<Minute> {
    let now = blink_proto::MinuteStart::containing(jiff::Timestamp::now()).number();
    let minute = |number| {
        let from = blink_proto::MinuteStart::from_number(number).unwrap();
        serde_json::from_value(serde_json::json!({
            "id": uuid::Uuid::now_v7(), "user_id": null, "blink_count": 14, "from_timestamp": from.start(),
            "to_timestamp": from.end(), "device_id": uuid::Uuid::from_u128(5), "observed_ms": 57_345,
            "mean_fps": 29.97, "quality": "good", "mean_blink_ms": 181.333, "incomplete_share": 0.071, "perclos": 0.02,
        }))
        .unwrap()
    };
    (now - 1_440..now - 1_440 + count).map(minute).collect()
}

fn import(client: &mut Client, minutes: Vec<Minute>) -> blink_proto::ipc::Imported {
    match client.call(Request::Import { minutes, upload: false }) {
        Ok(Reply::Imported(imported)) => imported,
        other => panic!("no import: {other:?}"),
    }
}

#[test]
fn a_thousand_minutes_fit_a_call_and_come_back_as_they_were() {
    let (mut client, fixture) = Fixture::new();
    let minutes = exported(1_000);
    let imported = import(&mut client, minutes.clone());
    assert_eq!((imported.imported, imported.rejected.len()), (1_000, 0));
    let before = serde_json::to_string(&history(fixture.folder.path())).unwrap();
    assert_eq!(before, serde_json::to_string(&minutes).unwrap());
    let receipt = delete(&mut client, Erase::Local);
    assert_eq!(receipt.local, Some(LocalErasure { minutes: 1_000, unsent: 0, everything: false }));
    assert!(receipt.remote.is_none() && receipt.left.is_empty());
    assert!(history(fixture.folder.path()).is_empty());
    import(&mut client, minutes);
    assert_eq!(serde_json::to_string(&history(fixture.folder.path())).unwrap(), before);
}

#[test]
fn the_open_minute_is_erased_while_tracking_goes_on() {
    let (mut client, fixture) = Fixture::new();
    client.consent();
    until("blinks", || client.status().blinks_session >= 5);
    client.call(Request::Pause(PauseSpan::default())).unwrap();
    until("closing", || !fixture.source_is_open());
    let counted = client.status().today.blink_count;
    let receipt = delete(&mut client, Erase::Local).local.unwrap();
    // The receipt has two minutes if one ended meanwhile.
    assert!(counted >= 5 && (1..=2).contains(&receipt.minutes), "{receipt:?}");
    assert_eq!(receipt.unsent, receipt.minutes);
    assert_eq!((client.status().today.blink_count, client.status().blinks_session), (0, 0));
    client.call(Request::Resume).unwrap();
    until("a new blink", || client.status().blinks_session >= 1);
    client.call(Request::Pause(PauseSpan::default())).unwrap();
    until("closing again", || !fixture.source_is_open() && client.status().fps == 0.0);
    let since = client.status().blinks_session;
    drop(client);
    let folder = Arc::clone(&fixture.folder);
    fixture.stop();
    let (mut client, _fixture) = Fixture::of(folder);
    assert_eq!(client.status().today.blink_count, since, "what was erased does not come back");
}

#[test]
fn everything_is_gone_when_the_daemon_hangs_up() {
    let root = tempfile::tempdir().unwrap();
    let paths = Paths::under(root.path());
    fs::create_dir_all(paths.data.join("models")).unwrap();
    fs::write(paths.data.join("models/m.dat"), "a model").unwrap();
    let mut program = Program::start(root.path());
    let mut client = Client::connect(&paths.socket());
    client.greet();
    client.consent();
    import(&mut client, exported(3));
    assert!(paths.config_file().exists() && !files(&paths.state).is_empty());
    let receipt = delete(&mut client, Erase::Everything);
    assert!(receipt.local.unwrap().everything && receipt.left.is_empty());
    while client.receive().is_some() {}
    let left = files(root.path());
    // The folders of the profile, and files that are not blinkd's.
    let allowed = [
        "config",
        "data",
        "data/blinkd",
        "data/blinkd/models",
        "data/blinkd/models/m.dat",
        "run",
        "run/blinkd",
        "state",
    ];
    assert!(left.iter().all(|path| allowed.contains(&path.as_str())), "{left:?}");
    let ended = program.0.wait().unwrap();
    assert!(ended.success(), "{ended}");
    assert_eq!(files(&paths.data), ["models", "models/m.dat"], "it wrote nothing more");
}

#[test]
fn nothing_is_erased_on_a_server_where_nobody_is_signed_in() {
    let (mut client, _fixture) = Fixture::new();
    let refused = client.call(Request::Delete { what: Erase::Remote, password: None }).unwrap_err();
    assert_eq!(refused.code, "not_signed_in");
    assert_eq!(
        client.call(Request::RemotePage { from: None, to: None, cursor: None }).unwrap_err().code,
        "not_signed_in"
    );
}

#[test]
fn without_a_daemon_the_command_does_it_and_with_one_it_refuses() {
    let root = tempfile::tempdir().unwrap();
    let paths = Paths::under(root.path());
    let program = Program::start(root.path());
    let mut client = Client::connect(&paths.socket());
    client.greet();
    import(&mut client, exported(7));
    let refused = blinkd(root.path(), &["erase", "--local", "--json"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(5));
    assert!(said(&refused).starts_with("{\"error\""));
    program.signal("-TERM");
    drop(client);
    until("the end", || !paths.socket().exists());
    drop(program);
    let done = blinkd(root.path(), &["erase", "--local", "--json"]).output().unwrap();
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    let erased: LocalErasure = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(erased, LocalErasure { minutes: 7, unsent: 0, everything: false });
    assert!(history(root.path()).is_empty() && paths.config_file().exists());
    let done = blinkd(root.path(), &["erase", "--everything"]).output().unwrap();
    assert_eq!(
        String::from_utf8(done.stdout).unwrap(),
        "0 minutes were erased, 0 of them never sent; nothing but models is left.\n"
    );
    assert!(!paths.data.exists() && !paths.config.exists() && !paths.state.exists());
}
