//! Why a job has no report.

use blink_proto::faces::{Outcome, PictureFault};
use blink_vision::native::SourceError;

/// Why a job has no report.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The picture cannot be used, and the person can do something about it.
    #[error("{}", .0.code())]
    Fault(PictureFault),
    /// The job is none of this protocol.
    #[error("the job cannot be understood: {0}")]
    Job(&'static str),
    /// OpenCV failed on a picture that it had decoded.
    #[error("a picture could not be processed")]
    OpenCv(#[from] opencv::Error),
    /// The memory file of a video could not be made or written.
    #[error("a video could not be kept in memory")]
    Memory(#[source] std::io::Error),
}

impl From<PictureFault> for Refusal {
    fn from(fault: PictureFault) -> Self {
        Self::Fault(fault)
    }
}

impl From<SourceError> for Refusal {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::OpenCv(error) => Self::OpenCv(error),
            SourceError::TooLarge(_) => Self::Fault(PictureFault::TooLarge),
            _ => Self::Fault(PictureFault::Unreadable),
        }
    }
}

impl Refusal {
    /// As the answer to the job.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Fault(fault) => Outcome::Fault { fault: *fault },
            other => {
                let causes = std::iter::successors(Some(other as &dyn std::error::Error), |error| error.source());
                Outcome::Failed { message: causes.map(ToString::to_string).collect::<Vec<_>>().join(": ") }
            }
        }
    }
}
