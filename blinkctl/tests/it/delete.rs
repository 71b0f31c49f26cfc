//! `blinkctl delete`.

use std::fs;

use blink_proto::{
    Secret,
    ipc::{Erase, Reply, Request},
    receipt::{LocalErasure, Receipt},
};
use rstest::rstest;

use crate::{
    fake::{Behaviour, Fake, healthy, minute, ok, refused},
    run::Profile,
};

const PASSWORD: &str = "correct horse battery";

fn erasing(signed_in: bool) -> Behaviour {
    Behaviour {
        handler: Box::new(move |request| match request {
            Request::Whoami if !signed_in => refused("not_signed_in", "Nobody is signed in", "Run `blinkctl login`."),
            Request::Delete { what, .. } => {
                let everything = *what == Erase::Everything;
                let local = LocalErasure { minutes: 1_234, unsent: 12, everything };
                let remote = serde_json::json!({ "minutes": 1_222, "sessions": 2, "archive": "pending" });
                ok(Reply::Receipt(Receipt {
                    at: "2026-03-01T10:00:00Z".parse().unwrap(),
                    local: (*what != Erase::Remote).then_some(local),
                    remote: (*what != Erase::Local && signed_in).then_some(remote),
                    left: Vec::new(),
                    kept: Vec::new(),
                }))
            }
            other => healthy(other),
        }),
        ..Behaviour::default()
    }
}

#[rstest]
#[case("delete_local", Erase::Local, &["delete", "--local", "--yes"])]
#[case("delete_local_json", Erase::Local, &["delete", "--local", "--yes", "--json"])]
#[case("delete_remote", Erase::Remote, &["delete", "--remote", "--yes", "--password-stdin"])]
#[case("delete_everything", Erase::Everything, &["delete", "--everything", "--yes", "--password-stdin"])]
#[case("delete_everything_json", Erase::Everything, &["delete", "--everything", "--yes", "--password-stdin", "--json"])]
fn a_receipt_is_printed(#[case] name: &str, #[case] what: Erase, #[case] args: &[&str]) {
    let profile = Profile::new();
    let daemon = Fake::start(&profile.paths(), erasing(true));
    insta::assert_snapshot!(name, profile.run_with(args, &format!("{PASSWORD}\n")).transcript());
    let password = (what != Erase::Local).then(|| Secret::new(PASSWORD));
    assert_eq!(daemon.asked(), [Request::Whoami, Request::Delete { what, password }]);
}

#[test]
fn after_everything_the_folders_are_gone_and_the_models_stay() {
    let profile = Profile::new();
    let paths = profile.paths();
    let _daemon = Fake::start(&paths, erasing(false));
    for file in [paths.config_file(), paths.data.join("models/shape.dat"), paths.state.join("blinkd.log"), paths.lock()]
    {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "x").unwrap();
    }
    let ran = profile.run(&["delete", "--everything", "--yes"]);
    insta::assert_snapshot!("delete_everything_signed_out", ran.redacted(&profile));
    assert!(!paths.config.exists() && !paths.state.exists() && !paths.lock().exists());
    assert!(paths.data.join("models/shape.dat").exists());
}

#[test]
fn where_the_daemon_could_erase_nothing_here_nothing_is_swept() {
    const WORD: &str = "Nothing was erased on this machine: the disk is full.";
    let profile = Profile::new();
    let behaviour = Behaviour {
        handler: Box::new(|request| match request {
            Request::Delete { .. } => ok(Reply::Receipt(Receipt {
                at: "2026-03-01T10:00:00Z".parse().unwrap(),
                local: None,
                remote: Some(serde_json::json!({ "minutes": 3 })),
                left: vec![WORD.to_owned()],
                kept: Vec::new(),
            })),
            other => healthy(other),
        }),
        ..Behaviour::default()
    };
    let _daemon = Fake::start(&profile.paths(), behaviour);
    profile.day("2026-02-26", &serde_json::to_string(&minute(29_534_400)).unwrap());
    let ran = profile.run_with(&["delete", "--everything", "--yes", "--password-stdin", "--json"], PASSWORD);
    assert_eq!(ran.exit, Some(1), "{}", ran.transcript());
    let receipt: Receipt = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((receipt.local, receipt.left), (None, vec![WORD.to_owned()]));
    assert!(profile.paths().history().join("2026-02-26.ndjson").exists());
}

#[rstest]
#[case("left", &["delete", "--local", "--yes"])]
#[case("left_json", &["delete", "--local", "--yes", "--json"])]
fn what_is_left_is_in_the_receipt_and_the_exit_code(#[case] name: &str, #[case] args: &[&str]) {
    let profile = Profile::new();
    profile.day("2026-02-26", &serde_json::to_string(&minute(29_534_400)).unwrap());
    let _daemon = Fake::start(&profile.paths(), erasing(true));
    let ran = profile.run(args);
    assert_eq!((ran.exit, ran.stderr.as_str()), (Some(1), ""));
    insta::assert_snapshot!(format!("delete_{name}"), ran.redacted(&profile));
}

#[rstest]
#[case("delete_nothing_named", &["delete", "--yes"], 2)]
#[case("delete_two_named", &["delete", "--local", "--remote"], 2)]
#[case("delete_unasked", &["delete", "--local"], 2)]
#[case("delete_unasked_remote", &["delete", "--remote"], 2)]
#[case("delete_no_password", &["delete", "--everything", "--yes"], 2)]
#[case("delete_no_password_json", &["delete", "--remote", "--yes", "--json"], 2)]
fn without_a_terminal_what_is_missing_is_named(#[case] name: &str, #[case] args: &[&str], #[case] exit: i32) {
    let profile = Profile::new();
    let daemon = Fake::start(&profile.paths(), erasing(true));
    let ran = profile.run(args);
    ran.assert_fails(exit);
    insta::assert_snapshot!(name, ran.transcript());
    assert!(!daemon.asked().iter().any(|request| matches!(request, Request::Delete { .. })));
}

