//! Frames, wherever they come from.

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
    File(FileSource),
    Live(LiveSource),
    Synthetic(Box<SyntheticSource>),
}

impl Source {
    /// Opens what `spec` names. `opened_at` is the wall clock now; it matters to a synthetic source with an epoch.
    ///
    /// A live source is opened in the background: its first frames may take some seconds and some
    /// [`SourceError::TimedOut`].
    ///
    /// # Errors
    /// Where it is not there, is busy, or is not what it should be.
    pub fn open(spec: &SourceSpec, opened_at: Timestamp) -> Result<Self, SourceError> {
        let inner = match spec {
            SourceSpec::File { path, repeat } => Inner::File(FileSource::open(path, *repeat)?),
            SourceSpec::Synthetic(face) => Inner::Synthetic(Box::new(SyntheticSource::open(face, opened_at)?)),
            live => Inner::Live(LiveSource::open(live)?),
        };
        Ok(Self { inner })
    }

    /// The next frame. Live and synthetic sources wait until it is due; a file gives it at once, and its reader paces
    /// it by the timestamp.
    ///
    /// # Errors
    /// [`SourceError::TimedOut`] after at most half a second without a frame; anything else ends the source.
    pub fn read(&mut self) -> Result<Frame<'_>, SourceError> {
        match &mut self.inner {
            Inner::File(file) => file.read(),
            Inner::Live(live) => live.read(),
            Inner::Synthetic(synthetic) => synthetic.read(),
        }
    }
}
