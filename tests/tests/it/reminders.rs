//! A person who blinks less than usual is told so, once, and never when it would disturb.

use std::{fs, time::Duration};

use blink_proto::{Minute, MinuteStart, example, status::State};
use jiff::{SignedDuration, Timestamp};
use waw_tests::{Daemon, Desktop, Profile, long_tier, until};

const LOW: &str = "Time to blink";
/// The rule looks at one minute; a busy machine may take its time.
const DUE: Duration = Duration::from_secs(150);

/// An hour at 15 blinks a minute, the day before.
fn usual_rate(profile: &Profile) {
    let first = MinuteStart::containing(Timestamp::now() - SignedDuration::from_hours(24)).number();
    for number in first..first + 60 {
        profile.add_to_history(&Minute { blink_count: 15, observed_ms: 60_000, ..example::minute(number) });
    }
}

fn start(profile: &Profile, desktop: &Desktop) -> Daemon {
    usual_rate(profile);
    for (key, value) in [
        ("camera.source", "synthetic:bpm=4"),
        ("nudge.low_rate_minutes", "1"),
        ("nudge.cool_down_minutes", "1"),
        ("nudge.breaks", "false"),
    ] {
        profile.ctl(&["config", "set", key, value]).success();
    }
    let daemon = Daemon::start_on(profile, |command| desktop.show(command.arg("run")));
    profile.ctl(&["consent", "grant"]).success();
    profile.status_when("tracking", Duration::from_secs(30), |status| status.state == State::Tracking);
    daemon
}

fn told(desktop: &Desktop) -> usize {
    desktop.notifications().iter().filter(|title| *title == LOW).count()
}

/// How often the log says that a reminder was not shown, for this reason.
fn dropped(profile: &Profile, why: &str) -> usize {
    let logs = fs::read_dir(&profile.paths().state).into_iter().flatten().flatten();
    let text: String = logs.filter_map(|log| fs::read_to_string(log.path()).ok()).collect();
    text.lines().filter(|line| line.contains("a reminder was not shown") && line.contains(why)).count()
}

#[test]
fn somebody_who_blinks_less_than_usual_is_told_once() {
    let Some(desktop) = Desktop::start() else { return };
    let profile = Profile::new();
    let _daemon = start(&profile, &desktop);
    assert_eq!(told(&desktop), 0, "nothing is low yet");
    until("a reminder", DUE, || (told(&desktop) == 1).then_some(()));
    if !long_tier() {
        return;
    }
    let first = std::time::Instant::now();
    until("the second", DUE, || (told(&desktop) == 2).then_some(()));
    assert!(first.elapsed() >= Duration::from_secs(55), "the cool-down is a minute: {:?}", first.elapsed());

    let _ = desktop.run("dunstctl", &["set-paused", "true"]);
    until("one that is dropped: do not disturb", DUE, || (dropped(&profile, "do not disturb") == 1).then_some(()));
    let _ = desktop.run("dunstctl", &["set-paused", "false"]);
    assert_eq!(told(&desktop), 2, "nothing is saved up");

    let window = desktop.full_screen_window();
    until("one that is dropped: full screen", DUE, || (dropped(&profile, "full screen") == 1).then_some(()));
    drop(window);
    assert_eq!(told(&desktop), 2);

    profile.ctl(&["pause"]).success();
    // Twice as long as it takes to come due.
    let end = std::time::Instant::now() + Duration::from_secs(120);
    until("two minutes of pause", Duration::from_secs(130), || (std::time::Instant::now() > end).then_some(()));
    assert_eq!(told(&desktop), 2);
    profile.ctl(&["resume"]).success();
    until("one after the pause", DUE, || (told(&desktop) == 3).then_some(()));
}
