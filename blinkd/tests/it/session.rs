//! Tests of lock, sleep and their buses, as a desktop has them.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use blink_proto::{ipc::Request, status::State};

use crate::{
    bus::{Desktop, PrivateBus, lie},
    fixture::{Client, Fixture, until},
};

fn on(bus: &PrivateBus) -> (Client, Fixture) {
    let (mut client, fixture) = Fixture::on(Arc::new(tempfile::tempdir().unwrap()), bus.as_both());
    client.consent();
    (client, fixture)
}

/// Waits until the state is locked and the source closed, or until the source is open again.
fn settles(client: &mut Client, fixture: &Fixture, locked: bool) {
    let what = if locked { "closing for a lock" } else { "opening again" };
    until(what, || (client.status().state == State::Locked) == locked && fixture.source_is_open() != locked);
}

/// A session that is not locked, and a daemon with an open source.
fn open_on(bus: &PrivateBus) -> (Desktop, Client, Fixture) {
    let desktop = Desktop::on(bus, false);
    let (mut client, fixture) = on(bus);
    settles(&mut client, &fixture, false);
    (desktop, client, fixture)
}

/// Waits until the daemon receives signals. Both changes must arrive, since one could also be noticed by reading the
/// hint.
fn hears(desktop: &Desktop, client: &mut Client, fixture: &Fixture) {
    for locked in [true, false] {
        desktop.set_hint(locked);
        settles(client, fixture, locked);
    }
}

#[test]
fn whoever_locks_the_screen_closes_the_camera_and_unlocking_opens_it() {
    let bus = PrivateBus::start();
    let (desktop, mut client, fixture) = open_on(&bus);
    until("the delay of sleep", || desktop.held.load(Ordering::SeqCst) == 1);
    type Lock = fn(&Desktop, bool);
    for lock in [Desktop::set_hint as Lock, Desktop::ask_to, Desktop::save_screen] {
        for locked in [true, false, true, false] {
            lock(&desktop, locked);
            settles(&mut client, &fixture, locked);
        }
    }
    // A locker that sets the hint decides over a mere request.
    desktop.ask_to(true);
    settles(&mut client, &fixture, true);
    desktop.set_hint(true);
    desktop.set_hint(false);
    settles(&mut client, &fixture, false);
}

#[test]
fn a_lock_that_was_asked_for_ends_when_the_hint_is_seen_to_be_gone() {
    let bus = PrivateBus::start();
    let (desktop, mut client, fixture) = open_on(&bus);
    hears(&desktop, &mut client, &fixture);
    desktop.ask_to(true);
    settles(&mut client, &fixture, true);
    let before = desktop.read_locked.load(Ordering::SeqCst);
    desktop.hint_unsaid(true);
    until("the hint is seen", || desktop.read_locked.load(Ordering::SeqCst) > before);
    desktop.hint_unsaid(false);
    settles(&mut client, &fixture, false);
}

#[test]
fn a_lock_that_was_asked_for_before_the_bus_died_ends_when_it_is_back_and_nothing_is_locked() {
    let mut bus = PrivateBus::start();
    let (desktop, mut client, fixture) = open_on(&bus);
    hears(&desktop, &mut client, &fixture);
    desktop.ask_to(true);
    settles(&mut client, &fixture, true);
    // When sessions of others come and go, this one stays locked.
    desktop.hint_unsaid(false);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(500) {
        assert!(!fixture.source_is_open());
    }
    bus.kill();
    drop(desktop);
    bus.run();
    let _desktop = Desktop::on(&bus, false);
    settles(&mut client, &fixture, false);
}

#[test]
fn sleep_waits_until_the_camera_is_closed() {
    let bus = PrivateBus::start();
    let (desktop, mut client, fixture) = open_on(&bus);
    until("the delay of sleep", || desktop.held.load(Ordering::SeqCst) == 1);
    for round in 1..=3 {
        desktop.sleep(true);
        until("letting it sleep", || {
            let sleeps = desktop.held.load(Ordering::SeqCst) == 0;
            assert!(!sleeps || !fixture.source_is_open(), "the camera is closed first");
            sleeps
        });
        assert_eq!(client.status().state, State::Locked);
        desktop.sleep(false);
        settles(&mut client, &fixture, false);
        until("the next delay", || desktop.held.load(Ordering::SeqCst) == 1);
        assert_eq!(desktop.ever.load(Ordering::SeqCst), 1 + round);
    }
}

#[test]
fn a_session_that_is_locked_at_the_start_opens_nothing_for_long() {
    let bus = PrivateBus::start();
    let desktop = Desktop::on(&bus, true);
    let (mut client, fixture) = on(&bus);
    settles(&mut client, &fixture, true);
    assert_eq!(client.call(Request::Resume), Ok(blink_proto::ipc::Reply::Done));
    assert_eq!(client.status().state, State::Locked, "a known lock is not the person's to lift from here");
    desktop.set_hint(false);
    settles(&mut client, &fixture, false);
}

#[test]
fn what_others_say_in_logind_s_name_is_not_believed() {
    let bus = PrivateBus::start();
    let desktop = Desktop::on(&bus, true);
    let (mut client, fixture) = on(&bus);
    settles(&mut client, &fixture, true);
    desktop.ask_to(true);
    desktop.save_screen(true);
    lie(&bus);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(500) {
        assert!(!fixture.source_is_open());
    }
    assert_eq!(client.status().state, State::Locked);
}

#[test]
fn a_bus_that_dies_and_comes_back_is_followed_again_and_never_needed() {
    let mut bus = PrivateBus::start();
    let (desktop, mut client, fixture) = open_on(&bus);
    until("the delay of sleep", || desktop.held.load(Ordering::SeqCst) == 1);
    bus.kill();
    drop(desktop);
    let seen = client.status().blinks_session;
    until("blinks without a bus", || client.status().blinks_session > seen + 3);
    assert_eq!(client.status().last_error, None);
    bus.run();
    let desktop = Desktop::on(&bus, true);
    settles(&mut client, &fixture, true);
    // The last report was locked, so a bus that dies then opens nothing.
    bus.kill();
    drop(desktop);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(500) {
        assert!(!fixture.source_is_open());
    }
    bus.run();
    let _desktop = Desktop::on(&bus, false);
    settles(&mut client, &fixture, false);
}

#[test]
fn a_bus_without_logind_is_no_trouble_and_logind_may_come_later() {
    let bus = PrivateBus::start();
    let (mut client, fixture) = on(&bus);
    settles(&mut client, &fixture, false);
    assert_eq!(client.status().last_error, None);
    let _desktop = Desktop::on(&bus, true);
    settles(&mut client, &fixture, true);
}
