//! Results of the pipeline, frame by frame.
//!
//! Times are on the stream's own clock: the time since the source was opened, by the frames' timestamps.

use std::time::Duration;

use crate::{geometry::Eye, hint::Hint, pose::Pose};

/// Who could be seen in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaceSight {
    /// No face, or a frozen picture, which shows nobody.
    None,
    /// Several faces, and the person is not known among them.
    Several,
    /// One followed face whose eyes cannot be measured: the head is turned too far ([`Reading::turned`]), or the eyes
    /// cannot be read ([`Reading::unreadable`]).
    Turned,
    /// One followed face with measurable eyes.
    Measurable,
}

/// The result for one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrameReport {
    /// The frame's number since the source was opened, from 0.
    pub index: u64,
    /// The frame's time since the source was opened.
    pub timestamp: Duration,
    /// Who could be seen.
    pub sight: FaceSight,
    /// Whether the picture has been repeated bit for bit for too long to be processed.
    pub stands_still: bool,
    /// Frames per second over the last two seconds; `None` before half a second of frames.
    pub fps: Option<f64>,
    /// What the person can do so that their eyes are seen better, if anything.
    pub hint: Option<Hint>,
    /// The measurement of the followed eyes.
    pub reading: Reading,
}

/// The measurement of one frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reading {
    /// EAR of the right and left eye; `None` without a followed face.
    pub ear: Option<[f32; 2]>,
    /// The open-eye EAR, right and left; `None` until the warm-up is over.
    pub baseline: Option<[f32; 2]>,
    /// How far the lids are down, 0 open to 1 closed; `None` until the warm-up is over.
    pub closure: Option<f32>,
    /// The direction of the head; `None` without a followed face.
    pub pose: Option<Pose>,
    /// Whether the head is turned too far for the eyes to be measured.
    pub turned: bool,
    /// Whether neither eye can be read: too dark, too blurred, or covered.
    pub unreadable: bool,
    /// Whether the eyes are closed for longer than a blink.
    pub eyes_closed: bool,
}

/// A blink: a closing and an opening, 50 to 500 ms wide at half depth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Blink {
    /// The frame of the lid's first movement.
    pub start_frame: u64,
    /// The frame in which the eye is open again, inclusive.
    pub end_frame: u64,
    /// Time of the first movement.
    pub start: Duration,
    /// Time of the reopening. A blink belongs to the minute of this instant.
    pub end: Duration,
    /// Width at half depth.
    pub width: Duration,
    /// How far the lid went down, 0 to 1 of the open eye's aperture.
    pub depth: f32,
    /// Whether the lid closed fully (experimental).
    pub complete: bool,
}

/// A closing and an opening of one eye while the other stays open. It is no blink, and counts in no rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wink {
    /// The person's eye that closed.
    pub eye: Eye,
    /// The frame of the lid's first movement.
    pub start_frame: u64,
    /// The frame in which the eye is open again, inclusive.
    pub end_frame: u64,
    /// Time of the first movement.
    pub start: Duration,
    /// Time of the reopening.
    pub end: Duration,
}

/// A decision. Events come in the order in which they are decided: at most 200 ms after the fact once the baseline is
/// known, and at most 1.9 s after it before, so always before their minute is sealed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// The span from `from` to `to` was observed. Spans never overlap.
    Observed {
        /// Start of the span.
        from: Duration,
        /// End of the span.
        to: Duration,
        /// How much of it the eyes were at least 80 % closed (PERCLOS P80).
        closed: Duration,
    },
    /// A blink, within observed time.
    Blink(Blink),
    /// A wink, within observed time.
    Wink(Wink),
}
