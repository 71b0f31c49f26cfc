//! One type for all sources of frames.

use jiff::Timestamp;

use super::{FileSource, Frame, SourceError, SyntheticSource, live::LiveSource};
use crate::SourceSpec;

/// An open source of frames. It is used from one thread.
#[derive(Debug)]
pub struct Source {
    inner: Inner,
}

#[derive(Debug)]
enum Inner {
    File(Box<FileSource>),
    Live(LiveSource),
    Synthetic(Box<SyntheticSource>),
}

impl Source {
    /// Opens the source `spec`. `opened_at` is the current wall clock time; only a synthetic source with an epoch uses
    /// it.
    ///
    /// A live source is opened in the background: its first frames may take some seconds, with
    /// [`SourceError::TimedOut`] until then.
    ///
    /// # Errors
    /// When the source does not exist, is busy, or is of the wrong kind.
    pub fn open(spec: &SourceSpec, opened_at: Timestamp) -> Result<Self, SourceError> {
        let inner = match spec {
            SourceSpec::File { path, repeat } => Inner::File(Box::new(FileSource::open(path, *repeat)?)),
            SourceSpec::Synthetic(face) => Inner::Synthetic(Box::new(SyntheticSource::open(face, opened_at)?)),
            live => Inner::Live(LiveSource::open(live)?),
        };
        Ok(Self { inner })
    }

    /// The next frame. Live and synthetic sources wait until it is due; a file returns it at once, and the caller paces
    /// it by the timestamp.
    ///
    /// # Errors
    /// [`SourceError::TimedOut`] after at most half a second without a frame; any other error ends the source.
    pub fn read(&mut self) -> Result<Frame<'_>, SourceError> {
        match &mut self.inner {
            Inner::File(file) => file.read_in_time(),
            Inner::Live(live) => live.read(),
            Inner::Synthetic(synthetic) => synthetic.read(),
        }
    }
}
