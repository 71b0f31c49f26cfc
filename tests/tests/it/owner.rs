//! Enrols the owner with the real programs: what is stored, who can read it, and that it can be deleted.

use std::{os::unix::fs::PermissionsExt, time::Duration};

use blink_proto::status::State;
use waw_tests::{Daemon, Profile, skipped};

#[test]
fn a_face_is_learnt_kept_private_and_forgotten() {
    let profile = Profile::new();
    if profile.blinkd(&["models", "--json"]).code != Some(0) {
        skipped("the encoder's models are not on this machine (`blinkd models --fetch`)");
        return;
    }
    let _daemon = Daemon::start(&profile, "synthetic:bpm=6");
    let refused = profile.ctl(&["owner", "enroll"]).failure(1);
    assert!(refused.contains("no_consent") || refused.contains("consent"), "{refused}");
    let _ = profile.ctl(&["consent", "grant"]).success();
    profile.status_when("tracking", Duration::from_secs(30), |status| status.state == State::Tracking);
    let _ = profile.ctl(&["owner", "enroll"]).success();
    let file = profile.paths().owner_file();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let status = profile.status();
    assert_eq!(status.state, State::Tracking, "enrolling does not disturb the counting");
    let _ = profile.ctl(&["owner", "forget"]).success();
    assert!(!file.exists());
    let _ = profile.ctl(&["owner", "forget"]).success();
}
