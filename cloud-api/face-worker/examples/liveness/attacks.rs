//! Attacks: each is judged as the desk judges it.

use std::{collections::BTreeMap, path::Path};

use blink_proto::faces::ClipReport;
use face_worker::{clip, models::Models, picture, still};
use opencv::{
    core::{
        self, BORDER_REPLICATE, CV_32FC1, CV_32FC2, Mat, MatTrait as _, MatTraitConst as _, Point2f, Scalar, Size,
        Vector,
    },
    imgcodecs, imgproc,
};
use rand::{RngExt as _, rngs::StdRng};

use crate::{
    attendance::challenge::Challenge,
    genuine::{Group, Try, print, report, seed, verdict},
    source,
    walk::{spliced, walk},
};

const PHOTO_FPS: f64 = 15.0;
const PHOTO_SIDE: i32 = 400;
const KINDS: [&str; 6] = ["moved", "turned", "bent", "zoomed", "re-lit", "re-encoded"];

/// Which attacks are made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Genuine tries, judged by other challenges.
    Tries,
    Recordings,
    Photographs,
}

pub(crate) fn run(models: &mut Models, data: &Path, tries: &[Try], parts: &[Part]) {
    let mut groups = BTreeMap::new();
    if parts.contains(&Part::Tries) {
        wrong_instants(tries, &mut groups);
    }
    if parts.contains(&Part::Recordings) {
        replays(models, data, &mut groups);
        made_of_recordings(models, data, &mut groups);
    }
    if parts.contains(&Part::Photographs) {
        photographs(models, data, &mut groups);
    }
    print("attacks", "accepted", &groups);
}

/// A part of all sources, for a machine that has other things to do.
pub(crate) fn every() -> usize {
    std::env::var("WAW_EVERY").ok().and_then(|every| every.parse().ok()).unwrap_or(1)
}

fn count(groups: &mut BTreeMap<String, Group>, kind: &str, name: &str, verdict: &str) {
    if verdict == "accepted" {
        println!("ACCEPTED: {kind}: {name}");
    }
    groups.entry(kind.to_owned()).or_default().count(verdict);
}

/// The right number of blinks, and the instants of another challenge.
fn wrong_instants(tries: &[Try], groups: &mut BTreeMap<String, Group>) {
    for (i, made) in tries.iter().enumerate() {
        let mut random = seed(&made.name, 1_000 + i as u64);
        let other = loop {
            let other = Challenge::draw(&mut random);
            if other.cues_ms.len() == made.challenge.cues_ms.len() {
                break other;
            }
        };
        // As long as it must be, so that its blinks alone decide.
        let report = ClipReport { duration_ms: 1_000 * Challenge::seconds(), ..made.report.clone() };
        let verdict = verdict(&Ok(report), &other);
        count(groups, "replay, right number of blinks at wrong instants", &made.name, &verdict);
    }
}

