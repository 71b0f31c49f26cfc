//! The messages between cloud-api and `face-worker`, over the worker's standard input and output.
//!
//! - [`Job`], [`Task`]: what the server asks for; the pictures follow as bytes
//! - [`FromWorker`], [`Answer`], [`Outcome`]: what the worker says
//! - [`StillReport`], [`ClipReport`]: what was found; [`PictureFault`]: why nothing was
//! - [`Encoding`]: a face as a vector
//! - [`frame`]: how a message and its bytes are framed
//!
//! The worker says [`FromWorker::Ready`] once, then answers jobs one by one, in order. It ends when its standard input
//! does. Server and worker are of the same build: a worker of another [`PROTOCOL`] is not used.

mod encoding;
pub mod frame;
mod report;

use serde::{Deserialize, Serialize};

pub use encoding::{ENCODING_BYTES, ENCODING_LENGTH, Encoding};
pub use report::{ClipBlink, ClipFace, ClipReport, PictureFault, Solidity, StillReport};

/// The protocol of this build.
pub const PROTOCOL: u32 = 1;
/// The largest picture, in bytes.
pub const MAX_PICTURE_BYTES: usize = 10 << 20;
/// The largest recording, in bytes: a video, or all frames together.
pub const MAX_RECORDING_BYTES: usize = 20 << 20;
/// The most frames of a recording.
pub const MAX_FRAMES: usize = 1_200;
/// The longest recording, in milliseconds from its first frame to its last.
pub const MAX_RECORDING_MS: u32 = 40_000;
/// The slowest recording that is judged, in frames per second.
pub const LEAST_FPS: f32 = 14.5;

/// A job for the worker. The pictures follow as the frame's bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Chosen by the server; the answer carries it.
    pub id: u64,
    /// What to do.
    pub task: Task,
}

/// What to do with the bytes that follow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Task {
    /// The bytes are one picture: find and encode its one face. Answered by [`Outcome::Still`].
    Still {
        /// Which faults are looked for.
        purpose: Purpose,
    },
    /// The bytes are pictures, one after the other: a recording in frames. Answered by [`Outcome::Clip`].
    Frames {
        /// Where each picture ends and when it was taken, in order.
        frames: Vec<FrameMark>,
    },
    /// The bytes are a video file: MP4, MOV, WebM or AVI. Answered by [`Outcome::Clip`].
    Video,
}

/// What a still picture is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To be enrolled: every [`PictureFault`] of quality is looked for, and a photo is returned.
    Enrolment,
    /// To be recognised: only `no_face`, `several_faces` and `too_dark` are looked for, besides broken files.
    Recognition,
}

/// One picture of a recording in frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameMark {
    /// Its length in bytes.
    pub bytes: u32,
    /// When it was taken, in milliseconds from the start of the recording.
    pub at_ms: u32,
}

/// A message from the worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromWorker {
    /// The first message: the models are loaded, and the worker is locked down.
    Ready(Ready),
    /// The worker cannot work, and ends. The server shows the reason.
    Unable {
        /// A stable code: `model_missing`, `model_damaged`, `model_unreadable` or `lockdown_failed`.
        code: String,
        /// What is wrong, in one sentence.
        message: String,
    },
    /// The answer to a job.
    Answer(Box<Answer>),
}

/// What the worker is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// The [`PROTOCOL`] that it speaks.
    pub protocol: u32,
    /// Its version.
    pub version: String,
    /// How long it took to verify and load the models, in milliseconds.
    pub load_ms: u32,
    /// Which parts of the lockdown are in force: on Linux all of `rlimits`, `landlock` and `seccomp`.
    pub lockdown: Vec<String>,
}

/// The answer to a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// [`Job::id`].
    pub id: u64,
    /// How long the job took, in milliseconds.
    pub took_ms: u32,
    /// The result.
    pub outcome: Outcome,
}

/// The result of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Outcome {
    /// One face was found. For an enrolment the photo, a JPEG of at most 480 pixels a side, follows as bytes.
    Still(StillReport),
    /// A recording was read.
    Clip(Box<ClipReport>),
    /// Nothing can be said, and the person can do something about it.
    Fault {
        /// Why.
        fault: PictureFault,
    },
    /// The job is none of this protocol, or the worker failed. It is no fault of the picture.
    Failed {
        /// What happened, for the log.
        message: String,
    },
}

#[cfg(test)]
mod tests;
