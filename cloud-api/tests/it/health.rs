//! What `/healthz` says about everything but the database.

use std::fs;

use serde_json::{Value, json};

use crate::{
    archive_kit::eventually,
    harness::*,
    process::{Running, program},
};

contract! {
    fn readiness_names_what_runs_and_what_is_missing(app) {
        let ready = app.anonymous().get("/healthz").expect(200).json;
        assert_eq!((&ready["status"], &ready["database"], &ready["attendance"]), (&json!("ready"), &json!("ok"), &json!("unavailable")));
        assert_eq!((&ready["version"], &ready["versions"]["cloud_api"]), (&json!(env!("CARGO_PKG_VERSION")), &json!(env!("CARGO_PKG_VERSION"))));
        // A migration's version begins with its date.
        let schema = ready["versions"]["schema"].as_str().unwrap();
        assert!(schema.len() >= 8 && schema.starts_with("202"), "{schema}");
        assert!(ready["uptime_s"].is_u64());
    }
}

#[test]
fn exports_are_readable_unreadable_or_not_there_yet() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("csv");
    let mut command = program(home.path());
    command.args(["serve", "--listen", "127.0.0.1:0"]).env("CLOUD_API_EXPORTS_DIR", &folder);
    // The server removes files of past days when it starts, and then every 20 s.
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("attendance_20200101.csv"), "Date,Time\n").unwrap();
    let running = Running::start(command);
    eventually("the files of past days are removed", || !folder.join("attendance_20200101.csv").exists());
    fs::remove_dir_all(&folder).unwrap();
    let readable = || Client::new(&running.address).get("/healthz").expect(200).json["exports"]["readable"].clone();
    assert_eq!(readable(), Value::Null);
    fs::create_dir(&folder).unwrap();
    assert_eq!(readable(), json!(true));
    fs::write(folder.join("attendance_20260310.csv"), "Date,Time\n").unwrap();
    assert_eq!(readable(), json!(true));
    // A dangling link cannot be opened, not even by root.
    std::os::unix::fs::symlink("nowhere", folder.join("attendance_20260311.csv")).unwrap();
    assert_eq!(readable(), json!(false));
    fs::remove_dir_all(&folder).unwrap();
    fs::write(&folder, "a file").unwrap();
    assert_eq!(readable(), json!(false));
}

#[test]
fn exports_are_in_the_data_folder_unless_told_otherwise() {
    let home = tempfile::tempdir().unwrap();
    let mut command = program(home.path());
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    let running = Running::start(command);
    fs::create_dir(home.path().join(".local/share/cloud-api/exports")).unwrap();
    let ready = Client::new(&running.address).get("/healthz").expect(200);
    assert_eq!(ready.json["exports"]["readable"], true);
}
