//! Motion JPEG in AVI, decoded to grey only where no colour is wanted, which costs half as much.

use std::{fs::File, io, time::Duration};

use opencv::{
    core::{Mat, MatTraitConst},
    imgcodecs,
};

use super::{Step, Wanted};
use crate::{
    container::riff::{self, MotionJpeg, Next},
    native::SourceError,
};

/// No camera's picture has a longer side. A damaged header may state any size, and decoding would take its memory.
const MOST_SIDE: u32 = 8_192;
/// How many of the frames that a file states may be missing.
const FEW_FRAMES: u64 = 2;
/// The end marker of a JPEG picture, after which cameras may pad it.
const END: [u8; 2] = [0xff, 0xd9];
/// How many bytes before the padding are searched for the end marker.
const END_WITHIN: usize = 64;

#[derive(Debug)]
pub(super) struct JpegFile {
    movie: MotionJpeg<File>,
    bytes: Vec<u8>,
    /// Whether any picture had an end marker, so that one without it is cut. Some cameras write none at all.
    ends: bool,
}

impl JpegFile {
    /// `None` where the file is no motion JPEG.
    pub(super) fn open(file: File) -> io::Result<Option<Self>> {
        let movie = MotionJpeg::open(file)?;
        Ok(movie.map(|movie| Self { movie, bytes: Vec::new(), ends: false }))
    }

    pub(super) fn movie(&self) -> &MotionJpeg<File> {
        &self.movie
    }

    /// Whether the file, read to its end, ended before its stated end.
    pub(super) fn ended_early(&self) -> bool {
        self.movie.is_cut_off() || self.movie.stated_frames() > self.movie.frames_read() + FEW_FRAMES
    }

    pub(super) fn rewind(&mut self) {
        self.movie.rewind();
    }

    pub(super) fn next(&mut self, to: &mut Mat, wanted: Wanted, most_pixels: u64) -> Result<Step, SourceError> {
        let failed = |error: io::Error| SourceError::Failed(format!("the file cannot be read on: {error}"));
        let number = match self.movie.next(&mut self.bytes).map_err(failed)? {
            Next::Frame(number) if !self.bytes.is_empty() => number,
            // A dropped frame is empty: the previous picture stays.
            Next::Frame(_) | Next::Other => return Ok(Step::Skipped),
            Next::End => return Ok(Step::End),
        };
        let Some([width, height]) = riff::jpeg_size(&self.bytes) else { return Ok(Step::Damaged) };
        if u64::from(width) * u64::from(height) > most_pixels {
            return Ok(Step::TooLarge);
        }
        if width.max(height) > MOST_SIDE || !self.is_whole() {
            return Ok(Step::Damaged);
        }
        let how = match wanted {
            Wanted::Grey => imgcodecs::IMREAD_GRAYSCALE,
            Wanted::Colour => imgcodecs::IMREAD_COLOR | imgcodecs::IMREAD_IGNORE_ORIENTATION,
        };
        // Decoding into `to` would leave the previous picture there when it fails.
        match imgcodecs::imdecode(&Mat::from_slice(&self.bytes)?, how) {
            Ok(picture) if !picture.empty() => *to = picture,
            _ => return Ok(Step::Damaged),
        }
        #[expect(clippy::cast_precision_loss, reason = "frame numbers")]
        let t = Duration::from_secs_f64(number as f64 * self.movie.frame_s());
        Ok(Step::Picture(Some(t)))
    }

    /// Whether the picture has an end marker; where the camera writes none, it is added.
    fn is_whole(&mut self) -> bool {
        let padding = self.bytes.iter().rev().take_while(|byte| matches!(byte, 0 | 0xff)).count();
        let picture = &self.bytes[..self.bytes.len() - padding];
        if picture.windows(2).rev().take(END_WITHIN).any(|bytes| bytes == END) {
            self.ends = true;
        } else if !self.ends {
            self.bytes.extend(END);
        } else {
            return false;
        }
        true
    }
}
