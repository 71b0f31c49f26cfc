//! Footage for tests: synthesized with known blinks, or real where it is available.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{Profile, skipped};

/// A clip and its blinks.
#[derive(Debug)]
pub struct Clip {
    pub path: PathBuf,
    /// The blinks as inclusive 0-based frame intervals.
    pub blinks: Vec<(u64, u64)>,
}

/// Writes the synthetic face to a file in `profile`.
#[must_use]
pub fn synthesize(profile: &Profile, seconds: u32, bpm: u32, seed: u32) -> Clip {
    written(profile, seconds, bpm, seed, 0)
}

/// The same with a head that moves, as a living one does.
#[must_use]
pub fn alive(profile: &Profile, seconds: u32, bpm: u32, seed: u32) -> Clip {
    written(profile, seconds, bpm, seed, 4)
}

fn written(profile: &Profile, seconds: u32, bpm: u32, seed: u32, sway: u32) -> Clip {
    let name = format!("face-{seconds}s-{bpm}bpm-{seed}-{sway}");
    let (path, truth) = (profile.path().join(format!("{name}.avi")), profile.path().join(format!("{name}.json")));
    let text = |path: &Path| path.to_str().expect("temporary folders have plain names").to_owned();
    let mut args = vec!["synthesize".to_owned(), text(&path), "--truth".to_owned(), text(&truth)];
    for (flag, value) in [("--seconds", seconds), ("--bpm", bpm), ("--seed", seed), ("--sway", sway)] {
        args.extend([flag.to_owned(), value.to_string()]);
    }
    profile.blinkd(&args.iter().map(String::as_str).collect::<Vec<_>>()).success();
    let truth: Value = serde_json::from_slice(&fs::read(truth).expect("the truth is written")).expect("it is JSON");
    Clip { path, blinks: intervals(&truth) }
}

/// The blinks of an object with a list `blinks` of `start_frame` and `end_frame`.
#[must_use]
pub fn intervals(object: &Value) -> Vec<(u64, u64)> {
    let frame = |blink: &Value, name: &str| blink[name].as_u64().expect("a frame is a number");
    let blinks = object["blinks"].as_array().expect("blinks is a list");
    blinks.iter().map(|blink| (frame(blink, "start_frame"), frame(blink, "end_frame"))).collect()
}

/// A file of the test data outside of the repository (`WAW_TEST_DATA`, else `../shared/data`). If it is absent, returns
/// `None` after saying on stderr what is skipped and why.
#[must_use]
pub fn real(relative: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace is one up");
    let data = env::var_os("WAW_TEST_DATA").map_or_else(|| root.join("../shared/data"), PathBuf::from);
    let path = data.join(relative);
    if path.is_file() {
        return path.canonicalize().ok();
    }
    skipped(&format!("there is no {relative} in the test data; name their folder in WAW_TEST_DATA"));
    None
}
