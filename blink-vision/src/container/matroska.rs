//! MKV and WebM: elements with id, size and body (RFC 8794, RFC 9559).

use std::io::{self, Read, Seek};

use super::{Buffered, Extent, MOST_PARTS, Orientation};

const SEGMENT: u32 = 0x1853_8067;
const CLUSTER: u32 = 0x1f43_b675;
const TRACKS: u32 = 0x1654_ae6b;
const TRACK: u32 = 0xae;
const TRACK_TYPE: u32 = 0x83;
const VIDEO: u32 = 0xe0;
const PROJECTION: u32 = 0x7670;
const YAW: u32 = 0x7673;
const ROLL: u32 = 0x7675;
/// The track type of video.
const IS_VIDEO: u64 = 1;

struct Element {
    id: u32,
    body: u64,
    /// `None` where the file was written live and the end is not stated.
    end: Option<u64>,
}

/// The element at `at`; `None` where there is no complete header before `end`.
fn element_at(file: &mut Buffered<impl Read + Seek>, at: u64, end: u64) -> io::Result<Option<Element>> {
    let Some((id, id_length)) = number_at(file, at, end, 4)? else { return Ok(None) };
    let Some((size, size_length)) = number_at(file, at + id_length, end, 8)? else { return Ok(None) };
    let body = at + id_length + size_length;
    // The length marker bit is part of an id, but not of a size; a size of only ones means unknown.
    let marker = 1 << (7 * size_length);
    let (size, unknown) = (size - marker, size == 2 * marker - 1);
    let id = u32::try_from(id).unwrap_or_default();
    Ok(Some(Element { id, body, end: (!unknown).then(|| body.saturating_add(size)) }))
}

/// A variable-length number including its marker bit, and its length in bytes.
fn number_at(file: &mut Buffered<impl Read + Seek>, at: u64, end: u64, most: u32) -> io::Result<Option<(u64, u64)>> {
    let mut first = [0];
    if at >= end {
        return Ok(None);
    }
    file.read_at(at, &mut first)?;
    let length = first[0].leading_zeros() + 1;
    if length > most || at + u64::from(length) > end {
        return Ok(None);
    }
    let mut bytes = [0; 8];
    file.read_at(at, &mut bytes[8 - length as usize..])?;
    Ok(Some((u64::from_be_bytes(bytes), u64::from(length))))
}

fn segment(file: &mut Buffered<impl Read + Seek>, length: u64) -> io::Result<Option<Element>> {
    let mut at = 0;
    for _ in 0..MOST_PARTS {
        match element_at(file, at, length)? {
            Some(element) if element.id == SEGMENT => return Ok(Some(element)),
            Some(Element { end: Some(end), .. }) => at = end,
            _ => break,
        }
    }
    Ok(None)
}

pub(super) fn orientation(file: &mut Buffered<impl Read + Seek>, length: u64) -> io::Result<Orientation> {
    let mut orientation = Orientation::default();
    let Some(segment) = segment(file, length)? else { return Ok(orientation) };
    each(file, segment.body, segment.end.unwrap_or(length).min(length), |file, element| {
        if element.id == TRACKS {
            orientation = first_video(file, element)?;
        }
        // The tracks come before the clusters, so nothing more is read.
        Ok(element.id != TRACKS && element.id != CLUSTER)
    })?;
    Ok(orientation)
}

pub(super) fn extent(file: &mut Buffered<impl Read + Seek>, length: u64) -> io::Result<Extent> {
    let Some(segment) = segment(file, length)? else { return Ok(Extent::Unknown) };
    let whole = segment.end.map_or_else(|| is_whole(file, segment.body, length), |end| Ok(end <= length))?;
    Ok(if whole { Extent::Whole } else { Extent::CutOff })
}

/// Whether a segment that was written live, without a stated end, ends with a complete element.
fn is_whole(file: &mut Buffered<impl Read + Seek>, mut at: u64, length: u64) -> io::Result<bool> {
    while at < length {
        let Some(element) = element_at(file, at, length)? else { return Ok(false) };
        // A cluster without a stated end is entered: its blocks have one.
        at = element.end.unwrap_or(element.body);
    }
    Ok(at == length)
}

