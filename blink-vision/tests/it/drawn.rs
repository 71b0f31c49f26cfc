//! Tests of the synthetic face in the whole pipeline: exactly the planned blinks are found, and a loss is noticed at
//! once.

use std::time::Duration;

use blink_vision::{
    Blink, Event, FaceSight, Hint,
    native::{Frame, Pipeline, SyntheticFace},
    schedule::Truth,
    score::{Annotation, Score, Span},
    source::Synthetic,
};
use opencv::{
    core::{Mat, MatTraitConst},
    imgproc,
};
use rstest::rstest;

use crate::footage;

/// Runs `seconds` of the face that `spec` describes.
fn watch(spec: &Synthetic, seconds: f64) -> (Vec<Blink>, Vec<FaceSight>, Duration) {
    let mut face = SyntheticFace::new(spec, jiff::Timestamp::UNIX_EPOCH).unwrap();
    let mut pipeline = Pipeline::new(footage::model());
    let (mut sights, mut blinks, mut observed) = (Vec::new(), Vec::new(), Duration::ZERO);
    let mut take = |event: Event| match event {
        Event::Blink(blink) => blinks.push(blink),
        Event::Observed { from, to, .. } => observed += to - from,
        Event::Wink(wink) => panic!("the drawn face closes both eyes: {wink:?}"),
    };
    let mut grey = Mat::default();
    for index in 0..(seconds * spec.fps) as u64 {
        let timestamp = Duration::from_secs_f64(index as f64 / spec.fps);
        imgproc::cvt_color_def(face.draw(timestamp).unwrap(), &mut grey, imgproc::COLOR_BGR2GRAY).unwrap();
        sights.push(pipeline.process(&Frame { index, timestamp, grey: &grey }).unwrap().sight);
        pipeline.drain_events().for_each(&mut take);
    }
    pipeline.finish();
    pipeline.drain_events().for_each(&mut take);
    (blinks, sights, observed)
}

#[rstest]
fn every_planned_blink_is_found_and_no_other(
    #[values(15.0, 24.0, 30.0, 60.0)] fps: f64,
    #[values(false, true)] glasses: bool,
) {
    let spec = Synthetic { bpm: 24.0, seed: 11, fps, glasses, ..Synthetic::default() };
    let (blinks, _, observed) = watch(&spec, 16.0);
    let frames = (16.0 * fps) as u64;
    let truth = Truth::new(spec.bpm, spec.seed, fps, frames, Duration::ZERO);
    let frame = |frame: u64| i64::try_from(frame).unwrap();
    let there = truth
        .blinks
        .iter()
        .map(|blink| Span { start_frame: frame(blink.start_frame), end_frame: frame(blink.end_frame) })
        .collect();
    let annotation = Annotation { blinks: there, ..Annotation::default() };
    let found: Vec<Span> = blinks.iter().map(Span::from).collect();
    let score = Score::new(&found, &annotation, frames);
    assert_eq!((score.false_positives, score.misses), (0, 0), "{found:?} {annotation:?}");
    assert_eq!(blinks.len(), truth.blinks.len());
    assert!(observed > Duration::from_millis(15_500), "{observed:?}");
    // The first blink comes after two seconds, and each found blink begins where the lid begins to move: within a frame,
    // or where frames are many, within 35 ms, in which the lid moves by a tenth.
    assert!(blinks[0].start >= Duration::from_secs(2), "{:?}", blinks[0]);
    for (found, planned) in blinks.iter().zip(&truth.blinks) {
        let apart = found.start_frame.abs_diff(planned.start_frame);
        assert!(apart <= 1 || (apart as f64) < 0.035 * fps, "{found:?} {planned:?}");
    }
}

#[test]
fn under_fifteen_frames_a_second_nothing_is_observed() {
    let (blinks, sights, observed) = watch(&Synthetic { fps: 12.0, ..Synthetic::default() }, 10.0);
    assert!(sights.iter().all(|sight| *sight == FaceSight::Measurable));
    assert_eq!((blinks.len(), observed), (0, Duration::ZERO));
}

#[test]
fn several_strangers_are_not_observed() {
    let (blinks, sights, observed) = watch(&Synthetic { faces: 2, bpm: 30.0, ..Synthetic::default() }, 5.0);
    assert!(sights.iter().all(|sight| *sight == FaceSight::Several), "{sights:?}");
    assert_eq!((blinks.len(), observed), (0, Duration::ZERO));
}

