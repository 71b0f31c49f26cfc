//! Tests that every message in docs/ipc.md is valid, and is written as the programs write it.

use std::{collections::BTreeSet, fs, path::Path};

use blink_proto::ipc::{FromDaemon, Request, ToDaemon};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/ipc.md")).unwrap()
}

fn round_trip<T: DeserializeOwned + Serialize>(line: &str) -> T {
    let message: T = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    let again: Value = serde_json::to_value(&message).unwrap();
    assert_eq!(again, serde_json::from_str::<Value>(line).unwrap());
    message
}

#[test]
fn every_message_of_the_document_is_one() {
    let page = page();
    let mut requests = BTreeSet::new();
    for line in page.lines() {
        if let Some(line) = line.strip_prefix("→ ") {
            if let ToDaemon::Call(call) = round_trip(line) {
                assert_ne!(call.request, Request::Unknown, "{line}");
                requests.insert(serde_json::to_value(&call.request).unwrap()["type"].as_str().unwrap().to_owned());
            }
        } else if let Some(line) = line.strip_prefix("← ") {
            round_trip::<FromDaemon>(line);
        }
    }
    let all = [
        "consent_grant",
        "consent_show",
        "consent_withdraw",
        "delete",
        "doctor",
        "elsewhere",
        "import",
        "login",
        "login_device",
        "login_device_wait",
        "logout",
        "owner_enroll",
        "owner_forget",
        "pause",
        "pull",
        "quit",
        "register",
        "reload",
        "remote_page",
        "resume",
        "set_aside_drop",
        "set_aside_list",
        "set_aside_retry",
        "status",
        "subscribe",
        "sync",
        "whoami",
        "yield",
    ];
    assert_eq!(requests, all.map(str::to_owned).into());
}
