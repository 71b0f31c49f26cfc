//! `blinkd bench`: measures the pipeline's accuracy on a clip, and its time per frame; or its accuracy on many clips.
//!
//! - `truth`: reads annotations
//! - `set`: runs the clips of a truth file
//! - `tables`: their results for people

mod set;
mod tables;
mod truth;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use blink_proto::problem::code;
use blink_vision::score::{self, Annotation, Score, Span};
use serde::Serialize;

use self::set::ClipSet;
use crate::{
    clip::{self, Clip},
    exit::Failure,
    stdout,
};

/// The truth file that is looked for in a folder.
const TRUTH_FILE: &str = "truth.json";

/// What `blinkd bench` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  blinkd bench talk.mp4
  blinkd synthesize face.avi --truth face.json && blinkd bench face.avi --truth face.json
  blinkd bench footage/truth.json            every clip that it lists, and the sum
  blinkd bench footage                       the same
  blinkd bench footage --truth mine.json     the same clips with other annotations

A truth file of many clips:
  {\"clips\": [{\"file\": \"a.mp4\", \"blinks\": [{\"start_frame\": 34, \"end_frame\": 49}]}]}
Frames count from 0 and are inclusive; files are relative to the truth file. A clip may also have:
  \"other\"    intervals of which nobody can be sure: what is found there is neither right nor false
  \"frames\"   how many there are
  \"group\", \"condition\", \"view\", \"person\", \"subject\"   a table for each of them
Beside \"clips\", \"must_be_unobserved\" lists files in which no blink can be seen.")]
pub struct Args {
    /// The video file, a truth file of many clips, or a folder with a truth.json
    pub clip: PathBuf,
    /// The blinks that are in it, as `blinkd synthesize --truth` writes them or a truth file of many clips
    #[arg(long, value_name = "FILE.json")]
    pub truth: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// The output of `--json`. Times are wall milliseconds per frame, decoding included.
#[derive(Debug, Serialize)]
struct Output {
    clip: String,
    frames: u64,
    blink_count: usize,
    p50_ms: f64,
    p95_ms: f64,
    decode_ms: f64,
    process_ms: f64,
    cpu_ms_per_frame: f64,
    peak_rss_bytes: u64,
    accuracy: Option<Accuracy>,
}

#[derive(Debug, Serialize)]
struct Accuracy {
    true_positives: usize,
    false_positives: usize,
    misses: usize,
    precision: f64,
    recall: f64,
    f1: f64,
    criterion: &'static str,
}

impl From<Score> for Accuracy {
    fn from(score: Score) -> Self {
        Self {
            true_positives: score.true_positives,
            false_positives: score.false_positives,
            misses: score.misses,
            precision: score.precision(),
            recall: score.recall(),
            f1: score.f1(),
            criterion: score::CRITERION,
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if let Some(set) = set_of(args)? {
        return set::run(&set, args.json);
    }
    let annotation = args.truth.as_deref().map(|path| truth::of_clip(path, &args.clip)).transpose()?;
    let clip = clip::run(clip::model()?, &args.clip, None, |_, _, _| {})?;
    let output = Output::new(&args.clip, &clip, annotation.as_ref());
    stdout::result(args.json, &output, || output.for_people())
}

/// The clips that a folder or a truth file stands for; `None` for a clip.
fn set_of(args: &Args) -> Result<Option<ClipSet>, Failure> {
    if args.clip.is_dir() {
        let truth = args.truth.clone().unwrap_or_else(|| args.clip.join(TRUTH_FILE));
        return Ok(Some(ClipSet { truth, folder: args.clip.clone() }));
    }
    if !args.clip.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json")) {
        return Ok(None);
    }
    if args.truth.is_some() {
        let message = format!("{} is a truth file itself, so --truth has no meaning", args.clip.display());
        return Err(Failure::usage(code::USAGE, message, "Leave --truth out, or name a clip or a folder."));
    }
    let folder = args.clip.parent().unwrap_or(Path::new("")).to_owned();
    Ok(Some(ClipSet { truth: args.clip.clone(), folder }))
}

impl Output {
    #[expect(clippy::cast_precision_loss, reason = "frame numbers")]
    fn new(path: &Path, clip: &Clip, annotation: Option<&Annotation>) -> Self {
        let mut each = clip.each.clone();
        each.sort_unstable();
        let ms = |time: Duration| (1e7 * time.as_secs_f64()).round() / 1e4;
        let share = |percent: usize| each.get((each.len() * percent / 100).min(each.len().saturating_sub(1)));
        let mean = |time: Duration| ms(time.div_f64(clip.frames.max(1) as f64));
        let found: Vec<Span> = clip.blinks.iter().map(Span::from).collect();
        Self {
            clip: path.display().to_string(),
            frames: clip.frames,
            blink_count: found.len(),
            p50_ms: ms(share(50).copied().unwrap_or_default()),
            p95_ms: ms(share(95).copied().unwrap_or_default()),
            decode_ms: mean(clip.decode),
            process_ms: mean(clip.process),
            cpu_ms_per_frame: mean(clip.cpu),
            peak_rss_bytes: clip::peak_rss_bytes(),
            accuracy: annotation.map(|annotation| Score::new(&found, annotation, clip.frames).into()),
        }
    }

    fn for_people(&self) -> String {
        let mut lines = vec![
            format!("{}: {} frames, {} blinks", self.clip, self.frames, self.blink_count),
            format!(
                "  a frame: {:.2} ms in the middle (p50), {:.2} ms at p95, decoding included",
                self.p50_ms, self.p95_ms
            ),
            format!("  of it {:.2} ms reading and decoding, {:.2} ms looking", self.decode_ms, self.process_ms),
            format!(
                "  {:.2} ms of processor time a frame, {} MB of memory at most",
                self.cpu_ms_per_frame,
                self.peak_rss_bytes / 1_000_000
            ),
        ];
        if let Some(score) = &self.accuracy {
            lines.push(format!(
                "  {} right, {} false, {} missed: precision {:.3}, recall {:.3}, F1 {:.3}",
                score.true_positives, score.false_positives, score.misses, score.precision, score.recall, score.f1
            ));
            lines.push(format!("  criterion: {}", score.criterion));
        }
        lines.join("\n")
    }
}