/// Recordings of screens and phones as they are. Each is one attack: it is accepted where any of ten challenges is.
fn replays(models: &mut Models, data: &Path, groups: &mut BTreeMap<String, Group>) {
    let manifest = std::fs::read(data.join("liveness/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    for clip in manifest.as_array().unwrap().iter().filter(|clip| clip["kind"] == "replay") {
        let name = clip["file"].as_str().unwrap();
        let frames = source::pictures(&data.join("liveness/videos").join(name), 0, 330);
        // Forth and back until it is long enough: a replayed loop without a seam.
        let fps = clip["fps"].as_f64().unwrap();
        let there = 0..frames.len();
        let around: Vec<usize> = there.clone().chain(there.rev().skip(1)).collect();
        let length = (21.5 * fps) as usize;
        let played: Vec<usize> = around.iter().cycle().take(length.min(1_150)).copied().collect();
        let report = report(models, fps, played.iter().map(|i| &frames[*i]));
        let mut verdicts: Vec<String> =
            (0..10).map(|number| verdict(&report, &Challenge::draw(&mut seed(name, number)))).collect();
        verdicts.sort_by_key(|verdict| verdict != "accepted");
        count(groups, "replay of phone or laptop, filmed", name, &verdicts[0]);
    }
}

/// Loops, frozen pictures with blinks on the cues, blinks cut in on the cues, and two people cut together.
fn made_of_recordings(models: &mut Models, data: &Path, groups: &mut BTreeMap<String, Group>) {
    let mut before: Option<(String, Vec<Mat>)> = None;
    let entries = source::entries(data).into_iter().filter(|entry| entry.group.starts_with("ZJU"));
    for entry in entries.step_by(every()) {
        let raw = clip::of_video(models, &std::fs::read(&entry.path).unwrap());
        let Some(source) = entry.widened(raw.as_ref().ok()).read() else { continue };
        let mut random = seed(&source.name, 77);
        let challenge = Challenge::draw(&mut random);
        let length = (f64::from(challenge.needed_ms() + 600) * source.fps / 1_000.0) as usize;
        let cases: [(&str, Option<Vec<usize>>); 3] = [
            ("loop of a recording", Some((0..source.frames.len()).cycle().take(length).collect())),
            ("still picture between blinks on the cues", walk(&source, &challenge, &mut random, true)),
            ("blinks cut in on the cues", spliced(&source, &challenge, &mut random)),
        ];
        for (kind, played) in cases {
            let Some(played) = played else { continue };
            // Every second picture, which is all that the desk asks for.
            let pictures = || played.iter().step_by(2).map(|i| &source.frames[*i]);
            let exact = report(models, source.fps / 2.0, pictures());
            count(groups, kind, &source.name, &verdict(&exact, &challenge));
            let again: Vec<Mat> = pictures().map(|picture| recorded_again(picture, &mut random)).collect();
            let again = report(models, source.fps / 2.0, again.iter());
            count(groups, &format!("{kind}, recorded again"), &source.name, &verdict(&again, &challenge));
        }
        if let Some((_, other)) = before.take_if(|(person, _)| *person != source.person)
            && let Some(played) = walk(&source, &challenge, &mut random, false)
        {
            // The other person first, then the one who answers.
            let from = challenge.cues_ms[0] as usize * source.fps as usize / 1_000;
            let there = 0..other.len();
            let around: Vec<usize> = there.clone().chain(there.rev()).collect();
            let first = around.iter().cycle().take(from).map(|i| &other[*i]);
            let pictures = first.chain(played[from..].iter().map(|i| &source.frames[*i])).step_by(2);
            let report = report(models, source.fps / 2.0, pictures);
            count(groups, "two people cut together", &source.name, &verdict(&report, &challenge));
        }
        before = Some((source.person, source.frames));
    }
}

/// Photographs of replays and prints, and of people, in movement.
fn photographs(models: &mut Models, data: &Path, groups: &mut BTreeMap<String, Group>) {
    let mut files: Vec<_> = ["attacks", "faces/enrol", "faces/probe"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(data.join(folder)).unwrap().map(|entry| entry.unwrap().path()))
        .chain(std::fs::read_dir(data.join("identities")).unwrap().map(|entry| entry.unwrap().path().join("01.jpg")))
        .filter(|path| path.is_file() && path.extension().is_some_and(|ending| ending == "jpg"))
        .collect();
    files.sort();
    for (i, file) in files.iter().step_by(every()).enumerate() {
        let name = file.strip_prefix(data).unwrap().display().to_string();
        let Some(photo) = portrait(models, &std::fs::read(file).unwrap()) else {
            println!("no face to attack with: {name}");
            continue;
        };
        let kind = KINDS[i % KINDS.len()];
        let mut random = seed(&name, 5);
        let challenge = Challenge::draw(&mut random);
        let pictures = animated(&photo, kind, challenge.needed_ms() + 600, &mut random);
        let report = report(models, PHOTO_FPS, pictures.iter());
        if let Ok(report) = &report {
            let solidity =
                report.solidity.map(|solidity| format!("{:.3} after {:.3}", solidity.residual, solidity.motion));
            println!("photograph {kind}: {name}: blinks {}, residual {solidity:?}", report.blinks.len());
        }
        count(groups, &format!("photograph, {kind}"), &name, &verdict(&report, &challenge));
    }
}

/// The face of a photograph with what is around it, as a print of it would show.
fn portrait(models: &mut Models, bytes: &[u8]) -> Option<Mat> {
    let picture = picture::at_most(picture::decode(bytes, picture::STILL_PIXELS).ok()?, 1_000).unwrap();
    let faces = still::find(&mut models.detector, &picture::grey(&picture).unwrap()).unwrap();
    let face = faces.iter().max_by(|a, b| a.scale().total_cmp(&b.scale()))?;
    let part = picture.roi(still::around(&picture, face, 2.4)?).unwrap();
    let scale = f64::from(PHOTO_SIDE) / f64::from(part.cols().max(part.rows()));
    let mut sized = Mat::default();
    imgproc::resize(&part, &mut sized, Size::default(), scale, scale, imgproc::INTER_AREA).unwrap();
    Some(sized)
}

/// The photograph in movement, as a hand moves it before a camera with noise.
fn animated(photo: &Mat, kind: &str, length_ms: u32, random: &mut StdRng) -> Vec<Mat> {
    let phases: [f64; 4] = std::array::from_fn(|_| random.random_range(0.0..std::f64::consts::TAU));
    let size = photo.size().unwrap();
    let (w, h) = (f64::from(size.width), f64::from(size.height));
    let frames = (f64::from(length_ms) * PHOTO_FPS / 1_000.0) as usize;
    (0..frames)
        .map(|i| {
            let t = i as f64 / PHOTO_FPS;
            let wave = |n: usize, period: f64| (std::f64::consts::TAU * t / period + phases[n]).sin();
            let strength = if kind == "moved" { 0.06 } else { 0.015 };
            let (dx, dy) = (strength * w * wave(0, 3.1), strength * h * wave(1, 4.3));
            let zoom = if kind == "zoomed" { 1.0 + 0.18 * wave(2, 5.0) } else { 1.0 + 0.01 * wave(2, 5.0) };
            let roll = if kind == "moved" { 0.12 * wave(3, 5.7) } else { 0.02 * wave(3, 5.7) };
            let yaw = if kind == "turned" { 0.5 * wave(3, 4.0) } else { 0.0 };
            let pitch = if kind == "turned" { 0.25 * wave(2, 6.1) } else { 0.0 };
            let corner = |x: f64, y: f64| {
                let (x, y) = (x * w * zoom / 2.0, y * h * zoom / 2.0);
                let (x, y) = (x * roll.cos() - y * roll.sin(), x * roll.sin() + y * roll.cos());
                let depth = 1.0 + (x * yaw.sin() + y * pitch.sin()) / (1.5 * w);
                Point2f::new(
                    (w / 2.0 + dx + x * yaw.cos() / depth) as f32,
                    (h / 2.0 + dy + y * pitch.cos() / depth) as f32,
                )
            };
            let from: Vector<Point2f> = [(0.0, 0.0), (w, 0.0), (w, h), (0.0, h)]
                .map(|(x, y)| Point2f::new(x as f32, y as f32))
                .into_iter()
                .collect();
            let to: Vector<Point2f> =
                [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)].map(|(x, y)| corner(x, y)).into_iter().collect();
            let matrix = imgproc::get_perspective_transform_def(&from, &to).unwrap();
            let mut shown = Mat::default();
            let linear = imgproc::INTER_LINEAR;
            imgproc::warp_perspective(photo, &mut shown, &matrix, size, linear, BORDER_REPLICATE, Scalar::default())
                .unwrap();
            if kind == "bent" {
                shown = bent(&shown, 0.9 * (0.5 + 0.5 * wave(3, 4.5)));
            }
            let (gain, lift) =
                if kind == "re-lit" { (1.0 + 0.35 * wave(3, 2.7), 12.0 * wave(0, 1.9)) } else { (1.0, 0.0) };
            let mut lit = Mat::default();
            shown.convert_to(&mut lit, core::CV_8UC3, gain, lift).unwrap();
            let done = noisy(&lit, 2.5);
            if kind == "re-encoded" { again(&done, 25 + (i % 5) as i32 * 10) } else { done }
        })
        .collect()
}

