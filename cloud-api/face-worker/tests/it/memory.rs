//! After its answer nothing of a picture is left in the worker's memory: of its bytes, its pixels, and the face that was
//! cut out for the networks.

use std::{
    collections::HashSet,
    fs::{self, File},
    os::unix::fs::FileExt as _,
};

use blink_proto::faces::{PictureFault, Task};
use blink_vision::source::Synthetic;
use opencv::{
    core::{Mat, MatTraitConstManual as _},
    imgcodecs, imgproc,
};

use crate::{
    clips,
    worker::{ENROL, RECOGNISE, Worker, synthetic},
};

/// The writable memory of a process.
fn memory(process: u32) -> Vec<u8> {
    let memory = File::open(format!("/proc/{process}/mem")).unwrap();
    let mut all = Vec::new();
    for line in fs::read_to_string(format!("/proc/{process}/maps")).unwrap().lines() {
        let mut words = line.split(' ');
        let (range, rights) = (words.next().unwrap(), words.next().unwrap());
        let Some((from, to)) = range.split_once('-') else { continue };
        if !rights.starts_with("rw") {
            continue;
        }
        let [from, to] = [from, to].map(|number| u64::from_str_radix(number, 16).unwrap());
        let mut part = vec![0; usize::try_from(to - from).unwrap()];
        if memory.read_exact_at(&mut part, from).is_ok() {
            all.append(&mut part);
        }
    }
    all
}

/// A place in a table of 4 million for four bytes: it decides quickly for most of what is searched.
fn place(bytes: &[u8]) -> usize {
    (u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]).wrapping_mul(2_654_435_761) >> 10) as usize
}

/// How many pieces of 32 bytes of `wanted`, at any place, are in `memory`. Those of a few values alone are left out:
/// they may be anything's.
fn pieces(wanted: &[&[u8]], memory: &[u8]) -> usize {
    let tells = |piece: &&[u8]| piece.iter().collect::<HashSet<_>>().len() > 8;
    let wanted: HashSet<&[u8]> = wanted.iter().flat_map(|bytes| bytes.chunks_exact(32)).filter(tells).collect();
    let mut starts = vec![false; 1 << 22];
    wanted.iter().for_each(|piece| starts[place(piece)] = true);
    memory.windows(32).filter(|bytes| starts[place(bytes)] && wanted.contains(bytes)).collect::<HashSet<_>>().len()
}

/// The pixels of an encoded picture: BGR, RGB and grey.
fn pixels(bytes: &[u8]) -> [Vec<u8>; 3] {
    let bgr = imgcodecs::imdecode(&Mat::from_slice(bytes).unwrap(), imgcodecs::IMREAD_COLOR).unwrap();
    let as_ = |code| {
        let mut other = Mat::default();
        imgproc::cvt_color_def(&bgr, &mut other, code).unwrap();
        other.data_bytes().unwrap().to_vec()
    };
    [bgr.data_bytes().unwrap().to_vec(), as_(imgproc::COLOR_BGR2RGB), as_(imgproc::COLOR_BGR2GRAY)]
}

/// How many runs of 32 numbers in `memory` are a picture as dlib's networks take it: each grey level less the mean of its
/// colour, over 256 (`input_rgb_image`). Those of a few levels alone are left out, as of a blank picture.
fn chips(memory: &[u8]) -> usize {
    let level = |level: u8, mean: f32| ((f32::from(level) - mean) / 256.0).to_le_bytes();
    let levels = [122.782, 117.001, 104.298].map(|mean| (0..=255).map(|of| level(of, mean)).collect::<HashSet<_>>());
    let mut starts = vec![false; 1 << 22];
    levels.iter().flatten().for_each(|level| starts[place(level)] = true);
    let is_chip = |run: &[u8]| {
        let (numbers, _) = run.as_chunks::<4>();
        numbers.iter().all(|number| starts[place(number)])
            && levels.iter().any(|levels| numbers.iter().all(|number| levels.contains(number)))
            && numbers.iter().collect::<HashSet<_>>().len() > 8
    };
    memory.chunks_exact(128).filter(|run| is_chip(run)).count()
}

fn assert_forgotten(worker: &Worker, bytes: &[u8], pictures: &[&[u8]], what: &str) {
    let pixels: Vec<Vec<u8>> = pictures.iter().flat_map(|picture| pixels(picture)).collect();
    let wanted: Vec<&[u8]> = pixels.iter().map(Vec::as_slice).chain([bytes]).collect();
    let memory = memory(worker.id());
    assert_eq!((pieces(&wanted, &memory), chips(&memory)), (0, 0), "{what}: pieces, and runs for the networks");
}

/// What is searched is found where it is.
#[test]
fn pictures_are_found_in_memory() {
    let (_, bytes) = synthetic(1, &Synthetic::default());
    let [bgr, ..] = pixels(&bytes);
    assert!(pieces(&[&bgr], &[b"before", &bgr[..]].concat()) > 1_000);
    let chip: Vec<u8> = bgr.iter().flat_map(|level| ((f32::from(*level) - 117.001) / 256.0).to_le_bytes()).collect();
    assert!(chips(&chip) > 1_000);
}

#[test]
fn nothing_of_a_picture_is_left_after_its_answer() {
    let Some((mut worker, _)) = Worker::start() else { return };
    let (frames, bytes) = synthetic(1, &Synthetic::default());
    let first = &bytes[..frames[0].bytes as usize];
    let last = &bytes[bytes.len() - frames[29].bytes as usize..];
    // The tables of a JPEG are the same in all of them, and a library's own; the picture's data come after.
    worker.ask(ENROL, first);
    assert_forgotten(&worker, &first[1_000..], &[first], "a picture");
    // Without a face all detectors are asked.
    let (marks, nobody) = synthetic(1, &Synthetic { faces: 0, ..Synthetic::default() });
    let nobody = &nobody[..marks[0].bytes as usize];
    assert_eq!(worker.fault(RECOGNISE, nobody), Some(PictureFault::NoFace));
    assert_forgotten(&worker, &nobody[1_000..], &[nobody], "a picture without a face");
    worker.ask(Task::Frames { frames }, &bytes);
    assert_forgotten(&worker, &bytes[1_000..], &[first, last], "frames");
    let folder = tempfile::tempdir().unwrap();
    let Some(video) = clips::encoded(folder.path(), "mp4", &["-c:v", "libx264", "-pix_fmt", "yuv420p"], false) else {
        return;
    };
    worker.ask(Task::Video, &video);
    let pictures = decoded(&folder.path().join("out.mp4"));
    assert_forgotten(&worker, &video, &[&pictures[0], &pictures[1]], "a video");
}

/// The first and the last picture of a video, stored without loss.
fn decoded(video: &std::path::Path) -> [Vec<u8>; 2] {
    let mut video = blink_vision::native::FileSource::of(File::open(video).unwrap(), video, u64::MAX).unwrap();
    let mut pictures = Vec::new();
    while let Ok((_, picture)) = video.read_colour() {
        pictures.push(picture.clone());
    }
    [&pictures[0], pictures.last().unwrap()].map(|picture| {
        let mut bytes = opencv::core::Vector::<u8>::new();
        imgcodecs::imencode_def(".png", picture, &mut bytes).unwrap();
        bytes.iter().collect()
    })
}