/// Calls `visit` with each complete element from `at` to `end`, until it returns false.
fn each<F: Read + Seek>(
    file: &mut Buffered<F>,
    mut at: u64,
    end: u64,
    mut visit: impl FnMut(&mut Buffered<F>, &Element) -> io::Result<bool>,
) -> io::Result<()> {
    for _ in 0..MOST_PARTS {
        let Some(mut element) = element_at(file, at, end)? else { break };
        // An element reaches no farther than the one around it, so that no part is read twice.
        element.end = element.end.map(|stated| stated.min(end));
        if !visit(file, &element)? {
            break;
        }
        let Some(next) = element.end else { break };
        at = next;
    }
    Ok(())
}

/// The orientation of the first video track.
fn first_video(file: &mut Buffered<impl Read + Seek>, tracks: &Element) -> io::Result<Orientation> {
    let mut found = None;
    let end = |element: &Element| element.end.unwrap_or(element.body);
    each(file, tracks.body, end(tracks), |file, track| {
        let (mut is_video, mut pose) = (false, Pose::default());
        each(file, track.body, end(track), |file, part| {
            match part.id {
                TRACK_TYPE => is_video = bytes_of(file, part)? == IS_VIDEO.to_be_bytes(),
                VIDEO => each(file, part.body, end(part), |file, part| {
                    if part.id == PROJECTION {
                        pose = Pose::read(file, part)?;
                    }
                    Ok(true)
                })?,
                _ => {}
            }
            Ok(true)
        })?;
        found = (track.id == TRACK && is_video).then(|| pose.orientation());
        Ok(found.is_none())
    })?;
    Ok(found.unwrap_or_default())
}

/// The projection's pose, in degrees.
#[derive(Clone, Copy, Debug, Default)]
struct Pose {
    yaw: f64,
    /// Anti-clockwise.
    roll: f64,
}

impl Pose {
    fn read(file: &mut Buffered<impl Read + Seek>, projection: &Element) -> io::Result<Self> {
        let mut pose = Self::default();
        each(file, projection.body, projection.end.unwrap_or(projection.body), |file, part| {
            match part.id {
                YAW => pose.yaw = float(file, part)?,
                ROLL => pose.roll = float(file, part)?,
                _ => {}
            }
            Ok(true)
        })?;
        Ok(pose)
    }

    /// The orientation of this pose. A yaw of half a turn mirrors the picture, as FFmpeg writes and reads it.
    fn orientation(self) -> Orientation {
        let mirrored = if self.yaw.abs() > 90.0 { -1.0 } else { 1.0 };
        let (sin, cos) = (-mirrored * self.roll).to_radians().sin_cos();
        Orientation::from_matrix([mirrored * cos, sin, -mirrored * sin, cos])
    }
}

/// The last eight bytes of an element's body, zero-padded at the front.
fn bytes_of(file: &mut Buffered<impl Read + Seek>, element: &Element) -> io::Result<[u8; 8]> {
    let end = element.end.unwrap_or(element.body);
    let length = (end - element.body).min(8);
    let mut bytes = [0; 8];
    file.read_at(end - length, &mut bytes[8 - length as usize..])?;
    Ok(bytes)
}

fn float(file: &mut Buffered<impl Read + Seek>, element: &Element) -> io::Result<f64> {
    let bytes = bytes_of(file, element)?;
    Ok(match element.end.unwrap_or(element.body) - element.body {
        4 => f64::from(f32::from_be_bytes([bytes[4], bytes[5], bytes[6], bytes[7]])),
        8 => f64::from_be_bytes(bytes),
        _ => 0.0,
    })
}

#[cfg(test)]
pub(super) mod tests {

    use rstest::rstest;

    use super::*;
    use crate::container::tests::{self as kit, Counted};

    const INFO: u32 = 0x1549_a966;
    const BLOCK: u32 = 0xa3;

    fn head(id: u32, size: &[u8]) -> Vec<u8> {
        let id: Vec<u8> = id.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
        [&id, size].concat()
    }

    fn element(id: u32, body: &[u8]) -> Vec<u8> {
        let size = (1 << 56 | body.len() as u64).to_be_bytes();
        [head(id, &size), body.to_vec()].concat()
    }

