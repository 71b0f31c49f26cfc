//! Tests of `blinkctl consent`, with and without a daemon.

use blink_proto::{
    consent::{ConsentRecord, TRACKING_VERSION},
    ipc::{Reply, Request},
};
use rstest::rstest;

use crate::{
    fake::{Behaviour, Fake, consent, healthy, ok, refused},
    run::Profile,
};

fn recorded(profile: &Profile) -> ConsentRecord {
    serde_json::from_slice(&std::fs::read(profile.paths().consent_file()).unwrap()).unwrap()
}

#[test]
fn granting_prints_the_text_and_records_it() {
    let profile = Profile::new();
    let daemon = Fake::start(&profile.paths(), Behaviour::default());
    insta::assert_snapshot!("grant", profile.run(&["consent", "grant"]).transcript());
    let grant = Request::ConsentGrant { version: TRACKING_VERSION.into() };
    assert_eq!(daemon.asked(), [Request::ConsentShow, grant, Request::ConsentShow]);
    insta::assert_snapshot!("grant_json", profile.run(&["consent", "grant", "--json"]).transcript());
}

#[rstest]
#[case::text("", &["consent", "show"])]
#[case::json("_json", &["consent", "show", "--json"])]
fn showing_tells_text_and_record(#[case] suffix: &str, #[case] args: &[&str]) {
    let profile = Profile::new();
    insta::assert_snapshot!(format!("show_without_daemon{suffix}"), profile.run(args).transcript());
    let daemon = Fake::start(&profile.paths(), Behaviour::default());
    insta::assert_snapshot!(format!("show{suffix}"), profile.run(args).transcript());
    assert_eq!(daemon.asked(), [Request::ConsentShow]);
}

#[test]
fn withdrawing_asks_the_daemon() {
    let profile = Profile::new();
    let behaviour = Behaviour {
        handler: Box::new(|request| match request {
            Request::ConsentShow => ok(Reply::Consent(consent(false))),
            other => healthy(other),
        }),
        ..Behaviour::default()
    };
    let daemon = Fake::start(&profile.paths(), behaviour);
    insta::assert_snapshot!(profile.run(&["consent", "withdraw"]).transcript());
    assert_eq!(daemon.asked(), [Request::ConsentWithdraw, Request::ConsentShow]);
    assert!(!profile.paths().consent_file().exists(), "the running daemon is the one that writes");
}

#[test]
fn withdrawing_works_without_a_daemon() {
    let profile = Profile::new();
    std::fs::create_dir_all(&profile.paths().data).unwrap();
    let granted = serde_json::to_vec(&consent(true).record.unwrap()).unwrap();
    std::fs::write(profile.paths().consent_file(), granted).unwrap();
    let ran = profile.run(&["consent", "withdraw", "--json"]);
    assert_eq!(ran.exit, Some(0), "{}", ran.transcript());
    assert!(ran.stdout.starts_with("{\"granted\":false,"), "{}", ran.stdout);
    assert!(!recorded(&profile).granted);
}

#[test]
fn a_daemon_that_does_not_answer_cannot_keep_consent_alive() {
    let profile = Profile::new();
    let _daemon = Fake::start(&profile.paths(), Behaviour { hello: None, ..Behaviour::default() });
    let ran = profile.run(&["consent", "withdraw"]);
    ran.assert_fails(1);
    insta::assert_snapshot!(ran.transcript());
    assert!(!recorded(&profile).granted);
}

#[test]
fn what_the_daemon_refuses_is_told() {
    let profile = Profile::new();
    let behaviour = Behaviour {
        handler: Box::new(|request| match request {
            Request::ConsentGrant { .. } => {
                refused("disk_full", "The consent could not be written", "Free some space.")
            }
            other => healthy(other),
        }),
        ..Behaviour::default()
    };
    let _daemon = Fake::start(&profile.paths(), behaviour);
    let ran = profile.run(&["consent", "grant", "--json"]);
    ran.assert_fails(1);
    insta::assert_snapshot!(ran.transcript());
}

#[test]
fn a_damaged_record_is_named_and_withdrawing_mends_it() {
    let profile = Profile::new();
    std::fs::create_dir_all(&profile.paths().data).unwrap();
    std::fs::write(profile.paths().consent_file(), "{\"granted\": tr").unwrap();
    let ran = profile.run(&["consent", "show"]);
    ran.assert_fails(1);
    insta::assert_snapshot!(profile.redact(&ran.transcript()));
    assert_eq!(profile.run(&["consent", "withdraw"]).exit, Some(0));
    assert!(!recorded(&profile).granted);
}
