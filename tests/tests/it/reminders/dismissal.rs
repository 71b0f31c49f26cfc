//! A reminder of blinking goes by itself when the person blinks.

use std::{
    thread,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use serde_json::Value;
use waw_tests::{Daemon, Desktop, Listener, Profile, long_tier, notifications::NotificationMonitor, until};

use super::{DUE, LOW, log, run, usual_rate};

/// How soon after the person's blinks it goes.
const GOES_WITHIN: Duration = Duration::from_millis(300);
/// Less than the time between two blinks.
const SOON_AFTER: Duration = Duration::from_millis(500);
/// The program that shows a notification closed it.
const BY_PROGRAM: u32 = 3;

/// How long a reminder stayed after the last blink that it asked for.
#[derive(Clone, Copy, Debug)]
struct Stayed {
    /// Since the eyes were open again.
    since_eyes: Duration,
    /// Since a client heard of the blink.
    since_event: Duration,
}

/// A person who blinks every other second, and usually twice as often.
fn start(profile: &Profile, desktop: &Desktop, seed: usize) -> Daemon {
    usual_rate(profile, 60);
    let source = format!("synthetic:bpm=30,seed={seed}");
    profile.ctl(&["config", "set", "camera.source", &source]).success();
    profile.ctl(&["config", "set", "nudge.low_rate_percent", "100"]).success();
    run(profile, desktop)
}

/// The blinks that a client was told of after `begin`: their ends, and when it was told.
fn blinks(listener: &Listener, begin: Timestamp) -> Vec<(Timestamp, Timestamp)> {
    let (now, wall) = (Instant::now(), Timestamp::now());
    let heard = listener.heard().into_iter().filter(|(_, event)| event["type"] == "blink");
    let blinks =
        heard.map(|(at, event)| (event["at"].as_str().unwrap().parse::<Timestamp>().unwrap(), wall - (now - at)));
    blinks.filter(|(end, _)| *end > begin).collect()
}

/// Waits for a reminder that blinks take away.
fn one_try(desktop: &Desktop, monitor: &NotificationMonitor, seed: usize) -> Stayed {
    let profile = Profile::new();
    let listener = Listener::start(&profile);
    let before = monitor.titled(LOW).len();
    let _daemon = start(&profile, desktop, seed);
    let (asked, (closed, reason)) = until("a reminder that goes by itself", DUE, || {
        let reminder = *monitor.titled(LOW).get(before)?;
        Some((reminder.asked, reminder.closed?))
    });
    assert_eq!(reason, BY_PROGRAM);
    let (asked, closed) = (Timestamp::UNIX_EPOCH + asked, Timestamp::UNIX_EPOCH + closed);
    // The listener may hear of the last blink a little later than the daemon's own notifications do.
    let taken = until("the blinks that took it away", DUE, || {
        let taken: Vec<_> =
            blinks(&listener, asked).into_iter().filter(|(_, told)| *told < closed + SOON_AFTER).collect();
        (taken.len() >= 3).then_some(taken)
    });
    assert!(taken.len() <= 4, "one may have ended while it was being shown: {taken:?}");
    let (eyes, event) = taken[taken.len() - 1];
    until("the log to say so", DUE, || log(&profile).contains("blinks dismissed a reminder").then_some(()));
    presence(&profile, &listener);
    let since = |at| closed.duration_since(at).try_into().unwrap_or(Duration::ZERO);
    Stayed { since_eyes: since(eyes), since_event: since(event) }
}

/// Whoever blinks is at the screen; local clients are told, and no log.
fn presence(profile: &Profile, listener: &Listener) {
    let status = profile.status();
    assert!(status.at_screen && status.since.is_some_and(|since| since < Timestamp::now()));
    let events = listener.heard();
    let told: Vec<&Value> =
        events.iter().map(|(_, event)| event).filter(|event| event["type"] == "at_screen").collect();
    assert!(matches!(told[..], [one] if one["at_screen"] == true), "{told:?}");
    assert!(!log(profile).contains("at_screen"));
}

fn p95(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<_> = times.collect();
    times.sort();
    times[(times.len() * 95).div_ceil(100) - 1]
}

#[test]
fn three_blinks_dismiss_the_reminder_at_once() {
    // A reminder takes a minute to come due, so several persons sit at desktops of their own.
    let (persons, tries) = if long_tier() { (5, 10) } else { (2, 1) };
    let sit = |person: usize| -> Vec<Stayed> {
        let Some(desktop) = Desktop::start() else { return Vec::new() };
        let monitor = NotificationMonitor::start(&desktop);
        (0..tries).map(|nth| one_try(&desktop, &monitor, 1 + person * tries + nth)).collect()
    };
    let stayed: Vec<Stayed> = thread::scope(|scope| {
        let sitting: Vec<_> = (0..persons).map(|person| scope.spawn(move || sit(person))).collect();
        sitting.into_iter().flat_map(|person| person.join().unwrap()).collect()
    });
    if stayed.is_empty() {
        return;
    }
    let since_eyes = p95(stayed.iter().map(|one| one.since_eyes));
    let since_event = p95(stayed.iter().map(|one| one.since_event));
    println!(
        "from the blink to the notification's end over {} tries, p95: {} ms after the eyes were open, {:.1} ms after the \
         blink was told",
        stayed.len(),
        since_eyes.as_millis(),
        since_event.as_secs_f64() * 1e3
    );
    assert!(since_event < GOES_WITHIN, "{stayed:?}");
    if long_tier() {
        assert_eq!(stayed.len(), persons * tries);
        assert!(since_eyes < GOES_WITHIN, "{stayed:?}");
    }
}
