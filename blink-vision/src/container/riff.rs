//! AVI: chunks with id, size and body, in lists (Microsoft's RIFF; OpenDML for files over 1 GB).
//!
//! [`MotionJpeg`] reads the pictures of a motion JPEG file one by one. FFmpeg through OpenCV returns them without their
//! times, so a recorder's dropped frames, which are empty chunks, would take no time.

use std::io::{self, Read, Seek};

use super::{Container, Extent, Orientation, read_at};

/// A larger picture is taken for damage.
const MOST_BYTES: u32 = 64 << 20;
/// Length in bytes of a chunk's header with the first marker of a JPEG picture.
const HEAD: u64 = 10;

#[derive(Clone, Copy, Debug)]
struct Chunk {
    id: [u8; 4],
    body: u64,
    size: u32,
}

impl Chunk {
    /// The chunk at `at`; `None` where there is none before `end`.
    fn read(file: &mut (impl Read + Seek), at: u64, end: u64) -> io::Result<Option<Self>> {
        if at.saturating_add(8) > end {
            return Ok(None);
        }
        let mut header = [0; 8];
        read_at(file, at, &mut header)?;
        let [id, size] = [&header[..4], &header[4..]].map(|word| <[u8; 4]>::try_from(word).unwrap_or_default());
        let plausible = id.iter().all(|byte| (0x20..0x7f).contains(byte));
        Ok(plausible.then(|| Self { id, body: at + 8, size: u32::from_le_bytes(size) }))
    }

    /// Where the next chunk begins: chunks begin at even offsets.
    fn end(&self) -> u64 {
        self.body + u64::from(self.size) + u64::from(self.size % 2)
    }

    fn is_list(&self) -> bool {
        matches!(&self.id, b"RIFF" | b"LIST")
    }

    /// Whether it is a list without a stated size, because it was never finished.
    fn is_open(&self) -> bool {
        self.is_list() && matches!(self.size, 0 | u32::MAX)
    }
}

pub(super) fn inspect(file: &mut (impl Read + Seek), length: u64) -> io::Result<Container> {
    let mut at = 0;
    let mut extent = Extent::WholeAndCounted;
    while let Some(riff) = Chunk::read(file, at, length)?.filter(|chunk| &chunk.id == b"RIFF") {
        // Some writers leave out the last padding byte.
        if riff.is_open() || riff.end() > length + 1 {
            extent = Extent::CutOff;
            break;
        }
        at = riff.end();
    }
    Ok(Container { orientation: Orientation::default(), extent })
}

/// The header of the first video stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Stream {
    number: u8,
    codec: [u8; 4],
    /// A frame lasts `scale / rate` seconds.
    scale: u32,
    rate: u32,
    frames: u32,
    height: u32,
}

/// The pictures of a motion JPEG file, read one by one.
#[derive(Debug)]
pub struct MotionJpeg<F> {
    file: F,
    length: u64,
    stream: Stream,
    pictures: u64,
    at: u64,
    slot: u64,
    cut_off: bool,
}

