//! What makes a picture of a face unfit, with the source of each threshold. How many usable pictures they refuse together,
//! and which, `make liveness` prints: docs/fairness.md.

use blink_proto::faces::PictureFault;
use blink_vision::{
    geometry::{Landmarks, Point, Similarity},
    pose::Pose,
};
use opencv::{
    core::{self, CV_64F, Mat, MatTraitConst, Rect, Size},
    imgproc,
};

/// Width of a face below which it is not enrolled where the person could come closer: four fifths of the 150 pixels from
/// which it is encoded. A face that takes more than this share of the picture's longer side already, as in a cut-out
/// portrait, may be as small as the detector's window (dlib's `frontal_face_detector`, King 2009).
const ENROLMENT_FACE_PX: f32 = 120.0;
const FILLS_FROM: f32 = 0.4;
const LEAST_FACE_PX: f32 = 80.0;
/// Mean lightness of a face below which a webcam's noise hides it: as `blink_vision::hint` has it for blinks.
const DARK_BELOW: f32 = 40.0;
/// Mean lightness of a picture without a face below which it is the darkness that hides one.
const DARK_PICTURE_BELOW: f32 = 30.0;
/// Sharpness of a face below which its encoding moves away from that of the sharp face (measured).
const BLURRED_BELOW: f32 = 0.1;
/// A head turned further than this shows one side of the face only in part, and dlib's encoder was trained on faces that a
/// frontal detector finds. Blinks are not measured beyond 45 degrees either (`blink_vision::blinks`).
const TURNED_FROM_DEG: f32 = 40.0;
/// This share of a face's width may lie outside of the picture; more of a face that fills it, because there it is the
/// cut-out portrait's edge, beyond which the box of a turned head reaches (measured on photographs: at most 0.21).
const MOST_OUTSIDE: f32 = 0.12;
const MOST_OUTSIDE_FILLED: f32 = 0.25;
const PORTRAIT_FROM: f32 = 0.6;
/// The side of the face on which sharpness is measured, in pixels.
const SHARPNESS_SIDE: i32 = 96;

/// How a face is seen.
#[derive(Clone, Copy, Debug)]
pub struct Quality {
    /// Its width in the picture as it was sent.
    pub face_px: f32,
    /// Its mean lightness, 0 to 255.
    pub lightness: f32,
    /// The standard deviation of its Laplacian over that of its grey levels, at one size for all faces.
    pub sharpness: f32,
    /// How far the head is turned.
    pub yaw: f32,
    /// The share of its width that lies outside of the picture.
    pub outside: f32,
    /// Its width over the longer side of the picture.
    pub fills: f32,
}

impl Quality {
    /// The quality of the face with `landmarks` and the box `face` in `grey`, which shows the picture that was sent at
    /// `scale`.
    ///
    /// # Errors
    /// When OpenCV has no memory.
    pub fn of(grey: &Mat, landmarks: &Landmarks, face: &Similarity, scale: f32) -> opencv::Result<Self> {
        let (lightness, sharpness) = match area(grey, face) {
            Some(area) => look(&grey.roi(area)?.try_clone()?)?,
            None => (0.0, 0.0),
        };
        Ok(Self {
            face_px: face.scale() / scale,
            lightness,
            sharpness,
            yaw: Pose::from_landmarks(landmarks).yaw,
            outside: outside(grey, face),
            fills: face.scale() / grey.cols().max(grey.rows()) as f32,
        })
    }

    /// The first fault that makes it unfit to be enrolled.
    #[must_use]
    pub fn enrolment_fault(&self) -> Option<PictureFault> {
        let most_outside = if self.fills < PORTRAIT_FROM { MOST_OUTSIDE } else { MOST_OUTSIDE_FILLED };
        if self.outside > most_outside {
            Some(PictureFault::PartialFace)
        } else if self.face_px < if self.fills < FILLS_FROM { ENROLMENT_FACE_PX } else { LEAST_FACE_PX } {
            Some(PictureFault::TooSmall)
        } else if self.is_dark() {
            Some(PictureFault::TooDark)
        } else if self.yaw.abs() > TURNED_FROM_DEG {
            Some(PictureFault::TurnedAway)
        } else if self.sharpness < BLURRED_BELOW {
            Some(PictureFault::TooBlurred)
        } else {
            None
        }
    }

