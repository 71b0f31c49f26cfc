//! Encodes faces with dlib's five landmarks and its recognition network.

use std::path::PathBuf;

use dlib_face_recognition::{
    FaceEncoderNetwork, FaceEncoderTrait, LandmarkPredictor, LandmarkPredictorTrait, Rectangle,
};
use opencv::core::Mat;

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
        let network = FaceEncoderNetwork::open(&path).map_err(|why| refused(path, why))?;
        Ok(Self { landmarks, network })
    }

    /// The encodings of `faces` in an 8-bit image, grey or RGB. A face that cannot be encoded is left out.
    ///
    /// # Errors
    /// When OpenCV has no memory.
    pub fn encode(&self, picture: &Mat, faces: &[FaceBox]) -> opencv::Result<Vec<Encoding>> {
        let image = dlib_image(picture)?;
        let shapes: Vec<_> = faces.iter().map(|face| self.landmarks.face_landmarks(&image, &rectangle(face))).collect();
        let encodings = self.network.get_face_encodings(&image, &shapes, 0);
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
