//! Tests of `blinkctl service` with a stand-in for systemctl.

use std::{fs, process::Command};

use rstest::rstest;

use crate::{
    fake::{Behaviour, Fake},
    run::Profile,
};

fn with_systemd(answer: &str) -> Profile {
    let mut profile = Profile::new();
    profile.program("systemctl", answer);
    profile.program("blinkd", "exit 0");
    profile
}

fn unit(profile: &Profile) -> std::path::PathBuf {
    profile.path("config/systemd/user/blinkd.service")
}

#[test]
fn a_user_unit_is_written_enabled_and_taken_away() {
    let profile = with_systemd("exit 0");
    insta::assert_snapshot!("service_status_before", profile.run(&["service", "status"]).redacted(&profile));
    insta::assert_snapshot!("service_install", profile.run(&["service", "install"]).redacted(&profile));
    let text = fs::read_to_string(unit(&profile)).unwrap();
    assert!(text.contains(&format!("ExecStart=\"{}\" run\n", profile.path("bin/blinkd").display())), "{text}");
    assert!(text.contains("RestartPreventExitStatus=2 5\n"), "{text}");
    let again = profile.run(&["service", "install", "--json"]);
    insta::assert_snapshot!("service_install_json", again.redacted(&profile));
    insta::assert_snapshot!("service_status", profile.run(&["service", "status"]).redacted(&profile));
    insta::assert_snapshot!("service_status_json", profile.run(&["service", "status", "--json"]).redacted(&profile));
    insta::assert_snapshot!("service_uninstall", profile.run(&["service", "uninstall"]).redacted(&profile));
    assert!(!unit(&profile).exists());
    let again = profile.run(&["service", "uninstall"]);
    insta::assert_snapshot!("service_uninstall_again", again.redacted(&profile));
    let again = profile.run(&["service", "uninstall", "--json"]);
    insta::assert_snapshot!("service_uninstall_json", again.redacted(&profile));
    let calls: Vec<_> = profile.calls("systemctl").into_iter().filter(|call| !call.contains("show")).collect();
    let install = ["--user daemon-reload", "--user enable --now blinkd.service"];
    let uninstall = ["--user disable --now blinkd.service", "--user daemon-reload"];
    assert_eq!(calls, [install, install, uninstall].concat());
}

#[test]
fn a_daemon_that_runs_already_is_not_started_twice() {
    let profile = with_systemd("exit 0");
    let _daemon = Fake::start(&profile.paths(), Behaviour::default());
    assert_eq!(profile.run(&["service", "install"]).exit, Some(0));
    assert_eq!(profile.calls("systemctl").last().unwrap(), "--user enable blinkd.service");
}

#[rstest]
#[case("service_dry_install", &["service", "install", "--dry-run"])]
#[case("service_dry_install_json", &["service", "install", "--dry-run", "--json"])]
#[case("service_dry_uninstall", &["service", "uninstall", "--dry-run"])]
fn a_dry_run_changes_nothing(#[case] name: &str, #[case] args: &[&str]) {
    let profile = with_systemd("exit 0");
    insta::assert_snapshot!(name, profile.run(args).redacted(&profile));
    assert!(!profile.path("config/systemd").exists());
    assert!(profile.calls("systemctl").iter().all(|call| call == "--user show --property=Version"));
}

#[test]
fn without_systemd_the_desktop_starts_it() {
    let profile = with_systemd("exit 1");
    let ran = profile.run(&["service", "install"]);
    insta::assert_snapshot!("service_autostart", ran.redacted(&profile));
    let entry = fs::read_to_string(profile.path("config/autostart/blinkd.desktop")).unwrap();
    assert!(entry.contains(&format!("Exec=\"{}\" run\n", profile.path("bin/blinkd").display())), "{entry}");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while profile.calls("blinkd").is_empty() {
        assert!(std::time::Instant::now() < deadline, "it is started at once");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(profile.calls("blinkd"), ["run"]);
    assert_eq!(profile.run(&["service", "uninstall"]).exit, Some(0));
    assert!(!profile.path("config/autostart/blinkd.desktop").exists());
}

#[test]
fn what_systemd_refuses_is_told() {
    let profile = with_systemd("case \"$2\" in enable) echo 'Failed to enable unit: no' >&2; exit 1 ;; esac");
    let ran = profile.run(&["service", "install"]);
    ran.assert_fails(1);
    insta::assert_snapshot!(ran.redacted(&profile));
}

#[test]
fn without_blinkd_there_is_nothing_to_start() {
    let mut profile = Profile::new();
    profile.set("BLINKD_BIN", "");
    profile.program("systemctl", "exit 0");
    profile.set("PATH", profile.path("bin").to_str().unwrap());
    let ran = profile.run(&["service", "install"]);
    // A blinkd that was built beside this program is found, and then the command succeeds.
    if ran.exit == Some(1) {
        assert!(ran.stderr.contains("neither beside blinkctl nor on PATH"), "{}", ran.stderr);
    }
}

/// The output of `systemd-analyze verify` for the unit; `None` without systemd.
fn verified(profile: &Profile) -> Option<std::process::Output> {
    std::fs::create_dir_all(profile.path("run")).unwrap();
    let mut analyze = Command::new("systemd-analyze");
    analyze.args(["verify", "--user", "--man=no"]).arg(unit(profile)).env("XDG_RUNTIME_DIR", profile.path("run"));
    analyze.output().ok()
}

#[rstest]
#[case("Wellness at Work")]
#[case("100% $HOME ${x} $$")]
#[case("she said \"blink\"")]
#[case("Ada's")]
#[case("back\\slash\\n")]
#[case("a=b;c&d|e#f*?")]
#[case("größe")]
fn systemd_finds_the_program_whatever_its_folder_is_called(#[case] folder: &str) {
    let mut profile = with_systemd("exit 0");
    let program = profile.path(folder).join("blinkd");
    fs::create_dir(profile.path(folder)).unwrap();
    fs::copy(profile.path("bin/blinkd"), &program).unwrap();
    profile.set("BLINKD_BIN", program.to_str().unwrap());
    assert_eq!(profile.run(&["service", "install"]).exit, Some(0));
    let Some(ran) = verified(&profile) else {
        println!("skipped: there is no systemd-analyze here");
        return;
    };
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success() && said.is_empty(), "{said}\n{}", fs::read_to_string(unit(&profile)).unwrap());
}

#[test]
fn a_program_that_no_text_can_name_is_refused() {
    let mut profile = with_systemd("exit 0");
    profile.set("BLINKD_BIN", profile.path("a\nb").to_str().unwrap());
    let ran = profile.run(&["service", "install"]);
    ran.assert_fails(1);
    assert!(ran.stderr.contains("Move blinkd to another folder"), "{}", ran.stderr);
    assert!(!unit(&profile).exists());
}

#[test]
fn systemd_itself_finds_no_fault_in_the_unit() {
    let profile = with_systemd("exit 0");
    assert_eq!(profile.run(&["service", "install"]).exit, Some(0));
    let Some(ran) = verified(&profile) else {
        println!("skipped: there is no systemd-analyze here");
        return;
    };
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}");
    // An unknown line is reported, which shows that the check works.
    let text = fs::read_to_string(unit(&profile)).unwrap() + "NoSuchThing=yes\n";
    fs::write(unit(&profile), text).unwrap();
    let said = verified(&profile).unwrap();
    assert!(String::from_utf8_lossy(&said.stderr).contains("NoSuchThing"));
}