    /// An element whose end is not stated.
    fn open(id: u32, body: &[u8]) -> Vec<u8> {
        [head(id, &[0xff]), body.to_vec()].concat()
    }

    fn video(pose: &[Vec<u8>]) -> Vec<u8> {
        let sound = element(TRACK, &element(TRACK_TYPE, &[2]));
        let video = element(VIDEO, &element(PROJECTION, &pose.concat()));
        let video = element(TRACK, &[element(TRACK_TYPE, &[1]), video].concat());
        element(TRACKS, &[sound, video].concat())
    }

    fn file(segment: impl Fn(u32, &[u8]) -> Vec<u8>, cluster: impl Fn(u32, &[u8]) -> Vec<u8>) -> Vec<u8> {
        let clusters = [cluster(CLUSTER, &element(BLOCK, &[9; 50])), cluster(CLUSTER, &element(BLOCK, &[9; 70]))];
        let body = [element(INFO, &[0; 20]), video(&[]), clusters.concat()].concat();
        [element(0x1a45_dfa3, &[0; 10]), segment(SEGMENT, &body)].concat()
    }

    pub(in crate::container) fn sample() -> Vec<u8> {
        file(open, element)
    }

    #[test]
    fn a_file_is_cut_off_where_its_last_element_is() {
        for whole in [file(element, element), file(open, element), file(open, open)] {
            assert_eq!(kit::extent(&whole), Extent::Whole);
            for lost in [1, 30, 69, 75] {
                assert_eq!(kit::extent(&whole[..whole.len() - lost]), Extent::CutOff, "{lost}");
            }
        }
    }

    #[rstest]
    #[case(0.0, 0.0, [1.0, 0.0, 0.0, 1.0])]
    #[case(0.0, -90.0, [0.0, 1.0, -1.0, 0.0])]
    #[case(0.0, 90.0, [0.0, -1.0, 1.0, 0.0])]
    #[case(0.0, 180.0, [-1.0, 0.0, 0.0, -1.0])]
    #[case(180.0, 0.0, [-1.0, 0.0, 0.0, 1.0])]
    fn a_pose_is_an_orientation(#[case] yaw: f64, #[case] roll: f64, #[case] matrix: [f64; 4]) {
        let pose = video(&[element(YAW, &(yaw as f32).to_be_bytes()), element(ROLL, &roll.to_be_bytes())]);
        let bytes = [element(0x1a45_dfa3, &[0; 10]), element(SEGMENT, &pose)].concat();
        assert_eq!(kit::orientation(&bytes), Orientation::from_matrix(matrix));
    }

    /// A browser's recording has an element for each frame and sound packet, and states no end.
    #[test]
    fn a_long_recording_is_opened_at_once_and_read_in_blocks() {
        let blocks = element(BLOCK, &[9; 3]).repeat(100_000);
        let head = [element(0x1a45_dfa3, &[0; 10]), head(SEGMENT, &[0xff])].concat();
        let bytes = [head, video(&[]), open(CLUSTER, &blocks)].concat();
        let most = bytes.len() / 4_096;
        let mut file = Counted::new(bytes);
        Orientation::of(&mut file);
        assert!(file.reads.get() < 10, "{}", file.reads.get());
        assert_eq!(Extent::of(&mut file), Extent::Whole);
        assert!(file.reads.get() < 3 * most, "{} reads of {most} blocks", file.reads.get());
    }

    #[test]
    fn a_search_that_finds_nothing_ends_soon() {
        let nothing = element(INFO, &[]).repeat(100_000);
        for bytes in [[element(0x1a45_dfa3, &[]), nothing.clone()].concat(), open(SEGMENT, &nothing)] {
            let mut file = Counted::new([element(0x1a45_dfa3, &[0; 10]), bytes].concat());
            assert_eq!(Orientation::of(&mut file), Orientation::default());
            assert!(file.reads.get() < 50, "{}", file.reads.get());
        }
    }

    #[test]
    fn what_is_damaged_ends_the_search_and_nothing_else() {
        let whole = file(open, open);
        for at in 0..whole.len() {
            for byte in [0, 1, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] = byte;
                kit::orientation(&damaged);
                kit::extent(&damaged);
            }
        }
    }
}
