//! What a video file's own structure says: the orientation of its picture, and whether the file is complete.
//!
//! OpenCV reports neither reliably: one version turns phone videos the wrong way, and its frame count may be the length
//! of the sound times the frame rate. So the outer structure of the common containers is read here.
//!
//! - `bmff`: MP4, MOV, 3GP (ISO/IEC 14496-12)
//! - `matroska`: MKV and WebM (RFC 9559)
//! - `riff`: AVI, and its motion JPEG pictures one by one

mod bmff;
mod matroska;
pub mod riff;

use std::io::{self, Read, Seek, SeekFrom};

/// The search for something in a damaged or hostile file ends after this many parts.
const MOST_PARTS: usize = 1_000;

/// Whether a file is as long as its structure says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extent {
    /// The structure ends at the end of the file, or does not contradict it.
    Whole,
    /// The structure continues beyond the end of the file.
    CutOff,
    /// Like [`Self::Whole`], and the stated number of frames is that of the frames shown.
    WholeAndCounted,
    /// The container is unknown.
    #[default]
    Unknown,
}

/// How a stored picture is turned upright: first it is transposed, then mirrored along x and y.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Orientation {
    /// Whether rows and columns are exchanged.
    pub transpose: bool,
    /// Whether left and right are exchanged.
    pub flip_x: bool,
    /// Whether top and bottom are exchanged.
    pub flip_y: bool,
}

impl Orientation {
    /// The orientation nearest to a matrix, which shows the stored point (p, q) at (a p + c q, b p + d q), y down.
    #[must_use]
    pub fn from_matrix([a, b, c, d]: [f64; 4]) -> Self {
        if a.abs() + d.abs() >= b.abs() + c.abs() {
            Self { transpose: false, flip_x: a < 0.0, flip_y: d < 0.0 }
        } else {
            Self { transpose: true, flip_x: c < 0.0, flip_y: b < 0.0 }
        }
    }
}

impl Orientation {
    /// The orientation of the picture in `file`. A file that cannot be read or is unknown gives the default.
    pub fn of(file: &mut (impl Read + Seek)) -> Self {
        let mut file = Buffered::new(file);
        let found = file.length().and_then(|length| match kind(&mut file)? {
            Kind::Matroska => matroska::orientation(&mut file, length),
            Kind::Bmff => bmff::orientation(&mut file, length),
            Kind::Riff | Kind::Other => Ok(Self::default()),
        });
        found.unwrap_or_default()
    }
}

impl Extent {
    /// The extent of `file`, for which all of its structure is read. A file that cannot be read is unknown.
    pub fn of(file: &mut (impl Read + Seek)) -> Self {
        let mut file = Buffered::new(file);
        let found = file.length().and_then(|length| match kind(&mut file)? {
            Kind::Matroska => matroska::extent(&mut file, length),
            Kind::Bmff => bmff::extent(&mut file, length),
            Kind::Riff => riff::extent(&mut file, length),
            Kind::Other => transport_stream(&mut file, length),
        });
        found.unwrap_or_default()
    }
}

enum Kind {
    Matroska,
    Bmff,
    Riff,
    Other,
}

fn kind(file: &mut Buffered<impl Read + Seek>) -> io::Result<Kind> {
    let mut start = [0; 12];
    file.read_at(0, &mut start)?;
    Ok(match start {
        [0x1a, 0x45, 0xdf, 0xa3, ..] => Kind::Matroska,
        [b'R', b'I', b'F', b'F', ..] if start[8..] == *b"AVI " => Kind::Riff,
        _ if bmff::is_first_box(&start) => Kind::Bmff,
        _ => Kind::Other,
    })
}

/// MPEG transport streams are packets of 188 bytes, or of 192 with a time stamp before each; an incomplete last packet
/// means that the file was cut off.
fn transport_stream(file: &mut Buffered<impl Read + Seek>, length: u64) -> io::Result<Extent> {
    const SYNC: u8 = 0x47;
    for (packet, first) in [(188, 0), (192, 4)] {
        let mut starts = [[0]; 3];
        for (i, byte) in (0..).zip(&mut starts) {
            file.read_at(first + i * packet, byte)?;
        }
        if starts == [[SYNC]; 3] {
            return Ok(if length.is_multiple_of(packet) { Extent::Whole } else { Extent::CutOff });
        }
    }
    Ok(Extent::Unknown)
}

/// A file read in small pieces that mostly follow each other closely.
#[derive(Debug)]
struct Buffered<F> {
    file: F,
    /// A part of the file and where it begins.
    block: Vec<u8>,
    start: u64,
}

impl<F: Read + Seek> Buffered<F> {
    fn new(file: F) -> Self {
        Self { file, block: Vec::new(), start: 0 }
    }

