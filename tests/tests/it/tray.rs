//! blinkd on a real desktop: the icon, its menu, its panel, and a desktop that is missing.

use std::time::Duration;

use blink_proto::status::State;
use waw_tests::{Daemon, Desktop, Profile, Server, desktop::MenuLine, until};

const SOON: Duration = Duration::from_secs(30);

/// Starts the daemon on `desktop`, with consent.
fn start(profile: &Profile, desktop: &Desktop) -> Daemon {
    let daemon = Daemon::start_on(profile, |command| {
        desktop.show(command.args(["run", "--source", "synthetic:bpm=20"]));
    });
    profile.ctl(&["consent", "grant"]).success();
    profile.status_when("tracking", SOON, |status| status.state == State::Tracking);
    daemon
}

/// Waits until `wanted` accepts the menu's line `label`; returns the line.
fn line_when(desktop: &Desktop, icon: &str, label: &str, wanted: impl Fn(&MenuLine) -> bool) -> MenuLine {
    until(&format!("{label:?} in the menu"), SOON, || {
        desktop.menu(icon).into_iter().find(|line| line.label == label && wanted(line))
    })
}

#[test]
fn the_menu_is_live_and_does_what_it_says() {
    let Some(desktop) = Desktop::start() else { return };
    let (profile, operator) = (Profile::new(), Profile::new());
    let mut daemon = start(&profile, &desktop);
    let icon = desktop.icon();
    line_when(&desktop, &icon, "Tracking", |line| line.checked && line.enabled);
    let labels: Vec<_> = desktop.menu(&icon).into_iter().map(|line| line.label).collect();
    assert!(labels[0].starts_with("Today: "), "{labels:?}");
    let items = [
        "Tracking",
        "Pause for 15 min",
        "Pause for 1 hour",
        "Pause until tomorrow",
        "Yield camera",
        "Open dashboard",
        "Sync now",
        "Sign in",
        "Settings file",
        "About",
        "Quit",
    ];
    assert_eq!(labels[1..], items);
    until("the live count", SOON, || (desktop.menu(&icon)[0].label != labels[0]).then_some(()));
    until("the tooltip", SOON, || desktop.property(&icon, "ToolTip").contains("Tracking").then_some(()));

    desktop.click(&icon, "Pause for 15 min");
    profile.status_when("the pause", SOON, |status| status.state == State::Paused);
    line_when(&desktop, &icon, "Tracking", |line| !line.checked);
    profile.ctl(&["resume"]).success();
    line_when(&desktop, &icon, "Tracking", |line| line.checked);
    desktop.click(&icon, "Tracking");
    profile.status_when("the pause", SOON, |status| status.state == State::Paused);
    desktop.activate(&icon);
    profile.status_when("a left click to resume", SOON, |status| status.state != State::Paused);
    desktop.click(&icon, "Yield camera");
    profile.status_when("the camera to be handed over", SOON, |status| status.state == State::Yielded);
    profile.ctl(&["resume"]).success();

    let server = Server::start(&operator);
    profile.register(&server, "ada@example.org");
    line_when(&desktop, &icon, "Sign out", |line| line.enabled);
    desktop.click(&icon, "Sync now");
    until("the result of a sync", SOON, || desktop.notifications().contains(&"Synchronised".to_owned()).then_some(()));
    desktop.click(&icon, "Sign out");
    profile.status_when("signing out", SOON, |status| status.account.is_none());
    desktop.click(&icon, "Quit");
    let ended = until("the end of the daemon", SOON, || daemon.program().ended());
    assert!(ended.success(), "{ended}");
    until("the icon to go", SOON, || desktop.icons().is_empty().then_some(()));
}

