//! Tests of `blinkd config` and `blinkd doctor`, and of a daemon that reloads its settings.

use std::{fs, path::Path};

use blink_profile::Paths;
use blink_proto::{
    doctor::{Check, Level},
    ipc::{Reply, Request},
    status::State,
};
use rstest::rstest;
use serde_json::Value;

use crate::{
    fixture::{Client, until_within},
    program::{Program, blinkd, said},
};

fn json(root: &Path, args: &[&str]) -> Value {
    let output = blinkd(root, args).arg("--json").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn settings_are_shown_with_their_source_and_changed_in_their_file() {
    let root = tempfile::tempdir().unwrap();
    let file = Paths::under(root.path()).config_file();
    assert_eq!(json(root.path(), &["config", "path"])["path"], file.to_str().unwrap());
    let shown = json(root.path(), &["config", "show"]);
    let of = |shown: &Value, key: &str| {
        shown["keys"].as_array().unwrap().iter().find(|row| row["key"] == key).unwrap().clone()
    };
    assert_eq!(
        of(&shown, "history.retention_days"),
        serde_json::json!({"key": "history.retention_days", "value": 90, "source": "default"})
    );
    assert_eq!(of(&shown, "account.keyring")["source"], "environment");
    assert!(!file.exists(), "looking writes nothing");

    let set = json(root.path(), &["config", "set", "history.retention_days", "30"]);
    assert_eq!(set, serde_json::json!({"key": "history.retention_days", "value": 30}));
    assert_eq!(json(root.path(), &["config", "get", "history.retention_days"])["value"], 30);
    assert_eq!(of(&json(root.path(), &["config", "show"]), "history.retention_days")["source"], "file");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("\nretention_days = 30\n") && text.contains("# Minutes are kept"), "{text}");
    let human = blinkd(root.path(), &["config", "show"]).output().unwrap();
    assert!(String::from_utf8(human.stdout).unwrap().contains("history.retention_days = 30"));
}

#[rstest]
#[case(&["config", "get", "camera.sorce"], "`camera.source`?")]
#[case(&["config", "set", "camera.sorce", "x"], "`camera.source`?")]
#[case(&["config", "set", "history.retention_days", "0"], "from 1 to 3650")]
#[case(&["config", "set", "camera.source", "webcam"], "`webcam` is not a source")]
#[case(&["config"], "blinkd config --help")]
#[case(&["erase"], "blinkd erase --help")]
fn what_is_wrong_is_exit_2_and_one_line(#[case] args: &[&str], #[case] says: &str) {
    let root = tempfile::tempdir().unwrap();
    let output = blinkd(root.path(), args).output().unwrap();
    let line = said(&output);
    assert_eq!(output.status.code(), Some(2), "{line}");
    assert!(line.contains(says), "{line}");
}

#[test]
fn a_running_daemon_takes_another_source_at_once() {
    let root = tempfile::tempdir().unwrap();
    let paths = Paths::under(root.path());
    fs::create_dir_all(&paths.config).unwrap();
    fs::write(paths.config_file(), "[camera]\nsource = \"file:/nowhere/at/all.avi\"\n").unwrap();
    let mut command = blinkd(root.path(), &["run", "--headless"]);
    let _program = Program::run(root.path(), &mut command);
    let mut client = Client::connect(&paths.socket());
    client.greet();
    client.consent();
    let patience = std::time::Duration::from_secs(60);
    until_within(patience, "no source", || client.status().state == State::NoCamera);
    json(root.path(), &["config", "set", "camera.source", "synthetic:bpm=60"]);
    assert_eq!(client.call(Request::Reload), Ok(Reply::Done));
    until_within(patience, "tracking", || client.status().state == State::Tracking);
    assert!(client.status().source.starts_with("synthetic:bpm=60"));
    // A wrong setting changes nothing.
    fs::write(paths.config_file(), "[camera]\nsource = 7\n").unwrap();
    assert_eq!(client.call(Request::Reload).unwrap_err().code, "config_invalid");
    assert!(client.status().source.starts_with("synthetic:bpm=60"));
}

#[test]
fn doctor_looks_without_a_daemon_and_the_daemon_looks_further() {
    let root = tempfile::tempdir().unwrap();
    let paths = Paths::under(root.path());
    let checks = |value: Value| serde_json::from_value::<Vec<Check>>(value["checks"].clone()).unwrap();
    let level = |checks: &[Check], id: &str| checks.iter().find(|check| check.id == id).map(|check| check.level);
    let alone = checks(json(root.path(), &["doctor"]));
    assert_eq!(level(&alone, "daemon"), Some(Level::Problem));
    assert_eq!(level(&alone, "consent"), Some(Level::Problem));
    assert_eq!(level(&alone, "session_bus"), Some(Level::Warning));
    assert_eq!(level(&alone, "config"), Some(Level::Ok));
    assert!(!paths.data.exists(), "looking makes nothing");

    let _program = Program::start(root.path());
    let mut client = Client::connect(&paths.socket());
    client.greet();
    let beside = checks(json(root.path(), &["doctor"]));
    assert_eq!(level(&beside, "daemon"), Some(Level::Ok));
    match client.call(Request::Doctor) {
        Ok(Reply::Doctor { checks }) => {
            assert_eq!((level(&checks, "daemon"), level(&checks, "consent")), (Some(Level::Ok), Some(Level::Problem)));
            assert_eq!(level(&checks, "camera"), Some(Level::Warning), "the synthetic face is nobody");
        }
        other => panic!("no checks: {other:?}"),
    }
    let human = blinkd(root.path(), &["doctor"]).output().unwrap();
    assert_eq!(human.status.code(), Some(1));
    let page = String::from_utf8(human.stdout).unwrap();
    assert!(page.contains("PROBLEM  consent") && page.contains("blinkctl consent grant"), "{page}");
}
