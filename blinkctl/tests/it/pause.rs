//! `blinkctl pause` and `blinkctl resume`.

use blink_proto::{
    ipc::{PauseSpan, Reply, Request},
    status::{State, Status},
};
use jiff::{SignedDuration, Timestamp, ToSpan, Zoned, tz::TimeZone};
use rstest::rstest;

use crate::{
    fake::{Behaviour, Fake, healthy, ok, tracking},
    run::Profile,
};

fn asked_until(daemon: &Fake) -> Option<Timestamp> {
    match daemon.asked().as_slice() {
        [Request::Pause(PauseSpan { until })] => *until,
        other => panic!("{other:?}"),
    }
}

#[test]
fn without_an_end_it_lasts_until_resume() {
    let profile = Profile::new();
    let daemon = Fake::start(&profile.paths(), Behaviour::default());
    insta::assert_snapshot!(profile.run(&["pause"]).transcript());
    assert_eq!(asked_until(&daemon), None);
}

#[test]
fn for_a_span_it_ends_that_much_later() {
    let profile = Profile::new();
    let daemon = Fake::start(&profile.paths(), Behaviour::default());
    let before = Timestamp::now();
    let ran = profile.run(&["pause", "--for", "30m", "--json"]);
    let until = asked_until(&daemon).unwrap();
    let span = SignedDuration::from_mins(30);
    assert!(before + span <= until && until <= Timestamp::now() + span);
    assert_eq!(ran.stdout, format!("{{\"paused\":true,\"until\":\"{until}\"}}\n"));
}

#[test]
fn until_tomorrow_is_the_next_midnight() {
    let profile = Profile::new();
    let daemon = Fake::start(&profile.paths(), Behaviour::default());
    let midnight =
        || Zoned::now().with_time_zone(TimeZone::UTC).tomorrow().unwrap().start_of_day().unwrap().timestamp();
    let before = midnight();
    let ran = profile.run(&["pause", "--until", "tomorrow"]);
    let until = asked_until(&daemon).unwrap();
    assert!([before, midnight()].contains(&until));
    assert!(ran.stdout.starts_with("Paused until "), "{}", ran.transcript());
    assert!(ran.stdout.contains(", 00:00."), "{}", ran.transcript());
}

#[test]
fn until_a_given_instant() {
    let profile = Profile::new();
    let daemon = Fake::start(&profile.paths(), Behaviour::default());
    let until = Timestamp::from_second((Timestamp::now() + 72.hours()).as_second()).unwrap();
    assert_eq!(profile.run(&["pause", "--until", &until.to_string()]).exit, Some(0));
    assert_eq!(asked_until(&daemon), Some(until));
}

#[rstest]
#[case::no_span("span", &["pause", "--for", "soon"])]
#[case::both("both", &["pause", "--for", "30m", "--until", "tomorrow"])]
#[case::past("past", &["pause", "--until", "2020-01-01"])]
#[case::no_time("time", &["pause", "--until", "25:00"])]
fn a_wrong_end_is_refused_before_the_daemon_is_asked(#[case] name: &str, #[case] args: &[&str]) {
    let profile = Profile::new();
    let daemon = Fake::start(&profile.paths(), Behaviour::default());
    let ran = profile.run(args);
    ran.assert_fails(2);
    assert_eq!(daemon.asked(), []);
    insta::assert_snapshot!(format!("wrong_{name}"), ran.transcript());
}

#[test]
fn resuming_goes_on() {
    let profile = Profile::new();
    let daemon = Fake::start(&profile.paths(), Behaviour::default());
    insta::assert_snapshot!("resume", profile.run(&["resume"]).transcript());
    assert_eq!(daemon.asked(), [Request::Resume, Request::Status]);
    insta::assert_snapshot!("resume_json", profile.run(&["resume", "--json"]).transcript());
}

#[test]
fn resuming_without_consent_says_that_the_camera_stays_off() {
    let profile = Profile::new();
    let behaviour = Behaviour {
        handler: Box::new(|request| match request {
            Request::Status => ok(Reply::Status(Status { state: State::NoConsent, ..tracking() })),
            other => healthy(other),
        }),
        ..Behaviour::default()
    };
    let _daemon = Fake::start(&profile.paths(), behaviour);
    insta::assert_snapshot!(profile.run(&["resume"]).transcript());
}

#[rstest]
#[case::counting("toggle_counting", State::Tracking, &["toggle"])]
#[case::paused("toggle_paused", State::Paused, &["toggle"])]
#[case::paused_json("toggle_paused_json", State::Paused, &["toggle", "--json"])]
#[case::locked("toggle_locked", State::Locked, &["toggle"])]
#[case::no_consent("toggle_no_consent", State::NoConsent, &["toggle"])]
fn toggling_does_the_other_thing(#[case] name: &str, #[case] state: State, #[case] args: &[&str]) {
    let profile = Profile::new();
    let behaviour = Behaviour {
        handler: Box::new(move |request| match request {
            Request::Status => ok(Reply::Status(Status { state, ..tracking() })),
            other => healthy(other),
        }),
        ..Behaviour::default()
    };
    let daemon = Fake::start(&profile.paths(), behaviour);
    insta::assert_snapshot!(name, profile.run(args).transcript());
    let expected = match state {
        State::Paused | State::Locked => Some(Request::Resume),
        State::NoConsent => None,
        _ => Some(Request::Pause(PauseSpan { until: None })),
    };
    assert_eq!(daemon.asked().get(1).cloned(), expected);
}

#[rstest]
#[case("yield", &["yield"])]
#[case("yield_json", &["yield", "--json"])]
fn the_camera_is_handed_over(#[case] name: &str, #[case] args: &[&str]) {
    let profile = Profile::new();
    let daemon = Fake::start(&profile.paths(), Behaviour::default());
    insta::assert_snapshot!(name, profile.run(args).transcript());
    assert_eq!(daemon.asked(), [Request::Yield]);
}
