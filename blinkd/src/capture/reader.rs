//! What looks: a source with the pipeline behind it, as a trait so that tests need no camera.

use std::time::Duration;

use blink_proto::Problem;
use blink_vision::{Event, FrameReport};
use jiff::Timestamp;

/// Why there is nothing to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Which state it puts the daemon in.
    pub kind: TroubleKind,
    /// What went wrong, and what to do.
    pub problem: Problem,
}

/// The kinds of [`Trouble`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TroubleKind {
    /// A file is at its end: there is nothing to try again.
    Ended,
    /// Another program holds the camera.
    Busy,
    /// There is no source.
    Gone,
    /// Something else, such as a missing model.
    Broken,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReadOutcome {
    /// A frame was seen.
    Frame(FrameReport),
    /// No frame came within the source's time-out.
    NoFrame,
    /// A frame came and was passed over.
    Skipped,
    /// The frame was not wanted any more.
    Stopped,
}

/// What to do with a frame that has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pacing {
    Process,
    /// Go on to the next: fewer frames are wanted.
    Skip,
    /// No frame is wanted any more.
    Stop,
}

/// A source and the pipeline behind it.
pub trait FrameReader {
    /// Gets ready what opening needs, such as models; called before each opening.
    fn ready(&mut self) -> Result<(), Trouble>;

    /// Opens the source. Frame times count from `at`.
    ///
    /// Fails when there is no source, or it is busy.
    fn open(&mut self, at: Timestamp) -> Result<(), Trouble>;

    /// Reads a frame, asks `wanted` with its time (which may wait until it is due), and looks at it. Returns within
    /// 500 ms and the wait.
    fn read(&mut self, wanted: &mut dyn FnMut(Duration) -> Pacing) -> Result<ReadOutcome, Trouble>;

    /// Moves what has been decided since the last call to `into`.
    fn decided(&mut self, into: &mut Vec<Event>);

    /// Decides what can be decided, and closes the source.
    fn close(&mut self);

    /// Whether frames come as fast as they are read and must be held until they are due.
    fn needs_pacing(&self) -> bool;

    /// Whether the source begins again at its end.
    fn repeats(&self) -> bool;
}
