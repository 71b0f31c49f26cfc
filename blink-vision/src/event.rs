//! What seeing brings, frame by frame.
//!
//! Times are on the stream's own clock: the time since the source was opened, taken from the frames' timestamps.

use std::time::Duration;

use crate::pose::Pose;

/// Who could be seen in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaceSight {
    /// No face, or a picture that stands still and so shows nobody.
    None,
    /// Several faces, and no telling which is the person.
    Several,
    /// One followed face whose head points too far away for its eyes to be measured.
    Turned,
    /// One followed face with measurable eyes.
    Measurable,
}

impl FaceSight {
    /// Whether any face was in the frame. A minute without such a frame is not recorded.
    #[must_use]
    pub fn any_face(self) -> bool {
        self != Self::None
    }
}

/// One frame's measurement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrameReport {
    /// The frame's number since the source was opened, from 0.
    pub index: u64,
    /// Its time.
    pub timestamp: Duration,
    /// Who could be seen.
    pub sight: FaceSight,
    /// Whether the picture has been repeated bit for bit for too long to be looked at.
    pub stands_still: bool,
    /// Frames per second over the last two seconds, once there is half a second of them.
    pub fps: Option<f64>,
    /// What the followed eyes say.
    pub reading: Reading,
}

/// What one frame says by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reading {
    /// EAR of the right and left eye.
    pub ear: Option<[f32; 2]>,
    /// The open-eye EAR, once it stands.
    pub baseline: Option<[f32; 2]>,
    /// How far the lids are down, 0 open to 1 closed, once the baseline stands.
    pub closure: Option<f32>,
    /// Where the head points.
    pub pose: Option<Pose>,
    /// Whether the head points too far away for the eyes to be measured.
    pub turned: bool,
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

/// What a frame settles. Events come in order of their decision, at most 200 ms after the fact once the baseline
/// stands, and at most 1.9 s late before, so always before the minute they belong to is sealed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// The stretch from `from` to `to` was observed. Stretches never overlap.
    Observed {
        /// Its start.
        from: Duration,
        /// Its end.
        to: Duration,
        /// How much of it the eyes were at least 80 % closed (PERCLOS P80).
        closed: Duration,
    },
    /// A blink, within observed time.
    Blink(Blink),
}