/// As on a cylinder with a vertical axis; `curve` is half of the angle that it spans.
fn bent(picture: &Mat, curve: f64) -> Mat {
    if curve < 0.02 {
        return picture.try_clone().unwrap();
    }
    let size = picture.size().unwrap();
    let mut places = Mat::new_size_with_default(size, CV_32FC2, Scalar::default()).unwrap();
    let half = f64::from(size.width) / 2.0;
    for x in 0..size.width {
        let seen = (f64::from(x) - half) / half * curve.sin();
        let from = (half + half * seen.asin() / curve) as f32;
        for y in 0..size.height {
            *places.at_2d_mut::<core::Vec2f>(y, x).unwrap() = core::Vec2f::from([from, y as f32]);
        }
    }
    let mut shown = Mat::default();
    let none = Mat::new_size_with_default(Size::new(0, 0), CV_32FC1, Scalar::default()).unwrap();
    imgproc::remap(picture, &mut shown, &places, &none, imgproc::INTER_LINEAR, BORDER_REPLICATE, Scalar::default())
        .unwrap();
    shown
}

/// As another camera's picture of it, or another compression, would be: with noise of its own.
fn recorded_again(picture: &Mat, random: &mut StdRng) -> Mat {
    again(&noisy(picture, random.random_range(1.0..4.0)), random.random_range(60..95))
}

/// With a camera's noise of this spread.
fn noisy(picture: &Mat, spread: f64) -> Mat {
    let size = picture.size().unwrap();
    let mut noise = Mat::new_size_with_default(size, core::CV_16SC3, Scalar::all(0.0)).unwrap();
    core::randn(&mut noise, &Scalar::all(0.0), &Scalar::all(spread)).unwrap();
    let (mut wide, mut sum, mut done) = (Mat::default(), Mat::default(), Mat::default());
    picture.convert_to(&mut wide, core::CV_16SC3, 1.0, 0.0).unwrap();
    core::add_def(&wide, &noise, &mut sum).unwrap();
    sum.convert_to(&mut done, core::CV_8UC3, 1.0, 0.0).unwrap();
    done
}

fn again(picture: &Mat, quality: i32) -> Mat {
    let mut bytes = Vector::<u8>::new();
    imgcodecs::imencode(".jpg", picture, &mut bytes, &Vector::from_slice(&[imgcodecs::IMWRITE_JPEG_QUALITY, quality]))
        .unwrap();
    imgcodecs::imdecode(&bytes, imgcodecs::IMREAD_COLOR).unwrap()
}
