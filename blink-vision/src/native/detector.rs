//! dlib's two face detectors. The quick one (HOG, Dalal and Triggs 2005) is run on an image scaled down as far as the
//! face allows; the thorough one (a convolutional network with max-margin loss, King 2015) takes ten times as long and
//! confirms followed faces that are turned, tilted or lit from behind.

use std::path::Path;

use dlib_face_recognition::{FaceDetector, FaceDetectorCnn, FaceDetectorTrait, FaceLocations};
use opencv::{
    core::{self, BORDER_REPLICATE, Mat, MatTraitConst, Rect, Scalar, Size},
    imgproc,
};

use super::dlib_image;
use crate::geometry::{Point, Similarity};

/// A face as the detector reports it: a square from brow to chin.
pub type FaceBox = Similarity;

/// Width of the picture when faces are searched that reach beyond its edges, and of the border that is added around it.
const BEYOND_WIDTH: f64 = 160.0;
const BEYOND_BORDER: i32 = 48;
/// Angles in degrees by which the picture is turned to find tilted heads; the detector itself tolerates 20 or so.
const TILTS: [f64; 2] = [-33.0, 33.0];
/// Width of the face in the upright cutout in which it is confirmed; the detectors' window is 80. The network needs
/// 1.5 kB of memory for each pixel, so its cutout is smaller.
const UPRIGHT_FACE: f32 = 92.0;
/// Width of the quick detector's window, and the most pixels of a picture that is made larger or smaller for it: those
/// of 640 x 480 in which a face of 58 pixels fills the window.
const WINDOW: f64 = 80.0;
const MOST_PIXELS: f64 = 590_000.0;
/// Boxes that overlap by this much are of the same face.
pub(super) const SAME_FACE_FROM: f32 = 0.2;

/// Finds faces. Each thread needs its own detector.
pub struct Detector {
    quick: FaceDetector,
    thorough: Option<FaceDetectorCnn>,
    /// The same, never used: those in use keep what they computed of the last picture.
    unused: (FaceDetector, Option<FaceDetectorCnn>),
    small: Mat,
    cutout: Mat,
}

impl Default for Detector {
    fn default() -> Self {
        let quick = FaceDetector::new();
        let unused = (quick.clone(), None);
        Self { quick, thorough: None, unused, small: Mat::default(), cutout: Mat::default() }
    }
}

impl Detector {
    /// The scale at which faces of `width` pixels and more are found in `picture`, or the greatest that is not too slow.
    #[must_use]
    pub fn scale_for(picture: &Mat, width: f64) -> f64 {
        let pixels = f64::from(picture.cols()) * f64::from(picture.rows());
        (WINDOW / width).min((MOST_PIXELS / pixels).sqrt())
    }

    /// The faces within `region` of an 8-bit image, grey or RGB. It is searched at `scale`, where 1 is the image's own
    /// size; a face must be about 80 pixels wide after scaling to be found.
    ///
    /// # Errors
    /// When the region is not inside the image.
    pub fn detect(&mut self, picture: &Mat, region: Rect, scale: f64) -> opencv::Result<Vec<FaceBox>> {
        let part = picture.roi(region)?;
        resize(&part, &mut self.small, scale)?;
        let image = dlib_image(&self.small)?;
        let offset = Point::new(region.x as f32, region.y as f32);
        Ok(boxes(&self.quick.face_locations(&image), scale, offset))
    }

    /// The faces that may reach beyond the picture's edges, such as one that fills it; those must be wide.
    ///
    /// # Errors
    /// When OpenCV has no memory.
    #[expect(clippy::cast_possible_truncation, reason = "pixels")]
    pub fn detect_beyond(&mut self, picture: &Mat) -> opencv::Result<Vec<FaceBox>> {
        let scale = BEYOND_WIDTH / f64::from(picture.cols().max(picture.rows()));
        resize(picture, &mut self.small, scale)?;
        let [top, bottom, left, right] = [BEYOND_BORDER; 4];
        let (edge, colour) = (BORDER_REPLICATE, Scalar::default());
        core::copy_make_border(&self.small, &mut self.cutout, top, bottom, left, right, edge, colour)?;
        let border = (f64::from(-BEYOND_BORDER) / scale) as f32;
        Ok(boxes(&self.quick.face_locations(&dlib_image(&self.cutout)?), scale, Point::new(border, border)))
    }

