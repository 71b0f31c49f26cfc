//! Tests of the events that subscribers get.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use blink_proto::{
    ipc::{Event, FromDaemon, Reply, Request, Sight},
    status::State,
};

use crate::fixture::{Client, Fixture};

/// Receives events until `enough` returns true, for at most ten seconds.
fn listen(client: &mut Client, mut enough: impl FnMut(&[Event]) -> bool) -> Vec<Event> {
    let deadline = Instant::now() + Duration::from_secs(10);
    let mut heard = Vec::new();
    while !enough(&heard) {
        assert!(Instant::now() < deadline, "heard only {} events", heard.len());
        match client.receive() {
            Some(FromDaemon::Event(event)) => heard.push(event),
            other => panic!("not an event: {other:?}"),
        }
    }
    heard
}

#[test]
fn a_subscriber_hears_blinks_and_every_change_of_state_at_once() {
    let (mut listener, fixture) = Fixture::new();
    assert_eq!(listener.call(Request::Subscribe { live: false }), Ok(Reply::Done));
    let mut other = fixture.client();
    other.consent();
    let state = |event: &Event| match event {
        Event::Status(status) => Some(status.state),
        _ => None,
    };
    let heard = listen(&mut listener, |heard| {
        heard.iter().any(|e| matches!(e, Event::Blink { .. }))
            && heard.iter().filter_map(state).any(|s| s == State::Tracking)
    });
    assert!(!heard.iter().any(|event| matches!(event, Event::Live(_))), "nobody asked for frames");
    let blink = heard.iter().find_map(|event| match event {
        Event::Blink { duration_ms, .. } => Some(*duration_ms),
        _ => None,
    });
    assert_eq!(blink, Some(60.0));
    other.call(Request::Pause(blink_proto::ipc::PauseSpan::default())).unwrap();
    let asked = Instant::now();
    listen(&mut listener, |heard| heard.iter().filter_map(state).any(|s| s == State::Paused));
    assert!(asked.elapsed() < Duration::from_secs(1));
}

#[test]
fn live_points_come_at_ten_hertz_or_better_where_asked_for() {
    let (mut listener, fixture) = Fixture::new();
    fixture.client().consent();
    assert_eq!(listener.call(Request::Subscribe { live: true }), Ok(Reply::Done));
    let live = |heard: &[Event]| {
        let points = heard.iter().filter_map(|event| match event {
            Event::Live(point) => Some(*point),
            _ => None,
        });
        points.collect::<Vec<_>>()
    };
    let points = live(&listen(&mut listener, |heard| live(heard).len() >= 30));
    let span = points.last().unwrap().at.duration_since(points[0].at);
    assert!(span.as_secs_f64() < 3.0, "30 points in {span}");
    let ear = points[0].ear.unwrap();
    assert!((ear - 0.31).abs() < 1e-6 && points[0].baseline.is_none());
}

#[test]
fn a_turned_head_is_told_as_one_though_its_ear_is_known() {
    let (mut listener, fixture) = Fixture::new();
    fixture.reader.turned.store(true, Ordering::SeqCst);
    fixture.client().consent();
    assert_eq!(listener.call(Request::Subscribe { live: true }), Ok(Reply::Done));
    let point = |heard: &[Event]| {
        heard.iter().find_map(|event| match event {
            Event::Live(point) => Some(*point),
            _ => None,
        })
    };
    let turned = point(&listen(&mut listener, |heard| point(heard).is_some())).unwrap();
    assert_eq!((turned.sight, turned.ear.is_some()), (Some(Sight::Turned), true));
    fixture.reader.turned.store(false, Ordering::SeqCst);
    listen(&mut listener, |heard| {
        heard.iter().any(|event| matches!(event, Event::Live(point) if point.sight == Some(Sight::Measurable)))
    });
}
