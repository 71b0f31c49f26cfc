//! dlib's frontal face detector (HOG, Dalal and Triggs 2005), run on an image scaled down as far as the face allows.

use dlib_face_recognition::{FaceDetector, FaceDetectorTrait};
use opencv::{
    core::{Mat, MatTraitConst, Rect, Size},
    imgproc,
};

use super::dlib_image;
use crate::geometry::{Point, Similarity};

/// A face as the detector reports it: a square from brow to chin.
pub type FaceBox = Similarity;

/// Finds faces. Each thread needs its own detector.
pub struct Detector {
    inner: FaceDetector,
    small: Mat,
}

impl Default for Detector {
    fn default() -> Self {
        Self { inner: FaceDetector::new(), small: Mat::default() }
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
        let interpolation = if scale < 1.0 { imgproc::INTER_AREA } else { imgproc::INTER_LINEAR };
        imgproc::resize(&part, &mut self.small, Size::default(), scale, scale, interpolation)?;
        let image = dlib_image(&self.small)?;
        let (left, top) = (f64::from(region.x), f64::from(region.y));
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "pixel coordinates")]
        let to_box = |face: &dlib_face_recognition::Rectangle| {
            let corner = Point::new((left + face.left as f64 / scale) as f32, (top + face.top as f64 / scale) as f32);
            Similarity::from_box(corner, ((face.right - face.left) as f64 / scale) as f32)
        };
        Ok(self.inner.face_locations(&image).iter().map(to_box).collect())
    }
}
