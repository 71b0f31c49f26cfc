//! The first run on a desktop: a notification, a terminal with the questions, and tracking.

use std::time::Duration;

use blink_proto::status::State;
use waw_tests::{Daemon, Desktop, Profile, until};

const SOON: Duration = Duration::from_secs(30);

#[test]
fn a_notification_leads_to_the_set_up_and_that_to_tracking() {
    let Some(desktop) = Desktop::start() else { return };
    let profile = Profile::new();
    let _daemon = Daemon::start_on(&profile, |command| {
        desktop.show(command.args(["run", "--source", "synthetic:bpm=20"]));
    });
    let icon = desktop.icon();
    until("the item for the set-up", SOON, || {
        desktop.menu(&icon).iter().any(|line| line.label == "Set up").then_some(())
    });
    until("a terminal", SOON, || {
        desktop.press("Set up");
        desktop.has_terminal().then_some(())
    });
    assert_eq!(profile.status().state, State::NoConsent, "nobody was asked yet");
    desktop.picture("consent");
    desktop.type_line("yes");
    profile.status_when("eyes", SOON, |status| status.consent && status.state == State::Tracking);
    // The answers choose this machine alone, and no start at sign-in.
    desktop.type_line("");
    desktop.type_line("n");
    desktop.picture("set-up");
    until("the terminal to close", SOON, || {
        desktop.type_line("");
        (!desktop.has_terminal()).then_some(())
    });
    assert!(profile.status().account.is_none());
    until("a menu without the set-up", SOON, || {
        (!desktop.menu(&icon).iter().any(|line| line.label == "Set up")).then_some(())
    });
}
