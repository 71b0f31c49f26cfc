//! Video files, read through FFmpeg; motion JPEG is taken undecoded and decoded to grey alone.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    time::Duration,
};

use opencv::{
    core::{Mat, MatTraitConst, MatTraitConstManual, Vector},
    imgcodecs, imgproc,
    videoio::{self, VideoCapture, VideoCaptureTrait, VideoCaptureTraitConst},
};

use super::{Frame, SourceError, source::TIMEOUT};

/// So many frames in a row that cannot be decoded end the file.
const MOST_DAMAGED: u32 = 250;

/// An open video file.
#[derive(Debug)]
pub struct FileSource {
    path: PathBuf,
    repeat: bool,
    capture: VideoCapture,
    /// The container's words: frames and frames per second, where it has any.
    stated_frames: f64,
    stated_fps: f64,
    /// Packets come undecoded: the codec is motion JPEG.
    undecoded: bool,
    /// For `--fps`: time is the frame's number over this, whatever the container says.
    forced_fps: Option<f64>,
    raw: Mat,
    grey: Mat,
    index: u64,
    /// Where the current pass through the file began, and the last frame's time.
    pass_start: Duration,
    last: Option<Duration>,
}

impl FileSource {
    /// Opens the video at `path`; with `repeat` it starts again at its end.
    ///
    /// # Errors
    /// [`SourceError::Unreadable`] and [`SourceError::NotVideo`].
    pub fn open(path: &Path, repeat: bool) -> Result<Self, SourceError> {
        check_is_video(path)?;
        let capture = open_capture(path)?;
        let mut source = Self {
            path: path.to_owned(),
            repeat,
            stated_frames: capture.get(videoio::CAP_PROP_FRAME_COUNT)?,
            stated_fps: capture.get(videoio::CAP_PROP_FPS)?,
            capture,
            undecoded: false,
            forced_fps: None,
            raw: Mat::default(),
            grey: Mat::default(),
            index: 0,
            pass_start: Duration::ZERO,
            last: None,
        };
        source.take_undecoded_if_jpeg()?;
        Ok(source)
    }

    /// Takes the frame's number over `fps` as its time.
    #[must_use]
    pub fn with_fps(mut self, fps: Option<f64>) -> Self {
        self.forced_fps = fps;
        self
    }

    /// Frames the container says it has; `None` where it does not say.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
    pub fn stated_frames(&self) -> Option<u64> {
        (self.stated_frames >= 1.0).then_some(self.stated_frames as u64)
    }

    /// Whether the file ended clearly before the length it states: by more than two frames.
    #[must_use]
    pub fn ended_early(&self) -> bool {
        if self.stated_frames < 1.0 || self.stated_fps <= 0.0 || self.forced_fps.is_some() {
            return false;
        }
        let last = self.last.unwrap_or_default().as_secs_f64();
        (self.stated_frames - 3.5) / self.stated_fps > last
    }

