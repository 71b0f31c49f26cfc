//! `blinkctl completions` and `blinkctl man`.

use std::{fs, path::Path, process::Command};

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

/// What bash offers after `words`, which it has split as it does, the last of which is being typed.
fn offered(profile: &Profile, words: &[&str]) -> Vec<String> {
    let script = profile.path("blinkctl.bash");
    fs::write(&script, profile.run(&["completions", "bash"]).stdout).unwrap();
    let quoted: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
    let (last, typed) = (words.len(), words.last().unwrap());
    let ask = format!(
        ". {}; COMP_WORDS=(blinkctl {}); COMP_CWORD={last}; _blinkctl blinkctl '{typed}' x; \
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        script.display(),
        quoted.join(" ")
    );
    let programs = Path::new(env!("CARGO_BIN_EXE_blinkctl")).parent().unwrap().display();
    let path = format!("{programs}:/usr/bin:/bin");
    let ran = Command::new("bash").args(["-c", &ask]).env_clear().envs(profile.variables()).env("PATH", path).output();
    let ran = ran.unwrap();
    assert_eq!(String::from_utf8_lossy(&ran.stderr), "");
    // Flags may always follow.
    let offered = String::from_utf8(ran.stdout).unwrap();
    offered.lines().filter(|word| !word.starts_with('-')).map(str::to_owned).collect()
}

#[rstest]
fn every_shell_has_a_script(#[values("bash", "zsh", "fish", "powershell", "elvish")] shell: &str) {
    let profile = Profile::new();
    let ran = profile.run(&["completions", shell]);
    assert_eq!((ran.exit, ran.stderr.as_str()), (Some(0), ""));
    assert!(ran.stdout.contains("BLINKCTL_COMPLETE"), "{}", ran.stdout);
    let json = profile.run(&["completions", shell, "--json"]).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((json["shell"].as_str(), json["script"].as_str()), (Some(shell), Some(ran.stdout.as_str())));
}

#[test]
fn bash_is_offered_every_command() {
    let all = offered(&Profile::new(), &[""]);
    for command in COMMANDS {
        assert!(all.contains(&command.to_owned()), "{command}");
    }
    assert_eq!(offered(&Profile::new(), &["co"]), ["consent", "config", "completions"]);
}

#[test]
fn bash_is_offered_days_and_weeks_that_have_minutes() {
    let profile = Profile::new();
    for day in ["2025-12-30", "2026-02-26", "2026-03-02"] {
        profile.day(day, "");
    }
    assert_eq!(offered(&profile, &["export", "--from", "2026-0"]), ["2026-03-02", "2026-02-26"]);
    assert_eq!(offered(&profile, &["export", "--from", "=", "2025"]), ["2025-12-30"]);
    let weeks = offered(&profile, &["letter", "--week", "2026-"]);
    assert!(weeks.ends_with(&["2026-W10", "2026-W09", "2026-W01"].map(str::to_owned)), "{weeks:?}");
    assert_eq!(offered(&profile, &["report", "--week", "la"]), ["last"]);
    assert_eq!(offered(&profile, &["pause", "--until", "to"]), ["tomorrow"]);
    // The last hour of the day is ahead but in that hour itself.
    let ahead = offered(&profile, &["pause", "--until", "23", ":"]);
    assert!(ahead.iter().all(|rest| rest == "00"), "{ahead:?}");
}

#[test]
fn bash_is_offered_settings_and_cameras() {
    let mut profile = Profile::new();
    profile.program("blinkd", crate::config::BLINKD);
    assert_eq!(offered(&profile, &["config", "get", "camera."]), ["camera.source"]);
    assert_eq!(offered(&profile, &["config", "set", "camera.source", ""]), ["camera:0", "camera:2"]);
    assert_eq!(offered(&profile, &["config", "set", "--json", "camera.source", "camera", ":"]), ["0", "2"]);
    assert_eq!(offered(&profile, &["config", "set", "history.retention_days", ""]), ["90"]);
    // A program that fails leaves nothing to offer, and says nothing into the line that is typed.
    profile.program("blinkd", "echo trouble >&2; exit 1");
    assert_eq!(offered(&profile, &["config", "get", ""]).concat(), "");
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