impl<F: Read + Seek> MotionJpeg<F> {
    /// Opens the pictures of `file`. Returns `None` where it is no AVI, or its video is not motion JPEG with a time for
    /// each frame and a whole picture in each chunk.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn open(mut file: F) -> io::Result<Option<Self>> {
        let length = file.seek(io::SeekFrom::End(0))?;
        let Some((stream, pictures)) = header(&mut file, length)? else { return Ok(None) };
        let fps = f64::from(stream.rate) / f64::from(stream.scale);
        if !stream.codec.eq_ignore_ascii_case(b"MJPG") || !(0.1..=1_000.0).contains(&fps) {
            return Ok(None);
        }
        let mut pictures = Self { file, length, stream, pictures, at: pictures, slot: 0, cut_off: false };
        let mut first = Vec::new();
        while pictures.next(&mut first)?.is_some() && first.is_empty() {}
        // Interlaced recordings have two pictures of half the height in each chunk.
        let halved = jpeg_size(&first).is_some_and(|[_, height]| height != pictures.stream.height);
        pictures.rewind();
        Ok((!halved).then_some(pictures))
    }

    /// Returns to the first picture.
    pub fn rewind(&mut self) {
        (self.at, self.slot, self.cut_off) = (self.pictures, 0, false);
    }

    /// Seconds between two frames.
    #[must_use]
    pub fn frame_s(&self) -> f64 {
        f64::from(self.stream.scale) / f64::from(self.stream.rate)
    }

    /// The number of frames in the header, including dropped ones; 0 where it is not stated.
    #[must_use]
    pub fn stated_frames(&self) -> u64 {
        u64::from(self.stream.frames)
    }

    /// How many frames have been read so far, including dropped ones.
    #[must_use]
    pub fn frames_read(&self) -> u64 {
        self.slot
    }

    /// Whether a picture was found that continues beyond the end of the file.
    #[must_use]
    pub fn is_cut_off(&self) -> bool {
        self.cut_off
    }

    /// Reads the next picture into `bytes` and returns its frame number; a dropped frame is empty. Returns `None` at
    /// the end.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn next(&mut self, bytes: &mut Vec<u8>) -> io::Result<Option<u64>> {
        bytes.clear();
        while let Some(chunk) = self.next_chunk()? {
            if chunk.is_list() {
                // A list's type comes before its chunks.
                self.at = chunk.body + 4;
            } else if self.is_picture(&chunk.id) {
                if chunk.body + u64::from(chunk.size) > self.length || chunk.size > MOST_BYTES {
                    self.cut_off = true;
                    self.at = chunk.body;
                    continue;
                }
                self.at = chunk.end();
                bytes.resize(chunk.size as usize, 0);
                read_at(&mut self.file, chunk.body, bytes)?;
                self.cut_off = false;
                self.slot += 1;
                return Ok(Some(self.slot - 1));
            } else {
                self.at = chunk.end();
            }
        }
        Ok(None)
    }

    fn is_picture(&self, id: &[u8; 4]) -> bool {
        let [tens, ones] = [b'0' + self.stream.number / 10, b'0' + self.stream.number % 10];
        *id == [tens, ones, b'd', b'c'] || *id == [tens, ones, b'd', b'b']
    }

    /// Whether these bytes are the header of a picture's chunk and the start of a JPEG picture.
    fn begins_picture(&self, head: &[u8]) -> bool {
        head.first_chunk().is_some_and(|id| self.is_picture(id)) && head.ends_with(&[0xff, 0xd8])
    }

    /// The chunk at the current position. If damage left none there, searches for the next picture.
    fn next_chunk(&mut self) -> io::Result<Option<Chunk>> {
        let next = Chunk::read(&mut self.file, self.at, self.length)?;
        if let Some(chunk) = next
            && (chunk.end() <= self.length + 1 || chunk.is_list() || self.is_picture(&chunk.id))
        {
            return Ok(next);
        }
        // After the index, whose entries have the ids of pictures, no picture follows.
        while next.is_none_or(|chunk| &chunk.id != b"idx1") && self.at + HEAD <= self.length {
            let mut block = vec![0; usize::try_from((self.length - self.at).min(1 << 16)).unwrap_or_default()];
            read_at(&mut self.file, self.at, &mut block)?;
            if let Some(found) = block.windows(HEAD as usize).position(|head| self.begins_picture(head)) {
                self.at += found as u64;
                return Chunk::read(&mut self.file, self.at, self.length);
            }
            // A header may lie across two blocks.
            self.at += block.len() as u64 - HEAD + 1;
        }
        Ok(None)
    }
}

/// The first video stream, and where the list of pictures begins.
fn header(file: &mut (impl Read + Seek), length: u64) -> io::Result<Option<(Stream, u64)>> {
    let (mut stream, mut streams, mut is_video) = (None, 0u8, false);
    let mut at = 0;
    while let Some(chunk) = Chunk::read(file, at, length)? {
        let mut body = [0; 40];
        let read = (length - chunk.body).min(40) as usize;
        read_at(file, chunk.body, &mut body[..read])?;
        let word = |at: usize| body[at..].first_chunk().map_or(0, |word| u32::from_le_bytes(*word));
        at = chunk.end();
        match &chunk.id {
            b"RIFF" if body[..4] != *b"AVI " => return Ok(None),
            b"LIST" if body[..4] == *b"movi" => return Ok(stream.map(|stream| (stream, chunk.body + 4))),
            b"RIFF" | b"LIST" => at = chunk.body + 4,
            b"strh" => {
                is_video = stream.is_none() && body[..4] == *b"vids";
                if is_video {
                    let (scale, rate, frames) = (word(20), word(24), word(32));
                    stream = Some(Stream { number: streams, scale, rate, frames, ..Stream::default() });
                }
                streams = streams.saturating_add(1).min(99);
            }
            b"strf" if is_video => {
                let codec = body[16..20].try_into().unwrap_or_default();
                let height = word(8).cast_signed().unsigned_abs();
                stream = stream.map(|stream| Stream { codec, height, ..stream });
            }
            _ => {}
        }
    }
    Ok(None)
}

/// The width and height of a JPEG picture, from its frame header (ITU-T T.81, B.2.2). Like a decoder it skips what
/// stands between two segments.
pub(crate) fn jpeg_size(bytes: &[u8]) -> Option<[u32; 2]> {
    let mut rest = bytes.strip_prefix(&[0xff, 0xd8])?;
    loop {
        let marker = rest.windows(2).position(|pair| pair[0] == 0xff && !matches!(pair[1], 0 | 0xff))?;
        let kind = rest[marker + 1];
        rest = &rest[marker + 2..];
        match kind {
            // These have no segment.
            0x01 | 0xd0..=0xd7 => continue,
            // The picture's data begin, or it ends.
            0xd8..=0xda => return None,
            // Frame headers are C0 to CF, except for tables (C4), the extension (C8) and arithmetic conditioning (CC).
            0xc0..=0xcf if !matches!(kind, 0xc4 | 0xc8 | 0xcc) => {
                let [height, width] = [3, 5].map(|at| rest.get(at..at + 2).and_then(<[u8]>::first_chunk));
                return Some([width?, height?].map(|side| u32::from(u16::from_be_bytes(*side))));
            }
            _ => rest = rest.get(usize::from(u16::from_be_bytes(*rest.first_chunk()?))..)?,
        }
    }
}

#[cfg(test)]
mod tests;
