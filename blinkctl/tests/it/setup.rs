//! Tests of `blinkctl setup` on a terminal.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use blink_proto::{
    Hint, Problem, Secret,
    consent::TRACKING_VERSION,
    ipc::{Event, LivePoint, Reply, Request, Sight},
    status::{State, Status},
};

use crate::{
    fake::{Behaviour, Fake, ada, healthy, ok, tracking},
    run::Profile,
    terminal::Terminal,
};

const BLINKD: &str = r#"
case "$*" in
"cameras --json") echo '[{"number":0,"name":"Integrated Camera","path":"/dev/video0","state":"busy","used_by":"zoom"},{"number":2,"name":"USB","path":"/dev/video2","state":"free","used_by":null}]' ;;
"config set --json -- camera.source camera:2") echo '{"key":"camera.source","value":"camera:2"}' ;;
*) exit 9 ;;
esac"#;

/// A machine with a running daemon, on which nothing else was set up.
fn fresh(events: Vec<Event>) -> Behaviour {
    let consented = Arc::new(AtomicBool::new(false));
    Behaviour {
        events,
        stay: true,
        handler: Box::new(move |request| match request {
            Request::ConsentGrant { .. } => {
                consented.store(true, Ordering::SeqCst);
                ok(Reply::Done)
            }
            Request::Status => {
                let consent = consented.load(Ordering::SeqCst);
                let state = if consent { State::Tracking } else { State::NoConsent };
                ok(Reply::Status(Status { state, consent, account: None, ..tracking() }))
            }
            other => healthy(other),
        }),
        ..Behaviour::default()
    }
}

fn seen(state: State, problem: Option<Problem>) -> Event {
    Event::Status(Box::new(Status { state, last_error: problem, ..tracking() }))
}

fn frame(sight: Sight) -> Event {
    Event::Live(LivePoint { at: jiff::Timestamp::now(), ear: None, baseline: None, sight: Some(sight), hint: None })
}

fn profile() -> Profile {
    let mut profile = Profile::new();
    profile.program("blinkd", BLINKD);
    profile.program("systemctl", "exit 0");
    profile
}

/// A camera that another program lets go of, before which somebody sits down and turns to it.
fn from_busy_to_measurable() -> Vec<Event> {
    let busy = Problem::new("camera_busy", "zoom uses camera:0", "Close it.");
    let mut events = vec![seen(State::CameraBusy, Some(busy)), seen(State::NoFace, None)];
    for sight in [Sight::Nobody, Sight::Several, Sight::Turned] {
        events.extend([seen(State::NoFace, None), frame(sight)]);
    }
    events.extend([seen(State::Tracking, None), frame(Sight::Measurable)]);
    for hint in [Some(Hint::TooDark), None] {
        events.push(Event::Status(Box::new(Status { state: State::Tracking, hint, ..tracking() })));
    }
    events
}

#[test]
fn every_step_is_asked_and_done() {
    let profile = profile();
    let daemon = Fake::start(&profile.paths(), fresh(from_busy_to_measurable()));
    let path = profile.variables().iter().rfind(|(name, _)| *name == "PATH").unwrap().1.clone();
    let mut terminal = Terminal::start(&profile, "setup", &[("PATH", &path), ("NO_COLOR", "1")]);
    terminal.expect("blinkd is running");
    terminal.expect("Do you consent? [y/N] ");
    terminal.type_in("y\n");
    terminal.expect("Your consent is recorded.");
    terminal.expect("in use by zoom");
    terminal.expect("Which camera?");
    terminal.type_in("7\n");
    terminal.expect("There is no camera of that number.");
    terminal.type_in("2\n");
    terminal.expect("camera:2 is used now.");
    terminal.expect("zoom uses camera:0");
    terminal.expect("I cannot follow one face");
    terminal.expect("I see nobody");
    terminal.expect("I see several people");
    terminal.expect("cannot measure its eyes");
    terminal.expect("Too dark: turn on a light");
    terminal.expect("I can see your eyes.");
    terminal.expect("Which? [r/s/b] ");
    terminal.type_in("s\n");
    terminal.expect("Server (Enter for the one in the settings): ");
    terminal.type_in("https://waw.example.org\n");
    terminal.expect("E-mail: ");
    terminal.type_in("ada@example.org\n");
    terminal.expect("Password: ");
    terminal.type_in("correct horse battery\n");
    terminal.expect("Signed in as ada@example.org");
    terminal.expect("Start blinkd with every sign-in? [y/N] ");
    terminal.type_in("y\n");
    let (exit, seen) = terminal.end();
    assert_eq!(exit, Some(0), "{seen}");
    assert!(seen.contains("That is all.") && !seen.contains("correct horse"), "{seen}");
    assert_eq!(seen.matches("I cannot follow one face").count(), 1, "what is seen is told once");
    assert!(profile.path("config/systemd/user/blinkd.service").exists());
    let asked = daemon.asked();
    let login = Request::Login {
        server: Some("https://waw.example.org".into()),
        email: ada().email,
        password: Secret::new("correct horse battery"),
        adopt: true,
    };
    let grant = Request::ConsentGrant { version: TRACKING_VERSION.into() };
    for wanted in [grant, Request::Reload, Request::Subscribe { live: true }, login] {
        assert!(asked.contains(&wanted), "{wanted:?} in {asked:?}");
    }
}

#[test]
fn enter_skips_every_step_and_no_is_the_default() {
    let profile = profile();
    let daemon = Fake::start(&profile.paths(), fresh(Vec::new()));
    let path = profile.variables().iter().rfind(|(name, _)| *name == "PATH").unwrap().1.clone();
    let mut terminal = Terminal::start(&profile, "setup", &[("PATH", &path), ("NO_COLOR", "1")]);
    for question in ["Do you consent? [y/N] ", "Which? [r/s/b] ", "Start blinkd with every sign-in? [y/N] "] {
        terminal.expect(question);
        terminal.type_in("\n");
    }
    let (exit, seen) = terminal.end();
    assert_eq!(exit, Some(0), "{seen}");
    assert!(seen.contains("Without consent no camera is opened"), "{seen}");
    assert!(daemon.asked().iter().all(|request| *request == Request::Status), "{:?}", daemon.asked());
    assert!(!profile.path("config/systemd").exists());
}

#[test]
fn a_daemon_that_does_not_start_is_told() {
    let mut profile = Profile::new();
    profile.program("blinkd", "exit 2");
    let (exit, seen) = Terminal::start(&profile, "setup", &[("NO_COLOR", "1")]).end();
    assert_eq!(exit, Some(1), "{seen}");
    assert!(seen.contains("blinkd ended as soon as it was started (exit status: 2)"), "{seen}");
    assert!(seen.contains("Run `blinkd run` by hand: it says why."), "{seen}");
}

#[test]
fn without_a_terminal_the_single_commands_are_named() {
    let profile = Profile::new();
    for (name, args) in [("setup_no_terminal", &["setup"][..]), ("setup_no_terminal_json", &["setup", "--json"])] {
        let ran = profile.run(args);
        ran.assert_fails(2);
        insta::assert_snapshot!(name, ran.transcript());
    }
}