#[test]
fn the_loss_of_the_face_is_noticed_within_three_frames() {
    let mut face = SyntheticFace::new(&Synthetic::default(), jiff::Timestamp::UNIX_EPOCH).unwrap();
    let mut room =
        SyntheticFace::new(&Synthetic { faces: 0, ..Synthetic::default() }, jiff::Timestamp::UNIX_EPOCH).unwrap();
    let mut pipeline = Pipeline::new(footage::model());
    let mut grey = Mat::default();
    for index in 0..120 {
        let timestamp = Duration::from_secs_f64(index as f64 / 30.0);
        let picture = if index < 90 { face.draw(timestamp) } else { room.draw(timestamp) };
        imgproc::cvt_color_def(picture.unwrap(), &mut grey, imgproc::COLOR_BGR2GRAY).unwrap();
        let sight = pipeline.process(&Frame { index, timestamp, grey: &grey }).unwrap().sight;
        match index {
            0..90 => assert_eq!(sight, FaceSight::Measurable, "frame {index}"),
            93.. => assert_eq!(sight, FaceSight::None, "frame {index}"),
            _ => {}
        }
    }
}

/// The drawn face in a room that is darkened to `light` of its brightness.
#[rstest]
#[case::well(1.0, None)]
#[case::in_the_dark(0.2, Some(Hint::TooDark))]
fn a_dark_face_is_told(#[case] light: f64, #[case] hint: Option<Hint>) {
    let mut face = SyntheticFace::new(&Synthetic::default(), jiff::Timestamp::UNIX_EPOCH).unwrap();
    let mut pipeline = Pipeline::new(footage::model());
    let (mut grey, mut dark) = (Mat::default(), Mat::default());
    let mut hints = Vec::new();
    for index in 0..90 {
        let timestamp = Duration::from_secs_f64(index as f64 / 30.0);
        imgproc::cvt_color_def(face.draw(timestamp).unwrap(), &mut grey, imgproc::COLOR_BGR2GRAY).unwrap();
        grey.convert_to(&mut dark, -1, light, 0.0).unwrap();
        hints.push(pipeline.process(&Frame { index, timestamp, grey: &dark }).unwrap().hint);
    }
    assert_eq!((hints[0], hints[89]), (None, hint));
}

#[test]
fn a_picture_that_is_frozen_is_not_observed_and_the_drawn_face_never_is() {
    let mut face = SyntheticFace::new(&Synthetic::default(), jiff::Timestamp::UNIX_EPOCH).unwrap();
    let mut pipeline = Pipeline::new(footage::model());
    let (mut grey, mut still, mut observed) = (Mat::default(), Vec::new(), Duration::ZERO);
    let mut take = |event: Event| {
        if let Event::Observed { from, to, .. } = event {
            observed += to - from;
        }
    };
    for index in 0..300 {
        let timestamp = Duration::from_secs_f64(index as f64 / 30.0);
        if !(120..210).contains(&index) {
            imgproc::cvt_color_def(face.draw(timestamp).unwrap(), &mut grey, imgproc::COLOR_BGR2GRAY).unwrap();
        }
        let report = pipeline.process(&Frame { index, timestamp, grey: &grey }).unwrap();
        assert_eq!(report.sight == FaceSight::None, report.stands_still);
        // A hint goes when it has not held for a second.
        let frozen = report.stands_still || (210..238).contains(&index);
        if !(238..=240).contains(&index) {
            assert_eq!(report.hint, frozen.then_some(Hint::PictureFrozen), "frame {index}");
        }
        if report.stands_still {
            still.push(index);
        }
        pipeline.drain_events().for_each(&mut take);
    }
    pipeline.finish();
    pipeline.drain_events().for_each(&mut take);
    // Frame 119 is shown for 91 frames, which is noticed after a second.
    assert_eq!(still, (150..210).collect::<Vec<_>>());
    let unobserved = Duration::from_secs_f64(299.0 / 30.0) - observed;
    assert!(unobserved.abs_diff(Duration::from_secs_f64(91.0 / 30.0)) < Duration::from_millis(80), "{unobserved:?}");
}
