//! AVI: chunks with id, size and body, in lists (Microsoft's RIFF; OpenDML for files over 1 GB).
//!
//! [`MotionJpeg`] reads the pictures of a motion JPEG file one by one. FFmpeg through OpenCV returns them without their
//! times, so a recorder's dropped frames, which are empty chunks, would take no time.

use std::io::{self, Read, Seek};

use super::{Buffered, Extent, MOST_PARTS};

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
    fn read(file: &mut Buffered<impl Read + Seek>, at: u64, end: u64) -> io::Result<Option<Self>> {
        if at.saturating_add(8) > end {
            return Ok(None);
        }
        let mut header = [0; 8];
        file.read_at(at, &mut header)?;
        Ok(Self::new(&header, at))
    }

    /// The chunk at `at` whose header is `header`.
    fn new(header: &[u8], at: u64) -> Option<Self> {
        let (id, rest) = header.split_first_chunk()?;
        let size = u32::from_le_bytes(*rest.first_chunk()?);
        let plausible = id.iter().all(|byte| (0x20..0x7f).contains(byte));
        plausible.then_some(Self { id: *id, body: at + 8, size })
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

pub(super) fn extent(file: &mut Buffered<impl Read + Seek>, length: u64) -> io::Result<Extent> {
    let mut at = 0;
    while let Some(riff) = Chunk::read(file, at, length)?.filter(|chunk| &chunk.id == b"RIFF") {
        // Some writers leave out the last padding byte.
        if riff.is_open() || riff.end() > length + 1 {
            return Ok(Extent::CutOff);
        }
        at = riff.end();
    }
    Ok(Extent::WholeAndCounted)
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

impl Stream {
    fn is_picture(&self, id: &[u8; 4]) -> bool {
        let [tens, ones] = [b'0' + self.number / 10, b'0' + self.number % 10];
        *id == [tens, ones, b'd', b'c'] || *id == [tens, ones, b'd', b'b']
    }
}

/// The number of frames of the first video stream, including dropped ones, up to the first damage. It is 0 where `file`
/// is no AVI or cannot be read.
pub fn frames(file: &mut (impl Read + Seek)) -> u64 {
    let mut file = Buffered::new(file);
    file.length().and_then(|length| count(&mut file, length)).unwrap_or_default()
}

fn count(file: &mut Buffered<impl Read + Seek>, length: u64) -> io::Result<u64> {
    let Some((stream, mut at)) = header(file, length)? else { return Ok(0) };
    let mut frames = 0;
    while let Some(chunk) = Chunk::read(file, at, length)? {
        frames += u64::from(stream.is_picture(&chunk.id));
        at = if chunk.is_list() { chunk.body + 4 } else { chunk.end() };
    }
    Ok(frames)
}

/// The pictures of a motion JPEG file, read one by one.
#[derive(Debug)]
pub struct MotionJpeg<F> {
    file: Buffered<F>,
    length: u64,
    stream: Stream,
    pictures: u64,
    at: u64,
    slot: u64,
    cut_off: bool,
    /// Whether there was no chunk where one should be, so that the next picture is searched for.
    lost: bool,
}

/// What a step in the file led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// A frame with this number; its picture is empty where the frame was dropped.
    Frame(u64),
    /// Something else, and the file goes on.
    Other,
    /// The end.
    End,
}

impl<F: Read + Seek> MotionJpeg<F> {
    /// Opens the pictures of `file`. Returns `None` where it is no AVI, or its video is not motion JPEG with a time for
    /// each frame and a whole picture in each chunk.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn open(file: F) -> io::Result<Option<Self>> {
        let mut file = Buffered::new(file);
        let length = file.length()?;
        let Some((stream, pictures)) = header(&mut file, length)? else { return Ok(None) };
        let fps = f64::from(stream.rate) / f64::from(stream.scale);
        if !stream.codec.eq_ignore_ascii_case(b"MJPG") || !(0.1..=1_000.0).contains(&fps) {
            return Ok(None);
        }
        let mut pictures = Self { file, length, stream, pictures, at: pictures, slot: 0, cut_off: false, lost: false };
        let mut first = Vec::new();
        for _ in 0..MOST_PARTS {
            if pictures.next(&mut first)? == Next::End || !first.is_empty() {
                break;
            }
        }
        // Interlaced recordings have two pictures of half the height in each chunk.
        let halved = jpeg_size(&first).is_some_and(|[_, height]| height != pictures.stream.height);
        pictures.rewind();
        Ok((!halved).then_some(pictures))
    }

    /// Returns to the first picture.
    pub fn rewind(&mut self) {
        (self.at, self.slot, self.cut_off, self.lost) = (self.pictures, 0, false, false);
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

    /// Takes one step: reads a chunk, or 64 KB in search of one. A frame's picture is read into `bytes`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn next(&mut self, bytes: &mut Vec<u8>) -> io::Result<Next> {
        bytes.clear();
        if self.lost {
            return self.search();
        }
        match Chunk::read(&mut self.file, self.at, self.length)? {
            // A list's type comes before its chunks.
            Some(list) if list.is_list() => self.at = list.body + 4,
            Some(picture) if self.stream.is_picture(&picture.id) => {
                if self.fits(&picture) {
                    self.at = picture.end();
                    bytes.resize(picture.size as usize, 0);
                    self.file.read_at(picture.body, bytes)?;
                    self.cut_off = false;
                    self.slot += 1;
                    return Ok(Next::Frame(self.slot - 1));
                }
                self.cut_off = true;
                self.at = picture.body;
            }
            Some(other) if other.end() <= self.length + 1 => self.at = other.end(),
            // After the index, whose entries have the ids of pictures, no picture follows.
            Some(index) if &index.id == b"idx1" => return Ok(Next::End),
            _ => self.lost = true,
        }
        Ok(Next::Other)
    }

    /// Searches a part of the file for the next picture.
    fn search(&mut self) -> io::Result<Next> {
        let rest = self.length.saturating_sub(self.at);
        if rest < HEAD {
            return Ok(Next::End);
        }
        let mut block = vec![0; rest.min(1 << 16) as usize];
        self.file.read_at(self.at, &mut block)?;
        let mut heads = (self.at..).zip(block.windows(HEAD as usize));
        let found = heads.find(|(at, head)| self.begins_picture(*at, head));
        self.lost = found.is_none();
        // A header may lie across two blocks.
        self.at = found.map_or(self.at + block.len() as u64 - HEAD + 1, |(at, _)| at);
        Ok(Next::Other)
    }

    fn fits(&self, picture: &Chunk) -> bool {
        picture.body + u64::from(picture.size) <= self.length && picture.size <= MOST_BYTES
    }

    /// Whether these bytes at `at` are the header of a picture's chunk and the start of a JPEG picture.
    fn begins_picture(&self, at: u64, head: &[u8]) -> bool {
        head.ends_with(&[0xff, 0xd8])
            && Chunk::new(head, at).is_some_and(|chunk| self.stream.is_picture(&chunk.id) && self.fits(&chunk))
    }
}

/// The first video stream, and where the list of pictures begins.
fn header(file: &mut Buffered<impl Read + Seek>, length: u64) -> io::Result<Option<(Stream, u64)>> {
    let (mut stream, mut streams, mut is_video) = (None, 0u8, false);
    let mut at = 0;
    for _ in 0..MOST_PARTS {
        let Some(chunk) = Chunk::read(file, at, length)? else { break };
        let mut body = [0; 40];
        let read = (length - chunk.body).min(40) as usize;
        file.read_at(chunk.body, &mut body[..read])?;
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
#[must_use]
pub fn jpeg_size(bytes: &[u8]) -> Option<[u32; 2]> {
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
pub(super) mod tests;
