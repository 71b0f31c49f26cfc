//! Compares our evaluation of the landmark model with dlib's own, on the same images and boxes.

use blink_vision::{
    geometry::{Point, Similarity},
    models,
    native::{Detector, FaceBox, FileSource, SyntheticFace, dlib_image},
    predictor::GreyImage,
    source::Synthetic,
};
use dlib_face_recognition::{LandmarkPredictor, LandmarkPredictorTrait, Rectangle};
use opencv::{
    core::{Mat, MatTraitConst, MatTraitConstManual, Rect},
    imgproc,
};

use crate::footage;

/// dlib rounds each coordinate to a whole pixel, which moves a point by at most 0.707; the 16-bit leaves add a little.
const ROUNDING: f32 = 0.72;
/// Sums in another order differ in the last bit, which can put a feature on the neighbouring pixel or take a split's
/// other side; the cascade corrects most of it. So few points may differ by more than the rounding, and none by much.
const SHARE_BEYOND: f32 = 0.01;
/// The synthetic face has flat colours, on which more splits are decided by noise.
const SHARE_BEYOND_DRAWN: f32 = 0.03;
const MOST: f32 = 1.5;
/// The mean distance of a point from itself rounded: (sqrt 2 + asinh 1) / 6 = 0.3826.
const MEAN: std::ops::RangeInclusive<f32> = 0.34..=0.42;

struct Compared {
    points: usize,
    sum: f32,
    most: f32,
    beyond: usize,
}

fn dlib() -> LandmarkPredictor {
    LandmarkPredictor::open(models::LANDMARKS_68.locate(&footage::model_folders()).unwrap()).unwrap()
}

/// Compares the landmarks of the first face in `grey`, if there is one.
fn compare(grey: &Mat, dlib: &LandmarkPredictor, detector: &mut Detector, compared: &mut Compared) {
    let whole = Rect::new(0, 0, grey.cols(), grey.rows());
    let Some(found) = detector.detect(grey, whole, 1.0).unwrap().first().copied() else { return };
    let (left, top, side) = (found.origin.x as i64, found.origin.y as i64, found.a as i64);
    let theirs = {
        let image = dlib_image(grey).unwrap();
        let rectangle = Rectangle { left, top, right: left + side, bottom: top + side };
        dlib.face_landmarks(&image, &rectangle)
    };
    let (width, height) = (grey.cols() as usize, grey.rows() as usize);
    let image = GreyImage::new(grey.data_bytes().unwrap(), width, height, width).unwrap();
    let face: FaceBox = Similarity::from_box(Point::new(left as f32, top as f32), side as f32);
    let ours = footage::model().predict(&image, &face);
    for (theirs, ours) in theirs.iter().zip(&ours) {
        let apart = (Point::new(theirs.x() as f32, theirs.y() as f32) - *ours).norm();
        compared.points += 1;
        compared.sum += apart;
        compared.most = compared.most.max(apart);
        compared.beyond += usize::from(apart > ROUNDING);
    }
}

fn check(compared: &Compared, at_least: usize, most_beyond: f32) {
    assert!(compared.points >= at_least, "only {} points were compared", compared.points);
    let share = compared.beyond as f32 / compared.points as f32;
    println!(
        "{} points: {:.2} % beyond dlib's rounding, {:.3} px at most",
        compared.points,
        100.0 * share,
        compared.most
    );
    assert!(share <= most_beyond, "{share}");
    assert!(compared.most <= MOST, "{}", compared.most);
}

#[test]
fn it_agrees_with_dlib_on_the_synthetic_face() {
    let (dlib, mut detector) = (dlib(), Detector::default());
    let mut compared = Compared { points: 0, sum: 0.0, most: 0.0, beyond: 0 };
    let spec = Synthetic { bpm: 30.0, ..Synthetic::default() };
    let mut face = SyntheticFace::new(&spec, jiff::Timestamp::UNIX_EPOCH).unwrap();
    for i in 0..40 {
        let mut grey = Mat::default();
        let picture = face.draw(std::time::Duration::from_millis(60 * i)).unwrap();
        imgproc::cvt_color_def(picture, &mut grey, imgproc::COLOR_BGR2GRAY).unwrap();
        compare(&grey, &dlib, &mut detector, &mut compared);
    }
    check(&compared, 40 * 68, SHARE_BEYOND_DRAWN);
}

#[test]
fn it_agrees_with_dlib_on_real_frames() {
    let Some(folder) = footage::folder("comparing landmarks with dlib's") else { return };
    let (dlib, mut detector) = (dlib(), Detector::default());
    let mut compared = Compared { points: 0, sum: 0.0, most: 0.0, beyond: 0 };
    for clip in footage::files(&folder.join("blinks/zju"), &["mp4"]).iter().step_by(4) {
        let mut source = FileSource::open(clip, false).unwrap();
        for i in 0..60 {
            let frame = source.read().unwrap();
            if i % 12 == 0 {
                compare(frame.grey, &dlib, &mut detector, &mut compared);
            }
        }
    }
    check(&compared, 30 * 68, SHARE_BEYOND);
    let mean = compared.sum / compared.points as f32;
    println!("{mean:.4} px apart on average");
    assert!(MEAN.contains(&mean), "{mean}");
}
