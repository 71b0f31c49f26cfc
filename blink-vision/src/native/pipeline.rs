//! The pipeline from a frame to landmarks, to the EAR, to blinks.

use std::{path::PathBuf, sync::Arc};

use opencv::core::{MatTraitConst, MatTraitConstManual};

use super::{
    FaceBox, Frame, SourceError,
    follow::{Follower, Found, View},
};
use crate::{
    blinks::{BlinkDetector, EyesSeen},
    dip::Limits,
    event::{Event, FaceSight, FrameReport},
    eye_patch,
    geometry::{Eye, Landmarks},
    hint::{Hints, Scene},
    lid::LidModel,
    owner::Owner,
    predictor::{GreyImage, Predictor},
    stillness::Stillness,
};

/// Every so many rows are compared with the previous picture's.
const COMPARED_EVERY: usize = 8;

/// Processes the frames of one stream.
pub struct Pipeline {
    predictor: Arc<Predictor>,
    follower: Follower,
    blinks: BlinkDetector,
    lids: &'static LidModel,
    stillness: Stillness,
    /// Rows of the previous image.
    previous: Vec<u8>,
    hints: Hints,
}

impl std::fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipeline").field("blinks", &self.blinks).finish_non_exhaustive()
    }
}

impl Pipeline {
    /// A pipeline without any frames; the landmark model can be shared.
    #[must_use]
    pub fn new(predictor: Arc<Predictor>) -> Self {
        Self {
            predictor,
            follower: Follower::default(),
            blinks: BlinkDetector::default(),
            lids: LidModel::built_in(),
            stillness: Stillness::default(),
            previous: Vec::new(),
            hints: Hints::default(),
        }
    }

    /// Like [`Self::new`], with other limits than the defaults, for measuring their effect.
    #[must_use]
    pub fn with_limits(predictor: Arc<Predictor>, limits: Limits) -> Self {
        Self { blinks: BlinkDetector::with_limits(limits), ..Self::new(predictor) }
    }

    /// Names the folders in which models are looked for when they are needed: those that recognise the owner, and the
    /// thorough face detector.
    #[must_use]
    pub fn with_models_in(mut self, folders: &[PathBuf]) -> Self {
        self.follower.set_model_folders(folders);
        self
    }

    /// Sets whom to follow when several people are in the image; with `None`, several faces are not observed.
    pub fn set_owner(&mut self, owner: Option<Owner>) {
        self.follower.set_owner(owner);
    }

    /// Loads now what would be loaded when it is first needed: the thorough face detector.
    pub fn preload(&mut self) {
        self.follower.load_thorough();
    }

    /// The landmarks of the followed face, after [`Self::process`] found one.
    #[must_use]
    pub fn landmarks(&self) -> Option<&Landmarks> {
        self.follower.landmarks()
    }

    /// The box of the followed face, for an enrolment of the owner.
    #[must_use]
    pub fn followed_face(&self) -> Option<FaceBox> {
        self.follower.face(&self.predictor)
    }

    /// Processes the next frame.
    ///
    /// # Errors
    /// When the image is not 8-bit grey, or OpenCV has no memory.
    pub fn process(&mut self, frame: &Frame<'_>) -> Result<FrameReport, SourceError> {
        let grey = frame.grey;
        let (Ok(width), Ok(height)) = (usize::try_from(grey.cols()), usize::try_from(grey.rows())) else {
            return Err(SourceError::Failed("a frame has no size".to_owned()));
        };
        let image = GreyImage::new(grey.data_bytes()?, width, height, width)
            .filter(|_| grey.channels() == 1 && grey.is_continuous())
            .ok_or_else(|| SourceError::Failed(format!("a frame of {width}x{height} cannot be used")))?;
        let repeats = self.repeats(&image);
        let (index, timestamp) = (frame.index, frame.timestamp);
        if self.stillness.push(timestamp, repeats) {
            let reading = self.blinks.push(index, timestamp, None);
            self.stillness.take(self.blinks.drain());
            let (sight, fps) = (FaceSight::None, self.blinks.fps());
            let hint = self.hints.push(timestamp, &Scene::Frozen);
            return Ok(FrameReport { index, timestamp, sight, stands_still: true, fps, hint, reading });
        }
        let found = self.follower.step(View { predictor: &self.predictor, grey, image: &image, t: timestamp })?;
        let landmarks = self.follower.landmarks().filter(|_| found == Found::One);
        let face = landmarks.map(|landmarks| (self.predictor.box_of(landmarks), landmarks));
        let patches = face
            .as_ref()
            .map(|(area, _)| Eye::BOTH.map(|eye| eye_patch::sample(&image, self.predictor.mean_shape(), area, eye)));
        let seen = face.as_ref().zip(patches.as_ref()).map(|((_, landmarks), patches)| {
            let lids = patches.each_ref().map(|patch| self.lids.look(patch));
            EyesSeen { landmarks, lids, patches }
        });
        let reading = self.blinks.push(index, timestamp, seen);
        self.stillness.take(self.blinks.drain());
        let sight = match found {
            Found::Nobody => FaceSight::None,
            Found::Several => FaceSight::Several,
            Found::One if reading.turned || reading.unreadable => FaceSight::Turned,
            Found::One => FaceSight::Measurable,
        };
        let face = face.as_ref().map(|(area, landmarks)| (area, *landmarks));
        let hint = self.hints.push(timestamp, &Scene::of(&image, face, &reading));
        Ok(FrameReport { index, timestamp, sight, stands_still: false, fps: self.blinks.fps(), hint, reading })
    }

    /// Whether the picture repeats the previous one bit for bit, by a part of its rows: a sensor's noise is in each.
    fn repeats(&mut self, image: &GreyImage<'_>) -> bool {
        let rows = || (0..image.height()).step_by(COMPARED_EVERY).map(|y| image.row(y));
        let length = rows().len() * image.width();
        let repeats = self.previous.len() == length
            && rows().zip(self.previous.chunks_exact(image.width())).all(|(row, previous)| row == previous);
        if !repeats {
            self.previous.clear();
            rows().for_each(|row| self.previous.extend_from_slice(row));
        }
        repeats
    }

    /// The events decided since the last call.
    pub fn drain_events(&mut self) -> impl Iterator<Item = Event> + '_ {
        self.stillness.drain()
    }

    /// Ends the stream: decides what was waiting for further frames.
    pub fn finish(&mut self) {
        self.blinks.finish();
        self.stillness.take(self.blinks.drain());
        self.stillness.finish();
    }

    /// Forgets everything but its settings, for another stream.
    pub fn reset(&mut self) {
        self.follower.reset();
        self.blinks = BlinkDetector::with_limits(*self.blinks.limits());
        self.stillness = Stillness::default();
        self.previous = Vec::new();
        self.hints = Hints::default();
    }
}