    /// The faces whose heads are tilted to a side by 20 to 45 degrees.
    ///
    /// # Errors
    /// When OpenCV has no memory.
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "pixels")]
    pub fn detect_tilted(&mut self, picture: &Mat, width: f64) -> opencv::Result<Vec<FaceBox>> {
        let (columns, rows) = (f64::from(picture.cols()), f64::from(picture.rows()));
        let scale = width / columns.max(rows);
        // The turned picture fits a square of its diagonal, with the same centre.
        let side = (columns.hypot(rows) * scale).ceil() as i32;
        let half = Point::new(side as f32 / 2.0, side as f32 / 2.0);
        let centre = Point::new(columns as f32 / 2.0, rows as f32 / 2.0);
        let mut found = Vec::new();
        for tilt in TILTS {
            let (sin, cos) = tilt.to_radians().sin_cos();
            let back = Similarity { a: (cos / scale) as f32, b: (sin / scale) as f32, origin: Point::default() };
            let back = Similarity { origin: centre - back.apply(half), ..back };
            self.cut(picture, &back, side)?;
            let faces = boxes(&self.quick.face_locations(&dlib_image(&self.cutout)?), 1.0, Point::default());
            let faces = faces.iter().map(|face| back.after(face));
            found.extend(faces.filter(|face| is_inside(face, columns as f32, rows as f32)));
        }
        Ok(found)
    }

    /// The faces that the thorough detector finds in an image scaled to `width` pixels at its longer side; they must be
    /// about 40 pixels wide in it. None where its model is not loaded.
    ///
    /// # Errors
    /// When OpenCV has no memory.
    pub fn detect_thorough(&mut self, picture: &Mat, width: f64) -> opencv::Result<Vec<FaceBox>> {
        let Some(thorough) = &self.thorough else { return Ok(Vec::new()) };
        let scale = width / f64::from(picture.cols().max(picture.rows()));
        resize(picture, &mut self.small, scale)?;
        Ok(boxes(&thorough.face_locations(&dlib_image(&self.small)?), scale, Point::default()))
    }

    /// Forgets the last pictures.
    pub fn forget(&mut self) {
        (self.small, self.cutout) = (Mat::default(), Mat::default());
        (self.quick, self.thorough) = self.unused.clone();
    }

    /// Loads the thorough detector's model.
    ///
    /// # Errors
    /// When the file is no such model.
    pub fn load_thorough(&mut self, model: &Path) -> Result<(), String> {
        let thorough = FaceDetectorCnn::open(model)?;
        (self.thorough, self.unused.1) = (Some(thorough.clone()), Some(thorough));
        Ok(())
    }

    /// Looks for the face that is expected at `at`, in a cutout in which it is upright. `how` tells with which detector.
    ///
    /// # Errors
    /// When OpenCV has no memory.
    pub(super) fn confirm(&mut self, picture: &Mat, at: &FaceBox, how: Search) -> opencv::Result<Option<FaceBox>> {
        if how == Search::Thorough && self.thorough.is_none() {
            return Ok(None);
        }
        let side: i32 = match how {
            Search::Quick => 176,
            Search::Thorough => 136,
        };
        let margin = (side as f32 / UPRIGHT_FACE - 1.0) / 2.0;
        let back = at.after(&Similarity::from_box(Point::new(-margin, -margin), 1.0 / UPRIGHT_FACE));
        self.cut(picture, &back, side)?;
        let image = dlib_image(&self.cutout)?;
        let found = match &self.thorough {
            Some(thorough) if how == Search::Thorough => thorough.face_locations(&image),
            _ => self.quick.face_locations(&image),
        };
        let expected = Similarity::from_box(Point::new(margin * UPRIGHT_FACE, margin * UPRIGHT_FACE), UPRIGHT_FACE);
        let nearest = boxes(&found, 1.0, Point::default())
            .into_iter()
            .map(|face| (overlap(&face, &expected), face))
            .filter(|(share, _)| *share > SAME_FACE_FROM)
            .max_by(|a, b| a.0.total_cmp(&b.0));
        Ok(nearest.map(|(_, face)| back.after(&face)))
    }

    /// Cuts a square of `side` pixels out of the picture; `back` is the transform from its pixels to the picture's. The
    /// picture's edge is repeated outside of it.
    fn cut(&mut self, picture: &Mat, back: &Similarity, side: i32) -> opencv::Result<()> {
        let Similarity { a, b, origin } = *back;
        let matrix = Mat::from_slice_2d(&[[a, -b, origin.x], [b, a, origin.y]])?;
        imgproc::warp_affine(
            picture,
            &mut self.cutout,
            &matrix,
            Size::new(side, side),
            imgproc::INTER_LINEAR | imgproc::WARP_INVERSE_MAP,
            BORDER_REPLICATE,
            Scalar::default(),
        )
    }
}

