//! What is loaded once, before the lockdown: the models, and what works with them.

use std::{path::PathBuf, sync::Arc};

use blink_vision::{
    dip::Limits,
    models::{FACE_DETECTOR, ModelError},
    native::{Detector, Encoder, Pipeline, load_landmark_model},
    predictor::Predictor,
};

/// The models of one worker.
pub struct Models {
    /// The landmarks.
    pub predictor: Arc<Predictor>,
    /// Finds faces in stills, and looks for further ones in recordings.
    pub detector: Detector,
    /// Encodes faces.
    pub encoder: Encoder,
    /// The daemon's pipeline, with the limits of deliberate blinks.
    pub pipeline: Pipeline,
}

impl Models {
    /// Finds, verifies and reads the models in `folders`. The thorough face detector is optional.
    ///
    /// # Errors
    /// When another one is missing, unreadable or damaged.
    pub fn load(folders: &[PathBuf]) -> Result<Self, ModelError> {
        // A library that reads a file when it is first used could not do so after the lockdown.
        opencv::core::set_num_threads(1).unwrap_or_default();
        let predictor = Arc::new(load_landmark_model(folders)?);
        let encoder = Encoder::load(folders)?;
        let mut detector = Detector::default();
        if let Ok(path) = FACE_DETECTOR.find(folders) {
            let refused = |why| ModelError::Unreadable { path: path.clone(), source: std::io::Error::other(why) };
            detector.load_thorough(&path).map_err(refused)?;
        }
        let mut pipeline = Pipeline::with_limits(Arc::clone(&predictor), Limits::deliberate()).with_models_in(folders);
        pipeline.preload();
        Ok(Self { predictor, detector, encoder, pipeline })
    }

    /// Forgets what is left of the last job's pictures.
    pub fn forget(&mut self) {
        self.pipeline.reset();
        self.detector.forget();
        self.encoder.forget();
    }
}
