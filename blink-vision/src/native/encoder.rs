//! Encodes faces with dlib's five landmarks and its recognition network.

use std::{cell::Cell, path::PathBuf};

use dlib_face_recognition::{
    FaceEncoderNetwork, FaceEncoderTrait, FaceEncodings, ImageMatrix, LandmarkPredictor, LandmarkPredictorTrait,
    Rectangle,
};
use opencv::core::{CV_8UC3, Mat, Scalar, Size};

use super::{FaceBox, dlib_image};
use crate::{
    geometry::Point,
    models::{ENCODER, LANDMARKS_5, ModelError},
    owner::Encoding,
};

/// Encodes faces. It holds about 50 MB, so it should be made when needed and dropped soon.
pub struct Encoder {
    landmarks: LandmarkPredictor,
    network: FaceEncoderNetwork,
    blank: ImageMatrix,
    /// Whether a face was encoded since the last [`Self::forget`].
    used: Cell<bool>,
}

impl Encoder {
    /// Finds, verifies and reads both models.
    ///
    /// # Errors
    /// When one is missing, unreadable or damaged.
    pub fn load(folders: &[PathBuf]) -> Result<Self, ModelError> {
        let refused = |path: PathBuf, why: String| ModelError::Unreadable { path, source: std::io::Error::other(why) };
        // dlib ends the process on some damaged files, so it only gets files with the right hash.
        let path = LANDMARKS_5.find(folders)?;
        let landmarks = LandmarkPredictor::open(&path).map_err(|why| refused(path, why))?;
        let path = ENCODER.find(folders)?;
        let network = FaceEncoderNetwork::open(&path).map_err(|why| refused(path.clone(), why))?;
        let blank = Mat::new_size_with_default(Size::new(150, 150), CV_8UC3, Scalar::default());
        let blank = blank.and_then(|blank| dlib_image(&blank)).map_err(|error| refused(path, error.to_string()))?;
        Ok(Self { landmarks, network, blank, used: Cell::new(false) })
    }

    fn run(&self, image: &ImageMatrix, faces: &[FaceBox]) -> FaceEncodings {
        let shapes: Vec<_> = faces.iter().map(|face| self.landmarks.face_landmarks(image, &rectangle(face))).collect();
        self.network.get_face_encodings(image, &shapes, 0)
    }

    /// Forgets the last face. The network and the library it multiplies with keep what they computed of it until the next
    /// one, so it is given a blank one.
    pub fn forget(&self) {
        if self.used.take() {
            self.run(&self.blank, &[FaceBox::from_box(Point::default(), 150.0)]);
        }
    }

    /// The encodings of `faces` in an 8-bit image, grey or RGB. A face that cannot be encoded is left out.
    ///
    /// # Errors
    /// When OpenCV has no memory.
    pub fn encode(&self, picture: &Mat, faces: &[FaceBox]) -> opencv::Result<Vec<Encoding>> {
        self.used.set(true);
        let encodings = self.run(&dlib_image(picture)?, faces);
        #[expect(clippy::cast_possible_truncation, reason = "the network computes in 32 bits")]
        let narrow = |encoding: &dlib_face_recognition::FaceEncoding| {
            Encoding::new(encoding.as_ref().iter().map(|value| *value as f32).collect())
        };
        Ok(encodings.iter().filter_map(narrow).collect())
    }
}

/// The axis-parallel rectangle of a box.
#[expect(clippy::cast_possible_truncation, reason = "pixel coordinates")]
fn rectangle(face: &FaceBox) -> Rectangle {
    let centre = face.apply(Point::new(0.5, 0.5));
    let half = face.scale() / 2.0;
    Rectangle {
        left: (centre.x - half) as i64,
        top: (centre.y - half) as i64,
        right: (centre.x + half) as i64,
        bottom: (centre.y + half) as i64,
    }
}
