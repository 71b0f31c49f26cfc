//! dlib's two face detectors. The quick one (HOG, Dalal and Triggs 2005) is run on an image scaled down as far as the
//! face allows; the thorough one (a convolutional network with max-margin loss, King 2015) takes ten times as long and
//! confirms followed faces that are turned, tilted or lit from behind.

use std::path::Path;

use dlib_face_recognition::{FaceDetector, FaceDetectorCnn, FaceDetectorTrait, FaceLocations};
use opencv::{
    core::{self, BORDER_REPLICATE, Mat, MatTraitConst, Point2f, Rect, Scalar, Size},
    imgproc,
};

use super::dlib_image;
use crate::geometry::{Point, Similarity};

/// A face as the detector reports it: a square from brow to chin.
pub type FaceBox = Similarity;

/// Width of the picture when faces are searched that reach beyond its edges, and of the border that is added around it.
const BEYOND_WIDTH: f64 = 160.0;
const BEYOND_BORDER: f64 = 48.0;
/// Angles in degrees by which the picture is turned to find tilted heads; the detector itself tolerates 20 or so.
const TILTS: [f64; 2] = [-33.0, 33.0];
/// Width of the face in the upright cutout in which it is confirmed, and side of the cutout for each detector, whose
/// window is 80. The network needs 1.5 kB of memory for each pixel.
const UPRIGHT_FACE: f32 = 92.0;
const UPRIGHT_SIDE: [i32; 2] = [176, 136];

/// Finds faces. Each thread needs its own detector.
pub struct Detector {
    quick: FaceDetector,
    thorough: Option<FaceDetectorCnn>,
    small: Mat,
    turned: Mat,
}

impl Default for Detector {
    fn default() -> Self {
        Self { quick: FaceDetector::new(), thorough: None, small: Mat::default(), turned: Mat::default() }
    }
}

impl Detector {
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
    pub fn detect_beyond(&mut self, picture: &Mat) -> opencv::Result<Vec<FaceBox>> {
        let scale = BEYOND_WIDTH / f64::from(picture.cols().max(picture.rows()));
        self.shrink(picture, scale)?;
        Ok(boxes(&self.quick.face_locations(&dlib_image(&self.turned)?), scale, self.border(scale)))
    }

    /// The faces whose heads are tilted to a side by 20 to 45 degrees.
    ///
    /// # Errors
    /// When OpenCV has no memory.
    #[expect(clippy::cast_possible_truncation, reason = "a matrix of a turn")]
    pub fn detect_tilted(&mut self, picture: &Mat, width: f64) -> opencv::Result<Vec<FaceBox>> {
        let scale = width / f64::from(picture.cols().max(picture.rows()));
        let centre = Point2f::new(picture.cols() as f32 / 2.0, picture.rows() as f32 / 2.0);
        let mut found = Vec::new();
        for tilt in TILTS {
            // The picture's centre becomes the centre of a square that holds the turned picture.
            let side = (f64::from(picture.cols()).hypot(f64::from(picture.rows())) * scale).ceil();
            let mut turn = imgproc::get_rotation_matrix_2d(centre, tilt, scale)?;
            let shift = [side / 2.0 - f64::from(centre.x), side / 2.0 - f64::from(centre.y)];
            for (row, shift) in [0, 1].into_iter().zip(shift) {
                use opencv::core::MatTrait as _;
                *turn.at_2d_mut::<f64>(row, 2)? += shift;
            }
            let size = Size::new(side as i32, side as i32);
            imgproc::warp_affine(
                picture,
                &mut self.turned,
                &turn,
                size,
                imgproc::INTER_LINEAR,
                BORDER_REPLICATE,
                Scalar::default(),
            )?;
            // A turn by `tilt` counter-clockwise is undone by one clockwise, which is positive in an image.
            let (sin, cos) = tilt.to_radians().sin_cos();
            let (a, b) = ((cos / scale) as f32, (sin / scale) as f32);
            let half = Point::new(side as f32 / 2.0, side as f32 / 2.0);
            let back = Similarity { a, b, origin: Point::default() };
            let origin = Point::new(centre.x, centre.y) - back.apply(half);
            let back = Similarity { origin, ..back };
            let inside = |face: &FaceBox| {
                let centre = face.apply(Point::new(0.5, 0.5));
                (0.0..picture.cols() as f32).contains(&centre.x) && (0.0..picture.rows() as f32).contains(&centre.y)
            };
            let faces = boxes(&self.quick.face_locations(&dlib_image(&self.turned)?), 1.0, Point::default());
            found.extend(faces.iter().map(|face| back.after(face)).filter(inside));
        }
        Ok(found)
    }

