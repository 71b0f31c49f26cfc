//! Tests that a face is found and followed wherever and however it is in the picture, and its blinks counted: small,
//! larger than the picture, tilted, in the dark, in haze.

use std::time::Duration;

use blink_vision::{
    dip::Limits,
    native::{Detector, Frame, SyntheticFace},
    schedule::Schedule,
    source::Synthetic,
};
use opencv::{
    core::{self, CV_8UC1, CV_16SC1, Mat, MatTrait, MatTraitConst, Point2f, Rect, Scalar, Size},
    imgproc,
};
use rstest::rstest;

use crate::footage;

const SECONDS: f64 = 12.0;
const SIZE: Size = Size { width: 640, height: 480 };

/// How the drawn face is shown.
#[derive(Clone, Copy)]
struct Shown {
    /// The width of its box in pixels.
    width: f64,
    /// How far the head is tilted, in degrees clockwise.
    tilt: f64,
    /// The light: a factor, and grey levels that are added.
    light: (f64, f64),
    /// The standard deviation of the sensor's noise.
    noise: f64,
}

const WELL: Shown = Shown { width: 180.0, tilt: 0.0, light: (1.0, 0.0), noise: 2.0 };

/// The picture turned, scaled about the face's middle, which comes to the picture's, and lit.
fn shown(picture: &Mat, middle: Point2f, scale: f64, how: Shown) -> Mat {
    let mut place = imgproc::get_rotation_matrix_2d(middle, -how.tilt, scale).unwrap();
    *place.at_2d_mut::<f64>(0, 2).unwrap() += f64::from(SIZE.width) / 2.0 - f64::from(middle.x);
    *place.at_2d_mut::<f64>(1, 2).unwrap() += f64::from(SIZE.height) / 2.0 - f64::from(middle.y);
    let mut placed = Mat::default();
    let (area, edge) = (imgproc::INTER_LINEAR, core::BORDER_REPLICATE);
    // Shrinking far needs the mean of the pixels, which a warp does not take.
    let mut soft = Mat::default();
    let blur = (0.4 / scale).max(0.1);
    imgproc::gaussian_blur_def(picture, &mut soft, Size::new(0, 0), blur).unwrap();
    imgproc::warp_affine(&soft, &mut placed, &place, SIZE, area, edge, Scalar::all(0.0)).unwrap();
    let mut lit = Mat::default();
    placed.convert_to(&mut lit, CV_8UC1, how.light.0, how.light.1).unwrap();
    let mut noise = Mat::new_size_with_default(SIZE, CV_16SC1, Scalar::all(0.0)).unwrap();
    core::randn(&mut noise, &Scalar::all(0.0), &Scalar::all(how.noise)).unwrap();
    let mut seen = Mat::default();
    core::add(&lit, &noise, &mut seen, &core::no_array(), CV_8UC1).unwrap();
    seen
}

#[rstest]
#[case::as_usual(WELL)]
#[case::of_sixty_pixels(Shown { width: 60.0, noise: 1.0, ..WELL })]
#[case::that_fills_the_picture(Shown { width: 400.0, ..WELL })]
#[case::larger_than_the_picture(Shown { width: 760.0, ..WELL })]
#[case::tilted_to_the_right(Shown { tilt: 25.0, ..WELL })]
#[case::tilted_far_to_the_right(Shown { tilt: 40.0, width: 110.0, ..WELL })]
#[case::tilted_far_to_the_left(Shown { tilt: -40.0, width: 110.0, ..WELL })]
#[case::in_the_dark(Shown { light: (0.25, 0.0), noise: 1.0, ..WELL })]
#[case::in_haze(Shown { light: (0.4, 120.0), ..WELL })]
fn a_face_is_found_and_its_blinks_are_counted(#[case] how: Shown) {
    let spec = Synthetic { bpm: 24.0, seed: 5, ..Synthetic::default() };
    let mut face = SyntheticFace::new(&spec, jiff::Timestamp::UNIX_EPOCH).unwrap();
    let mut grey = Mat::default();
    imgproc::cvt_color_def(face.draw(Duration::ZERO).unwrap(), &mut grey, imgproc::COLOR_BGR2GRAY).unwrap();
    let whole = Rect::new(0, 0, grey.cols(), grey.rows());
    let at = Detector::default().detect(&grey, whole, 0.5).unwrap()[0];
    let middle = at.apply(blink_vision::geometry::Point::new(0.5, 0.5));
    let (middle, scale) = (Point2f::new(middle.x, middle.y), how.width / f64::from(at.scale()));
    let (frames, mut index) = ((SECONDS * spec.fps) as u64, 0);
    let found = footage::found(Limits::default(), |show| {
        let timestamp = Duration::from_secs_f64(index as f64 / spec.fps);
        imgproc::cvt_color_def(face.draw(timestamp).unwrap(), &mut grey, imgproc::COLOR_BGR2GRAY).unwrap();
        let picture = shown(&grey, middle, scale, how);
        show(&Frame { index, timestamp, grey: &picture });
        index += 1;
        index < frames
    });
    let planned = Schedule::new(spec.bpm, spec.seed).within(0.0, SECONDS);
    assert_eq!(found.blinks.len(), planned.len(), "{found:?} {planned:?}");
    assert!(found.observed.as_secs_f64() > SECONDS - 0.5, "{found:?}");
}
