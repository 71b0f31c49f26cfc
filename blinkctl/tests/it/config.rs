//! Tests of `blinkctl config` and `blinkctl cameras` with a stand-in for the program blinkd.

use blink_proto::ipc::{Reply, Request};
use rstest::rstest;

use crate::{
    fake::{Behaviour, Fake, healthy, ok, refused},
    run::Profile,
};

/// A stand-in for blinkd with two settings.
pub(crate) const BLINKD: &str = r#"
case "$*" in
"config path --json") echo '{"path":"/home/ada/.config/blinkd/config.toml"}' ;;
"config show --json") echo '{"path":"/home/ada/.config/blinkd/config.toml","keys":[{"key":"camera.source","value":"camera:1","source":"file"},{"key":"history.retention_days","value":90,"source":"default"}]}' ;;
"config get --json -- camera.source") echo '{"key":"camera.source","value":"camera:1"}' ;;
"config get --json -- history.retention_days") echo '{"key":"history.retention_days","value":90}' ;;
"config set --json -- camera.source camera:2") echo '{"key":"camera.source","value":"camera:2"}' ;;
"config set --json -- log.level debug") echo '{"key":"log.level","value":"debug"}' ;;
"config get --json -- "*) echo 'chatter' >&2
    echo '{"error":{"code":"unknown_key","message":"There is no setting camera.sorce","fix":"Is camera.source meant?"}}' >&2; exit 2 ;;
"config set --json -- "*) echo '{"error":{"code":"config","message":"camera.source is not a source","fix":"See docs/configuration.md."}}' >&2; exit 2 ;;
"cameras --json") echo '[{"number":0,"name":"Integrated Camera","path":"/dev/video0","state":"busy","used_by":"zoom"},{"number":2,"name":"USB","path":"/dev/video2","state":"free","used_by":null}]' ;;
*) echo "not known: $*" >&2; exit 9 ;;
esac"#;

#[rstest]
#[case("config_path", &["config", "path"])]
#[case("config_path_json", &["config", "path", "--json"])]
#[case("config_show", &["config", "show"])]
#[case("config_show_json", &["config", "show", "--json"])]
#[case("config_get", &["config", "get", "camera.source"])]
#[case("config_get_number", &["config", "get", "history.retention_days"])]
#[case("config_get_json", &["config", "get", "camera.source", "--json"])]
#[case("config_get_unknown", &["config", "get", "camera.sorce"])]
#[case("config_get_unknown_json", &["config", "get", "camera.sorce", "--json"])]
#[case("config_set_wrong", &["config", "set", "camera.source", "-5"])]
#[case("config_set_alone", &["config", "set", "camera.source", "camera:2"])]
#[case("config_set_alone_json", &["config", "set", "camera.source", "camera:2", "--json"])]
#[case("cameras", &["cameras"])]
#[case("cameras_json", &["cameras", "--json"])]
fn blinkd_is_asked_as_a_program(#[case] name: &str, #[case] args: &[&str]) {
    let mut profile = Profile::new();
    profile.program("blinkd", BLINKD);
    insta::assert_snapshot!(name, profile.run(args).transcript());
    assert_eq!(profile.calls("blinkd").len(), 1);
}

#[rstest]
#[case::at_once("config_set", Reply::Done, &["config", "set", "camera.source", "camera:2"])]
#[case::later("config_set_later", Reply::RestartNeeded { keys: vec!["log.level".into()] }, &["config", "set", "log.level", "debug"])]
#[case::later_json("config_set_later_json", Reply::RestartNeeded { keys: vec!["log.level".into()] }, &["config", "set", "log.level", "debug", "--json"])]
fn a_running_daemon_reads_it_again(#[case] name: &str, #[case] reply: Reply, #[case] args: &[&str]) {
    let mut profile = Profile::new();
    profile.program("blinkd", BLINKD);
    let behaviour = Behaviour {
        handler: Box::new(move |request| match request {
            Request::Reload => ok(reply.clone()),
            other => healthy(other),
        }),
        ..Behaviour::default()
    };
    let daemon = Fake::start(&profile.paths(), behaviour);
    insta::assert_snapshot!(name, profile.run(args).transcript());
    assert_eq!(daemon.asked(), [Request::Reload]);
}

#[test]
fn a_daemon_that_cannot_read_it_is_told_with_what_was_done() {
    let mut profile = Profile::new();
    profile.program("blinkd", BLINKD);
    let behaviour = Behaviour {
        handler: Box::new(|_| refused("config", "Line 3 is not TOML", "Mend it.")),
        ..Behaviour::default()
    };
    let _daemon = Fake::start(&profile.paths(), behaviour);
    let ran = profile.run(&["config", "set", "camera.source", "camera:2"]);
    ran.assert_fails(1);
    insta::assert_snapshot!(ran.transcript());
}

#[test]
fn without_blinkd_it_is_said_how_to_get_it() {
    let profile = Profile::new();
    let ran = profile.run(&["cameras"]);
    ran.assert_fails(1);
    insta::assert_snapshot!(ran.redacted(&profile));
}

#[test]
fn one_that_prints_something_else_is_not_believed() {
    let mut profile = Profile::new();
    profile.program("blinkd", "echo hello");
    for args in [&["config", "get", "x"][..], &["cameras"], &["config", "show"]] {
        let ran = profile.run(args);
        ran.assert_fails(1);
        assert!(ran.stderr.contains("does not understand"), "{}", ran.stderr);
    }
}
