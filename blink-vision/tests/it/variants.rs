//! Tests that the same recording gives the same blinks however it is stored: re-encoded, at other rates, darkened, small.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use blink_vision::{
    dip::Limits,
    score::{
        Annotation, Recording, Span, Sum,
        truth::{TruthClip, TruthFile},
    },
};

use crate::footage;

/// A way of storing a recording.
struct Variant {
    name: &'static str,
    ffmpeg: &'static [&'static str],
    ending: &'static str,
    /// Frames per second, where they change.
    fps: Option<f64>,
    /// How far the F1 score may be from the recording's own.
    within: f64,
}

const GOOD: &str = "12";
const VARIANTS: [Variant; 8] = [
    Variant { name: "remuxed", ffmpeg: &["-c", "copy"], ending: "mkv", fps: None, within: 0.01 },
    Variant {
        name: "re-encoded, crf 30",
        ffmpeg: &["-c:v", "libx264", "-crf", "30"],
        ending: "mp4",
        fps: None,
        within: 0.01,
    },
    Variant {
        name: "25 frames a second",
        ffmpeg: &["-r", "25", "-c:v", "libx264", "-crf", GOOD],
        ending: "mp4",
        fps: Some(25.0),
        within: 0.02,
    },
    Variant {
        name: "30 frames a second",
        ffmpeg: &["-r", "30", "-c:v", "libx264", "-crf", GOOD],
        ending: "mp4",
        fps: Some(30.0),
        within: 0.02,
    },
    Variant {
        name: "60 frames a second",
        ffmpeg: &["-r", "60", "-c:v", "libx264", "-crf", GOOD],
        ending: "mp4",
        fps: Some(60.0),
        within: 0.02,
    },
    Variant {
        name: "half as bright",
        ffmpeg: &["-vf", "lutyuv=y=val/2", "-c:v", "libx264", "-crf", GOOD],
        ending: "mp4",
        fps: None,
        within: 0.03,
    },
    // FFmpeg's scale 10 quantises about as a JPEG of quality 40 does.
    Variant {
        name: "JPEG of quality 40",
        ffmpeg: &["-c:v", "mjpeg", "-q:v", "10"],
        ending: "avi",
        fps: None,
        within: 0.03,
    },
    Variant {
        name: "half size",
        ffmpeg: &["-vf", "scale=trunc(iw/4)*2:trunc(ih/4)*2:flags=area", "-c:v", "libx264", "-crf", GOOD],
        ending: "mp4",
        fps: None,
        within: 0.03,
    },
];

fn stored(clip: &Path, variant: &Variant, folder: &Path) -> std::path::PathBuf {
    let path = folder.join("variant").with_extension(variant.ending);
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-i"])
        .arg(clip)
        .args(variant.ffmpeg)
        .args(["-an", "-pix_fmt", if variant.ending == "avi" { "yuvj420p" } else { "yuv420p" }])
        .arg(&path)
        .stdin(Stdio::null())
        .status()
        .expect("ffmpeg: run `make bootstrap`");
    assert!(status.success(), "{}", clip.display());
    path
}

/// The annotation at `ratio` times the frames.
fn at(ratio: f64, clip: &TruthClip) -> Annotation {
    let frame = |frame: i64| (frame as f64 * ratio).round() as i64;
    let span = |span: &Span| Span { start_frame: frame(span.start_frame), end_frame: frame(span.end_frame) };
    let spans = |spans: &[Span]| spans.iter().map(span).collect();
    Annotation { blinks: spans(&clip.blinks), other: spans(&clip.other), frames: None }
}

/// Three clips in the short tier, which prove that the machinery works; all of both sets in the long one.
#[test]
fn the_same_recording_gives_the_same_blinks_however_it_is_stored() {
    let Some(folder) = footage::folder("recordings stored in other ways") else { return };
    let long = std::env::var_os("WAW_TEST_LONG").is_some();
    let scratch = tempfile::tempdir().unwrap();
    for set in if long { &["blinks", "people"][..] } else { &["blinks"] } {
        let truth = std::fs::read_to_string(folder.join(set).join("truth.json")).unwrap();
        let truth: TruthFile = serde_json::from_str(&truth).unwrap();
        let clips: Vec<&TruthClip> =
            truth.clips.iter().skip(usize::from(!long) * 2).step_by(if long { 1 } else { 13 }).collect();
        let own: Sum = clips
            .iter()
            .map(|clip| {
                let found = footage::found_in_file(&folder.join(set).join(&clip.file), Limits::default());
                Recording::new(&found.blinks, &clip.annotation(), found.frames)
            })
            .collect::<Vec<_>>()
            .iter()
            .collect();
        println!("| {set} | F1 | right | false | missed |");
        println!("| --- | --- | --- | --- | --- |");
        let row = |name: &str, sum: &Sum| {
            let score = &sum.score;
            let counts = [score.true_positives, score.false_positives, score.misses];
            println!("| {name} | {:.3} | {} | {} | {} |", score.f1(), counts[0], counts[1], counts[2]);
        };
        row("as it is", &own);
        let mut apart = Vec::new();
        for variant in &VARIANTS {
            let mut sum = Sum::default();
            for clip in &clips {
                let path = stored(&folder.join(set).join(&clip.file), variant, scratch.path());
                let found = footage::found_in_file(&path, Limits::default());
                let ratio = variant.fps.map_or(1.0, |fps| fps / clip.fps.unwrap());
                sum.add(&Recording::new(&found.blinks, &at(ratio, clip), found.frames));
            }
            row(variant.name, &sum);
            let difference = own.score.f1() - sum.score.f1();
            // One blink of three clips is worth 0.05.
            if difference > if long { variant.within } else { 0.15 } {
                apart.push(format!("{}: {difference:.3}", variant.name));
            }
        }
        assert!(apart.is_empty(), "{set}: {apart:?}");
    }
}
