//! Killed at any instant, the daemon loses at most the last second, and goes on with the same minute.

use std::time::Duration;

use blink_proto::status::{State, Status};
use jiff::Timestamp;
use waw_tests::{Daemon, Profile, long_tier, until};

/// One blink a second as a function of wall time, so a restarted daemon sees the same blinks.
const SOURCE: &str = "synthetic:bpm=60,seed=5,epoch=2026-01-01T00:00:00Z";
/// The most blinks in a second at that rate, plus or minus 20 %.
const LAST_SECOND: u32 = 2;

fn second_of_minute() -> i64 {
    Timestamp::now().as_second().rem_euclid(60)
}

#[test]
fn a_killed_daemon_goes_on_with_the_minute() {
    let profile = Profile::new();
    let mut daemon = Daemon::start(&profile, SOURCE);
    let _ = profile.ctl(&["consent", "grant"]).success();
    let rounds = if long_tier() { 10 } else { 2 };
    for round in 0..rounds {
        let counting = |status: &Status| status.state == State::Tracking && status.minute.blink_count >= 4;
        // Late in the minute, too little of it would be left after the restart.
        let before = until("blinks early in a minute", Duration::from_secs(120), || {
            Some(profile.status()).filter(|status| counting(status) && (5..40).contains(&second_of_minute()))
        });
        daemon.program().kill();
        daemon = Daemon::start(&profile, SOURCE);
        let after = profile.status();
        assert_eq!(after.minute.from, before.minute.from, "round {round}");
        let kept = after.minute.blink_count;
        assert!(
            kept + LAST_SECOND >= before.minute.blink_count,
            "round {round}: {kept} of {} blinks were kept",
            before.minute.blink_count
        );
        assert!(after.consent, "consent survives a restart");
        profile.status_when("more blinks in the same minute", Duration::from_secs(20), |status| {
            status.minute.from == before.minute.from && status.minute.blink_count > kept
        });
    }
    assert!(daemon.program().stop().success(), "SIGTERM is a clean stop");
}

#[test]
fn a_pause_survives_a_restart() {
    let profile = Profile::new();
    let mut daemon = Daemon::start(&profile, SOURCE);
    let _ = profile.ctl(&["consent", "grant"]).success();
    let _ = profile.ctl(&["pause"]).success();
    assert!(daemon.program().stop().success());
    let _daemon = Daemon::start(&profile, SOURCE);
    let status = profile.status();
    assert_eq!((status.state, status.blinks_session), (State::Paused, 0));
    let _ = profile.ctl(&["resume"]).success();
    profile.status_when("tracking", Duration::from_secs(20), |status| status.state == State::Tracking);
    let _ = profile.ctl(&["consent", "withdraw"]).success();
    let off = profile.status();
    assert_eq!((off.state, off.consent), (State::NoConsent, false));
}

#[test]
fn quitting_ends_it_and_it_starts_anew_at_once() {
    let profile = Profile::new();
    let mut daemon = Daemon::start(&profile, SOURCE);
    let _ = profile.ctl(&["consent", "grant"]).success();
    profile.status_when("tracking", Duration::from_secs(20), |status| status.state == State::Tracking);
    let _ = profile.ctl(&["quit"]).success();
    // A script may start the daemon again right after `quit`, so the profile must be free.
    let again = Daemon::start(&profile, SOURCE);
    let status = until("the end of the first", Duration::from_secs(5), || daemon.program().ended());
    assert!(status.success(), "{status}");
    drop(again);
    profile.ctl(&["status"]).failure(3);
}
