//! A source with the pipeline behind it, as a trait, so that tests need no camera.

use std::time::Duration;

use blink_proto::Problem;
use blink_vision::{Event, FrameReport};
use jiff::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The kind, which decides the daemon's state.
    pub kind: TroubleKind,
    pub problem: Problem,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TroubleKind {
    /// A file is at its end, so there is nothing to retry.
    Ended,
    /// Another program holds the camera.
    Busy,
    /// There is no such device, file or stream.
    Gone,
    /// Anything else, such as a missing model.
    Broken,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReadOutcome {
    Frame(FrameReport),
    /// No frame came within the source's time-out.
    NoFrame,
    /// A frame came and was skipped.
    Skipped,
    /// No frame is wanted any more.
    Stopped,
}

/// What to do with the next frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pacing {
    Process,
    /// Skip it, because the frame rate is limited.
    Skip,
    /// Return, because the source must be closed.
    Stop,
}

pub trait FrameReader {
    /// Prepares what opening needs, such as models. It is called before each opening.
    fn ready(&mut self) -> Result<(), Trouble>;

    /// Opens the source; frame times count from `at`.
    fn open(&mut self, at: Timestamp) -> Result<(), Trouble>;

    /// Reads a frame, asks `wanted` with the frame's time, and processes it if it is wanted. `wanted` may wait until
    /// the frame is due; apart from that wait it returns within 500 ms.
    fn read(&mut self, wanted: &mut dyn FnMut(Duration) -> Pacing) -> Result<ReadOutcome, Trouble>;

    /// Moves the events decided since the last call to `into`.
    fn decided(&mut self, into: &mut Vec<Event>);

    /// Decides what is still undecided, and closes the source.
    fn close(&mut self);

    /// Whether frames come as fast as they are read, as from a file, and must be held back until they are due.
    fn needs_pacing(&self) -> bool;

    /// Whether the source starts again at its end.
    fn repeats(&self) -> bool;
}
