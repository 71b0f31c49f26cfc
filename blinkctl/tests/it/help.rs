//! Snapshots of every command's help.

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
#[case::live("live")]
#[case::setup("setup")]
#[case::toggle("toggle")]
#[case::hand_over("yield")]
#[case::open("open")]
#[case::report("report")]
#[case::export("export")]
#[case::import("import")]
#[case::delete("delete")]
#[case::cameras("cameras")]
#[case::doctor("doctor")]
#[case::config("config")]
#[case::config_path("config path")]
#[case::config_show("config show")]
#[case::config_get("config get")]
#[case::config_set("config set")]
#[case::service("service")]
#[case::service_install("service install")]
#[case::service_uninstall("service uninstall")]
#[case::service_status("service status")]
#[case::completions("completions")]
#[case::man("man")]
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
