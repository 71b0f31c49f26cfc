//! The state while the source has trouble, and coverage.

use blink_proto::Hint;

use super::*;

#[test]
fn trouble_with_the_source_is_the_state_while_the_source_is_wanted() {
    let place = TempProfile::new();
    let mut keeper = place.consenting();
    for (kind, state) in [
        (TroubleKind::Ended, State::NoCamera),
        (TroubleKind::Gone, State::NoCamera),
        (TroubleKind::Busy, State::CameraBusy),
        (TroubleKind::Broken, State::Error),
    ] {
        keeper.news(CaptureEvent::Trouble(Trouble { kind, problem: Problem::new("code", "m", "f") }));
        assert_eq!((keeper.state(), keeper.status().last_error.unwrap().code), (state, "code".to_owned()));
    }
    keeper.pause(PauseSpan::default()).unwrap();
    assert_eq!((keeper.state(), keeper.status().last_error), (State::Paused, None));
    keeper.resume().unwrap();
    keeper.news(CaptureEvent::Opened);
    assert_eq!(keeper.state(), State::Error, "a stream may open and still give nothing: it is not over");
    let at = t("10:00:00");
    let seen = Sighting { at, sight: Sight::Nobody, ear: None, baseline: None, hint: None };
    keeper.news(CaptureEvent::Seen(vec![seen], vec![]));
    assert_eq!((keeper.state(), keeper.status().last_error), (State::NoFace, None));
    let hint = Some(Hint::TooDark);
    let seen = Sighting { at, sight: Sight::Measurable, ear: None, baseline: None, hint };
    keeper.news(CaptureEvent::Seen(vec![seen], vec![]));
    assert_eq!((keeper.state(), keeper.status().hint), (State::Tracking, hint));
    place.idle(&mut keeper, 2);
    assert_eq!((keeper.state(), keeper.status().hint), (State::NoFace, None), "no frame is recent");
}

#[test]
fn coverage_is_over_unpaused_time_and_survives_a_restart() {
    let place = TempProfile::new();
    let mut keeper = place.consenting();
    place.watch(&mut keeper, 60, 10);
    place.idle(&mut keeper, 60);
    keeper.pause(PauseSpan::default()).unwrap();
    place.idle(&mut keeper, 1_000);
    assert_eq!(keeper.status().coverage, Some(0.5));
    drop(keeper);
    let mut keeper = place.keeper();
    assert_eq!(keeper.status().coverage, Some(0.5));
    place.idle(&mut keeper, 14 * 3600);
    assert_eq!((keeper.status().coverage, keeper.status().today.blink_count), (None, 0), "a new day");
}
