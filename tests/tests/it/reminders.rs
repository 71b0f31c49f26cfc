//! A person who blinks less than usual is reminded once, and never when it would disturb.

mod dismissal;

use std::{
    ffi::OsStr,
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use blink_proto::{Minute, MinuteStart, example, status::State};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use waw_tests::{Daemon, Desktop, Ended, Profile, binary, long_tier, skipped, until};

const SOON: Duration = Duration::from_secs(30);
const LOW: &str = "Time to blink";
/// The rule looks at one minute, but a busy machine may take longer.
const DUE: Duration = Duration::from_secs(150);
/// In this time it would have come due.
const LONG_ENOUGH: Duration = Duration::from_secs(130);

/// Adds an hour at this rate, the day before.
fn usual_rate(profile: &Profile, blinks_per_minute: u32) {
    let first = MinuteStart::containing(Timestamp::now() - SignedDuration::from_hours(24)).number();
    for number in first..first + 60 {
        let minute = Minute { blink_count: blinks_per_minute, observed_ms: 60_000, ..example::minute(number) };
        profile.add_to_history(&minute);
    }
}

/// A person who blinks four times a minute, and usually fifteen times.
fn start(profile: &Profile, desktop: &Desktop) -> Daemon {
    usual_rate(profile, 15);
    profile.ctl(&["config", "set", "camera.source", "synthetic:bpm=4"]).success();
    run(profile, desktop)
}

/// Runs the daemon until the face is followed. It reminds of a rate that was low for a minute, and of nothing else.
fn run(profile: &Profile, desktop: &Desktop) -> Daemon {
    for (key, value) in [("nudge.low_rate_minutes", "1"), ("nudge.breaks", "false")] {
        profile.ctl(&["config", "set", key, value]).success();
    }
    let daemon = Daemon::start_on(profile, |command| desktop.show(command.arg("run")));
    profile.ctl(&["consent", "grant"]).success();
    profile.status_when("tracking", SOON, |status| status.state == State::Tracking);
    daemon
}

/// Runs the daemon as if no reminder had been shown for an hour.
fn run_anew(profile: &Profile, desktop: &Desktop, daemon: Daemon) -> Daemon {
    drop(daemon);
    // There is none where no reminder came due.
    let _ = fs::remove_file(profile.paths().reminded_file());
    run(profile, desktop)
}

fn told(desktop: &Desktop) -> usize {
    desktop.notifications().iter().filter(|title| *title == LOW).count()
}

fn log(profile: &Profile) -> String {
    let logs = fs::read_dir(&profile.paths().state).into_iter().flatten().flatten();
    logs.filter_map(|log| fs::read_to_string(log.path()).ok()).collect()
}

/// The number of reminders that the log says were not shown.
fn dropped(profile: &Profile) -> usize {
    log(profile).lines().filter(|line| line.contains("a reminder was not shown")).count()
}

#[test]
fn somebody_who_blinks_less_than_usual_is_told_once() {
    let Some(desktop) = Desktop::start() else { return };
    let profile = Profile::new();
    let daemon = start(&profile, &desktop);
    assert_eq!(told(&desktop), 0, "nothing is low yet");
    until("a reminder whose `Open` opens the dashboard", DUE, || {
        desktop.picture("reminder");
        desktop.press("Open");
        desktop.opened().pop()
    });
    assert_eq!(told(&desktop), 1);
    if !long_tier() {
        return;
    }
    drop(daemon);
    let _daemon = run(&profile, &desktop);
    let begin = Instant::now();
    until("a second reminder, had it forgotten the first", DUE, || (begin.elapsed() > LONG_ENOUGH).then_some(()));
    assert_eq!(told(&desktop), 1);
    println!("after a restart within the hour, with the rate low for {LONG_ENOUGH:?}: no second reminder");
}

/// Something that lasts until it is dropped.
type Goes<'a> = Box<dyn Lasts + 'a>;

trait Lasts {}
impl<T> Lasts for T {}

/// Begins something that must hold reminders back.
type Begin<'a> = Box<dyn Fn() -> Goes<'a> + 'a>;

/// All reasons to hold reminders back: the text reported for each, and how it begins.
fn inhibitors<'a>(profile: &'a Profile, desktop: &'a Desktop) -> Vec<(&'static str, Begin<'a>)> {
    let ctl = |begin: &'static [&'static str], end: &'static [&'static str]| {
        move || -> Goes<'a> {
            profile.ctl(begin).success();
            Box::new(AtEnd(Box::new(move || drop(profile.ctl(end).success()))))
        }
    };
    vec![
        ("not tracking", Box::new(ctl(&["pause"], &["resume"]))),
        (
            "quiet hours",
            Box::new(ctl(
                &["config", "set", "nudge.quiet_hours", "00:00-23:59"],
                &["config", "set", "nudge.quiet_hours", ""],
            )),
        ),
        ("full screen", Box::new(|| Box::new(desktop.full_screen_window()))),
        (
            "do not disturb",
            Box::new(|| {
                let _ = desktop.run("dunstctl", &["set-paused", "true"]);
                Box::new(AtEnd(Box::new(|| drop(desktop.run("dunstctl", &["set-paused", "false"])))))
            }),
        ),
        ("a call or a shared screen", Box::new(|| Box::new(desktop.record_sound()))),
        ("a call or a shared screen", Box::new(|| Box::new(desktop.share_screen()))),
    ]
}