#[test]
fn the_menu_opens_what_it_names_and_signs_in() {
    const EMAIL: &str = "ada@example.org";
    let Some(desktop) = Desktop::start() else { return };
    let (profile, operator) = (Profile::new(), Profile::new());
    let server = Server::start(&operator);
    profile.ctl(&["config", "set", "upload.server", &server.url()]).success();
    let _daemon = start(&profile, &desktop);
    profile.register(&server, EMAIL);
    profile.ctl(&["logout"]).success();
    let icon = desktop.icon();
    let opened = |what: &str| {
        until(&format!("{what} to be opened"), SOON, || {
            desktop.opened().into_iter().find(|opened| opened.contains(what))
        })
    };
    desktop.click(&icon, "Open dashboard");
    opened(&server.url());
    desktop.click(&icon, "Settings file");
    opened(&profile.paths().config_file().display().to_string());
    desktop.click(&icon, "About");
    until("what it is", SOON, || desktop.notifications().contains(&"blinkd".to_owned()).then_some(()));

    line_when(&desktop, &icon, "Sign in", |line| line.enabled);
    desktop.click(&icon, "Sign in");
    let page = opened("code=");
    assert!(page.starts_with(&server.url()), "{page}");
    server.approve(page.split_once("code=").unwrap().1, EMAIL);
    profile.status_when("the sign-in", SOON, |status| {
        status.account.as_ref().is_some_and(|account| account.email == EMAIL)
    });
    until("the result", SOON, || desktop.notifications().contains(&"Signed in".to_owned()).then_some(()));
}

#[test]
fn the_icon_comes_back_with_the_panel() {
    let Some(mut desktop) = Desktop::start() else { return };
    let profile = Profile::new();
    let _daemon = start(&profile, &desktop);
    let first = desktop.icon();
    line_when(&desktop, &first, "Quit", |line| line.enabled);
    desktop.kill_panel();
    assert_eq!(profile.status().state, State::Tracking, "nobody needs a panel to be counted");
    desktop.start_panel();
    let again = desktop.icon();
    line_when(&desktop, &again, "Quit", |line| line.enabled);
}

#[test]
fn without_bus_panel_or_display_it_counts() {
    let profile = Profile::new();
    let mut daemon = Daemon::start_on(&profile, |command| {
        command.args(["run", "--source", "synthetic:bpm=20"]);
    });
    profile.ctl(&["consent", "grant"]).success();
    profile.status_when("blinks", Duration::from_secs(60), |status| status.blinks_session > 1);
    assert!(daemon.program().stop().success());
    assert_eq!(daemon.program().stderr(), "");
}

#[test]
fn each_state_has_its_picture() {
    let Some(desktop) = Desktop::start() else { return };
    let profile = Profile::new();
    profile.ctl(&["config", "set", "camera.source", "synthetic:bpm=20"]).success();
    let _daemon = Daemon::start_on(&profile, |command| desktop.show(command.arg("run")));
    let icon = desktop.icon();
    let mut seen = Vec::new();
    let mut look = |name: &str, state: State, words: &str| {
        profile.status_when(name, SOON, |status| status.state == state);
        // The tooltip is changed after the icon.
        until("the tooltip", SOON, || desktop.property(&icon, "ToolTip").contains(words).then_some(()));
        let drawn = desktop.property(&icon, "IconPixmap");
        assert!(drawn.len() > 1000 && !seen.contains(&drawn), "{name} has a picture of its own");
        seen.push(drawn);
        desktop.picture(name);
    };
    look("problem", State::NoConsent, "Not set up");
    profile.ctl(&["consent", "grant"]).success();
    look("tracking", State::Tracking, "Tracking");
    profile.ctl(&["pause"]).success();
    look("paused", State::Paused, "Paused");
    profile.ctl(&["resume"]).success();
    profile.ctl(&["config", "set", "camera.source", "camera:9"]).success();
    look("no-camera", State::NoCamera, "No camera");
    profile.ctl(&["config", "set", "camera.source", "synthetic:absent=3600"]).success();
    look("away", State::NoFace, "Nobody in view");
    until("the greeting", SOON, || {
        desktop.notifications().contains(&"blinkd is here, and the camera is off".to_owned()).then_some(())
    });
}