    /// The next frame, at once.
    ///
    /// # Errors
    /// [`SourceError::EndOfFile`] after the last.
    pub fn read(&mut self) -> Result<Frame<'_>, SourceError> {
        let mut damaged = 0;
        while !self.next_picture()? {
            damaged += 1;
            if damaged > MOST_DAMAGED {
                return Err(SourceError::EndOfFile);
            }
        }
        let timestamp = self.timestamp()?;
        self.last = Some(timestamp);
        let index = self.index;
        self.index += 1;
        Ok(Frame { index, timestamp, grey: &self.grey })
    }

    /// Reads one frame into `grey`; false where it was damaged.
    fn next_picture(&mut self) -> Result<bool, SourceError> {
        if !self.capture.read(&mut self.raw)? || self.raw.empty() {
            if !self.repeat || self.last.is_none() {
                return Err(SourceError::EndOfFile);
            }
            self.start_again()?;
            return Ok(false);
        }
        if self.undecoded {
            let whole = self.raw.data_bytes()?.windows(2).rev().take(64).any(|end| end == [0xff, 0xd9]);
            return Ok(whole && self.decode_jpeg()?);
        }
        imgproc::cvt_color_def(&self.raw, &mut self.grey, imgproc::COLOR_BGR2GRAY)?;
        Ok(true)
    }

    fn decode_jpeg(&mut self) -> Result<bool, SourceError> {
        imgcodecs::imdecode_to(&self.raw, imgcodecs::IMREAD_GRAYSCALE, &mut self.grey)?;
        Ok(!self.grey.empty())
    }

    fn take_undecoded_if_jpeg(&mut self) -> Result<(), SourceError> {
        const MJPG: i32 = i32::from_le_bytes(*b"MJPG");
        #[expect(clippy::cast_possible_truncation, reason = "a four-character code")]
        let codec = self.capture.get(videoio::CAP_PROP_FOURCC)? as i32;
        if codec == MJPG {
            self.undecoded = self.capture.set(videoio::CAP_PROP_FORMAT, -1.0)?;
        }
        Ok(())
    }

    fn start_again(&mut self) -> Result<(), SourceError> {
        let step = if self.stated_fps > 0.0 { 1.0 / self.stated_fps } else { 1.0 / 30.0 };
        self.pass_start = self.last.unwrap_or_default() + Duration::from_secs_f64(step);
        self.capture = open_capture(&self.path)?;
        self.take_undecoded_if_jpeg()
    }

    /// The time of the frame just read. Times that do not advance, as in files without any, are made from the rate.
    fn timestamp(&self) -> Result<Duration, SourceError> {
        #[expect(clippy::cast_precision_loss, reason = "frame numbers")]
        if let Some(fps) = self.forced_fps {
            return Ok(Duration::from_secs_f64(self.index as f64 / fps));
        }
        let stated = self.capture.get(videoio::CAP_PROP_POS_MSEC)? / 1_000.0;
        let stated = Duration::try_from_secs_f64(stated).unwrap_or_default() + self.pass_start;
        Ok(match self.last {
            Some(last) if stated <= last => {
                let fps = if self.stated_fps > 0.0 { self.stated_fps } else { 30.0 };
                last + Duration::from_secs_f64(1.0 / fps)
            }
            _ => stated,
        })
    }
}

fn open_capture(path: &Path) -> Result<VideoCapture, SourceError> {
    #[expect(clippy::cast_possible_truncation, reason = "500")]
    let timeout = TIMEOUT.as_millis() as i32;
    let parameters = Vector::from_slice(&[
        videoio::CAP_PROP_OPEN_TIMEOUT_MSEC,
        timeout,
        videoio::CAP_PROP_READ_TIMEOUT_MSEC,
        timeout,
    ]);
    let capture = VideoCapture::from_file_with_params(path, videoio::CAP_FFMPEG, &parameters);
    match capture {
        Ok(capture) if capture.is_opened()? => Ok(capture),
        _ => Err(SourceError::NotVideo { path: path.to_owned(), why: "no decoder knows it, or its index is missing" }),
    }
}

/// Refuses what is not a plain file, and text: FFmpeg would read a playlist under any name and open what it lists.
fn check_is_video(path: &Path) -> Result<(), SourceError> {
    let unreadable = |source| SourceError::Unreadable { path: path.to_owned(), source };
    let not_video = |why| SourceError::NotVideo { path: path.to_owned(), why };
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(not_video("it is not a file"));
    }
    let mut start = Vec::new();
    File::open(path).map_err(unreadable)?.take(1024).read_to_end(&mut start).map_err(unreadable)?;
    if start.is_empty() {
        return Err(not_video("it is empty"));
    }
    let text = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    if start.iter().all(text) || std::str::from_utf8(&start).is_ok_and(|start| !start.contains('\0')) {
        return Err(not_video("it is text"));
    }
    Ok(())
}