struct AtEnd<'a>(Box<dyn Fn() + 'a>);

impl Drop for AtEnd<'_> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// The doctor's message about reminders.
fn standing(profile: &Profile) -> String {
    let report: Value = serde_json::from_str(&profile.ctl(&["doctor", "--json"]).stdout).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["id"] == "reminders").expect("a daemon on a desktop reminds");
    check["message"].as_str().unwrap().to_owned()
}

#[test]
fn nobody_is_disturbed_and_doctor_says_why() {
    let Some(mut desktop) = Desktop::start() else { return };
    desktop.start_streams();
    let profile = Profile::new();
    let _daemon = start(&profile, &desktop);
    let free = || until("free again", SOON, || standing(&profile).contains("are shown").then_some(()));
    free();
    for (why, begin) in inhibitors(&profile, &desktop) {
        let goes_on = begin();
        until(why, SOON, || standing(&profile).ends_with(&format!("would not be shown: {why}.")).then_some(()));
        drop(goes_on);
        free();
    }
}

#[test]
fn a_camera_in_use_is_a_call() {
    let Some(desktop) = Desktop::start() else { return };
    let profile = Profile::new();
    let Some(mut unshared) = with_own_devices(&profile) else { return };
    desktop.show(&mut unshared);
    let _daemon = Daemon::start_on(&profile, |command| *command = unshared);
    profile.ctl(&["consent", "grant"]).success();
    let status = profile.status_when("tracking", SOON, |status| status.state == State::Tracking);
    assert!(standing(&profile).contains("are shown"), "{}", standing(&profile));
    // The path as the daemon sees it, whose mount namespace is its own.
    let inside = Path::new("/proc").join(status.pid.to_string()).join("root");
    let camera = fs::File::open(inside.join("dev/video0")).unwrap();
    assert!(standing(&profile).ends_with("another program uses the camera."), "{}", standing(&profile));
    drop(camera);
    assert!(standing(&profile).contains("are shown"), "{}", standing(&profile));
}

/// blinkd in a mount namespace where `/dev` has a camera; `None` where the system allows none.
fn with_own_devices(profile: &Profile) -> Option<Command> {
    let mount = "mkdir own && mount --rbind /dev own && mount -t tmpfs none /dev && ln -s \"$PWD\"/own/* /dev && \
                 touch /dev/video0 && exec \"$0\" \"$@\"";
    let unshared = |program: &OsStr| {
        let mut command = profile.plain("unshare");
        command.args(["--mount", "sh", "-c", mount]).arg(program);
        command
    };
    let may = Ended::of(&mut unshared("true".as_ref()), "").code == Some(0);
    if !may {
        skipped("this user may not mount a folder of devices");
        return None;
    }
    fs::remove_dir(profile.path().join("own")).unwrap();
    let mut command = unshared(binary("blinkd").as_os_str());
    command.args(["run", "--source", "synthetic:bpm=20"]);
    Some(command)
}

#[test]
fn what_must_not_be_shown_is_dropped() {
    if !long_tier() {
        return;
    }
    let Some(mut desktop) = Desktop::start() else { return };
    desktop.start_streams();
    let profile = Profile::new();
    let mut daemon = start(&profile, &desktop);
    until("a reminder", DUE, || (told(&desktop) == 1).then_some(()));
    for (nth, (why, begin)) in inhibitors(&profile, &desktop).into_iter().enumerate() {
        let (before, dropped_before) = (told(&desktop), dropped(&profile));
        daemon = run_anew(&profile, &desktop, daemon);
        let goes_on = begin();
        // A pause stops the counting too, so that no reminder comes due.
        let end = Instant::now() + LONG_ENOUGH;
        until("one that is dropped, or long enough", DUE, || {
            (dropped(&profile) > dropped_before || (why == "not tracking" && Instant::now() > end)).then_some(())
        });
        drop(goes_on);
        assert_eq!(told(&desktop), before, "{nth}: nothing is shown: {why}");
        println!("{why}: dropped {}, shown 0", dropped(&profile) - dropped_before);
    }
    let before = told(&desktop);
    let _daemon = run_anew(&profile, &desktop, daemon);
    until("one that is shown again", DUE, || (told(&desktop) > before).then_some(()));
}
