//! Tests of failures before a command can begin: one line, the right exit code, nothing on stdout.

use std::{
    fs::{self, File},
    os::unix::net::UnixListener,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
};

use blink_profile::LockHolder;
use blink_proto::{
    Problem,
    ipc::{FromDaemon, Hello, Outcome, Reply, Request},
};
use rstest::rstest;

use crate::{
    fake::{Behaviour, Fake, ok},
    run::Profile,
};

#[rstest]
#[case(&["status"])]
#[case(&["status", "--watch"])]
#[case(&["status", "--json"])]
#[case(&["pause"])]
#[case(&["resume"])]
#[case(&["consent", "grant"])]
#[case(&["register", "--email", "ada@example.org", "--password-stdin", "--accept-consent"])]
#[case(&["login", "--email", "ada@example.org", "--password-stdin"])]
#[case(&["logout"])]
#[case(&["whoami"])]
#[case(&["sync"])]
#[case(&["owner", "enroll"])]
#[case(&["owner", "forget"])]
#[case(&["quit"])]
#[case(&["toggle"])]
#[case(&["yield"])]
#[case(&["open"])]
#[case(&["live", "--json"])]
#[case(&["sync", "--set-aside", "list"])]
#[case(&["sync", "--set-aside", "drop", "--yes"])]
#[case(&["login", "--device"])]
#[case(&["export", "--remote"])]
#[case(&["import", "/dev/null"])]
#[case(&["delete", "--remote", "--yes", "--password-stdin"])]
fn without_a_daemon_the_code_is_3(#[case] args: &[&str]) {
    let profile = Profile::new();
    let ran = profile.run_with(args, "correct horse battery\n");
    ran.assert_fails(3);
    assert_eq!(std::fs::read_dir(profile.paths().data).map_or(0, Iterator::count), 0, "nothing is written");
}

#[test]
fn a_socket_that_a_killed_daemon_left_counts_as_none() {
    let profile = Profile::new();
    std::fs::create_dir_all(profile.paths().runtime).unwrap();
    drop(UnixListener::bind(profile.paths().socket()).unwrap());
    for (name, args) in [("left_socket", &["status"][..]), ("left_socket_json", &["status", "--json"])] {
        let ran = profile.run(args);
        ran.assert_fails(3);
        insta::assert_snapshot!(name, ran.transcript());
    }
}

/// Holds the profile's lock, as a daemon does that listens at `socket`.
fn lock(profile: &Profile, socket: Option<PathBuf>) -> File {
    fs::create_dir_all(profile.paths().data).unwrap();
    fs::write(profile.paths().lock(), LockHolder { pid: 41, socket }.to_string()).unwrap();
    let lock = File::open(profile.paths().lock()).unwrap();
    lock.lock().unwrap();
    lock
}

#[test]
fn a_daemon_that_listens_elsewhere_is_named_with_the_way_to_it() {
    let mut profile = Profile::new();
    profile.program("blinkd", "echo '{\"checks\":[]}'");
    let _lock = lock(&profile, Some("/run/user/7/blinkd/blinkd.sock".into()));
    for args in [&["status"][..], &["sync"], &["pause"], &["delete", "--local", "--yes"]] {
        let ran = profile.run(args);
        ran.assert_fails(1);
        assert_eq!(
            ran.stderr,
            "blinkd runs (process 41), but at /run/user/7/blinkd/blinkd.sock. Set XDG_RUNTIME_DIR=/run/user/7, with \
             which blinkd was started, and try again.\n"
        );
    }
    let doctor = profile.run(&["doctor"]).stdout;
    assert!(doctor.contains("blinkd runs (process 41), but at") && doctor.contains("XDG_RUNTIME_DIR=/run"), "{doctor}");
    assert_eq!(profile.run(&["consent", "withdraw"]).exit, Some(0), "its file is read by that daemon too");
    assert!(fs::read_to_string(profile.paths().consent_file()).unwrap().contains("false"));
}

#[test]
fn a_daemon_that_hangs_up_on_one_more_client_is_busy_and_not_gone() {
    let profile = Profile::new();
    fs::create_dir_all(profile.paths().runtime).unwrap();
    let listener = UnixListener::bind(profile.paths().socket()).unwrap();
    let _lock = lock(&profile, Some(profile.paths().socket()));
    let daemon = thread::spawn(move || drop(listener.accept().unwrap()));
    let ran = profile.run(&["status"]);
    daemon.join().unwrap();
    ran.assert_fails(1);
    assert!(ran.stderr.contains("process 41") && ran.stderr.contains("busy"), "{}", ran.stderr);
}

