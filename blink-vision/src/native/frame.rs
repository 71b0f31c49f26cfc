//! A frame, and the errors of sources.

use std::{path::PathBuf, time::Duration};

use opencv::core::Mat;

/// The longest time that a call of a source blocks.
pub(super) const TIMEOUT: Duration = Duration::from_millis(500);

/// One frame of a source.
#[derive(Debug)]
pub struct Frame<'a> {
    /// Its number since the source was opened, from 0.
    pub index: u64,
    /// Its time since the source was opened.
    pub timestamp: Duration,
    /// The image, 8-bit grey.
    pub grey: &'a Mat,
}

/// Why there is no frame.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file is at its end.
    #[error("the file is at its end")]
    EndOfFile,
    /// Another program, named here, holds the camera.
    #[error("the camera is in use by {0}")]
    Busy(String),
    /// There is no such camera.
    #[error("{0}")]
    NoCamera(String),
    /// There is no such file, or it may not be read.
    #[error("{} cannot be opened", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The file is no video.
    #[error("{} is not a video that can be read: {why}", .path.display())]
    NotVideo {
        /// The file.
        path: PathBuf,
        /// The reason.
        why: &'static str,
    },
    /// Its pictures have more pixels than are taken.
    #[error("the pictures of {} are too large", .0.display())]
    TooLarge(PathBuf),
    /// The file was read to its end and held no picture that can be decoded.
    #[error("{} holds no picture that can be decoded", .0.display())]
    NoPictures(PathBuf),
    /// No frame came within half a second. The source may still be starting, so reading again is right for some
    /// seconds.
    #[error("no frame came in time")]
    TimedOut,
    /// The source has failed and must be opened again.
    #[error("{0}")]
    Failed(String),
    /// OpenCV reported an error.
    #[error("a frame could not be read")]
    OpenCv(#[from] opencv::Error),
}

impl SourceError {
    /// The stable code: `end_of_file`, `camera_busy`, `no_camera`, `source_unreadable`, `not_video`, `no_frames` or
    /// `source_failed`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::EndOfFile => "end_of_file",
            Self::Busy(_) => "camera_busy",
            Self::NoCamera(_) => "no_camera",
            Self::Unreadable { .. } => "source_unreadable",
            Self::NotVideo { .. } | Self::TooLarge(_) => "not_video",
            Self::TimedOut | Self::NoPictures(_) => "no_frames",
            Self::Failed(_) | Self::OpenCv(_) => "source_failed",
        }
    }

    /// What the person can do about it.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        match self {
            Self::EndOfFile => "Choose another source to go on.",
            Self::Busy(_) => "Close that program, or wait: tracking goes on by itself when the camera is free.",
            Self::NoCamera(_) => "Plug in a camera, or run `blinkd cameras` to see which there are.",
            Self::Unreadable { .. } => "Check the path and its permissions.",
            Self::NotVideo { .. } => "Use a video file such as AVI, MP4, MOV, MKV or WebM.",
            Self::TooLarge(_) => "Use a video of smaller pictures.",
            Self::NoPictures(_) => "Check that the file plays elsewhere; it may be cut off before its first picture.",
            Self::TimedOut => "Check that the camera or stream is on and sends pictures.",
            Self::Failed(_) | Self::OpenCv(_) => "Check the source; it is tried again by itself.",
        }
    }
}