#[test]
fn a_wrong_password_erases_nothing() {
    let profile = Profile::new();
    let behaviour = Behaviour {
        handler: Box::new(|request| match request {
            Request::Delete { .. } => {
                refused("wrong_password", "The password is wrong", "Nothing was erased; try again.")
            }
            other => healthy(other),
        }),
        ..Behaviour::default()
    };
    let _daemon = Fake::start(&profile.paths(), behaviour);
    fs::create_dir_all(&profile.paths().config).unwrap();
    let ran = profile.run_with(&["delete", "--everything", "--yes", "--password-stdin"], PASSWORD);
    ran.assert_fails(1);
    assert!(profile.paths().config.exists());
    insta::assert_snapshot!(ran.transcript());
}

#[test]
fn signed_out_there_is_nothing_on_a_server() {
    let profile = Profile::new();
    let _daemon = Fake::start(&profile.paths(), erasing(false));
    let ran = profile.run_with(&["delete", "--remote", "--yes", "--password-stdin"], PASSWORD);
    ran.assert_fails(4);
    insta::assert_snapshot!(ran.transcript());
}

#[test]
fn without_a_daemon_its_program_erases_this_machine() {
    let mut profile = Profile::new();
    let history = profile.paths().history();
    profile.program(
        "blinkd",
        &format!("rm -r '{}'; echo '{{\"minutes\":2,\"unsent\":1,\"everything\":false}}'", history.display()),
    );
    profile.day("2026-02-26", &serde_json::to_string(&minute(29_534_400)).unwrap());
    let ran = profile.run(&["delete", "--local", "--yes"]);
    assert_eq!(ran.exit, Some(0), "{}", ran.transcript());
    assert_eq!(profile.calls("blinkd"), ["erase --local --json"]);
    let receipt: Receipt = {
        profile.day("2026-02-26", "");
        serde_json::from_str(&profile.run(&["delete", "--local", "--yes", "--json"]).stdout).unwrap()
    };
    assert_eq!(receipt.local, Some(LocalErasure { minutes: 2, unsent: 1, everything: false }));
    assert!(receipt.remote.is_none() && receipt.left.is_empty());
}

#[test]
fn without_a_daemon_an_account_is_not_forgotten_in_silence() {
    let mut profile = Profile::new();
    profile.program("blinkd", "echo '{\"minutes\":2,\"unsent\":1,\"everything\":true}'");
    fs::create_dir_all(profile.paths().data).unwrap();
    let account = profile.paths().data.join("account.json");
    fs::write(&account, r#"{"current":{"email":"ada@example.org"},"first":null}"#).unwrap();
    let ran = profile.run(&["delete", "--everything", "--yes"]);
    ran.assert_fails(3);
    insta::assert_snapshot!(ran.transcript());
    fs::write(&account, r#"{"current":null,"first":null}"#).unwrap();
    let ran = profile.run(&["delete", "--everything", "--yes"]);
    assert_eq!(ran.exit, Some(0), "{}", ran.transcript());
    assert_eq!(profile.calls("blinkd"), ["erase --everything --json"]);
    assert!(!profile.paths().data.exists());
}

#[test]
fn a_daemon_that_started_meanwhile_is_told_as_a_failure() {
    let mut profile = Profile::new();
    let line = r#"{"error":{"code":"already_running","message":"blinkd runs in this profile","fix":"Run `blinkctl delete --local` again."}}"#;
    profile.program("blinkd", &format!("echo '{line}' >&2; exit 5"));
    let ran = profile.run(&["delete", "--local", "--yes"]);
    ran.assert_fails(1);
    insta::assert_snapshot!(ran.transcript());
}

#[cfg(target_os = "linux")]
mod on_a_terminal {
    use super::*;
    use crate::terminal::Terminal;

    #[test]
    fn the_word_is_asked_for_and_then_the_password() {
        let profile = Profile::new();
        let daemon = Fake::start(&profile.paths(), erasing(true));
        let mut terminal = Terminal::start(&profile, "delete --remote", &[]);
        terminal.expect("This erases the account ada@example.org on https://waw.example.org");
        terminal.expect("Type delete to go on: ");
        terminal.type_in("delete\n");
        terminal.expect("Password of the account (empty if it has none): ");
        terminal.type_in(&format!("{PASSWORD}\n"));
        let (exit, seen) = terminal.end();
        assert_eq!(exit, Some(0), "{seen}");
        assert!(!seen.contains(PASSWORD));
        let password = Some(Secret::new(PASSWORD));
        assert_eq!(daemon.asked()[1..], [Request::Delete { what: Erase::Remote, password }]);
    }

    #[test]
    fn anything_else_erases_nothing() {
        let profile = Profile::new();
        let daemon = Fake::start(&profile.paths(), erasing(true));
        let mut terminal = Terminal::start(&profile, "delete --local", &[]);
        terminal.expect("Type delete to go on: ");
        terminal.type_in("yes\n");
        let (exit, seen) = terminal.end();
        assert_eq!(exit, Some(1), "{seen}");
        assert!(seen.contains("Nothing was changed"), "{seen}");
        assert_eq!(daemon.asked(), [Request::Whoami]);
    }
}
