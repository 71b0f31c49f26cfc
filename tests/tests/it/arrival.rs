//! The main purpose: blinks of a clip, counted by the daemon, arrive at the server exactly once.

use std::{path::Path, time::Duration};

use blink_proto::{MinuteStart, status::State};
use jiff::Timestamp;
use waw_tests::{Daemon, Profile, Server, clip, until};

const EMAIL: &str = "ada@example.org";

/// Plays `path` through the daemon and waits until its last minute is on the server. Returns `blinks_session`.
fn play(path: &Path) -> u64 {
    let (profile, operator) = (Profile::new(), Profile::new());
    let server = Server::start(&operator);
    let mut daemon = Daemon::start(&profile, &format!("file:{}", path.display()));
    let waiting = profile.status();
    assert_eq!((waiting.state, waiting.blinks_session), (State::NoConsent, 0), "nothing is opened before consent");

    let user_id = profile.register(&server, EMAIL);
    let at_end = |code: &str| code == "end_of_file";
    let ended = profile.status_when("the end of the file", Duration::from_secs(120), |status| {
        status.last_error.as_ref().is_some_and(|problem| at_end(&problem.code))
    });
    assert_eq!(ended.state, State::NoCamera);

    // The minute that was open at the end of the file ends at its own time, and is sealed 2 s later.
    let sealed = MinuteStart::containing(Timestamp::now()).end() + Duration::from_secs(2);
    until("the end of the minute", Duration::from_secs(65), || (Timestamp::now() > sealed).then_some(()));
    profile.status_when("the minute to be sealed", Duration::from_secs(10), |status| {
        status.queue.pending > 0 || status.queue.last_success.is_some_and(|at| at >= sealed)
    });
    profile.ctl(&["sync"]).success();

    let status = profile.status();
    assert_eq!((status.queue.pending, status.queue.set_aside), (0, 0));
    let (on_server, minutes) = server.blinks_of(&user_id, EMAIL);
    assert_eq!(on_server, status.blinks_session, "{minutes} minutes are on the server; {status:#?}");
    assert!(daemon.program().stop().success());
    status.blinks_session
}

#[test]
fn a_synthetic_clip_arrives_blink_for_blink() {
    let studio = Profile::new();
    let clip = clip::synthesize(&studio, 20, 30, 11);
    assert_eq!(play(&clip.path), clip.blinks.len() as u64);
}

#[test]
fn a_real_clip_arrives() {
    // Three blinks are annotated. Some may be missed by the detector, but none may be added on the way.
    let Some(path) = clip::real("blinks/zju/01_000001M_FBN.mp4") else { return };
    let counted = play(&path);
    assert!((1..=4).contains(&counted), "{counted} blinks of three were counted");
}