    /// Loads the thorough detector's model.
    ///
    /// # Errors
    /// When the file is no such model.
    pub fn load_thorough(&mut self, model: &Path) -> Result<(), String> {
        self.thorough = Some(FaceDetectorCnn::open(model)?);
        Ok(())
    }

    /// Looks for the face that is expected at `at`, in a cutout in which it is upright. `how` tells with which detector.
    ///
    /// # Errors
    /// When OpenCV has no memory.
    pub(super) fn confirm(&mut self, picture: &Mat, at: &FaceBox, how: Search) -> opencv::Result<Option<FaceBox>> {
        let side = UPRIGHT_SIDE[usize::from(how == Search::Thorough)];
        let margin = (side as f32 / UPRIGHT_FACE - 1.0) / 2.0;
        // From the cutout's pixels to the picture's.
        let cutout = at.after(&Similarity::from_box(Point::new(-margin, -margin), 1.0 / UPRIGHT_FACE));
        let Similarity { a, b, origin } = cutout;
        let matrix = Mat::from_slice_2d(&[[a, -b, origin.x], [b, a, origin.y]])?;
        imgproc::warp_affine(
            picture,
            &mut self.turned,
            &matrix,
            Size::new(side, side),
            imgproc::INTER_LINEAR | imgproc::WARP_INVERSE_MAP,
            BORDER_REPLICATE,
            Scalar::default(),
        )?;
        let image = dlib_image(&self.turned)?;
        let found = match (how, &self.thorough) {
            (Search::Quick, _) => self.quick.face_locations(&image),
            (Search::Thorough, Some(thorough)) => thorough.face_locations(&image),
            (Search::Thorough, None) => return Ok(None),
        };
        let expected = Similarity::from_box(Point::new(margin * UPRIGHT_FACE, margin * UPRIGHT_FACE), UPRIGHT_FACE);
        let nearest = boxes(&found, 1.0, Point::default())
            .into_iter()
            .map(|face| (overlap(&face, &expected), face))
            .filter(|(share, _)| *share > 0.2)
            .max_by(|a, b| a.0.total_cmp(&b.0));
        Ok(nearest.map(|(_, face)| cutout.after(&face)))
    }

    /// Scales the picture into `self.turned` and repeats its edge around it.
    #[expect(clippy::cast_possible_truncation, reason = "pixels")]
    fn shrink(&mut self, picture: &Mat, scale: f64) -> opencv::Result<()> {
        resize(picture, &mut self.small, scale)?;
        let border = BEYOND_BORDER as i32;
        core::copy_make_border(
            &self.small,
            &mut self.turned,
            border,
            border,
            border,
            border,
            BORDER_REPLICATE,
            Scalar::default(),
        )
    }

    #[expect(clippy::cast_possible_truncation, reason = "pixels")]
    fn border(&self, scale: f64) -> Point {
        let border = (-BEYOND_BORDER / scale) as f32;
        Point::new(border, border)
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

/// Intersection over union of two boxes, ignoring their rotation.
#[must_use]
pub(super) fn overlap(a: &FaceBox, b: &FaceBox) -> f32 {
    let side = |s: &Similarity| (s.apply(Point::new(0.5, 0.5)), s.scale());
    let ((ca, sa), (cb, sb)) = (side(a), side(b));
    let along = |a: f32, b: f32| ((a + sa / 2.0).min(b + sb / 2.0) - (a - sa / 2.0).max(b - sb / 2.0)).max(0.0);
    let both = along(ca.x, cb.x) * along(ca.y, cb.y);
    both / (sa * sa + sb * sb - both).max(1.0)
}
