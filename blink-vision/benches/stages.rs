//! Measures what each stage of a frame costs: decoding, detection, landmarks, eye patches, blink step. Run it with
//! `cargo bench -p blink-vision --features native`. The figures are wall microseconds per call, on a synthetic face of
//! 640x480.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and stops where it cannot go on")]

use std::time::{Duration, Instant};

use blink_vision::{
    blinks::{BlinkDetector, EyesSeen},
    eye_patch,
    geometry::Eye,
    lid::LidModel,
    native::{Detector, SyntheticFace, load_landmark_model},
    predictor::GreyImage,
    source::Synthetic,
};
use opencv::{
    core::{Mat, MatTraitConst, MatTraitConstManual, Rect, Vector},
    imgcodecs, imgproc,
};

/// Times `count` calls and prints the median and the 95th percentile.
fn measure(name: &str, count: usize, mut call: impl FnMut(usize)) {
    for i in 0..count / 10 {
        call(i);
    }
    let mut times: Vec<Duration> = (0..count)
        .map(|i| {
            let started = Instant::now();
            call(i);
            started.elapsed()
        })
        .collect();
    times.sort_unstable();
    let us = |share: usize| times[count * share / 100].as_secs_f64() * 1e6;
    println!("{name:32} p50 {:9.1} us   p95 {:9.1} us", us(50), us(95));
}

fn main() {
    let spec = Synthetic { bpm: 20.0, ..Synthetic::default() };
    let mut face = SyntheticFace::new(&spec, jiff::Timestamp::UNIX_EPOCH).unwrap();
    let mut frames = Vec::new();
    let mut jpegs = Vec::new();
    for i in 0..90 {
        let picture = face.draw(Duration::from_secs_f64(f64::from(i) / 30.0)).unwrap();
        let mut jpeg = Vector::new();
        assert!(imgcodecs::imencode_def(".jpg", picture, &mut jpeg).unwrap());
        jpegs.push(jpeg);
        let mut grey = Mat::default();
        imgproc::cvt_color_def(picture, &mut grey, imgproc::COLOR_BGR2GRAY).unwrap();
        frames.push(grey);
    }
    let predictor = load_landmark_model(&["/usr/share/dlib".into()]).unwrap();
    let mut detector = Detector::default();
    let whole = Rect::new(0, 0, 640, 480);
    let found = detector.detect(&frames[0], whole, 0.5).unwrap()[0];
    let image = |i: usize| GreyImage::new(frames[i % 90].data_bytes().unwrap(), 640, 480, 640).unwrap();
    let landmarks = predictor.predict(&image(0), &found);
    let at = predictor.box_of(&landmarks);

    let mut decoded = Mat::default();
    measure("decode JPEG to grey, 640x480", 600, |i| {
        imgcodecs::imdecode_to(&jpegs[i % 90], imgcodecs::IMREAD_GRAYSCALE, &mut decoded).unwrap();
        assert_eq!(decoded.cols(), 640);
    });
    measure("detect, 320x240 (at a search)", 60, |i| {
        detector.detect(&frames[i % 90], whole, 0.5).unwrap();
    });
    measure("detect, 640x480 (at a search)", 30, |i| {
        detector.detect(&frames[i % 90], whole, 1.0).unwrap();
    });
    measure("landmarks (every frame)", 2_000, |i| {
        std::hint::black_box(predictor.predict(&image(i), &at));
    });
    let sample = |i: usize| Eye::BOTH.map(|eye| eye_patch::sample(&image(i), predictor.mean_shape(), &at, eye));
    measure("eye patches (every frame)", 2_000, |i| {
        std::hint::black_box(sample(i));
    });
    let patches: Vec<_> = (0..90).map(sample).collect();
    let model = LidModel::built_in();
    measure("lids (every frame)", 2_000, |i| {
        std::hint::black_box(patches[i % 90].each_ref().map(|patch| model.look(patch)));
    });
    let lids: Vec<_> = patches.iter().map(|both| both.each_ref().map(|patch| model.look(patch))).collect();
    let mut blinks = BlinkDetector::default();
    let mut index = 0;
    measure("blink step (every frame)", 6_000, |i| {
        let seen = EyesSeen { landmarks: &landmarks, lids: lids[i % 90], patches: &patches[i % 90] };
        std::hint::black_box(blinks.push(index, Duration::from_secs_f64(index as f64 / 30.0), Some(seen)));
        index += 1;
        blinks.drain().for_each(drop);
    });
}
