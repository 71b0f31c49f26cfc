//! Reads files of any kind with FFmpeg through OpenCV.

use std::{fs::File, path::Path, time::Duration};

use opencv::{
    core::{self, Mat, MatTraitConst, Vector},
    imgproc,
    videoio::{self, VideoCapture, VideoCaptureTrait, VideoCaptureTraitConst},
};

use super::{Step, Wanted};
use crate::{
    container::Orientation,
    native::{SourceError, frame::TIMEOUT},
};

/// How often to ask again: OpenCV gives up after 512 packets of sound between two pictures, about 11 s.
const ATTEMPTS: u32 = 20;

#[derive(Debug)]
pub(super) struct FfmpegFile {
    capture: VideoCapture,
    orientation: Orientation,
    colour: Mat,
    stored: Mat,
    /// How often there was no picture since the last one.
    attempts: u32,
}

impl FfmpegFile {
    pub(super) fn open(file: &File, path: &Path, orientation: Orientation) -> Result<Self, SourceError> {
        #[expect(clippy::cast_possible_truncation, reason = "500")]
        let timeout = TIMEOUT.as_millis() as i32;
        let parameters = Vector::from_slice(&[
            videoio::CAP_PROP_OPEN_TIMEOUT_MSEC,
            timeout,
            videoio::CAP_PROP_READ_TIMEOUT_MSEC,
            timeout,
        ]);
        let capture = VideoCapture::from_file_with_params(name(file, path), videoio::CAP_FFMPEG, &parameters);
        match capture {
            Ok(mut capture) if capture.is_opened()? => {
                // OpenCV 4.6 turns pictures the wrong way, and no version handles mirrored ones.
                capture.set(videoio::CAP_PROP_ORIENTATION_AUTO, 0.0)?;
                Ok(Self { capture, orientation, colour: Mat::default(), stored: Mat::default(), attempts: 0 })
            }
            _ => {
                let why = "no decoder knows it, or its index is missing";
                Err(SourceError::NotVideo { path: path.to_owned(), why })
            }
        }
    }

    /// The number of frames that OpenCV reports, which may be the file's length times its rate, and frames per second;
    /// 0 where it is unknown.
    pub(super) fn stated(&self) -> Result<(f64, f64), SourceError> {
        let get = |property| self.capture.get(property);
        Ok((get(videoio::CAP_PROP_FRAME_COUNT)?, get(videoio::CAP_PROP_FPS)?))
    }

    /// The pixels of a picture as its header states them; 0 where it does not. Nothing was decoded for it yet.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
    pub(super) fn pixels(&self) -> Result<u64, SourceError> {
        let get = |property| self.capture.get(property);
        Ok((get(videoio::CAP_PROP_FRAME_WIDTH)? * get(videoio::CAP_PROP_FRAME_HEIGHT)?) as u64)
    }

    pub(super) fn next(&mut self, to: &mut Mat, wanted: Wanted) -> Result<Step, SourceError> {
        if !self.capture.read(&mut self.colour)? || self.colour.empty() {
            self.attempts += 1;
            return Ok(if self.attempts < ATTEMPTS { Step::Skipped } else { Step::End });
        }
        self.attempts = 0;
        match wanted {
            Wanted::Grey => imgproc::cvt_color_def(&self.colour, &mut self.stored, imgproc::COLOR_BGR2GRAY)?,
            Wanted::Colour => std::mem::swap(&mut self.colour, &mut self.stored),
        }
        self.turn(to)?;
        let t = self.capture.get(videoio::CAP_PROP_POS_MSEC)? / 1_000.0;
        Ok(Step::Picture(Duration::try_from_secs_f64(t).ok()))
    }

    /// Turns the stored picture upright.
    fn turn(&mut self, upright: &mut Mat) -> opencv::Result<()> {
        let Orientation { transpose, flip_x, flip_y } = self.orientation;
        if transpose {
            core::transpose(&self.stored, upright)?;
            std::mem::swap(&mut self.stored, upright);
        }
        match (flip_x, flip_y) {
            (true, true) => core::flip(&self.stored, upright, -1),
            (true, false) => core::flip(&self.stored, upright, 1),
            (false, true) => core::flip(&self.stored, upright, 0),
            (false, false) => {
                std::mem::swap(&mut self.stored, upright);
                Ok(())
            }
        }
    }
}

/// A name under which FFmpeg opens exactly this file. FFmpeg interprets names: `img_%03d.jpg` is a sequence of
/// pictures, `concat:a|b` two files, `http://..` an address.
fn name(file: &File, path: &Path) -> std::path::PathBuf {
    #[cfg(target_os = "linux")]
    {
        use std::os::fd::AsRawFd as _;
        let name = std::path::PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
        if name.exists() {
            return name;
        }
    }
    let _ = file;
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