/// Which of the two detectors searches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Search {
    /// The histogram-of-gradients detector.
    Quick,
    /// The convolutional network.
    Thorough,
}

fn resize(picture: &impl core::ToInputArray, small: &mut Mat, scale: f64) -> opencv::Result<()> {
    let interpolation = if scale < 1.0 { imgproc::INTER_AREA } else { imgproc::INTER_LINEAR };
    imgproc::resize(picture, small, Size::default(), scale, scale, interpolation)
}

/// The boxes in the picture of faces found in an image that shows it at `scale` from `offset` on.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "pixel coordinates")]
fn boxes(found: &FaceLocations, scale: f64, offset: Point) -> Vec<FaceBox> {
    let to_box = |face: &dlib_face_recognition::Rectangle| {
        let corner = Point::new((face.left as f64 / scale) as f32, (face.top as f64 / scale) as f32);
        Similarity::from_box(corner + offset, ((face.right - face.left) as f64 / scale) as f32)
    };
    found.iter().map(to_box).collect()
}

/// Whether the face's centre is inside a picture of `width` x `height` pixels.
pub(super) fn is_inside(face: &FaceBox, width: f32, height: f32) -> bool {
    let centre = face.apply(Point::new(0.5, 0.5));
    (0.0..width).contains(&centre.x) && (0.0..height).contains(&centre.y)
}

/// Intersection over union of two boxes, ignoring their rotation.
#[must_use]
pub(super) fn overlap(a: &FaceBox, b: &FaceBox) -> f32 {
    let side = |s: &Similarity| (s.apply(Point::new(0.5, 0.5)), s.scale());
    let ((ca, sa), (cb, sb)) = (side(a), side(b));
    let along = |a: f32, b: f32| ((a + sa / 2.0).min(b + sb / 2.0) - (a - sa / 2.0).max(b - sb / 2.0)).max(0.0);
    let both = along(ca.x, cb.x) * along(ca.y, cb.y);
    both / (sa * sa + sb * sb - both).max(1.0)
}

#[cfg(test)]
mod tests {
    use opencv::core::CV_8UC1;
    use rstest::rstest;

    use super::*;

    /// A strip does not become a vast picture.
    #[rstest]
    #[case::camera([640, 480], 160.0, 0.5)]
    #[case::small([144, 176], 36.0, 80.0 / 36.0)]
    #[case::strip([8, 960], 2.0, 8.76)]
    #[case::large([1920, 1080], 58.0, 0.533)]
    fn a_picture_is_enlarged_no_further_than_is_quick(#[case] sides: [i32; 2], #[case] width: f64, #[case] scale: f64) {
        let [columns, rows] = sides;
        let picture = Mat::new_size_with_default(Size::new(columns, rows), CV_8UC1, Scalar::default()).unwrap();
        let found = Detector::scale_for(&picture, width);
        assert!((found - scale).abs() < 0.01, "{found}");
    }
}
