//! `blinkctl completions` and `blinkctl man`.

use std::{fs, process::Command};

use rstest::rstest;

use crate::run::Profile;

const COMMANDS: [&str; 26] = [
    "status",
    "live",
    "setup",
    "pause",
    "resume",
    "toggle",
    "yield",
    "open",
    "quit",
    "report",
    "consent",
    "register",
    "login",
    "logout",
    "whoami",
    "sync",
    "export",
    "import",
    "delete",
    "owner",
    "cameras",
    "doctor",
    "config",
    "service",
    "completions",
    "man",
];

#[rstest]
fn every_shell_has_a_script_with_every_command(#[values("bash", "zsh", "fish", "powershell", "elvish")] shell: &str) {
    let profile = Profile::new();
    let ran = profile.run(&["completions", shell]);
    assert_eq!((ran.exit, ran.stderr.as_str()), (Some(0), ""));
    for command in COMMANDS {
        assert!(ran.stdout.contains(command), "{command}");
    }
    let json = profile.run(&["completions", shell, "--json"]).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((json["shell"].as_str(), json["script"].as_str()), (Some(shell), Some(ran.stdout.as_str())));
}

#[test]
fn bash_understands_its_script() {
    let profile = Profile::new();
    let script = profile.path("blinkctl.bash");
    fs::write(&script, profile.run(&["completions", "bash"]).stdout).unwrap();
    let ask = format!(
        ". {}; COMP_WORDS=(blinkctl co); COMP_CWORD=1; _blinkctl blinkctl co blinkctl; echo \"${{COMPREPLY[@]}}\"",
        script.display()
    );
    let ran = Command::new("bash").args(["-c", &ask]).output().unwrap();
    let said = String::from_utf8(ran.stdout).unwrap();
    assert_eq!(said.trim(), "consent config completions", "{}", String::from_utf8_lossy(&ran.stderr));
}

#[rstest]
#[case("completions_unknown", &["completions", "tcsh"])]
#[case("completions_none", &["completions", "--json"])]
fn wrong_usage_is_refused(#[case] name: &str, #[case] args: &[&str]) {
    let ran = Profile::new().run(args);
    ran.assert_fails(2);
    insta::assert_snapshot!(name, ran.transcript());
}

#[test]
fn the_manual_is_printed() {
    let ran = Profile::new().run(&["man"]);
    insta::assert_snapshot!("man", ran.transcript());
}

#[test]
fn every_command_has_a_page() {
    let profile = Profile::new();
    let dir = profile.path("man1");
    let ran = profile.run(&["man", "--dir", dir.to_str().unwrap()]);
    insta::assert_snapshot!("man_dir", ran.redacted(&profile));
    let json = profile.run(&["man", "--dir", dir.to_str().unwrap(), "--json"]);
    insta::assert_snapshot!("man_dir_json", json.redacted(&profile));
    for command in COMMANDS {
        let page = fs::read_to_string(dir.join(format!("blinkctl-{command}.1"))).unwrap();
        assert!(page.contains(".SH NAME") && page.contains("Example"), "{command}: {page}");
    }
    assert!(dir.join("blinkctl-consent-grant.1").exists() && dir.join("blinkctl.1").exists());
    let ran = profile.run(&["man", "--dir", "/proc/none"]);
    ran.assert_fails(1);
    insta::assert_snapshot!("man_unwritable", ran.transcript());
}
