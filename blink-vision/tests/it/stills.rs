//! Tests of what never blinks: nobody, a wall, a synthetic face with open eyes, photographs moved under changing light.

use std::{
    f64::consts::{PI, TAU},
    path::{Path, PathBuf},
    time::Duration,
};

use blink_vision::{
    Event, FaceSight,
    native::{Frame, Pipeline, SyntheticFace},
    source::Synthetic,
};
use opencv::{
    core::{
        self, CV_8UC1, CV_16SC1, CV_32FC1, CV_32FC2, Mat, MatTraitConst, MatTraitManual, Point2f, Scalar, Size, Vec2f,
        Vector,
    },
    imgcodecs, imgproc,
};

use crate::footage;

/// Number of frames: five minutes at 30 fps are 9,000; `make test-long` sets the variable to run all of them.
fn frames(short: u64, long: u64) -> u64 {
    if std::env::var_os("WAW_TEST_LONG").is_some() { long } else { short }
}

/// Runs `count` images at 30 fps; returns the number of blinks and of frames with a measurable face.
fn watch(count: u64, mut picture: impl FnMut(u64) -> Mat) -> (usize, u64) {
    let mut pipeline = Pipeline::new(footage::model()).with_models_in(&footage::model_folders());
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

/// How a photograph is held before the camera: each movement has a period, a phase and an extent of its own.
struct Hand {
    waves: [(f64, f64, f64); 9],
    /// The quality at which each picture is encoded as JPEG and decoded again, if it is.
    quality: Option<i32>,
    noise: f64,
}

impl Hand {
    /// The hand number `n`: it turns the photograph by up to 25 degrees, some of them little.
    fn new(n: u64) -> Self {
        let unit = |k: u64| {
            (n.wrapping_mul(9).wrapping_add(k).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as f64 / (1u64 << 24) as f64
        };
        let waves = std::array::from_fn(|k| {
            let k = k as u64;
            (0.9 + 6.0 * unit(3 * k), unit(3 * k + 1), 0.3 + 0.9 * unit(3 * k + 2))
        });
        Self { waves, quality: [None, Some(30), Some(60)][n as usize % 3], noise: [2.0, 4.0, 7.0][n as usize / 3 % 3] }
    }

    fn wave(&self, k: usize, t: f64) -> f64 {
        let (period, phase, extent) = self.waves[k];
        extent * (TAU * (t / period + phase)).sin()
    }

    /// The photograph at time `t`: swayed, turned, tilted, neared, bent, lit from a side that changes, with a sensor's
    /// noise, and encoded.
    fn show(&self, photograph: &Mat, t: f64) -> Mat {
        let (width, height) = (f64::from(photograph.cols()), f64::from(photograph.rows()));
        let wave = |k| self.wave(k, t);
        let (yaw, pitch, roll) = (0.43 * wave(0), 0.2 * wave(1), 0.14 * wave(2));
        let (near, far) = (1.0 + 0.12 * wave(3), 900.0);
        let corner = |x: f64, y: f64| {
            let (x, y) = ((x - 0.5) * width, (y - 0.5) * height);
            let (x, y) = (x * roll.cos() - y * roll.sin(), x * roll.sin() + y * roll.cos());
            let (x, z) = (x * yaw.cos(), -x * yaw.sin());
            let (y, z) = (y * pitch.cos() - z * pitch.sin(), y * pitch.sin() + z * pitch.cos());
            let scale = near * far / (far + z);
            Point2f::new(
                (width / 2.0 + x * scale + 25.0 * wave(4)) as f32,
                (height / 2.0 + y * scale + 15.0 * wave(5)) as f32,
            )
        };
        let from = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)];
        let to: Vector<Point2f> = from.iter().map(|&(x, y)| corner(x, y)).collect();
        let from: Vector<Point2f> =
            from.iter().map(|&(x, y)| Point2f::new((x * width) as f32, (y * height) as f32)).collect();
        let place = imgproc::get_perspective_transform_def(&from, &to).unwrap();
        let mut moved = Mat::default();
        let size = photograph.size().unwrap();
        imgproc::warp_perspective(
            &self.bent(photograph, t),
            &mut moved,
            &place,
            size,
            imgproc::INTER_LINEAR,
            core::BORDER_REPLICATE,
            Scalar::all(0.0),
        )
        .unwrap();
        let mut lit = Mat::default();
        core::multiply(&moved, &self.light(size, t), &mut lit, 0.85 + 0.2 * wave(6), CV_8UC1).unwrap();
        let mut noise = Mat::new_size_with_default(size, CV_16SC1, Scalar::all(0.0)).unwrap();
        core::randn(&mut noise, &Scalar::all(5.0 * wave(7)), &Scalar::all(self.noise)).unwrap();
        let mut seen = Mat::default();
        core::add(&lit, &noise, &mut seen, &core::no_array(), CV_8UC1).unwrap();
        let Some(quality) = self.quality else { return seen };
        let mut jpeg = Vector::new();
        imgcodecs::imencode(".jpg", &seen, &mut jpeg, &Vector::from_slice(&[imgcodecs::IMWRITE_JPEG_QUALITY, quality]))
            .unwrap();
        imgcodecs::imdecode(&jpeg, imgcodecs::IMREAD_GRAYSCALE).unwrap()
    }

    /// The photograph bent like a sheet that is held at its ends.
    fn bent(&self, photograph: &Mat, t: f64) -> Mat {
        let (width, height) = (photograph.cols(), photograph.rows());
        let bend = 18.0 * self.wave(8, t);
        let mut map = Mat::new_rows_cols_with_default(height, width, CV_32FC2, Scalar::all(0.0)).unwrap();
        for y in 0..height {
            let across = bend * (PI * f64::from(y) / f64::from(height)).sin();
            let row = map.at_row_mut::<Vec2f>(y).unwrap();
            for (x, place) in (0..width).zip(row) {
                let down = 0.4 * bend * (PI * f64::from(x) / f64::from(width)).sin();
                *place = Vec2f::from([(f64::from(x) + across) as f32, (f64::from(y) + down) as f32]);
            }
        }
        let mut bent = Mat::default();
        imgproc::remap(
            photograph,
            &mut bent,
            &map,
            &core::no_array(),
            imgproc::INTER_LINEAR,
            core::BORDER_REPLICATE,
            Scalar::all(0.0),
        )
        .unwrap();
        bent
    }

    /// Light from a side that changes.
    fn light(&self, size: Size, t: f64) -> Mat {
        let slope = 0.3 * self.wave(6, 1.7 * t);
        let mut row = Mat::new_rows_cols_with_default(1, size.width, CV_32FC1, Scalar::all(1.0)).unwrap();
        for (x, value) in row.at_row_mut::<f32>(0).unwrap().iter_mut().enumerate() {
            *value = (1.0 + slope * (x as f64 / f64::from(size.width) - 0.5) * 2.0) as f32;
        }
        core::repeat(&row, size.height, 1).unwrap()
    }
}

