//! The help of every command, word for word.

use rstest::rstest;

use crate::run::Profile;

#[rstest]
#[case::all("")]
#[case::status("status")]
#[case::pause("pause")]
#[case::resume("resume")]
#[case::consent("consent")]
#[case::consent_show("consent show")]
#[case::consent_grant("consent grant")]
#[case::consent_withdraw("consent withdraw")]
#[case::register("register")]
#[case::login("login")]
#[case::logout("logout")]
#[case::whoami("whoami")]
#[case::sync("sync")]
#[case::owner("owner")]
#[case::owner_enroll("owner enroll")]
#[case::owner_forget("owner forget")]
#[case::quit("quit")]
fn every_command_has_help_with_an_example(#[case] command: &str) {
    let mut args: Vec<_> = command.split_whitespace().collect();
    args.push("--help");
    let ran = Profile::new().run(&args);
    assert!(ran.stdout.contains("Example"), "{}", ran.transcript());
    insta::assert_snapshot!(format!("help_{}", command.replace(' ', "_")), ran.transcript());
}

#[test]
fn the_version_is_told() {
    let ran = Profile::new().run(&["--version"]);
    assert_eq!((ran.exit, ran.stdout.as_str()), (Some(0), concat!("blinkctl ", env!("CARGO_PKG_VERSION"), "\n")));
}
