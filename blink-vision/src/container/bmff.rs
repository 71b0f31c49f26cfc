//! MP4, MOV and 3GP: boxes with size, type and body (ISO/IEC 14496-12).

use std::io::{self, Read, Seek};

use super::{Buffered, Extent, MOST_PARTS, Orientation};

/// Box types that a file may begin with.
const FIRST: [&[u8; 4]; 8] = [b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp"];

pub(super) fn is_first_box(start: &[u8; 12]) -> bool {
    FIRST.iter().any(|kind| start[4..8] == **kind)
}

struct BoxHeader {
    kind: [u8; 4],
    body: u64,
    end: u64,
}

/// The box at `at`; `None` where there is none before `end`.
fn box_at(file: &mut Buffered<impl Read + Seek>, at: u64, end: u64) -> io::Result<Option<BoxHeader>> {
    if at.saturating_add(8) > end {
        return Ok(None);
    }
    let mut header = [0; 8];
    file.read_at(at, &mut header)?;
    let [size, kind] = [&header[..4], &header[4..]].map(|word| <[u8; 4]>::try_from(word).unwrap_or_default());
    let (head, size) = match u32::from_be_bytes(size) {
        // Size 0 means that the box extends to the end of the file.
        0 => (8, end - at),
        1 => {
            let mut long = [0; 8];
            file.read_at(at + 8, &mut long)?;
            (16, u64::from_be_bytes(long))
        }
        size => (8, u64::from(size)),
    };
    let plausible = size >= head && kind.iter().all(|byte| (0x20..0x7f).contains(byte) || *byte == 0xa9);
    Ok(plausible.then(|| BoxHeader { kind, body: at + head, end: at.saturating_add(size) }))
}

/// Calls `visit` with each box from `at` to `end`, until it returns false.
fn each<F: Read + Seek>(
    file: &mut Buffered<F>,
    mut at: u64,
    end: u64,
    mut visit: impl FnMut(&mut Buffered<F>, &BoxHeader) -> io::Result<bool>,
) -> io::Result<()> {
    for _ in 0..MOST_PARTS {
        let Some(mut found) = box_at(file, at, end)? else { break };
        at = found.end;
        // A box reaches no farther than the one around it, so that no part is read twice.
        found.end = found.end.min(end);
        if !visit(file, &found)? {
            break;
        }
    }
    Ok(())
}

/// Whether the file ends with a box. The stated number of frames is not used, because an edit list may hide some of
/// them.
pub(super) fn extent(file: &mut Buffered<impl Read + Seek>, length: u64) -> io::Result<Extent> {
    let mut at = 0;
    while let Some(outer) = box_at(file, at, length)? {
        at = outer.end;
    }
    Ok(if at > length { Extent::CutOff } else { Extent::Whole })
}

/// The orientation of the first video track.
pub(super) fn orientation(file: &mut Buffered<impl Read + Seek>, length: u64) -> io::Result<Orientation> {
    let mut turned = None;
    each(file, 0, length, |file, outer| {
        if &outer.kind == b"moov" {
            each(file, outer.body, outer.end, |file, inner| {
                if &inner.kind == b"trak" {
                    turned = video_orientation(file, inner)?;
                }
                Ok(turned.is_none())
            })?;
        }
        Ok(turned.is_none())
    })?;
    Ok(turned.unwrap_or_default())
}

/// The orientation of a track; `None` if it is no video track.
fn video_orientation(file: &mut Buffered<impl Read + Seek>, track: &BoxHeader) -> io::Result<Option<Orientation>> {
    let (mut orientation, mut is_video) = (Orientation::default(), false);
    each(file, track.body, track.end, |file, part| {
        match &part.kind {
            b"tkhd" => orientation = matrix(file, part)?,
            b"mdia" => each(file, part.body, part.end, |file, part| {
                if &part.kind == b"hdlr" {
                    let mut handler = [0; 4];
                    file.read_at(part.body + 8, &mut handler)?;
                    is_video = &handler == b"vide";
                }
                Ok(true)
            })?,
            _ => {}
        }
        Ok(true)
    })?;
    Ok(is_video.then_some(orientation))
}

/// The matrix of a track header: a, b, u, c, d, v, x, y, w, of which a to d are 16.16 fixed-point numbers.
fn matrix(file: &mut Buffered<impl Read + Seek>, header: &BoxHeader) -> io::Result<Orientation> {
    let mut version = [0];
    file.read_at(header.body, &mut version)?;
    // Version 1 has 64-bit times.
    let at = header.body + if version == [1] { 52 } else { 40 };
    let mut bytes = [0; 20];
    file.read_at(at, &mut bytes)?;
    let number = |i: usize| {
        let word = bytes[4 * i..].first_chunk().copied().unwrap_or_default();
        f64::from(i32::from_be_bytes(word)) / 65_536.0
    };
    Ok(Orientation::from_matrix([0, 1, 3, 4].map(number)))
}

#[cfg(test)]
pub(super) mod tests {

    use rstest::rstest;

    use super::*;
    use crate::container::tests::{self as kit, Counted};

    fn boxed(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let size = u32::try_from(body.len() + 8).unwrap();
        [&size.to_be_bytes()[..], kind, body].concat()
    }

    fn track(handler: &[u8; 4], version: u8, matrix: [i32; 4]) -> Vec<u8> {
        let [a, b, c, d] = matrix.map(|n| (n << 16).to_be_bytes());
        let zero = [0; 4];
        let mut header = vec![version];
        header.resize(if version == 1 { 52 } else { 40 }, 0);
        header.extend([a, b, zero, c, d, zero, zero, zero].concat());
        let media = boxed(b"mdia", &boxed(b"hdlr", &[&[0; 8], &handler[..], &[0; 12]].concat()));
        boxed(b"trak", &[boxed(b"tkhd", &header), media].concat())
    }

    fn file(tracks: &[Vec<u8>]) -> Vec<u8> {
        [boxed(b"ftyp", b"isom0000"), boxed(b"moov", &tracks.concat()), boxed(b"mdat", &[7; 100])].concat()
    }

    pub(in crate::container) fn sample() -> Vec<u8> {
        file(&[track(b"soun", 0, [-1, 0, 0, -1]), track(b"vide", 1, [0, 1, -1, 0])])
    }

    #[rstest]
    #[case(0)]
    #[case(1)]
    fn the_video_tracks_matrix_is_found_behind_a_sound_track(#[case] version: u8) {
        let sound = track(b"soun", version, [-1, 0, 0, -1]);
        let found = file(&[sound, track(b"vide", version, [0, 1, -1, 0])]);
        let quarter = Orientation { transpose: true, flip_x: true, flip_y: false };
        assert_eq!((kit::orientation(&found), kit::extent(&found)), (quarter, Extent::Whole));
    }

    #[test]
    fn a_file_that_ends_inside_a_box_is_cut_off() {
        let whole = file(&[track(b"vide", 0, [1, 0, 0, 1])]);
        assert_eq!(kit::extent(&whole), Extent::Whole);
        assert_eq!(kit::extent(&whole[..whole.len() - 1]), Extent::CutOff);
        // A box of size 0 extends to the end, so no cut can be seen.
        let mut open = whole.clone();
        let at = open.len() - 108;
        open[at..at + 4].copy_from_slice(&[0; 4]);
        assert_eq!(kit::extent(&open[..open.len() - 1]), Extent::Whole);
    }

    #[test]
    fn parts_that_claim_what_follows_them_are_not_read_again_and_again() {
        let mut media = boxed(b"mdia", &[]);
        media[..4].copy_from_slice(&u32::MAX.to_be_bytes());
        let bytes = boxed(b"moov", &boxed(b"trak", &media).repeat(10_000));
        let blocks = bytes.len() / 4_096;
        let mut file = Counted::new(bytes);
        assert_eq!(Orientation::of(&mut file), Orientation::default());
        assert!(file.reads.get() < 3 * blocks, "{} reads of {blocks} blocks", file.reads.get());
    }

    #[test]
    fn what_is_damaged_ends_the_search_and_nothing_else() {
        let whole = file(&[track(b"vide", 0, [0, 1, -1, 0])]);
        for at in 0..whole.len() {
            for byte in [0, 1, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] = byte;
                kit::orientation(&damaged);
                kit::extent(&damaged);
                kit::orientation(&whole[..at]);
                kit::extent(&whole[..at]);
            }
        }
    }
}
