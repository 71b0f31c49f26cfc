//! Tests of `blinkctl sync` and `blinkctl quit`.

use std::{
    fs::File,
    thread,
    time::{Duration, Instant},
};

use blink_proto::ipc::{Reply, Request, SetAside, SetAsideCount, SyncDone};
use rstest::rstest;

use crate::{
    fake::{Behaviour, Fake, healthy, minute, ok, refused},
    run::Profile,
};

#[rstest]
#[case("sync_nothing", 0, 0, 0, &["sync"])]
#[case("sync_held", 0, 0, 12, &["sync"])]
#[case("sync_one", 1, 0, 0, &["sync"])]
#[case("sync_set_aside", 40, 2, 0, &["sync"])]
#[case("sync_json", 40, 2, 0, &["sync", "--json"])]
fn syncing_says_what_was_sent(
    #[case] name: &str,
    #[case] uploaded: u64,
    #[case] set_aside: u64,
    #[case] held: u64,
    #[case] args: &[&str],
) {
    let profile = Profile::new();
    let behaviour = Behaviour {
        handler: Box::new(move |request| match request {
            Request::Sync => ok(Reply::Sync(SyncDone { uploaded, set_aside, held })),
            other => healthy(other),
        }),
        ..Behaviour::default()
    };
    let _daemon = Fake::start(&profile.paths(), behaviour);
    insta::assert_snapshot!(name, profile.run(args).transcript());
}

#[rstest]
#[case("sync_signed_out", "not_signed_in", "Nobody is signed in", "Run `blinkctl login`.", 4)]
#[case("sync_unreachable", "server_unreachable", "The server does not answer", "It is tried again by itself.", 1)]
fn a_sync_that_fails_has_a_reason_and_a_code(
    #[case] name: &str,
    #[case] code: &'static str,
    #[case] message: &'static str,
    #[case] fix: &'static str,
    #[case] exit: i32,
) {
    let profile = Profile::new();
    let behaviour = Behaviour { handler: Box::new(move |_| refused(code, message, fix)), ..Behaviour::default() };
    let _daemon = Fake::start(&profile.paths(), behaviour);
    for args in [&["sync"][..], &["sync", "--json"]] {
        let ran = profile.run(args);
        ran.assert_fails(exit);
        insta::assert_snapshot!(format!("{name}{}", args[1..].join("").replace("--", "_")), ran.transcript());
    }
}

#[rstest]
#[case("quit", &["quit"])]
#[case("quit_json", &["quit", "--json"])]
fn quitting_waits_until_the_daemon_hangs_up(#[case] name: &str, #[case] args: &[&str]) {
    let profile = Profile::new();
    let daemon = Fake::start(&profile.paths(), Behaviour::default());
    insta::assert_snapshot!(name, profile.run(args).transcript());
    assert_eq!(daemon.asked(), [Request::Quit]);
}

#[test]
fn quitting_waits_until_the_daemon_lets_go_of_the_profile() {
    let profile = Profile::new();
    let daemon = Fake::start(&profile.paths(), Behaviour::default());
    std::fs::create_dir_all(profile.paths().data).unwrap();
    let lock = File::create(profile.paths().lock()).unwrap();
    lock.lock().unwrap();
    let mut quit = profile.spawn(&["quit"]);
    while daemon.asked().is_empty() {
        assert!(quit.try_wait().unwrap().is_none());
        thread::sleep(Duration::from_millis(2));
    }
    // Without the lock, quit would end within a few milliseconds of the answer.
    let deadline = Instant::now() + Duration::from_millis(300);
    while Instant::now() < deadline {
        assert!(quit.try_wait().unwrap().is_none(), "the profile is still taken");
        thread::sleep(Duration::from_millis(2));
    }
    drop(lock);
    assert!(quit.wait().unwrap().success());
}

fn set_aside(n: u64) -> Behaviour {
    Behaviour {
        handler: Box::new(move |request| match request {
            Request::SetAsideList => {
                let item = |n: u64| SetAside {
                    minute: minute(29_534_400 + i64::try_from(n).unwrap()),
                    code: "too_old".into(),
                    detail: "it is older than the server keeps".into(),
                    at: Some("2026-03-01T10:00:00Z".parse().unwrap()),
                };
                ok(Reply::SetAside { items: (0..n).map(item).collect() })
            }
            Request::SetAsideRetry | Request::SetAsideDrop => ok(Reply::SetAsideCount(SetAsideCount { minutes: n })),
            other => healthy(other),
        }),
        ..Behaviour::default()
    }
}

#[rstest]
#[case("set_aside_list", 2, &["sync", "--set-aside", "list"], Request::SetAsideList)]
#[case("set_aside_list_none", 0, &["sync", "--set-aside", "list"], Request::SetAsideList)]
#[case("set_aside_list_json", 1, &["sync", "--set-aside", "list", "--json"], Request::SetAsideList)]
#[case("set_aside_retry", 2, &["sync", "--set-aside", "retry"], Request::SetAsideRetry)]
#[case("set_aside_retry_json", 2, &["sync", "--set-aside", "retry", "--json"], Request::SetAsideRetry)]
#[case("set_aside_drop", 1, &["sync", "--set-aside", "drop", "--yes"], Request::SetAsideDrop)]
#[case("set_aside_drop_json", 1, &["sync", "--set-aside", "drop", "--yes", "--json"], Request::SetAsideDrop)]
fn what_the_server_rejected_is_shown_sent_again_or_given_up(
    #[case] name: &str,
    #[case] n: u64,
    #[case] args: &[&str],
    #[case] request: Request,
) {
    let profile = Profile::new();
    let daemon = Fake::start(&profile.paths(), set_aside(n));
    insta::assert_snapshot!(name, profile.run(args).transcript());
    assert_eq!(changing(&daemon), [request]);
}

/// The requests, except for those of the counts.
fn changing(daemon: &Fake) -> Vec<Request> {
    daemon.asked().into_iter().filter(|request| *request != Request::Status).collect()
}

#[rstest]
#[case("set_aside_unasked", &["sync", "--set-aside", "drop"])]
#[case("set_aside_unasked_json", &["sync", "--set-aside", "drop", "--json"])]
#[case("set_aside_unknown", &["sync", "--set-aside", "burn"])]
#[case("set_aside_yes_alone", &["sync", "--yes"])]
fn giving_up_is_never_a_slip(#[case] name: &str, #[case] args: &[&str]) {
    let profile = Profile::new();
    let daemon = Fake::start(&profile.paths(), set_aside(1));
    let ran = profile.run(args);
    ran.assert_fails(2);
    assert_eq!(changing(&daemon), []);
    insta::assert_snapshot!(name, ran.transcript());
}
