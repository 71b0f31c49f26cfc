//! Tests of video files as phones, cameras and recorders write them, made by OpenCV's writer and a few bytes of our
//! own.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use blink_vision::{
    Event, FaceSight,
    native::{FileSource, Pipeline, SourceError, SyntheticFace},
    source::Synthetic,
};
use opencv::{
    core::{self, Mat, MatTraitConst, Size, Vector},
    imgcodecs, imgproc,
    videoio::{self, VideoWriter, VideoWriterTrait, VideoWriterTraitConst},
};
use rstest::rstest;

use crate::footage;

/// Images of the synthetic face, 25 per second.
pub(crate) fn pictures(count: u32) -> Vec<Mat> {
    let mut face =
        SyntheticFace::new(&Synthetic { bpm: 30.0, ..Synthetic::default() }, jiff::Timestamp::UNIX_EPOCH).unwrap();
    (0..count).map(|i| face.draw(Duration::from_millis(40) * i).unwrap().clone()).collect()
}

pub(crate) fn write(path: &Path, codec: [char; 4], pictures: &[Mat]) {
    let [a, b, c, d] = codec;
    let codec = VideoWriter::fourcc(a, b, c, d).unwrap();
    let size = pictures[0].size().unwrap();
    let mut writer = VideoWriter::new_with_backend(path, videoio::CAP_FFMPEG, codec, 25.0, size, true).unwrap();
    assert!(writer.is_opened().unwrap(), "{} cannot be written", path.display());
    pictures.iter().for_each(|picture| writer.write(picture).unwrap());
    writer.release().unwrap();
}

/// The times of all frames in milliseconds, their sizes, and whether the file ended early.
fn read(path: &Path) -> (Vec<u128>, Vec<(i32, i32)>, bool) {
    let mut source = FileSource::open(path, false).unwrap();
    let (mut times, mut sizes) = (Vec::new(), Vec::new());
    loop {
        match source.read() {
            Ok(frame) => {
                times.push(frame.timestamp.as_millis());
                sizes.push((frame.grey.cols(), frame.grey.rows()));
            }
            Err(SourceError::EndOfFile) => break,
            Err(error) => panic!("{error}"),
        }
    }
    (times, sizes, source.ended_early())
}

/// The mean difference of two grey images, in grey levels.
fn difference(a: &Mat, b: &Mat) -> f64 {
    if a.size().unwrap() != b.size().unwrap() {
        return f64::INFINITY;
    }
    core::norm2_def(a, b).unwrap() / f64::from(a.cols() * a.rows()).sqrt()
}

/// Sets the matrix a, b, c, d of an MP4 file's first track.
fn turn(path: &Path, [a, b, c, d]: [i32; 4]) {
    let mut bytes = fs::read(path).unwrap();
    let header = bytes.windows(4).position(|kind| kind == b"tkhd").unwrap() + 4;
    for (i, value) in [(0, a), (1, b), (3, c), (4, d)] {
        let at = header + 40 + 4 * i;
        bytes[at..at + 4].copy_from_slice(&(value << 16).to_be_bytes());
    }
    fs::write(path, bytes).unwrap();
}

#[rstest]
#[case::quarter_right([0, 1, -1, 0], |upright: &Mat, stored: &mut Mat| core::rotate(upright, stored, core::ROTATE_90_COUNTERCLOCKWISE))]
#[case::quarter_left([0, -1, 1, 0], |upright: &Mat, stored: &mut Mat| core::rotate(upright, stored, core::ROTATE_90_CLOCKWISE))]
#[case::half([-1, 0, 0, -1], |upright: &Mat, stored: &mut Mat| core::rotate(upright, stored, core::ROTATE_180))]
#[case::mirrored([-1, 0, 0, 1], |upright: &Mat, stored: &mut Mat| core::flip(upright, stored, 1))]
#[case::mirrored_upside_down([1, 0, 0, -1], |upright: &Mat, stored: &mut Mat| core::flip(upright, stored, 0))]
#[case::mirrored_quarter([0, 1, 1, 0], |upright: &Mat, stored: &mut Mat| core::transpose(upright, stored))]
fn a_phones_video_is_seen_upright(
    #[case] matrix: [i32; 4],
    #[case] store: impl Fn(&Mat, &mut Mat) -> opencv::Result<()>,
    #[values("mp4", "mov")] ending: &str,
) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone").with_extension(ending);
    let upright = pictures(3);
    let stored = upright.iter().map(|upright| {
        let mut stored = Mat::default();
        store(upright, &mut stored).unwrap();
        stored
    });
    write(&path, ['m', 'p', '4', 'v'], &stored.collect::<Vec<_>>());
    turn(&path, matrix);
    let mut source = FileSource::open(&path, false).unwrap();
    let frame = source.read().unwrap();
    let mut grey = Mat::default();
    imgproc::cvt_color_def(&upright[0], &mut grey, imgproc::COLOR_BGR2GRAY).unwrap();
    let apart = difference(frame.grey, &grey);
    assert!(apart < 8.0, "{apart}");
}