    /// Whether it is too dark to be recognised.
    #[must_use]
    pub fn is_dark(&self) -> bool {
        self.lightness < DARK_BELOW
    }
}

/// Why no face was found in a picture: it is too dark, or there is none.
///
/// # Errors
/// When OpenCV has no memory.
pub fn no_face(grey: &Mat) -> opencv::Result<PictureFault> {
    let dark = core::mean_def(grey)?[0] < f64::from(DARK_PICTURE_BELOW);
    Ok(if dark { PictureFault::TooDark } else { PictureFault::NoFace })
}

fn outside(grey: &Mat, face: &Similarity) -> f32 {
    let (centre, half) = (face.apply(Point::new(0.5, 0.5)), face.scale() / 2.0);
    let beyond = |from: f32, to: f32, side: i32| (-from).max(to - side as f32);
    let across = beyond(centre.x - half, centre.x + half, grey.cols());
    let down = beyond(centre.y - half, centre.y + half, grey.rows());
    across.max(down).max(0.0) / face.scale().max(1.0)
}

/// The upright square around a face, as far as it is inside the picture.
#[expect(clippy::cast_possible_truncation, reason = "pixels")]
fn area(grey: &Mat, face: &Similarity) -> Option<Rect> {
    let centre = face.apply(Point::new(0.5, 0.5));
    let half = face.scale() / 2.0;
    let (left, top) = ((centre.x - half).max(0.0) as i32, (centre.y - half).max(0.0) as i32);
    let (right, bottom) = (((centre.x + half) as i32).min(grey.cols()), ((centre.y + half) as i32).min(grey.rows()));
    (right - left > 8 && bottom - top > 8).then(|| Rect::new(left, top, right - left, bottom - top))
}

#[expect(clippy::cast_possible_truncation, reason = "grey levels")]
fn look(face: &Mat) -> opencv::Result<(f32, f32)> {
    let lightness = core::mean_def(face)?[0] as f32;
    let (mut same, mut edges) = (Mat::default(), Mat::default());
    let size = Size::new(SHARPNESS_SIDE, SHARPNESS_SIDE);
    imgproc::resize(face, &mut same, size, 0.0, 0.0, imgproc::INTER_AREA)?;
    imgproc::laplacian_def(&same, &mut edges, CV_64F)?;
    let deviation = |of: &Mat| -> opencv::Result<f64> {
        let (mut mean, mut deviation) = (Mat::default(), Mat::default());
        core::mean_std_dev_def(of, &mut mean, &mut deviation)?;
        Ok(*deviation.at::<f64>(0)?)
    };
    Ok((lightness, (deviation(&edges)? / deviation(&same)?.max(1.0)) as f32))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const FIT: Quality =
        Quality { face_px: 200.0, lightness: 120.0, sharpness: 0.4, yaw: 5.0, outside: 0.0, fills: 0.3 };

    #[rstest]
    #[case::fit(FIT, None)]
    #[case::small(Quality { face_px: 119.0, ..FIT }, Some(PictureFault::TooSmall))]
    #[case::small_in_a_portrait(Quality { face_px: 81.0, fills: 0.6, ..FIT }, None)]
    #[case::small_even_there(Quality { face_px: 79.0, fills: 0.6, ..FIT }, Some(PictureFault::TooSmall))]
    #[case::dark(Quality { lightness: 39.0, ..FIT }, Some(PictureFault::TooDark))]
    #[case::blurred(Quality { sharpness: 0.03, ..FIT }, Some(PictureFault::TooBlurred))]
    #[case::turned(Quality { yaw: -41.0, ..FIT }, Some(PictureFault::TurnedAway))]
    #[case::cut(Quality { outside: 0.2, ..FIT }, Some(PictureFault::PartialFace))]
    #[case::cut_like_a_portrait(Quality { outside: 0.2, fills: 0.8, ..FIT }, None)]
    #[case::dark_and_blurred(Quality { lightness: 20.0, sharpness: 0.01, ..FIT }, Some(PictureFault::TooDark))]
    fn the_first_fault_is_told(#[case] quality: Quality, #[case] fault: Option<PictureFault>) {
        assert_eq!(quality.enrolment_fault(), fault);
    }
}
