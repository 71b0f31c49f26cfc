//! `blinkctl status`.

use std::io::Read;

use blink_proto::{
    Problem,
    ipc::{Event, Reply, Request},
    status::{State, Status},
};

use crate::{
    fake::{Behaviour, Fake, healthy, ok, tracking},
    run::Profile,
};

#[test]
fn for_people() {
    let profile = Profile::new();
    let _daemon = Fake::start(&profile.paths(), Behaviour::default());
    insta::assert_snapshot!(profile.run(&["status"]).transcript());
}

#[test]
fn for_programs() {
    let profile = Profile::new();
    let _daemon = Fake::start(&profile.paths(), Behaviour::default());
    let ran = profile.run(&["status", "--json"]);
    assert_eq!(serde_json::from_str::<Status>(&ran.stdout).unwrap(), tracking());
    insta::assert_snapshot!(ran.transcript());
}

#[test]
fn trouble_is_shown_and_is_no_failure_of_the_command() {
    let profile = Profile::new();
    let behaviour = Behaviour {
        handler: Box::new(|request| match request {
            Request::Status => ok(Reply::Status(Status {
                state: State::Error,
                fps: 0.0,
                rate_per_minute: None,
                last_error: Some(Problem::new(
                    "model_missing",
                    "The landmark model is not installed",
                    "Run `blinkd models --fetch`.",
                )),
                ..tracking()
            })),
            other => healthy(other),
        }),
        ..Behaviour::default()
    };
    let _daemon = Fake::start(&profile.paths(), behaviour);
    insta::assert_snapshot!(profile.run(&["status"]).transcript());
}

fn watched() -> Behaviour {
    let event = |status| Event::Status(Box::new(status));
    Behaviour {
        events: vec![
            event(tracking()),
            event(Status { fps: 30.1, ..tracking() }),
            event(Status { blinks_session: 129, ..tracking() }),
            event(Status { state: State::Paused, blinks_session: 129, rate_per_minute: None, ..tracking() }),
        ],
        ..Behaviour::default()
    }
}

#[test]
fn watching_without_a_terminal_prints_a_line_for_each_change() {
    let profile = Profile::new();
    let daemon = Fake::start(&profile.paths(), watched());
    let ran = profile.run(&["status", "--watch"]);
    assert_eq!(daemon.asked(), [Request::Status, Request::Subscribe { live: false }]);
    // The fake daemon closes the connection after its events, as a daemon that stops does.
    assert_eq!(ran.exit, Some(3), "{}", ran.transcript());
    assert_eq!(ran.stderr, "blinkd has closed the connection. Start it with `blinkd run`.\n");
    let lines: Vec<_> = ran.stdout.lines().map(|line| &line[8..]).collect();
    let expected = ["  Tracking  128 blinks  17.2/min", "  Tracking  129 blinks  17.2/min", "  Paused  129 blinks"];
    assert_eq!(lines, expected);
}

#[test]
fn watching_with_json_prints_an_object_for_each_change() {
    let profile = Profile::new();
    let _daemon = Fake::start(&profile.paths(), watched());
    let ran = profile.run(&["status", "--watch", "--json"]);
    let fps: Vec<_> = ran.stdout.lines().map(|line| serde_json::from_str::<Status>(line).unwrap().fps).collect();
    assert_eq!(fps, [29.93, 30.1, 29.93, 29.93], "each differs from the one before");
    assert_eq!(ran.exit, Some(3));
    assert!(ran.stderr.starts_with("{\"error\":{\"code\":\"not_running\""), "{}", ran.stderr);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let profile = Profile::new();
    let event = Event::Status(Box::new(Status { source: "x".repeat(60_000), ..tracking() }));
    let other = Event::Status(Box::new(Status { source: "y".repeat(60_000), ..tracking() }));
    let events = (0..50).flat_map(|_| [event.clone(), other.clone()]).collect();
    let _daemon = Fake::start(&profile.paths(), Behaviour { events, ..Behaviour::default() });
    let mut child = profile.spawn(&["status", "--watch", "--json"]);
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 10]).unwrap();
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}
