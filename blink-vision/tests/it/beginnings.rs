//! Tests that a bad beginning is forgotten: from second 60 on, blinks are found as if it had been a good one.

use std::time::Duration;

use blink_vision::{
    dip::Limits,
    native::{FileSource, Frame},
    score::{Annotation, Score, Span, truth::TruthFile},
};
use opencv::{
    core::{self, CV_8UC1, CV_16SC1, Mat, MatTraitConst, Rect, Scalar, Size},
    imgproc,
};

use crate::footage;

const FPS: f64 = 30.0;
/// Seconds of the bad beginning, of the whole, and from when on blinks are compared.
const BAD_S: f64 = 30.0;
const WHOLE_S: f64 = 100.0;
const FROM_S: f64 = 60.0;

/// What the first 30 s show.
#[derive(Clone, Copy, Debug)]
enum Beginning {
    /// The person as usual.
    Usual,
    /// The eyes shut.
    Shut,
    /// The eyes half open.
    Squinting,
    /// The same person in another clip, with or without glasses.
    OtherGlasses,
    /// A person who comes from afar.
    WalkingUp,
    /// Nobody.
    Nobody,
}

const BEGINNINGS: [Beginning; 6] = [
    Beginning::Usual,
    Beginning::Shut,
    Beginning::Squinting,
    Beginning::OtherGlasses,
    Beginning::WalkingUp,
    Beginning::Nobody,
];

/// A clip's pictures and blinks.
struct Clip {
    pictures: Vec<Mat>,
    blinks: Vec<Span>,
}

fn read(folder: &std::path::Path, truth: &TruthFile, name: &str) -> Clip {
    let clip = truth.clips.iter().find(|clip| clip.file.to_string_lossy().contains(name)).unwrap();
    let mut source = FileSource::open(&folder.join(&clip.file), false).unwrap();
    let mut pictures = Vec::new();
    while let Ok(frame) = source.read() {
        pictures.push(frame.grey.clone());
    }
    Clip { pictures, blinks: clip.blinks.clone() }
}

/// The picture with other noise in each frame, as a sensor has it.
fn noisy(picture: &Mat) -> Mat {
    let mut noise = Mat::new_size_with_default(picture.size().unwrap(), CV_16SC1, Scalar::all(0.0)).unwrap();
    core::randn(&mut noise, &Scalar::all(0.0), &Scalar::all(2.0)).unwrap();
    let mut seen = Mat::default();
    core::add(picture, &noise, &mut seen, &core::no_array(), CV_8UC1).unwrap();
    seen
}

/// The picture at `scale` in the middle of a grey one of the same size.
fn from_afar(picture: &Mat, scale: f64) -> Mat {
    let mut small = Mat::default();
    imgproc::resize(picture, &mut small, Size::default(), scale, scale, imgproc::INTER_AREA).unwrap();
    let mut seen = Mat::new_size_with_default(picture.size().unwrap(), CV_8UC1, Scalar::all(110.0)).unwrap();
    let (left, top) = ((seen.cols() - small.cols()) / 2, (seen.rows() - small.rows()) / 2);
    let mut part = Mat::roi_mut(&mut seen, Rect::new(left, top, small.cols(), small.rows())).unwrap();
    small.copy_to(&mut part).unwrap();
    drop(part);
    seen
}

/// The frames in which a blink of `clip` is deepest, and half way there.
fn lids_of(clip: &Clip, share: f64) -> usize {
    let blink = clip.blinks.iter().find(|blink| blink.start_frame > 3).unwrap();
    let length = (blink.end_frame - blink.start_frame) as f64;
    (blink.start_frame as f64 + length * share) as usize
}

/// The score from second 60 on of `clip`, looped after `beginning`.
fn score(clip: &Clip, other: &Clip, beginning: Beginning) -> Score {
    let bad = (BAD_S * FPS) as usize;
    let length = clip.pictures.len();
    let picture = |index: usize| -> Mat {
        if index >= bad {
            return clip.pictures[(index - bad) % length].clone();
        }
        match beginning {
            Beginning::Usual => clip.pictures[index % length].clone(),
            Beginning::Shut => noisy(&clip.pictures[lids_of(clip, 0.4)]),
            Beginning::Squinting => noisy(&clip.pictures[lids_of(clip, 0.75)]),
            Beginning::OtherGlasses => other.pictures[index % other.pictures.len()].clone(),
            Beginning::WalkingUp => from_afar(&clip.pictures[index % length], 0.3 + 0.7 * index as f64 / bad as f64),
            Beginning::Nobody => noisy(&from_afar(&clip.pictures[0], 0.05)),
        }
    };
    let (frames, mut index) = ((WHOLE_S * FPS) as usize, 0);
    let found = footage::found(Limits::default(), |show| {
        let grey = picture(index);
        let timestamp = Duration::from_secs_f64(index as f64 / FPS);
        show(&Frame { index: index as u64, timestamp, grey: &grey });
        index += 1;
        index < frames
    });
    let from = (FROM_S * FPS) as i64;
    let late = |span: &Span| span.start_frame >= from;
    let rounds = 0..(frames - bad) / length + 1;
    let blinks = rounds.flat_map(|round| {
        let shift = (bad + round * length) as i64;
        clip.blinks.iter().map(move |b| Span { start_frame: b.start_frame + shift, end_frame: b.end_frame + shift })
    });
    let annotation = Annotation { blinks: blinks.filter(late).collect(), other: Vec::new(), frames: None };
    let found: Vec<Span> = found.blinks.into_iter().filter(late).collect();
    Score::new(&found, &annotation, frames as u64)
}

#[test]
fn a_bad_beginning_is_forgotten_by_second_60() {
    let Some(folder) = footage::folder("bad beginnings") else { return };
    let folder = folder.join("blinks");
    let truth: TruthFile = serde_json::from_str(&std::fs::read_to_string(folder.join("truth.json")).unwrap()).unwrap();
    // Clips of people with glasses and of the same people without.
    let all = [
        ("29_000008M_FNN", "28_000008M_FBN"),
        ("26_000007M_FTN", "25_000007M_FNN"),
        ("10_000003M_FNN", "11_000003M_FTN"),
        ("06_000002M_FNN", "05_000002M_FBN"),
    ];
    let long = std::env::var_os("WAW_TEST_LONG").is_some();
    let pairs = &all[..if long { all.len() } else { 1 }];
    let clips: Vec<(Clip, Clip)> =
        pairs.iter().map(|(a, b)| (read(&folder, &truth, a), read(&folder, &truth, b))).collect();
    println!("| the first 30 s | right | false | missed | F1 from second 60 |");
    println!("| --- | --- | --- | --- | --- |");
    let mut usual = None;
    for beginning in BEGINNINGS {
        let mut sum = Score::default();
        for (clip, other) in &clips {
            sum += score(clip, other, beginning);
        }
        let Score { true_positives, false_positives, misses, .. } = sum;
        println!("| {beginning:?} | {true_positives} | {false_positives} | {misses} | {:.3} |", sum.f1());
        let usual = *usual.get_or_insert(sum.f1());
        assert!(usual - sum.f1() <= 0.03, "{beginning:?}: {:.3}, not {usual:.3}", sum.f1());
        assert!(usual >= 0.9, "{usual}");
    }
}