#[test]
fn the_blinks_of_a_phones_video_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.mp4");
    let stored = pictures(150).into_iter().map(|upright| {
        let mut stored = Mat::default();
        core::rotate(&upright, &mut stored, core::ROTATE_90_COUNTERCLOCKWISE).unwrap();
        stored
    });
    write(&path, ['m', 'p', '4', 'v'], &stored.collect::<Vec<_>>());
    turn(&path, [0, 1, -1, 0]);
    let (mut source, mut pipeline) = (FileSource::open(&path, false).unwrap(), Pipeline::new(footage::model()));
    while let Ok(frame) = source.read() {
        assert_eq!(pipeline.process(&frame).unwrap().sight, FaceSight::Measurable);
    }
    pipeline.finish();
    // The blinks are at 2 and about 4 s; the one at 6 s is beyond the end.
    assert_eq!(pipeline.drain_events().filter(|event| matches!(event, Event::Blink(_))).count(), 2);
}

#[rstest]
#[case("mkv")]
#[case("webm")]
fn sound_that_outlasts_the_picture_does_not_make_a_file_truncated(#[case] ending: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("call").with_extension(ending);
    let codec = if ending == "webm" { ['V', 'P', '8', '0'] } else { ['m', 'p', '4', 'v'] };
    write(&path, codec, &pictures(50));
    let mut bytes = fs::read(&path).unwrap();
    // The duration in milliseconds, as a double.
    let at = bytes.windows(3).position(|head| head == [0x44, 0x89, 0x88]).unwrap() + 3;
    bytes[at..at + 8].copy_from_slice(&2_900f64.to_be_bytes());
    fs::write(&path, &bytes).unwrap();
    let (times, _, ended_early) = read(&path);
    assert_eq!((times.len(), ended_early), (50, false));
    fs::write(&path, &bytes[..bytes.len() * 2 / 3]).unwrap();
    let (times, _, ended_early) = read(&path);
    assert!(times.len() < 50 && ended_early, "{}", times.len());
}

#[test]
fn an_mp4_whose_index_was_cut_off_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("whole.mp4");
    write(&path, ['m', 'p', '4', 'v'], &pictures(50));
    assert_eq!((read(&path).0.len(), read(&path).2), (50, false));
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let error = FileSource::open(&path, false).unwrap_err();
    assert!(error.to_string().contains("its index is missing"), "{error}");
}

pub(crate) fn jpeg(picture: &Mat) -> Vec<u8> {
    let mut bytes = Vector::new();
    assert!(imgcodecs::imencode_def(".jpg", picture, &mut bytes).unwrap());
    bytes.iter().collect()
}

fn chunk(id: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let size = u32::try_from(body.len()).unwrap();
    [&id[..], &size.to_le_bytes(), body, &vec![0; body.len() % 2]].concat()
}

fn list(id: &[u8; 4], kind: &[u8; 4], chunks: &[Vec<u8>]) -> Vec<u8> {
    chunk(id, &[&kind[..], &chunks.concat()].concat())
}

/// A motion JPEG file of 25 frames per second with these chunks.
pub(crate) fn avi(folder: &Path, pictures: &[Vec<u8>]) -> PathBuf {
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>();
    let frames = u32::try_from(pictures.len()).unwrap();
    let main = words(&[40_000, 0, 0, 0x10, frames, 0, 1, 1 << 20, 640, 480, 0, 0, 0, 0]);
    let mjpg = u32::from_le_bytes(*b"MJPG");
    let header = words(&[u32::from_le_bytes(*b"vids"), mjpg, 0, 0, 0, 1, 25, 0, frames, 1 << 20, 0, 0, 0, 0]);
    let format = words(&[40, 640, 480, 1 | 24 << 16, mjpg, 640 * 480 * 3, 0, 0, 0, 0]);
    let stream = list(b"LIST", b"strl", &[chunk(b"strh", &header), chunk(b"strf", &format)]);
    let chunks: Vec<_> = pictures.iter().map(|picture| chunk(b"00dc", picture)).collect();
    let lists = [list(b"LIST", b"hdrl", &[chunk(b"avih", &main), stream]), list(b"LIST", b"movi", &chunks)];
    let path = folder.join("camera.avi");
    fs::write(&path, list(b"RIFF", b"AVI ", &lists)).unwrap();
    path
}

