//! Tests of `blinkctl register`, `login`, `logout` and `whoami` without a terminal.

use blink_proto::{
    Secret,
    consent::TRACKING_VERSION,
    ipc::{Reply, Request, SignedIn},
};
use rstest::rstest;

use crate::{
    fake::{Behaviour, Fake, ada, healthy, ok, refused},
    run::Profile,
};

const PASSWORD: &str = "correct horse battery";

fn answering(signed_in: SignedIn) -> Behaviour {
    Behaviour {
        handler: Box::new(move |request| match request {
            Request::Register { .. } | Request::Login { .. } => ok(Reply::SignedIn(signed_in.clone())),
            other => healthy(other),
        }),
        ..Behaviour::default()
    }
}

#[rstest]
#[case::text("", &[])]
#[case::json("_json", &["--json"])]
fn registering_sends_consent_and_says_what_was_adopted(#[case] suffix: &str, #[case] more: &[&str]) {
    let profile = Profile::new();
    let daemon = Fake::start(&profile.paths(), answering(SignedIn { adopted: 12, ..ada() }));
    let args = ["register", "--server", "https://waw.example.org", "--email", "ada@example.org"];
    let args = [&args[..], &["--password-stdin", "--accept-consent"], more].concat();
    let ran = profile.run_with(&args, &format!("{PASSWORD}\n"));
    let expected = Request::Register {
        server: Some("https://waw.example.org".into()),
        email: "ada@example.org".into(),
        password: Secret::new(PASSWORD),
        consent_version: TRACKING_VERSION.into(),
        adopt: true,
    };
    assert_eq!(daemon.asked(), [expected]);
    insta::assert_snapshot!(format!("register{suffix}"), ran.transcript());
}

#[rstest]
#[case::text("", &[])]
#[case::json("_json", &["--json"])]
fn signing_in_is_no_consent_and_says_so(#[case] suffix: &str, #[case] more: &[&str]) {
    let profile = Profile::new();
    let daemon = Fake::start(&profile.paths(), answering(SignedIn { consent: false, ..ada() }));
    let args = [&["login", "--email", "ada@example.org", "--password-stdin", "--no-adopt"], more].concat();
    let ran = profile.run_with(&args, PASSWORD);
    let expected =
        Request::Login { server: None, email: "ada@example.org".into(), password: Secret::new(PASSWORD), adopt: false };
    assert_eq!(daemon.asked_to_sign_in(), [expected], "nothing was granted");
    insta::assert_snapshot!(format!("login_without_consent{suffix}"), ran.transcript());
}

#[test]
fn signing_in_with_accept_consent_grants_it_here() {
    let profile = Profile::new();
    let daemon = Fake::start(&profile.paths(), answering(SignedIn { consent: false, ..ada() }));
    let args = ["login", "--email", "ada@example.org", "--password-stdin", "--accept-consent"];
    let ran = profile.run_with(&args, PASSWORD);
    assert_eq!(daemon.asked_to_sign_in()[1..], [Request::ConsentGrant { version: TRACKING_VERSION.into() }]);
    assert_eq!(ran.stdout, "Signed in as ada@example.org on https://waw.example.org.\n");
}

#[rstest]
#[case::register("register", &["register"])]
#[case::register_json("register_json", &["register", "--json"])]
#[case::register_consent("register_consent", &["register", "--email", "a@example.org", "--password-stdin"])]
#[case::login("login", &["login"])]
#[case::login_email("login_email", &["login", "--password-stdin"])]
fn without_a_terminal_what_is_missing_is_named(#[case] name: &str, #[case] args: &[&str]) {
    let profile = Profile::new();
    let daemon = Fake::start(&profile.paths(), Behaviour::default());
    let ran = profile.run(args);
    ran.assert_fails(2);
    assert_eq!(daemon.asked(), []);
    insta::assert_snapshot!(format!("missing_{name}"), ran.transcript());
}

#[test]
fn an_empty_password_is_wrong_usage() {
    let profile = Profile::new();
    let daemon = Fake::start(&profile.paths(), Behaviour::default());
    let ran = profile.run_with(&["login", "--email", "ada@example.org", "--password-stdin"], "\n");
    ran.assert_fails(2);
    assert_eq!(daemon.asked(), []);
    insta::assert_snapshot!(ran.transcript());
}

#[test]
fn a_wrong_password_is_refused() {
    let profile = Profile::new();
    let behaviour = Behaviour {
        handler: Box::new(|request| match request {
            Request::Login { .. } => {
                refused("invalid_credentials", "E-mail or password is wrong", "Check both, then try again.")
            }
            other => healthy(other),
        }),
        ..Behaviour::default()
    };
    let _daemon = Fake::start(&profile.paths(), behaviour);
    let ran = profile.run_with(&["login", "--email", "ada@example.org", "--password-stdin"], PASSWORD);
    ran.assert_fails(1);
    assert!(!ran.stderr.contains(PASSWORD));
    insta::assert_snapshot!(ran.transcript());
}

#[rstest]
#[case("whoami", &["whoami"])]
#[case("whoami_json", &["whoami", "--json"])]
#[case("logout", &["logout"])]
#[case("logout_json", &["logout", "--json"])]
fn the_account_is_shown_and_left(#[case] name: &str, #[case] args: &[&str]) {
    let profile = Profile::new();
    let daemon = Fake::start(&profile.paths(), Behaviour::default());
    insta::assert_snapshot!(name, profile.run(args).transcript());
    assert_eq!(daemon.asked(), [if args[0] == "whoami" { Request::Whoami } else { Request::Logout }]);
}
