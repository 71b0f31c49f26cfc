//! Tests on motion JPEG files made of a few bytes.

use std::{io::Cursor, rc::Rc};

use rstest::rstest;

use super::*;
use crate::container::tests::{self as kit, Counted};

fn chunk(id: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let size = u32::try_from(body.len()).unwrap();
    let pad = vec![0; body.len() % 2];
    [&id[..], &size.to_le_bytes(), body, &pad].concat()
}

fn list(id: &[u8; 4], kind: &[u8; 4], chunks: &[Vec<u8>]) -> Vec<u8> {
    chunk(id, &[&kind[..], &chunks.concat()].concat())
}

fn stream(kind: &[u8; 4], codec: &[u8; 4], frames: u32) -> Vec<u8> {
    let mut header = [0; 56];
    header[..4].copy_from_slice(kind);
    for (at, value) in [(20, 1u32), (24, 25), (32, frames)] {
        header[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }
    let mut format = [0; 40];
    format[8..12].copy_from_slice(&240u32.to_le_bytes());
    format[16..20].copy_from_slice(codec);
    list(b"LIST", b"strl", &[chunk(b"strh", &header), chunk(b"strf", &format)])
}

/// The beginning of a JPEG picture up to its frame header, and a tag that tells pictures apart.
fn picture(height: u16, tag: u8) -> Vec<u8> {
    let [high, low] = height.to_be_bytes();
    vec![0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0, 0xff, 0xc0, 0, 17, 8, high, low, tag, tag, 0xff, 0xd9]
}

fn file(codec: &[u8; 4], pictures: &[Vec<u8>]) -> Vec<u8> {
    let frames = u32::try_from(pictures.len()).unwrap();
    let sound = stream(b"auds", b"\0\0\0\0", 0);
    let header = list(b"LIST", b"hdrl", &[sound, stream(b"vids", codec, frames)]);
    let movie: Vec<Vec<u8>> =
        pictures.iter().flat_map(|picture| [chunk(b"00wb", &[1; 9]), chunk(b"01dc", picture)]).collect();
    let movie = list(b"LIST", b"movi", &[list(b"LIST", b"rec ", &movie)]);
    let more = list(b"RIFF", b"AVIX", &[list(b"LIST", b"movi", &[chunk(b"01dc", &picture(240, 99))])]);
    [list(b"RIFF", b"AVI ", &[header, movie, chunk(b"idx1", &[0; 16])]), more].concat()
}

pub(in crate::container) fn sample() -> Vec<u8> {
    file(b"MJPG", &[picture(240, 1), picture(240, 2)])
}

/// The numbers and tags of all pictures, and whether the last one was cut off.
fn read(bytes: &[u8]) -> (Vec<(u64, Option<u8>)>, bool) {
    let mut movie = MotionJpeg::open(Cursor::new(bytes)).unwrap().unwrap();
    let (mut picture, mut found) = (Vec::new(), Vec::new());
    loop {
        match movie.next(&mut picture).unwrap() {
            Next::Frame(number) => found.push((number, picture.get(15).copied())),
            Next::Other => {}
            Next::End => break,
        }
    }
    (found, movie.is_cut_off())
}

fn three() -> Vec<u8> {
    file(b"MJPG", &[picture(240, 1), Vec::new(), Vec::new(), picture(240, 2)])
}

#[test]
fn dropped_frames_are_empty_and_keep_their_numbers() {
    let want = vec![(0, Some(1)), (1, None), (2, None), (3, Some(2)), (4, Some(99))];
    assert_eq!(read(&three()), (want, false));
    let movie = MotionJpeg::open(Cursor::new(three())).unwrap().unwrap();
    assert_eq!((movie.frame_s(), movie.stated_frames()), (0.04, 4));
}

#[test]
fn dropped_frames_are_counted_up_to_damage() {
    let mut bytes = three();
    assert_eq!(frames(&mut Cursor::new(&bytes)), 5);
    let last = bytes.windows(4).rposition(|id| id == b"01dc").unwrap();
    bytes[last] = 0;
    assert_eq!(frames(&mut Cursor::new(&bytes)), 4);
    assert_eq!(frames(&mut Cursor::new(b"RIFF\x10\0\0\0WAVE")), 0);
}

#[test]
fn after_damage_the_next_picture_is_found() {
    let whole = three();
    let second = whole.windows(4).rposition(|id| id == b"00wb").unwrap();
    let mut damaged = whole.clone();
    damaged[second..second + 8].copy_from_slice(&[0xff; 8]);
    assert_eq!(read(&damaged).0, read(&whole).0);
}

#[test]
fn a_picture_beyond_the_end_is_cut_off() {
    let whole = three();
    let (found, cut_off) = read(&whole[..whole.len() - 4]);
    assert!(cut_off);
    assert_eq!(found.len(), 4);
    assert_eq!(kit::extent(&whole), Extent::WholeAndCounted);
    assert_eq!(kit::extent(&whole[..whole.len() - 4]), Extent::CutOff);
}

#[rstest]
#[case::never_finished(0, u32::MAX)]
#[case::being_written(0, 0)]
#[case::second_list_never_finished(1, u32::MAX)]
fn an_open_list_is_cut_off(#[case] which: usize, #[case] size: u32) {
    let mut bytes = three();
    let lists = bytes.windows(4).enumerate().filter(|(_, id)| id == b"RIFF").map(|(at, _)| at + 4);
    let at = lists.collect::<Vec<_>>()[which];
    bytes[at..at + 4].copy_from_slice(&size.to_le_bytes());
    assert_eq!(kit::extent(&bytes), Extent::CutOff);
}

#[test]
fn what_is_not_motion_jpeg_or_interlaced_is_left_to_others() {
    assert!(MotionJpeg::open(Cursor::new(file(b"XVID", &[picture(240, 1)]))).unwrap().is_none());
    assert!(MotionJpeg::open(Cursor::new(file(b"MJPG", &[picture(120, 1)]))).unwrap().is_none());
    assert!(MotionJpeg::open(Cursor::new(b"RIFF\x10\0\0\0WAVE".to_vec())).unwrap().is_none());
}

#[rstest]
#[case::at_once(&[], &[])]
#[case::tables_before_it(&[0xff, 0xc4, 0, 5, 0xff, 0xc0, 9], &[])]
#[case::padding_and_remains(&[7, 7, 0xff, 0, 0xff, 0xff, 0xff], &[0xff, 0xd0])]
fn a_pictures_size_is_in_its_frame_header(#[case] before: &[u8], #[case] then: &[u8]) {
    let frame = [0xff, 0xc2, 0, 17, 8, 0x75, 0x30, 0x01, 0x40, 3];
    assert_eq!(jpeg_size(&[&[0xff, 0xd8], before, then, &frame].concat()), Some([320, 30_000]));
}

#[rstest]
#[case::cut(&[0xff, 0xd8, 0xff, 0xc0, 0, 17, 8, 0, 240, 1])]
#[case::data_first(&[0xff, 0xd8, 0xff, 0xda, 0, 2, 0xff, 0xc0, 0, 17, 8, 0, 240, 1, 64])]
#[case::no_jpeg(b"\x89PNG\xff\xc0\0\x11\x08\0\xf0\x01\x40")]
#[case::empty(&[])]
fn what_has_no_frame_header_has_no_size(#[case] bytes: &[u8]) {
    assert_eq!(jpeg_size(bytes), None);
}

#[test]
fn any_damage_ends() {
    let whole = three();
    for at in 0..whole.len() {
        for byte in [0, 1, b'L', 0xff] {
            let mut damaged = whole.clone();
            damaged[at] = byte;
            for bytes in [&damaged[..], &whole[..at]] {
                if let Ok(Some(mut movie)) = MotionJpeg::open(Cursor::new(bytes)) {
                    let mut picture = Vec::new();
                    let ended = |next: io::Result<Next>| next.map_or(true, |next| next == Next::End);
                    assert!((0..1_000).any(|_| ended(movie.next(&mut picture))));
                }
            }
        }
    }
}

/// A file of three pictures with `between` after the first one.
fn with(between: &[u8]) -> Vec<u8> {
    let mut bytes = three();
    let first = bytes.windows(4).position(|id| id == b"01dc").unwrap();
    let after = first + chunk(b"01dc", &picture(240, 1)).len();
    bytes.splice(after..after, between.iter().copied());
    bytes
}

#[rstest]
#[case::dropped_frames(chunk(b"01dc", &[]))]
#[case::sound_of_no_length(chunk(b"00wb", &[]))]
#[case::headers_of_pictures_that_would_not_fit(b"01dc\xff\xff\xff\x02\xff\xd8".to_vec())]
#[case::garbage(vec![0; 8])]
fn a_long_stretch_without_a_picture_is_read_in_small_steps(#[case] part: Vec<u8>) {
    let bytes = with(&part.repeat(100_000));
    let blocks = bytes.len() / 4_096;
    let file = Counted::new(bytes);
    let reads = Rc::clone(&file.reads);
    let mut movie = MotionJpeg::open(file).unwrap().unwrap();
    let (mut picture, mut tags) = (Vec::new(), Vec::new());
    loop {
        let before = reads.get();
        let next = movie.next(&mut picture).unwrap();
        assert!(reads.get() - before <= 3, "a step is one chunk or one block");
        tags.extend(picture.get(15).copied());
        if next == Next::End {
            break;
        }
    }
    assert_eq!(tags, [1, 2, 99]);
    assert!(reads.get() < 3 * blocks, "{} reads of {blocks} blocks", reads.get());
}
