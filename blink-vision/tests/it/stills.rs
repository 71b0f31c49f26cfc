//! Tests of what never blinks: nobody, a wall, a synthetic face with open eyes, photographs moved under changing light.

use std::{f64::consts::TAU, time::Duration};

use blink_vision::{
    Event, FaceSight,
    native::{Frame, Pipeline, SyntheticFace},
    source::Synthetic,
};
use opencv::{
    core::{self, CV_8UC1, Mat, MatTraitConst, Point2f, Scalar, Size},
    imgcodecs, imgproc,
};

use crate::footage;

/// Number of frames: five minutes at 30 fps are 9,000; `make test-long` sets the variable to run all of them.
fn frames(short: u64, long: u64) -> u64 {
    if std::env::var_os("WAW_TEST_LONG").is_some() { long } else { short }
}

/// Runs `count` images at 30 fps; returns the number of blinks and of frames with a measurable face.
fn watch(count: u64, mut picture: impl FnMut(u64) -> Mat) -> (usize, u64) {
    let mut pipeline = Pipeline::new(footage::model());
    let (mut blinks, mut measurable) = (0, 0);
    for index in 0..count {
        let grey = picture(index);
        let timestamp = Duration::from_secs_f64(index as f64 / 30.0);
        let report = pipeline.process(&Frame { index, timestamp, grey: &grey }).unwrap();
        measurable += u64::from(report.sight == FaceSight::Measurable);
        blinks += pipeline.drain_events().filter(|event| matches!(event, Event::Blink(_))).count();
    }
    pipeline.finish();
    blinks += pipeline.drain_events().filter(|event| matches!(event, Event::Blink(_))).count();
    (blinks, measurable)
}

fn noisy(level: f64, spread: f64) -> Mat {
    let mut picture = Mat::new_size_with_default(Size::new(320, 240), CV_8UC1, Scalar::all(0.0)).unwrap();
    core::randn(&mut picture, &Scalar::all(level), &Scalar::all(spread)).unwrap();
    picture
}

#[test]
fn nobody_never_blinks() {
    assert_eq!(watch(frames(90, 900), |_| noisy(0.0, 0.0)), (0, 0));
    assert_eq!(watch(frames(90, 900), |_| noisy(128.0, 40.0)), (0, 0));
}

#[test]
fn a_drawn_face_with_open_eyes_never_blinks() {
    let spec = Synthetic { bpm: 0.0, ..Synthetic::default() };
    let mut face = SyntheticFace::new(&spec, jiff::Timestamp::UNIX_EPOCH).unwrap();
    let count = frames(300, 9_000);
    let (blinks, measurable) = watch(count, |index| {
        let mut grey = Mat::default();
        let picture = face.draw(Duration::from_secs_f64(index as f64 / 30.0)).unwrap();
        imgproc::cvt_color_def(picture, &mut grey, imgproc::COLOR_BGR2GRAY).unwrap();
        grey
    });
    assert_eq!(blinks, 0);
    assert_eq!(measurable, count);
}

/// A photograph scaled to 480 rows as if held by a hand: it sways, turns and nears, under changing light.
fn held(photograph: &Mat, index: u64) -> Mat {
    let t = index as f64 / 30.0;
    let wave = |period: f64, phase: f64| (TAU * (t / period + phase)).sin();
    let scale = 1.0 + 0.06 * wave(4.1, 0.3);
    let middle = Point2f::new(photograph.cols() as f32 / 2.0, photograph.rows() as f32 / 2.0);
    let mut turn = imgproc::get_rotation_matrix_2d(middle, 5.0 * wave(3.3, 0.0), scale).unwrap();
    use opencv::core::MatTrait;
    *turn.at_2d_mut::<f64>(0, 2).unwrap() += 14.0 * wave(2.3, 0.1);
    *turn.at_2d_mut::<f64>(1, 2).unwrap() += 8.0 * wave(1.7, 0.7);
    let mut moved = Mat::default();
    imgproc::warp_affine(
        photograph,
        &mut moved,
        &turn,
        photograph.size().unwrap(),
        imgproc::INTER_LINEAR,
        core::BORDER_REPLICATE,
        Scalar::all(0.0),
    )
    .unwrap();
    let mut lit = Mat::default();
    moved.convert_to(&mut lit, CV_8UC1, 0.85 + 0.25 * wave(1.3, 0.5), 10.0 * wave(0.9, 0.2)).unwrap();
    let mut noise = Mat::new_size_with_default(lit.size().unwrap(), CV_8UC1, Scalar::all(0.0)).unwrap();
    core::randn(&mut noise, &Scalar::all(3.0), &Scalar::all(2.0)).unwrap();
    let mut seen = Mat::default();
    core::add_def(&lit, &noise, &mut seen).unwrap();
    seen
}

#[test]
fn a_photograph_held_in_a_hand_never_blinks() {
    let Some(folder) = footage::folder("photographs held before the camera") else { return };
    let photographs = footage::files(&folder.join("faces/enrol"), &["jpg", "png"]);
    let mut seen = 0;
    for path in &photographs {
        let read = imgcodecs::imread(path, imgcodecs::IMREAD_GRAYSCALE).unwrap();
        let scale = 480.0 / f64::from(read.rows());
        let mut photograph = Mat::default();
        imgproc::resize(&read, &mut photograph, Size::default(), scale, scale, imgproc::INTER_AREA).unwrap();
        let (blinks, measurable) = watch(frames(240, 1_800), |index| held(&photograph, index));
        println!("{}: {blinks} blinks, {measurable} frames measured", path.display());
        assert_eq!(blinks, 0, "{}", path.display());
        seen += measurable;
    }
    assert!(seen > 0, "no face was followed in any photograph");
}
