//! dlib's frontal face detector (HOG, Dalal and Triggs 2005), run on a picture made as small as the face allows.

use dlib_face_recognition::{FaceDetector, FaceDetectorTrait, ImageMatrix};
use opencv::{
    core::{Mat, MatTraitConst, MatTraitConstManual, Rect, Size},
    imgproc,
};

use crate::geometry::{Point, Similarity};

/// A face as the detector gives it: a square from brow to chin.
pub type FaceBox = Similarity;

/// Finds faces. One for each thread: the detector is not for sharing.
pub struct Detector {
    inner: FaceDetector,
    small: Mat,
    rgb: Mat,
}

impl Default for Detector {
    fn default() -> Self {
        Self { inner: FaceDetector::new(), small: Mat::default(), rgb: Mat::default() }
    }
}

impl Detector {
    /// The faces within `region` of the grey picture, looked for at `scale` (1 is the picture's own size). A face must
    /// be about 80 pixels wide after scaling to be found.
    ///
    /// # Errors
    /// Where the region is not in the picture.
    pub fn detect(&mut self, grey: &Mat, region: Rect, scale: f64) -> opencv::Result<Vec<FaceBox>> {
        let part = grey.roi(region)?;
        let interpolation = if scale < 1.0 { imgproc::INTER_AREA } else { imgproc::INTER_LINEAR };
        imgproc::resize(&part, &mut self.small, Size::default(), scale, scale, interpolation)?;
        imgproc::cvt_color_def(&self.small, &mut self.rgb, imgproc::COLOR_GRAY2RGB)?;
        let size = self.rgb.size()?;
        #[expect(clippy::cast_sign_loss, reason = "sizes are positive")]
        let (width, height) = (size.width as usize, size.height as usize);
        let bytes = self.rgb.data_bytes()?;
        assert!(bytes.len() >= 3 * width * height, "a picture made by OpenCV just now is whole");
        #[expect(unsafe_code, reason = "dlib copies from a pointer")]
        // SAFETY: `bytes` holds 3 * width * height bytes in rows without gaps, as asserted.
        let image = unsafe { ImageMatrix::new(width, height, bytes.as_ptr()) };
        let (left, top) = (f64::from(region.x), f64::from(region.y));
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "pixel coordinates")]
        let to_box = |face: &dlib_face_recognition::Rectangle| {
            let corner = Point::new((left + face.left as f64 / scale) as f32, (top + face.top as f64 / scale) as f32);
            Similarity::of_box(corner, ((face.right - face.left) as f64 / scale) as f32)
        };
        Ok(self.inner.face_locations(&image).iter().map(to_box).collect())
    }
}
