//! Video files: motion JPEG is read by our own code, everything else by FFmpeg.

mod ffmpeg;
mod jpeg;

use std::{
    fs::{self, File},
    io::{self, Read, Seek},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use opencv::core::Mat;

use super::{Frame, SourceError, frame::TIMEOUT};
use crate::container::{Extent, Orientation, riff};
use ffmpeg::FfmpegFile;
use jpeg::JpegFile;

/// The file ends after this many consecutive frames that cannot be decoded.
const MOST_DAMAGED: u32 = 250;
/// How many frames may be missing at the end of a file that states their number.
const FEW_FRAMES: f64 = 3.5;
/// Where only a length is known, it may be that of the sound, which can be this much longer than the picture.
const SOUND_OUTLASTS_S: f64 = 2.0;

/// The result of reading on.
enum Step {
    /// A picture, with its time in the file where it has one.
    Picture(Option<Duration>),
    Damaged,
    /// A picture that states more pixels than are taken.
    TooLarge,
    /// A dropped frame, sound, or anything else without a picture.
    Skipped,
    End,
}

/// How a picture is wanted.
#[derive(Clone, Copy)]
enum Wanted {
    Grey,
    /// 8-bit BGR.
    Colour,
}

#[derive(Debug)]
enum Reader {
    Jpeg(JpegFile),
    Ffmpeg(FfmpegFile),
}

/// An open video file.
#[derive(Debug)]
pub struct FileSource {
    path: PathBuf,
    file: File,
    repeat: bool,
    orientation: Orientation,
    reader: Reader,
    /// The number of frames and the rate that the container states; 0 where it does not.
    stated_frames: f64,
    stated_fps: f64,
    /// Set by `--fps`: the time of a frame is then its number over this rate, whatever the container says.
    forced_fps: Option<f64>,
    /// The last picture, in grey or in colour, as it was wanted.
    picture: Mat,
    most_pixels: u64,
    /// How many frames were read.
    frames: u64,
    /// How many frames since then could not be decoded.
    damaged: u32,
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
        let unreadable = |source| SourceError::Unreadable { path: path.to_owned(), source };
        // Opening a pipe would wait for its writer, and opening a device may start it.
        if !fs::metadata(path).map_err(unreadable)?.is_file() {
            return Err(SourceError::NotVideo { path: path.to_owned(), why: "it is not a file" });
        }
        Self::new(File::open(path).map_err(unreadable)?, path, repeat, u64::MAX)
    }

    /// Takes the video that `file` holds. One whose pictures are stated to have more than `most_pixels` is not decoded.
    /// `name` is only used in messages.
    ///
    /// # Errors
    /// [`SourceError::Unreadable`], [`SourceError::NotVideo`] and [`SourceError::TooLarge`].
    pub fn of(file: File, name: &Path, most_pixels: u64) -> Result<Self, SourceError> {
        Self::new(file, name, false, most_pixels)
    }

    fn new(mut file: File, path: &Path, repeat: bool, most_pixels: u64) -> Result<Self, SourceError> {
        let unreadable = |source| SourceError::Unreadable { path: path.to_owned(), source };
        check_is_video(&mut file, path)?;
        let orientation = Orientation::of(&mut file);
        let jpeg = JpegFile::open(file.try_clone().map_err(unreadable)?).map_err(unreadable)?;
        let (reader, (stated_frames, stated_fps)) = match jpeg {
            Some(jpeg) => {
                #[expect(clippy::cast_precision_loss, reason = "frame numbers")]
                let stated = (jpeg.movie().stated_frames() as f64, 1.0 / jpeg.movie().frame_s());
                (Reader::Jpeg(jpeg), stated)
            }
            None => {
                let ffmpeg = FfmpegFile::open(&file, path, orientation)?;
                if ffmpeg.pixels()? > most_pixels {
                    return Err(SourceError::TooLarge(path.to_owned()));
                }
                let stated = ffmpeg.stated()?;
                (Reader::Ffmpeg(ffmpeg), stated)
            }
        };
        Ok(Self {
            path: path.to_owned(),
            file,
            repeat,
            orientation,
            reader,
            stated_frames,
            stated_fps,
            forced_fps: None,
            picture: Mat::default(),
            most_pixels,
            frames: 0,
            damaged: 0,
            pass_start: Duration::ZERO,
            last: None,
        })
    }

    /// Uses the frame's number over `fps` as its time, if given.
    #[must_use]
    pub fn with_fps(mut self, fps: Option<f64>) -> Self {
        self.forced_fps = fps;
        self
    }

    /// The number of frames that the container states, or its length in frames; `None` where it states neither.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
    pub fn stated_frames(&self) -> Option<u64> {
        (self.stated_frames >= 1.0).then_some(self.stated_frames as u64)
    }

    /// Whether the file, read to its end, ended before its stated end.
    #[must_use]
    pub fn ended_early(&self) -> bool {
        let spare_s = match (Extent::of(&mut &self.file), &self.reader) {
            (Extent::CutOff, _) => return true,
            (_, Reader::Jpeg(jpeg)) => return jpeg.ended_early(),
            (Extent::Whole, _) => return false,
            // Dropped frames at the end have no picture, and so no time here.
            (Extent::WholeAndCounted, _) if self.stated_frames <= self.frames_there() => return false,
            (Extent::WholeAndCounted, _) => FEW_FRAMES / self.stated_fps,
            (Extent::Unknown, _) => SOUND_OUTLASTS_S,
        };
        let last_s = self.last.unwrap_or_default().as_secs_f64();
        let stated_s = self.stated_frames / self.stated_fps;
        self.forced_fps.is_none() && stated_s.is_finite() && stated_s - spare_s > last_s
    }

    /// The frames that an AVI has, and a few that may be missing.
    #[expect(clippy::cast_precision_loss, reason = "frame numbers")]
    fn frames_there(&self) -> f64 {
        riff::frames(&mut &self.file) as f64 + FEW_FRAMES
    }

    /// The next frame, however long it takes to find it.
    ///
    /// # Errors
    /// [`SourceError::EndOfFile`] after the last frame; [`SourceError::NoPictures`] where there was none.
    pub fn read(&mut self) -> Result<Frame<'_>, SourceError> {
        let timestamp = self.advance_at_last(Wanted::Grey)?;
        Ok(self.frame(timestamp))
    }

    /// Like [`Self::read`], with the picture in colour, 8-bit BGR, and its time.
    ///
    /// # Errors
    /// Those of [`Self::read`], and [`SourceError::TooLarge`].
    pub fn read_colour(&mut self) -> Result<(Duration, &Mat), SourceError> {
        let timestamp = self.advance_at_last(Wanted::Colour)?;
        Ok((timestamp, &self.picture))
    }

    fn advance_at_last(&mut self, wanted: Wanted) -> Result<Duration, SourceError> {
        loop {
            match self.advance(wanted) {
                Err(SourceError::TimedOut) => {}
                done => return done,
            }
        }
    }

    /// Like [`Self::read`], but [`SourceError::TimedOut`] where a long part of the file holds no frame.
    pub(super) fn read_in_time(&mut self) -> Result<Frame<'_>, SourceError> {
        let timestamp = self.advance(Wanted::Grey)?;
        Ok(self.frame(timestamp))
    }

    /// The frame that was just read.
    fn frame(&self, timestamp: Duration) -> Frame<'_> {
        Frame { index: self.frames - 1, timestamp, grey: &self.picture }
    }

    /// Reads the next frame and returns its time.
    fn advance(&mut self, wanted: Wanted) -> Result<Duration, SourceError> {
        let started = Instant::now();
        let stated = loop {
            let step = match &mut self.reader {
                Reader::Jpeg(jpeg) => jpeg.next(&mut self.picture, wanted, self.most_pixels)?,
                Reader::Ffmpeg(ffmpeg) => ffmpeg.next(&mut self.picture, wanted)?,
            };
            match step {
                Step::Picture(stated) => break stated,
                Step::Skipped => {}
                Step::TooLarge => return Err(SourceError::TooLarge(self.path.clone())),
                Step::Damaged if self.damaged < MOST_DAMAGED => self.damaged += 1,
                Step::End if self.repeat && self.last.is_some() => self.start_again()?,
                _ if self.last.is_none() => return Err(SourceError::NoPictures(self.path.clone())),
                _ => return Err(SourceError::EndOfFile),
            }
            if started.elapsed() >= TIMEOUT {
                return Err(SourceError::TimedOut);
            }
        };
        let timestamp = self.timestamp(stated);
        self.last = Some(timestamp);
        self.frames += 1;
        self.damaged = 0;
        Ok(timestamp)
    }

    fn start_again(&mut self) -> Result<(), SourceError> {
        self.pass_start = self.last.unwrap_or_default() + self.frame_time();
        match &mut self.reader {
            Reader::Jpeg(jpeg) => jpeg.rewind(),
            Reader::Ffmpeg(ffmpeg) => *ffmpeg = FfmpegFile::open(&self.file, &self.path, self.orientation)?,
        }
        Ok(())
    }

    fn frame_time(&self) -> Duration {
        let fps = if self.stated_fps > 0.0 { self.stated_fps } else { 30.0 };
        Duration::from_secs_f64(1.0 / fps)
    }

    /// The time of the frame just read. Times that do not advance, as in files without times, are computed from the
    /// rate.
    fn timestamp(&self, stated: Option<Duration>) -> Duration {
        #[expect(clippy::cast_precision_loss, reason = "frame numbers")]
        if let Some(fps) = self.forced_fps {
            return Duration::from_secs_f64(self.frames as f64 / fps);
        }
        let stated = stated.unwrap_or_default() + self.pass_start;
        match self.last {
            Some(last) if stated <= last => last + self.frame_time(),
            _ => stated,
        }
    }
}

/// Refuses empty files, text and playlists: FFmpeg would read a playlist under any name and open what it lists.
fn check_is_video(file: &mut File, path: &Path) -> Result<(), SourceError> {
    /// The beginnings of the playlists that FFmpeg knows.
    const LISTS: [&[u8]; 6] = [b"#EXTM3U", b"ffconcat", b"<?xml", b"<MPD", b"v=0", b"[playlist]"];
    let unreadable = |source| SourceError::Unreadable { path: path.to_owned(), source };
    let not_video = |why| SourceError::NotVideo { path: path.to_owned(), why };
    let mut start = Vec::new();
    file.take(1024).read_to_end(&mut start).map_err(unreadable)?;
    file.seek(io::SeekFrom::Start(0)).map_err(unreadable)?;
    if start.is_empty() {
        return Err(not_video("it is empty"));
    }
    let text = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    let unmarked = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&start).trim_ascii_start();
    if start.iter().all(text)
        || std::str::from_utf8(&start).is_ok_and(|start| !start.contains('\0'))
        || LISTS.iter().any(|list| unmarked.starts_with(list))
    {
        return Err(not_video("it is text"));
    }
    Ok(())
}
