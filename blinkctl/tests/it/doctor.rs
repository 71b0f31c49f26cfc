//! `blinkctl doctor`.

use blink_proto::{
    doctor::{Check, Level},
    ipc::{Reply, Request},
};
use rstest::rstest;

use crate::{
    fake::{Behaviour, Fake, healthy, ok},
    run::Profile,
};

fn finding(checks: Vec<Check>) -> Behaviour {
    Behaviour {
        handler: Box::new(move |request| match request {
            Request::Doctor => ok(Reply::Doctor { checks: checks.clone() }),
            other => healthy(other),
        }),
        ..Behaviour::default()
    }
}

fn good() -> Vec<Check> {
    vec![Check::ok("models", "The landmark model is there and whole"), Check::ok("camera", "camera:0 is free")]
}

fn warned() -> Vec<Check> {
    let fix = "Install an extension for tray icons; blinkctl does all that the tray does.";
    vec![good().remove(0), Check::found("tray", Level::Warning, "Nothing shows tray icons", fix)]
}

fn sick() -> Vec<Check> {
    let fix = "Close zoom, or choose another camera with `blinkctl config set camera.source camera:1`.";
    let mut checks = warned();
    checks.push(Check::found("camera", Level::Problem, "zoom uses camera:0", fix));
    checks
}

#[rstest]
#[case("doctor_good", good(), &["doctor"], 0)]
#[case("doctor_warned", warned(), &["doctor"], 0)]
#[case("doctor_sick", sick(), &["doctor"], 1)]
#[case("doctor_sick_json", sick(), &["doctor", "--json"], 1)]
fn the_daemon_is_asked(#[case] name: &str, #[case] checks: Vec<Check>, #[case] args: &[&str], #[case] exit: i32) {
    let profile = Profile::new();
    let daemon = Fake::start(&profile.paths(), finding(checks));
    let ran = profile.run(args);
    assert_eq!(ran.exit, Some(exit));
    insta::assert_snapshot!(name, ran.transcript());
    assert_eq!(daemon.asked(), [Request::Doctor]);
}

#[rstest]
#[case("doctor_alone", &["doctor"])]
#[case("doctor_alone_json", &["doctor", "--json"])]
fn without_a_daemon_its_program_is_asked(#[case] name: &str, #[case] args: &[&str]) {
    let mut profile = Profile::new();
    let checks = r#"{"checks":[{"id":"daemon","level":"problem","message":"doubled","fix":null},{"id":"models","level":"ok","message":"The landmark model is there and whole","fix":null}]}"#;
    profile.program("blinkd", &format!("echo '{checks}'"));
    let ran = profile.run(args);
    assert_eq!(ran.exit, Some(1), "a daemon that does not run is a problem");
    insta::assert_snapshot!(name, ran.transcript());
    assert_eq!(profile.calls("blinkd"), ["doctor --json"]);
}

#[test]
fn without_daemon_and_program_both_are_said() {
    let profile = Profile::new();
    let ran = profile.run(&["doctor"]);
    assert_eq!(ran.exit, Some(1));
    insta::assert_snapshot!(ran.redacted(&profile));
}
