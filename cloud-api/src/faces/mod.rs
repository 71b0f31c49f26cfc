//! The shell around `face-worker`, the program that reads faces. cloud-api itself links no library that decodes pictures.
//!
//! - [`FaceReader`]: reads a picture or a recording, by the program or by a test's script
//! - [`child`]: one running program; [`pool`]: several, behind a bounded queue

pub(crate) mod child;
pub(crate) mod pool;

use std::sync::Arc;

use blink_proto::faces::{ClipReport, FrameMark, PictureFault, Purpose, StillReport};
use bytes::Bytes;
use futures_util::future::BoxFuture;

/// Whether faces can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Availability {
    Available,
    /// The program loads its models.
    Starting,
    /// It cannot work; the reason is for the operator.
    Unavailable(String),
}

/// A recording as it was sent.
#[derive(Clone)]
pub enum Recording {
    /// Pictures, one after the other, and where each ends and when it was taken.
    Frames(Bytes, Vec<FrameMark>),
    /// A video file.
    Video(Bytes),
}

/// A picture that was read.
#[derive(Clone)]
pub struct Still {
    pub report: StillReport,
    /// A small JPEG of it, for an enrolment.
    pub photo: Bytes,
}

/// Why nothing was read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The person can do something about it.
    #[error("the picture cannot be used: {}", .0.code())]
    Fault(PictureFault),
    /// Too many wait already.
    #[error("too many pictures wait to be read")]
    Busy,
    #[error("faces cannot be read: {0}")]
    Unavailable(String),
    /// The program took too long, ended or failed with this picture.
    #[error("reading failed: {0}")]
    Failed(String),
}

/// Reads faces. Its future may be dropped at any time.
pub trait FaceReader: Send + Sync {
    fn still(&self, picture: Bytes, purpose: Purpose) -> BoxFuture<'_, Result<Still, ReadError>>;

    fn clip(&self, recording: Recording) -> BoxFuture<'_, Result<ClipReport, ReadError>>;

    fn availability(&self) -> Availability;

    /// What must run for as long as the server does, if anything.
    fn work(&self) -> Vec<BoxFuture<'static, ()>> {
        Vec::new()
    }
}

/// The reader of all requests.
pub type Reader = Arc<dyn FaceReader>;
