//! Annotated recordings: their pictures, and where they blink.

use std::path::Path;

use blink_proto::faces::ClipReport;
use face_worker::{picture, video};
use opencv::core::{Mat, MatTraitConst as _};
use serde_json::Value;

/// The most pictures of a recording that are used, around its blinks.
const MOST_FRAMES: usize = 240;
/// Pictures are made smaller to this.
const SIDE: i32 = 480;

/// A recording.
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) person: String,
    /// What it is counted under.
    pub(crate) group: String,
    pub(crate) fps: f64,
    pub(crate) frames: Vec<Mat>,
    /// First and last frame of each blink, with room for the annotation's doubt.
    pub(crate) blinks: Vec<[usize; 2]>,
}

/// A recording that is not read yet.
pub(crate) struct Entry {
    pub(crate) path: std::path::PathBuf,
    pub(crate) name: String,
    pub(crate) person: String,
    pub(crate) group: String,
    pub(crate) fps: f64,
    /// First and last frame of each blink.
    pub(crate) blinks: Vec<[i64; 2]>,
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

fn spans(clip: &Value) -> Vec<[i64; 2]> {
    let frame = |blink: &Value, key: &str| blink[key].as_i64().unwrap();
    let blinks = clip["blinks"].as_array().unwrap().iter();
    blinks.map(|blink| [frame(blink, "start_frame") - 2, frame(blink, "end_frame") + 2]).collect()
}

/// All recordings of living people whose blinks are known.
pub(crate) fn entries(data: &Path) -> Vec<Entry> {
    let mut entries = Vec::new();
    for clip in json(&data.join("blinks/truth.json"))["clips"].as_array().unwrap() {
        let group = match clip["view"].as_str().unwrap() {
            "FBN" => "glasses with thick rims",
            "FTN" => "glasses with thin rims",
            "UNN" => "no glasses, from below",
            _ => "no glasses",
        };
        entries.push(Entry {
            path: data.join("blinks").join(text(clip, "file")),
            name: text(clip, "file"),
            person: text(clip, "subject"),
            group: format!("ZJU, {group}"),
            fps: clip["fps"].as_f64().unwrap_or(30.0),
            blinks: spans(clip),
        });
    }
    for clip in json(&data.join("people/truth.json"))["clips"].as_array().unwrap() {
        entries.push(Entry {
            path: data.join("people").join(text(clip, "file")),
            name: text(clip, "file"),
            person: text(clip, "file"),
            group: "people: hard cases".to_owned(),
            fps: clip["fps"].as_f64().unwrap_or(25.0),
            blinks: spans(clip),
        });
    }
    for clip in json(&data.join("liveness/manifest.json")).as_array().unwrap() {
        if clip["kind"] != "real" || clip["blinks_sure"] != true {
            continue;
        }
        let fps = clip["fps"].as_f64().unwrap();
        let times = clip["blink_times_s"].as_array().unwrap().iter().filter_map(Value::as_f64);
        let frame = |t: f64| (t * fps).round() as i64;
        entries.push(Entry {
            path: data.join("liveness/videos").join(text(clip, "file")),
            name: text(clip, "file"),
            person: text(clip, "person"),
            group: "liveness: real".to_owned(),
            fps,
            blinks: times.map(|t| [frame(t - 0.3), frame(t + 0.45)]).collect(),
        });
    }
    entries
}

/// The pictures of a video, at most `most` from `first` on.
pub(crate) fn pictures(path: &Path, first: usize, most: usize) -> Vec<Mat> {
    let mut video = video::open(&std::fs::read(path).unwrap()).unwrap();
    let (mut kept, mut number) = (Vec::new(), 0);
    while kept.len() < most
        && let Ok((_, picture)) = video.read_colour()
    {
        if number >= first {
            kept.push(picture::at_most(picture.try_clone().unwrap(), SIDE).unwrap());
        }
        number += 1;
    }
    kept
}

impl Entry {
    /// The same with each blink as long as the annotation and the detector together have it: the annotation is out by up
    /// to five frames, and open eyes must be open. What only one of them has stays as it is.
    pub(crate) fn widened(mut self, found: Option<&ClipReport>) -> Self {
        let frame = |ms: u32| (f64::from(ms) * self.fps / 1_000.0).round() as i64;
        for blink in found.iter().flat_map(|report| &report.blinks) {
            let [from, to] = [frame(blink.start_ms) - 1, frame(blink.end_ms) + 1];
            for known in self.blinks.iter_mut().filter(|known| from <= known[1] && to >= known[0]) {
                *known = [known[0].min(from), known[1].max(to)];
            }
        }
        self
    }

    /// Reads the part of the recording around its first blinks; `None` without a blink.
    pub(crate) fn read(&self) -> Option<Source> {
        let first = usize::try_from((self.blinks.first()?[0] - 75).max(0)).unwrap();
        let frames = pictures(&self.path, first, MOST_FRAMES);
        let inside = |frame: i64| usize::try_from((frame - i64::try_from(first).unwrap()).max(0)).unwrap();
        let blinks = self.blinks.iter().map(|blink| blink.map(inside));
        let blinks = blinks.filter(|[_, to]| to + 6 < frames.len()).collect();
        Some(Source {
            name: self.name.clone(),
            person: self.person.clone(),
            group: self.group.clone(),
            fps: self.fps,
            frames,
            blinks,
        })
    }
}