#[test]
fn dropped_and_damaged_frames_take_their_time() {
    let folder = tempfile::tempdir().unwrap();
    let mut jpegs: Vec<_> = pictures(12).iter().map(jpeg).collect();
    // A recorder drops three frames, and one picture is cut.
    jpegs[3..6].iter_mut().for_each(Vec::clear);
    let half = jpegs[8].len() / 2;
    jpegs[8].truncate(half);
    let (times, _, ended_early) = read(&avi(folder.path(), &jpegs));
    assert_eq!(times, [0, 40, 80, 240, 280, 360, 400, 440]);
    assert!(!ended_early);
}

/// Overwrites a number of a file, `after` bytes after the first `mark`.
fn overwrite(path: &Path, mark: &[u8], after: usize, number: u32) {
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.windows(mark.len()).position(|found| found == mark).unwrap() + after;
    bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
    fs::write(path, bytes).unwrap();
}

#[test]
fn frames_dropped_at_the_end_do_not_make_a_file_truncated() {
    let folder = tempfile::tempdir().unwrap();
    let mut jpegs: Vec<_> = pictures(6).iter().map(jpeg).collect();
    jpegs.resize(26, Vec::new());
    let path = avi(folder.path(), &jpegs);
    let (times, _, ended_early) = read(&path);
    assert_eq!((times.len(), ended_early), (6, false));
    // The stream's header states more frames than there are.
    overwrite(&path, b"strh", 8 + 32, 40);
    assert!(read(&path).2);
}

/// The same holds for pictures that FFmpeg decodes.
#[test]
fn frames_dropped_at_the_end_of_an_mpeg4_avi_do_not_make_it_truncated() {
    let folder = tempfile::tempdir().unwrap();
    let written = folder.path().join("written.avi");
    write(&written, ['F', 'M', 'P', '4'], &pictures(6));
    let bytes = fs::read(&written).unwrap();
    let mut at = bytes.windows(4).position(|kind| kind == b"movi").unwrap() + 4;
    let mut packets = Vec::new();
    while bytes[at..].starts_with(b"00dc") {
        let size = u32::from_le_bytes(*bytes[at + 4..].first_chunk().unwrap()) as usize;
        packets.push(bytes[at + 8..at + 8 + size].to_vec());
        at += 8 + size + size % 2;
    }
    assert_eq!(packets.len(), 6);
    packets.resize(26, Vec::new());
    let path = avi(folder.path(), &packets);
    let codec = u32::from_le_bytes(*b"FMP4");
    for (mark, after) in [(b"strh", 8 + 4), (b"strf", 8 + 16)] {
        overwrite(&path, mark, after, codec);
    }
    let (times, _, ended_early) = read(&path);
    assert_eq!((times.len(), ended_early), (6, false));
    overwrite(&path, b"strh", 8 + 32, 40);
    assert!(read(&path).2);
}

#[test]
fn an_avi_that_was_never_finished_is_truncated() {
    let folder = tempfile::tempdir().unwrap();
    let path = avi(folder.path(), &pictures(6).iter().map(jpeg).collect::<Vec<_>>());
    for (mark, after, number) in [(b"RIFF", 4, u32::MAX), (b"strh", 8 + 32, 0)] {
        overwrite(&path, mark, after, number);
    }
    let (times, _, ended_early) = read(&path);
    assert_eq!((times.len(), ended_early), (6, true));
}

