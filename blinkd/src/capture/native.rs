//! [`FrameReader`] on a source and the pipeline of blink-vision.

use std::{error::Error as _, sync::Arc, time::Duration};

use blink_proto::{Problem, problem::code, text::capitalised};
use blink_vision::{
    Event, FaceSight, SourceSpec,
    models::ModelError,
    native::{Pipeline, Source, SourceError, load_landmark_model},
};
use jiff::Timestamp;

use super::{FrameReader, Pacing, ReadOutcome, Trouble, TroubleKind};
use crate::{models, owner::OwnerDesk};

/// A longer time between frames is a gap in the observation: the machine slept, or the source hung.
const GAP: Duration = Duration::from_secs(1);

pub struct NativeReader {
    spec: SourceSpec,
    /// Loaded once, because the model is large and opening must be quick.
    pipeline: Option<Pipeline>,
    source: Option<Source>,
    last: Option<Duration>,
    owner: Arc<OwnerDesk>,
    /// The version of the enrolled owner that the pipeline uses.
    owner_version: u64,
    /// Events decided before a gap and not yet fetched.
    before_gap: Vec<Event>,
    /// Whether the last frame belonged to a picture that has been repeated for too long.
    stands_still: bool,
}

impl NativeReader {
    /// A reader of the source `spec`; nothing is opened yet.
    #[must_use]
    pub fn new(spec: SourceSpec, owner: Arc<OwnerDesk>) -> Self {
        Self {
            spec,
            pipeline: None,
            source: None,
            last: None,
            owner,
            owner_version: 0,
            before_gap: Vec::new(),
            stands_still: false,
        }
    }

    fn trouble(&self, error: &SourceError) -> Trouble {
        let kind = match error {
            SourceError::EndOfFile | SourceError::NoPictures(_) => TroubleKind::Ended,
            // A file that breaks off counts as ended: opened again it would be counted twice.
            SourceError::Failed(_) | SourceError::OpenCv(_) if self.spec.is_file() && self.last.is_some() => {
                let fix = SourceError::EndOfFile.fix();
                let problem = Problem::new(code::END_OF_FILE, "The file breaks off here.", fix);
                return Trouble { kind: TroubleKind::Ended, problem };
            }
            SourceError::Busy(_) => TroubleKind::Busy,
            SourceError::NotVideo { .. } => TroubleKind::Broken,
            _ => TroubleKind::Gone,
        };
        let because = error.source().map(|source| format!(": {source}")).unwrap_or_default();
        Trouble { kind, problem: Problem::new(error.code(), sentence(&format!("{error}{because}")), error.fix()) }
    }
}

/// Makes an error text a sentence: error texts begin in lower case and have no full stop.
fn sentence(text: &str) -> String {
    capitalised(text) + "."
}

fn model_trouble(error: &ModelError) -> Trouble {
    let because = error.source().map(|source| format!(": {source}")).unwrap_or_default();
    let problem = Problem::new(error.code(), sentence(&format!("{error}{because}")), error.fix(models::FETCH_COMMAND));
    Trouble { kind: TroubleKind::Broken, problem }
}

impl FrameReader for NativeReader {
    fn ready(&mut self) -> Result<(), Trouble> {
        if self.pipeline.is_none() {
            let predictor = load_landmark_model(&models::folders()).map_err(|error| model_trouble(&error))?;
            self.pipeline = Some(Pipeline::new(Arc::new(predictor)).with_models_in(&models::folders()));
        }
        Ok(())
    }

    fn open(&mut self, at: Timestamp) -> Result<(), Trouble> {
        self.last = None;
        if let Some(pipeline) = &mut self.pipeline {
            pipeline.reset();
        }
        self.source = Some(Source::open(&self.spec, at).map_err(|error| self.trouble(&error))?);
        Ok(())
    }

    fn read(&mut self, wanted: &mut dyn FnMut(Duration) -> Pacing) -> Result<ReadOutcome, Trouble> {
        let (Some(source), Some(pipeline)) = (&mut self.source, &mut self.pipeline) else {
            return Ok(ReadOutcome::NoFrame);
        };
        let outcome = match source.read() {
            Ok(frame) => {
                match wanted(frame.timestamp) {
                    Pacing::Process => {}
                    Pacing::Skip => return Ok(ReadOutcome::Skipped),
                    Pacing::Stop => return Ok(ReadOutcome::Stopped),
                }
                if self.last.is_some_and(|last| frame.timestamp.saturating_sub(last) > GAP) {
                    pipeline.finish();
                    self.before_gap.extend(pipeline.drain_events());
                    pipeline.reset();
                }
                self.last = Some(frame.timestamp);
                if self.owner.version() != self.owner_version {
                    self.owner_version = self.owner.version();
                    pipeline.set_owner(self.owner.owner());
                }
                let report = pipeline.process(&frame);
                let still = report.as_ref().is_ok_and(|report| report.stands_still);
                if still && !self.stands_still {
                    tracing::warn!("the source gives the same picture again and again: none of it is observed");
                }
                self.stands_still = still;
                if let (Ok(report), true) = (&report, self.owner.wants_sample())
                    && report.sight == FaceSight::Measurable
                    && let Some(face) = pipeline.followed_face()
                {
                    self.owner.sample(frame.grey.clone(), face);
                }
                report
            }
            Err(SourceError::TimedOut) => return Ok(ReadOutcome::NoFrame),
            Err(error) => Err(error),
        };
        outcome.map(ReadOutcome::Frame).map_err(|error| self.trouble(&error))
    }

    fn decided(&mut self, into: &mut Vec<Event>) {
        into.append(&mut self.before_gap);
        if let Some(pipeline) = &mut self.pipeline {
            into.extend(pipeline.drain_events());
        }
    }

    fn close(&mut self) {
        self.source = None;
        if let Some(pipeline) = &mut self.pipeline {
            pipeline.finish();
        }
    }

    fn needs_pacing(&self) -> bool {
        self.spec.is_file()
    }

    fn repeats(&self) -> bool {
        matches!(self.spec, SourceSpec::File { repeat: true, .. })
    }
}