#[test]
fn a_daemon_of_another_user_is_told_from_one_that_stopped() {
    let profile = Profile::new();
    fs::create_dir_all(profile.paths().runtime).unwrap();
    let listener = UnixListener::bind(profile.paths().socket()).unwrap();
    if std::os::unix::fs::chown(profile.paths().socket(), Some(65_534), None).is_err() {
        println!("skipped: only root can give a socket away");
        return;
    }
    // blinkd closes the connections of other users, including root, without a word.
    let daemon = thread::spawn(move || drop(listener.accept().unwrap()));
    let ran = profile.run(&["status"]);
    daemon.join().unwrap();
    ran.assert_fails(1);
    assert!(ran.stderr.contains("another user (user id 65534)") && ran.stderr.contains("sudo -u"), "{}", ran.stderr);
}

#[test]
fn where_the_sockets_path_is_too_long_it_says_so_and_what_needs_no_daemon_works() {
    let mut profile = Profile::new();
    profile.set("XDG_RUNTIME_DIR", profile.path(&"long".repeat(40)).to_str().unwrap());
    let ran = profile.run(&["status"]);
    ran.assert_fails(3);
    assert!(ran.stderr.contains("too long") && ran.stderr.contains("a shorter path"), "{}", ran.stderr);
    profile.program("blinkd", "echo '{\"minutes\":2,\"unsent\":1,\"everything\":false}'");
    assert_eq!(profile.run(&["delete", "--local", "--yes"]).exit, Some(0));
    assert_eq!(profile.run(&["consent", "withdraw"]).exit, Some(0));
}

#[rstest]
#[case(&["--help"])]
#[case(&["man"])]
#[case(&["completions", "bash", "--json"])]
fn a_result_that_cannot_be_written_is_a_failure(#[case] args: &[&str]) {
    let profile = Profile::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_blinkctl"));
    command
        .args(args)
        .env_clear()
        .envs(profile.variables())
        .stdin(Stdio::null())
        .stdout(File::create("/dev/full").unwrap());
    let ran = command.output().unwrap();
    let stderr = String::from_utf8(ran.stderr).unwrap();
    assert_eq!((ran.status.code(), stderr.lines().count()), (Some(1), 1), "{stderr}");
}

fn hello(protocol: u32, oldest: u32) -> FromDaemon {
    FromDaemon::Hello(Hello { protocol, oldest, program: "blinkd".into(), version: "9.9.9".into() })
}

#[rstest]
#[case::newer("newer", hello(99, 98))]
#[case::older("older", hello(0, 0))]
#[case::refused("refused", FromDaemon::Refused(Problem::new("busy", "Too many clients", "Close some.")))]
#[case::early("early", FromDaemon::Event(blink_proto::ipc::Event::Unknown))]
fn a_hello_that_does_not_fit_is_explained(#[case] name: &str, #[case] hello: FromDaemon) {
    let profile = Profile::new();
    let daemon = Fake::start(&profile.paths(), Behaviour { hello: Some(hello), ..Behaviour::default() });
    let ran = profile.run(&["status"]);
    ran.assert_fails(1);
    assert_eq!(daemon.asked(), []);
    insta::assert_snapshot!(format!("hello_{name}"), ran.transcript());
}

#[test]
fn an_answer_of_another_kind_is_no_result() {
    let profile = Profile::new();
    let behaviour = Behaviour { handler: Box::new(|_| ok(Reply::Done)), ..Behaviour::default() };
    let _daemon = Fake::start(&profile.paths(), behaviour);
    for args in [&["status"][..], &["whoami"], &["sync"], &["consent", "show"]] {
        profile.run(args).assert_fails(1);
    }
    insta::assert_snapshot!(profile.run(&["status"]).transcript());
}

#[test]
fn an_error_from_the_daemon_stays_one_line_and_cannot_steer_the_terminal() {
    let profile = Profile::new();
    let behaviour = Behaviour {
        handler: Box::new(|_: &Request| Outcome::Error(Problem::new("x", "it\nbroke\u{1b}[2J", "mend\tit."))),
        ..Behaviour::default()
    };
    let _daemon = Fake::start(&profile.paths(), behaviour);
    let ran = profile.run(&["status"]);
    ran.assert_fails(1);
    assert_eq!(ran.stderr, "it broke\u{fffd}[2J. mend it.\n");
}

#[rstest]
#[case::command("command", &["dance"])]
#[case::flag("flag", &["status", "--wach"])]
#[case::flag_json("flag_json", &["status", "--wach", "--json"])]
#[case::missing_json("missing_json", &["--json"])]
#[case::value("value", &["pause", "--for"])]
fn wrong_usage_is_code_2_in_one_line(#[case] name: &str, #[case] args: &[&str]) {
    let ran = Profile::new().run(args);
    ran.assert_fails(2);
    insta::assert_snapshot!(format!("usage_{name}"), ran.transcript());
}

#[test]
fn alone_it_shows_what_there_is() {
    let ran = Profile::new().run(&[]);
    assert_eq!((ran.exit, ran.stdout.as_str()), (Some(2), ""));
    assert!(ran.stderr.contains("status"), "{}", ran.stderr);
}