#[rstest]
#[case::decoded_to_two_gigabytes(30_000)]
#[case::more_than_opencv_decodes(65_500)]
#[case::just_too_large(8_193)]
#[case::nothing(0)]
fn a_picture_of_a_size_that_no_camera_has_is_damaged(#[case] side: u16) {
    let folder = tempfile::tempdir().unwrap();
    let mut jpegs: Vec<_> = pictures(6).iter().map(jpeg).collect();
    let header = jpegs[2].windows(2).position(|marker| marker == [0xff, 0xc0]).unwrap();
    jpegs[2][header + 5..header + 9].copy_from_slice(&[side.to_be_bytes(); 2].concat());
    let (times, sizes, ended_early) = read(&avi(folder.path(), &jpegs));
    assert_eq!((times, ended_early), (vec![0, 40, 120, 160, 200], false));
    assert_eq!(sizes, [(640, 480); 5]);
}

#[rstest]
#[case::none(|_: &mut Vec<u8>| {})]
#[case::a_few_zeros(|jpeg: &mut Vec<u8>| jpeg.extend([0; 62]))]
#[case::a_page_of_zeros(|jpeg: &mut Vec<u8>| jpeg.extend([0; 4_096]))]
#[case::ones(|jpeg: &mut Vec<u8>| jpeg.extend([0xff; 300]))]
#[case::no_end(|jpeg: &mut Vec<u8>| jpeg.truncate(jpeg.len() - 2))]
#[case::no_end_and_zeros(|jpeg: &mut Vec<u8>| { jpeg.truncate(jpeg.len() - 2); jpeg.extend([0; 200]) })]
fn a_cameras_padding_does_not_matter(#[case] pad: fn(&mut Vec<u8>)) {
    let folder = tempfile::tempdir().unwrap();
    let upright = pictures(8);
    let mut jpegs: Vec<_> = upright.iter().map(jpeg).collect();
    jpegs.iter_mut().for_each(pad);
    let path = avi(folder.path(), &jpegs);
    assert_eq!((read(&path).0.len(), read(&path).2), (8, false));
    let mut grey = Mat::default();
    imgproc::cvt_color_def(&upright[0], &mut grey, imgproc::COLOR_BGR2GRAY).unwrap();
    let mut source = FileSource::open(&path, false).unwrap();
    let frame = source.read().unwrap();
    // The last rows are compared too, because a missing end marker would damage them.
    let bottom = |picture: &Mat| picture.row_bounds(picture.rows() - 16, picture.rows()).unwrap().try_clone().unwrap();
    assert!(difference(&bottom(frame.grey), &bottom(&grey)) < 8.0);
}

#[test]
fn a_file_without_a_picture_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = avi(folder.path(), &[vec![1; 500], vec![2; 500]]);
    let error = FileSource::open(&path, false).unwrap().read().unwrap_err();
    assert_eq!(error.code(), "no_frames");
    assert!(error.to_string().contains("camera.avi"), "{error}");
}

#[test]
fn pictures_of_another_size_are_seen_in_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let mut small = Mat::default();
    let large = pictures(4);
    imgproc::resize(&large[3], &mut small, Size::new(320, 240), 0.0, 0.0, imgproc::INTER_AREA).unwrap();
    let jpegs = [jpeg(&large[0]), jpeg(&large[1]), jpeg(&small), jpeg(&large[2])];
    assert_eq!(read(&avi(folder.path(), &jpegs)).1, [(640, 480), (640, 480), (320, 240), (640, 480)]);
}

/// FFmpeg takes `%03d` in a picture's name for a sequence of files.
#[test]
fn the_file_that_was_named_is_read_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let whole = pictures(1).remove(0);
    let mut small = Mat::default();
    imgproc::resize(&whole, &mut small, Size::new(160, 120), 0.0, 0.0, imgproc::INTER_AREA).unwrap();
    for name in ["img_001.jpg", "img_002.jpg", "img_003.jpg"] {
        fs::write(folder.path().join(name), jpeg(&whole)).unwrap();
    }
    let named = folder.path().join("img_%03d.jpg");
    fs::write(&named, jpeg(&small)).unwrap();
    assert_eq!(read(&named).1, [(160, 120)]);
}

#[test]
fn a_playlist_is_refused_whatever_follows_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.mp4");
    for list in [&b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n"[..], b"\xef\xbb\xbf \n#EXTM3U\n", b"ffconcat version 1.0\n"] {
        fs::write(&path, [list, b"\xff\0\xfe#EXTINF:9,\nhttp://127.0.0.1:1/x.ts\n"].concat()).unwrap();
        assert_eq!(FileSource::open(&path, false).unwrap_err().code(), "not_video");
    }
}