    fn length(&mut self) -> io::Result<u64> {
        self.file.seek(SeekFrom::End(0))
    }

    fn read_at(&mut self, at: u64, bytes: &mut [u8]) -> io::Result<()> {
        const BLOCK: u64 = 4_096;
        let length = bytes.len() as u64;
        let is_held = at >= self.start && at.saturating_add(length) <= self.start + self.block.len() as u64;
        if !is_held {
            self.file.seek(SeekFrom::Start(at))?;
            if length > BLOCK {
                return self.file.read_exact(bytes);
            }
            self.block.clear();
            self.start = at;
            self.file.by_ref().take(BLOCK).read_to_end(&mut self.block)?;
        }
        let held = self.block.get((at - self.start) as usize..).and_then(|held| held.get(..bytes.len()));
        bytes.copy_from_slice(held.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, io::Cursor, rc::Rc};

    use blink_proto::example;
    use rstest::rstest;

    use super::*;

    pub(super) fn extent(bytes: &[u8]) -> Extent {
        Extent::of(&mut Cursor::new(bytes))
    }

    pub(super) fn orientation(bytes: &[u8]) -> Orientation {
        Orientation::of(&mut Cursor::new(bytes))
    }

    /// A file that counts how often it is read.
    #[derive(Clone, Debug)]
    pub(super) struct Counted {
        file: Cursor<Vec<u8>>,
        pub(super) reads: Rc<Cell<usize>>,
    }

    impl Counted {
        pub(super) fn new(bytes: Vec<u8>) -> Self {
            Self { file: Cursor::new(bytes), reads: Rc::default() }
        }
    }

    impl Read for Counted {
        fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
            self.reads.set(self.reads.get() + 1);
            self.file.read(bytes)
        }
    }

    impl Seek for Counted {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.file.seek(to)
        }
    }

    /// Whatever a file holds, it is read in a bounded number of steps.
    #[test]
    fn fuzz_containers() {
        let documents = [bmff::tests::sample(), matroska::tests::sample(), riff::tests::sample()];
        bolero::check!().for_each(|bytes: &[u8]| {
            let spliced = documents.iter().map(|document| example::spliced(document, bytes));
            for file in spliced.chain([bytes.to_vec()]) {
                let mut counted = Counted::new(file.clone());
                let reads = counted.reads.clone();
                let _ = (Extent::of(&mut counted), Orientation::of(&mut counted), riff::frames(&mut counted));
                assert!(reads.get() <= 20 * MOST_PARTS, "{} reads", reads.get());
                let Ok(Some(mut movie)) = riff::MotionJpeg::open(Cursor::new(file)) else { continue };
                let (mut picture, mut steps) = (Vec::new(), 0);
                while !matches!(movie.next(&mut picture), Err(_) | Ok(riff::Next::End)) {
                    steps += 1;
                    assert!(steps <= 2 * MOST_PARTS);
                }
                let _ = riff::jpeg_size(&picture);
            }
        });
    }

    const UPRIGHT: Orientation = Orientation { transpose: false, flip_x: false, flip_y: false };

    #[rstest]
    #[case([1.0, 0.0, 0.0, 1.0], UPRIGHT)]
    // A quarter turn clockwise, half a turn, and a quarter turn anti-clockwise.
    #[case([0.0, 1.0, -1.0, 0.0], Orientation { transpose: true, flip_x: true, flip_y: false })]
    #[case([-1.0, 0.0, 0.0, -1.0], Orientation { transpose: false, flip_x: true, flip_y: true })]
    #[case([0.0, -1.0, 1.0, 0.0], Orientation { transpose: true, flip_x: false, flip_y: true })]
    // Mirrored, upright and turned.
    #[case([-1.0, 0.0, 0.0, 1.0], Orientation { transpose: false, flip_x: true, flip_y: false })]
    #[case([0.0, 1.0, 1.0, 0.0], Orientation { transpose: true, flip_x: false, flip_y: false })]
    // A little less than a quarter turn.
    #[case([0.1, 0.9, -0.9, 0.1], Orientation { transpose: true, flip_x: true, flip_y: false })]
    fn a_matrix_is_an_orientation(#[case] matrix: [f64; 4], #[case] want: Orientation) {
        assert_eq!(Orientation::from_matrix(matrix), want);
    }

    #[test]
    fn a_transport_stream_is_whole_packets() {
        let mut stream = vec![0; 188 * 5];
        stream.chunks_mut(188).for_each(|packet| packet[0] = 0x47);
        assert_eq!(extent(&stream), Extent::Whole);
        assert_eq!(extent(&stream[..188 * 4 + 20]), Extent::CutOff);
        assert_eq!(extent(&[1; 900]), Extent::Unknown);
        assert_eq!(extent(&[]), Extent::Unknown);
    }
}
