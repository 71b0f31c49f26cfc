//! Tests of start, stop, consent and pause, as a client sees them.

use std::{
    fs,
    os::unix::{fs::PermissionsExt as _, net::UnixListener},
    sync::Arc,
    time::{Duration, Instant},
};

use blink_proto::{
    ipc::{PauseSpan, Reply, Request},
    status::State,
};
use blinkd::exit::ExitStatus;

use crate::fixture::{Fixture, start, until};

#[test]
fn without_consent_it_serves_and_opens_nothing() {
    let (mut client, fixture) = Fixture::new();
    let status = client.status();
    assert_eq!((status.state, status.consent, status.blinks_session), (State::NoConsent, false, 0));
    assert_eq!(status.pid, std::process::id());
    assert!(!fixture.source_is_open());
    let Ok(Reply::Consent(shown)) = client.call(Request::ConsentShow) else { panic!("no consent text") };
    assert!(shown.record.is_none() && !shown.text.is_empty());
}

#[test]
fn consent_opens_and_withdrawal_and_pause_close_within_a_second() {
    let (mut client, fixture) = Fixture::new();
    client.consent();
    until("a blink", || client.status().blinks_session > 0);
    assert_eq!(client.status().state, State::Tracking);
    assert!(fixture.source_is_open());
    for (close, open, state) in [
        (Request::Pause(PauseSpan::default()), Request::Resume, State::Paused),
        (Request::ConsentWithdraw, Request::ConsentGrant { version: "1".into() }, State::NoConsent),
    ] {
        assert_eq!(client.call(close), Ok(Reply::Done));
        let asked = Instant::now();
        assert_eq!(client.status().state, state);
        until("closing", || !fixture.source_is_open());
        assert!(asked.elapsed() < Duration::from_secs(1));
        let seen = client.status().blinks_session;
        assert_eq!(client.call(open), Ok(Reply::Done));
        until("opening again", || fixture.source_is_open());
        until("another blink", || client.status().blinks_session > seen);
    }
}

#[test]
fn pause_consent_and_the_open_minute_survive_a_restart() {
    let (mut client, fixture) = Fixture::new();
    client.consent();
    until("some blinks", || client.status().blinks_session >= 3);
    assert_eq!(client.call(Request::Pause(PauseSpan::default())), Ok(Reply::Done));
    until("closing", || !fixture.source_is_open());
    let before = client.status();
    let folder = Arc::clone(&fixture.folder);
    assert!(fixture.stop() < Duration::from_secs(2));
    let (mut client, fixture) = Fixture::of(folder);
    let after = client.status();
    assert_eq!((after.state, after.consent, after.blinks_session), (State::Paused, true, 0));
    assert_eq!(after.today.blink_count, before.today.blink_count);
    assert_eq!(after.today.observed_ms, before.today.observed_ms);
    assert!(!fixture.source_is_open());
}

#[test]
fn there_is_one_daemon_of_a_profile() {
    let (mut client, fixture) = Fixture::new();
    let failure = start(fixture.folder.path(), &Arc::default()).err().unwrap();
    assert_eq!(failure.status, ExitStatus::Taken);
    assert!(failure.problem.message.contains(&std::process::id().to_string()));
    // The first daemon is not affected.
    assert_eq!(client.status().state, State::NoConsent);
    assert_eq!(fixture.client().status().state, State::NoConsent);
}

#[test]
fn only_the_user_can_reach_the_socket_and_it_goes_with_the_daemon() {
    let (_, fixture) = Fixture::new();
    let socket = fixture.paths().socket();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&socket), mode(socket.parent().unwrap())), (0o600, 0o700));
    assert!(fixture.stop() < Duration::from_secs(2));
    assert!(!socket.exists());
}

#[test]
fn a_socket_left_by_a_killed_daemon_is_replaced() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let socket = blink_profile::Paths::under(folder.path()).socket();
    fs::create_dir_all(socket.parent().unwrap()).unwrap();
    drop(UnixListener::bind(&socket).unwrap());
    assert!(socket.exists());
    let (mut client, _fixture) = Fixture::of(folder);
    assert_eq!(client.status().state, State::NoConsent);
}

#[test]
fn a_path_too_long_for_a_socket_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("a".repeat(100));
    let failure = start(&deep, &Arc::default()).err().unwrap();
    assert_eq!((failure.status, failure.problem.code.as_str()), (ExitStatus::Failed, "socket_path"));
}

#[test]
fn quit_is_answered_and_obeyed() {
    let (mut client, fixture) = Fixture::new();
    client.consent();
    until("opening", || fixture.source_is_open());
    assert_eq!(client.call(Request::Quit), Ok(Reply::Done));
    fixture.wait();
    let eyes = Arc::clone(&fixture.reader);
    assert!(fixture.stop() < Duration::from_secs(2));
    assert!(!eyes.open.load(std::sync::atomic::Ordering::SeqCst));
    assert!(client.receive().is_none());
}

#[test]
fn an_account_needs_a_server() {
    let (mut client, _fixture) = Fixture::new();
    assert_eq!(client.call(Request::Whoami).unwrap_err().code, "not_signed_in");
    assert_eq!(client.call(Request::Sync).unwrap_err().code, "not_signed_in");
    assert_eq!(client.call(Request::Logout).unwrap_err().code, "not_signed_in");
    let login = |server: &str| Request::Login {
        server: Some(server.to_owned()),
        email: "ada@example.org".into(),
        password: blink_proto::Secret::new("twelve letters"),
        adopt: true,
    };
    assert_eq!(client.call(login("http://blinks.example")).unwrap_err().code, "insecure_server");
    assert_eq!(client.call(login("https://blinks.example")).unwrap_err().code, "no_server");
}
