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

/// What a file's structure says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Container {
    /// How to turn its picture upright.
    pub orientation: Orientation,
    /// Whether the file is complete.
    pub extent: Extent,
}

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

impl Container {
    /// Reads the structure of the file. A file that cannot be read or is unknown gives the default.
    pub fn inspect(file: &mut (impl Read + Seek)) -> Self {
        Self::try_inspect(file).unwrap_or_default()
    }

    fn try_inspect(file: &mut (impl Read + Seek)) -> io::Result<Self> {
        let length = file.seek(SeekFrom::End(0))?;
        let mut start = [0; 12];
        read_at(file, 0, &mut start)?;
        match start {
            [0x1a, 0x45, 0xdf, 0xa3, ..] => matroska::inspect(file, length),
            [b'R', b'I', b'F', b'F', ..] if start[8..] == *b"AVI " => riff::inspect(file, length),
            _ if bmff::is_first_box(&start) => bmff::inspect(file, length),
            _ => Ok(Self { extent: transport_stream(file, length)?, ..Self::default() }),
        }
    }
}

/// MPEG transport streams are packets of 188 bytes, or of 192 with a time stamp before each; an incomplete last packet
/// means that the file was cut off.
fn transport_stream(file: &mut (impl Read + Seek), length: u64) -> io::Result<Extent> {
    const SYNC: u8 = 0x47;
    for (packet, first) in [(188, 0), (192, 4)] {
        let mut starts = [[0]; 3];
        for (i, byte) in (0..).zip(&mut starts) {
            read_at(file, first + i * packet, byte)?;
        }
        if starts == [[SYNC]; 3] {
            return Ok(if length.is_multiple_of(packet) { Extent::Whole } else { Extent::CutOff });
        }
    }
    Ok(Extent::Unknown)
}

fn read_at(file: &mut (impl Read + Seek), at: u64, bytes: &mut [u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use rstest::rstest;

    use super::*;

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
        let extent = |stream: &[u8]| Container::inspect(&mut Cursor::new(stream)).extent;
        assert_eq!(extent(&stream), Extent::Whole);
        assert_eq!(extent(&stream[..188 * 4 + 20]), Extent::CutOff);
        assert_eq!(extent(&[1; 900]), Extent::Unknown);
        assert_eq!(extent(&[]), Extent::Unknown);
    }
}
