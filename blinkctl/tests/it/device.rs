//! `blinkctl login --device`.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use blink_proto::ipc::{DeviceCode, Reply, Request, SignedIn};
use rstest::rstest;

use crate::{
    fake::{Behaviour, Fake, ada, healthy, held_back, ok, refused},
    run::Profile,
};

fn code() -> DeviceCode {
    DeviceCode {
        user_code: "WDJB-MJHT".into(),
        verification_uri: "https://waw.example.org/device".into(),
        verification_uri_complete: Some("https://waw.example.org/device?code=WDJB-MJHT".into()),
        expires_at: "2099-03-01T10:10:00Z".parse().unwrap(),
    }
}

fn approving() -> Behaviour {
    Behaviour {
        handler: Box::new(|request| match request {
            Request::LoginDevice { .. } => ok(Reply::DeviceCode(code())),
            Request::LoginDeviceWait => ok(Reply::SignedIn(SignedIn { adopted: 3, ..ada() })),
            other => healthy(other),
        }),
        ..Behaviour::default()
    }
}

#[rstest]
#[case::text("device", &["login", "--device", "--server", "https://waw.example.org"])]
#[case::json("device_json", &["login", "--device", "--server", "https://waw.example.org", "--json"])]
fn the_code_is_shown_and_waited_for(#[case] name: &str, #[case] args: &[&str]) {
    let profile = Profile::new();
    let daemon = Fake::start(&profile.paths(), approving());
    insta::assert_snapshot!(name, profile.run(args).transcript());
    let begin = Request::LoginDevice { server: Some("https://waw.example.org".into()), adopt: true };
    assert_eq!(daemon.asked_to_sign_in(), [begin, Request::LoginDeviceWait]);
}

#[test]
fn the_browser_is_opened_when_asked_for() {
    let mut profile = Profile::new();
    profile.program("xdg-open", "exit 0");
    let _daemon = Fake::start(&profile.paths(), approving());
    let ran = profile.run(&["login", "--device", "--open", "--no-adopt"]);
    assert_eq!(ran.exit, Some(0), "{}", ran.transcript());
    assert_eq!(profile.calls("xdg-open"), ["https://waw.example.org/device?code=WDJB-MJHT"]);
}

#[test]
fn without_a_browser_the_address_is_enough() {
    let mut profile = Profile::new();
    profile.program("xdg-open", "exit 3");
    let _daemon = Fake::start(&profile.paths(), approving());
    insta::assert_snapshot!(profile.run(&["login", "--device", "--open"]).transcript());
}

#[rstest]
#[case::denied(
    "device_denied",
    "access_denied",
    "The sign-in was declined in the browser",
    "Begin again with `blinkctl login --device`."
)]
#[case::expired(
    "device_expired",
    "expired_token",
    "The code was not confirmed in time",
    "Begin again with `blinkctl login --device`."
)]
fn what_the_server_refuses_is_told(
    #[case] name: &str,
    #[case] code_word: &'static str,
    #[case] message: &'static str,
    #[case] fix: &'static str,
) {
    let profile = Profile::new();
    let behaviour = Behaviour {
        handler: Box::new(move |request| match request {
            Request::LoginDevice { .. } => ok(Reply::DeviceCode(code())),
            _ => refused(code_word, message, fix),
        }),
        ..Behaviour::default()
    };
    let _daemon = Fake::start(&profile.paths(), behaviour);
    let ran = profile.run(&["login", "--device"]);
    assert_eq!((ran.exit, ran.stdout.as_str()), (Some(1), ""));
    insta::assert_snapshot!(name, ran.transcript());
}

#[test]
fn ctrl_c_cancels_with_a_line() {
    let profile = Profile::new();
    let (held, wait) = held_back();
    let behaviour = Behaviour {
        handler: Box::new(move |request| match request {
            Request::LoginDevice { .. } => ok(Reply::DeviceCode(code())),
            _ => {
                // Nobody confirms the code.
                wait();
                refused("expired_token", "too late", "")
            }
        }),
        ..Behaviour::default()
    };
    let daemon = Fake::start(&profile.paths(), behaviour);
    let child = profile.spawn(&["login", "--device"]);
    let deadline = Instant::now() + Duration::from_secs(20);
    while daemon.asked().len() < 2 {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(5));
    }
    // blinkctl listens for signals before it polls the server, so a request means that it handles them.
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.ends_with("begins anew with another code.\n"), "{stderr}");
    drop(held);
}

#[test]
fn it_takes_no_password() {
    let profile = Profile::new();
    let ran = profile.run(&["login", "--device", "--email", "ada@example.org"]);
    ran.assert_fails(2);
    insta::assert_snapshot!(ran.transcript());
}