/// A photograph on a sheet of 640 x 480.
fn sheet(path: &Path) -> Option<Mat> {
    let read = imgcodecs::imread(path, imgcodecs::IMREAD_GRAYSCALE).ok().filter(|read| !read.empty())?;
    let scale = (640.0 / f64::from(read.cols())).min(480.0 / f64::from(read.rows()));
    let mut fitted = Mat::default();
    imgproc::resize(&read, &mut fitted, Size::default(), scale, scale, imgproc::INTER_AREA).unwrap();
    let (beside, above) = (640 - fitted.cols(), 480 - fitted.rows());
    let mut sheet = Mat::default();
    let (left, top) = (beside / 2, above / 2);
    core::copy_make_border(
        &fitted,
        &mut sheet,
        top,
        above - top,
        left,
        beside - left,
        core::BORDER_CONSTANT,
        Scalar::all(90.0),
    )
    .unwrap();
    Some(sheet)
}

/// The photographs of the test footage: an hour of them in the long tier.
#[test]
fn photographs_held_in_a_hand_never_blink() {
    let Some(folder) = footage::folder("photographs held before the camera") else { return };
    let mut paths = footage::files(&folder.join("faces/enrol"), &["jpg", "png"]);
    paths.extend(footage::files(&folder.join("faces/probe"), &["jpg", "png"]));
    for person in footage::folders(&folder.join("identities")) {
        paths.extend(footage::files(&person, &["jpg", "jpeg", "png"]).into_iter().take(2));
    }
    let long = std::env::var_os("WAW_TEST_LONG").is_some();
    let paths: Vec<PathBuf> = if long { paths } else { paths.into_iter().step_by(16).collect() };
    let count = if long { 3_600 * 30 / paths.len() as u64 + 1 } else { 180 };
    let (mut seen, mut frames, mut false_alarms) = (0, 0, Vec::new());
    for (n, path) in paths.iter().enumerate() {
        let Some(sheet) = sheet(path) else { continue };
        let hand = Hand::new(n as u64);
        let (blinks, measurable) = watch(count, |index| hand.show(&sheet, index as f64 / 30.0));
        (seen, frames) = (seen + measurable, frames + count);
        if blinks > 0 {
            false_alarms.push(format!("{}: {blinks}", path.display()));
        }
    }
    println!("{} photographs, {frames} frames, {seen} measured, false alarms: {false_alarms:?}", paths.len());
    assert!(seen > frames / 2, "the faces of most photographs are followed");
    assert!(false_alarms.is_empty(), "{false_alarms:?}");
}
