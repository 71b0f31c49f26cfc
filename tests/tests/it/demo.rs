//! `make run`'s demonstration: it counts, shows the server's minutes, and leaves nothing behind.

use std::{fs, path::Path, process::Command, time::Duration};

use rustix::process::{Pid, test_kill_process};
use waw_tests::{Profile, Program, binary, until};

/// Starts the demonstration, with its temporary profile under `profile`.
fn demo(profile: &Profile, seconds: &str) -> Program {
    let target = binary("blinkd").parent().unwrap().parent().unwrap().to_owned();
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/demo.sh"));
    profile.confine(&mut command);
    let throw_away = profile.path().join("tmp");
    fs::create_dir(&throw_away).unwrap();
    command.env("TMPDIR", throw_away).env("CARGO_TARGET_DIR", target).env("DEMO_SECONDS", seconds);
    Program::start(&mut command, profile.path())
}

/// The processes whose current folder is still in the temporary profile.
fn left_behind(profile: &Profile) -> Vec<String> {
    let throw_away = profile.path().join("tmp");
    let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    processes
        .filter(|process| fs::read_link(process.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(&throw_away)))
        .map(|process| fs::read_to_string(process.path().join("cmdline")).unwrap_or_default())
        .collect()
}

#[track_caller]
fn leaves_nothing(profile: &Profile) {
    // The script's last `sleep` may outlive it by a tenth of a second.
    until("the end of every process", Duration::from_secs(5), || left_behind(profile).is_empty().then_some(()));
    assert_eq!(fs::read_dir(profile.path().join("tmp")).unwrap().count(), 0, "the throw-away profile is gone");
}

#[test]
fn it_ends_by_itself_when_told_so() {
    let profile = Profile::new();
    let mut demo = demo(&profile, "15");
    let status = until("the end of the demonstration", Duration::from_secs(120), || demo.ended());
    let shown = demo.stdout();
    assert!(status.success(), "{shown}\n{}", demo.stderr());
    assert_eq!(demo.stderr(), "", "{shown}");
    for part in ["Dashboard   http://127.0.0.1:", "Sign in     demo@example.org", "Password    ", "no camera is opened"]
    {
        assert!(shown.contains(part), "{part:?} is missing from:\n{shown}");
    }
    assert!(shown.contains("blinks  "), "a running count:\n{shown}");
    assert!(shown.contains("tracking"), "{shown}");
    leaves_nothing(&profile);
}

#[test]
fn it_shows_the_first_minute_on_the_server_and_stops_when_asked() {
    let profile = Profile::new();
    let mut demo = demo(&profile, "0");
    until("a minute on the server", Duration::from_secs(200), || {
        assert!(demo.ended().is_none(), "{}\n{}", demo.stdout(), demo.stderr());
        demo.stdout().contains("On the server: minute ").then_some(())
    });
    assert!(test_kill_process(Pid::from_raw(demo.pid().cast_signed()).unwrap()).is_ok());
    assert!(demo.stop().success(), "{}", demo.stderr());
    assert!(demo.stdout().contains("The throw-away profile is removed."), "{}", demo.stdout());
    leaves_nothing(&profile);
}
