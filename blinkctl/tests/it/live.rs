//! Tests of `blinkctl live` on a terminal of its own, and of its JSON lines.

use std::{process::Command, time::Duration};

use blink_proto::{
    ipc::{Event, LivePoint, PauseSpan, Request},
    status::{State, Status},
};
use jiff::{SignedDuration, Timestamp};
use rstest::rstest;

use crate::{
    fake::{Behaviour, Fake, healthy, ok, tracking},
    run::Profile,
    terminal::Terminal,
};

const TAKEN: &str = "\u{1b}[?1049h";
const GIVEN_BACK: &str = "\u{1b}[?1049l";

/// A status, two seconds of an open eye and a blink; then silence on an open connection.
fn watching(state: State) -> Behaviour {
    let now = Timestamp::now();
    let mut events = vec![Event::Status(Box::new(Status { state, ..tracking() }))];
    for frame in 0..60 {
        let at = now - SignedDuration::from_millis(2_000 - frame * 33);
        events.push(Event::Live(LivePoint { at, ear: Some(0.3), baseline: Some(0.31), sight: None, hint: None }));
    }
    events.push(Event::Blink { at: now, duration_ms: 180.0 });
    Behaviour { events, stay: true, ..Behaviour::default() }
}

/// Starts `live` on a terminal of 24 rows and 80 columns.
fn start(profile: &Profile, variables: &[(&str, &str)]) -> Terminal {
    let pid = profile.path("pid");
    let sized = format!("stty rows 24 cols 80; echo $$ > {}; exec", pid.display());
    Terminal::start_after(profile, &sized, "live", variables)
}

#[rstest]
#[case::letter("q")]
#[case::escape("\u{1b}")]
#[case::interrupt("\u{3}")]
fn it_takes_the_screen_and_gives_it_back(#[case] key: &str) {
    let profile = Profile::new();
    let _daemon = Fake::start(&profile.paths(), watching(State::Tracking));
    let mut terminal = start(&profile, &[]);
    terminal.expect("Tracking");
    terminal.expect("▼");
    terminal.type_in(key);
    let (exit, seen) = terminal.end();
    assert_eq!(exit, Some(0), "{seen:?}");
    assert!(seen.find(TAKEN).unwrap() < seen.find("Tracking").unwrap());
    let back = seen.rfind(GIVEN_BACK).unwrap();
    assert!(seen[back..].contains("\u{1b}[?25h"), "the cursor is back: {:?}", &seen[back..]);
}

#[rstest]
#[case("-TERM")]
#[case("-HUP")]
fn a_signal_gives_the_screen_back(#[case] signal: &str) {
    let profile = Profile::new();
    let _daemon = Fake::start(&profile.paths(), watching(State::Tracking));
    let mut terminal = start(&profile, &[]);
    terminal.expect("Tracking");
    let pid = std::fs::read_to_string(profile.path("pid")).unwrap();
    Command::new("kill").args([signal, pid.trim()]).status().unwrap();
    terminal.expect(GIVEN_BACK);
}

#[rstest]
#[case(State::Tracking, Request::Pause(PauseSpan { until: None }))]
#[case(State::Paused, Request::Resume)]
fn p_pauses_and_goes_on(#[case] state: State, #[case] expected: Request) {
    let profile = Profile::new();
    let behaviour = Behaviour {
        handler: Box::new(move |request| match request {
            Request::Status => ok(blink_proto::ipc::Reply::Status(Status { state, ..tracking() })),
            other => healthy(other),
        }),
        ..watching(state)
    };
    let daemon = Fake::start(&profile.paths(), behaviour);
    let mut terminal = start(&profile, &[]);
    terminal.expect(if state == State::Paused { "go on" } else { "pause" });
    terminal.type_in("p");
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while !daemon.asked().contains(&expected) {
        assert!(std::time::Instant::now() < deadline, "{:?}", daemon.asked());
        std::thread::sleep(Duration::from_millis(10));
    }
    terminal.type_in("q");
    assert_eq!(terminal.end().0, Some(0));
}

#[test]
fn a_daemon_that_goes_is_looked_for_until_it_is_back() {
    let profile = Profile::new();
    let daemon = Fake::start(&profile.paths(), watching(State::Tracking));
    let mut terminal = start(&profile, &[("NO_COLOR", "1")]);
    terminal.expect("Tracking");
    drop(daemon);
    terminal.expect("is gone");
    std::fs::remove_file(profile.paths().socket()).unwrap();
    let _daemon = Fake::start(&profile.paths(), watching(State::NoFace));
    terminal.expect("No face");
    terminal.type_in("q");
    assert_eq!(terminal.end().0, Some(0));
}

#[test]
fn without_a_daemon_the_screen_is_left_alone() {
    let profile = Profile::new();
    let (exit, seen) = start(&profile, &[]).end();
    assert_eq!(exit, Some(3));
    assert!(!seen.contains(TAKEN), "{seen:?}");
}

#[test]
fn without_a_terminal_it_is_wrong_usage() {
    let profile = Profile::new();
    let _daemon = Fake::start(&profile.paths(), Behaviour::default());
    let ran = profile.run(&["live"]);
    ran.assert_fails(2);
    insta::assert_snapshot!(ran.transcript());
}

#[test]
fn for_programs_every_event_is_a_line() {
    let profile = Profile::new();
    let daemon = Fake::start(&profile.paths(), Behaviour { stay: false, ..watching(State::Tracking) });
    let ran = profile.run(&["live", "--json"]);
    // The fake daemon closes the connection after its events, as a daemon that stops does.
    assert_eq!(ran.exit, Some(3), "{}", ran.transcript());
    let events: Vec<Event> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.len(), 62);
    assert!(matches!(events[0], Event::Status(_)) && matches!(events[61], Event::Blink { .. }));
    assert_eq!(daemon.asked(), [Request::Subscribe { live: true }]);
}
