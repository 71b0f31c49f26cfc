//! `blinkd bench`: measures the pipeline's accuracy on a clip, and its time per frame.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use blink_proto::problem::code;
use blink_vision::score::{self, Score, Span, TruthFile};
use serde::Serialize;

use crate::{
    clip::{self, Clip},
    exit::Failure,
    stdout,
};

/// What `blinkd bench` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  blinkd bench talk.mp4\n  \
    blinkd synthesize face.avi --truth face.json && blinkd bench face.avi --truth face.json")]
pub struct Args {
    /// The video file
    pub clip: PathBuf,
    /// The blinks that are in it, as `blinkd synthesize --truth` writes them
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
    let truth = args.truth.as_deref().map(|path| read_truth(path, &args.clip)).transpose()?;
    let clip = clip::run(&args.clip, None, |_, _, _| {})?;
    let output = Output::new(&args.clip, &clip, truth.as_deref());
    stdout::result(args.json, &output, || output.for_people())
}

fn read_truth(path: &Path, clip: &Path) -> Result<Vec<Span>, Failure> {
    let fix = "Give a file as `blinkd synthesize --truth` writes it.";
    let unusable = |why: String| Failure::failed(code::BAD_TRUTH, format!("{}: {why}", path.display()), fix);
    let text = fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
    match serde_json::from_str(&text).map_err(|error| unusable(error.to_string()))? {
        TruthFile::One { blinks } => Ok(blinks),
        TruthFile::Many { clips } => {
            let found = clips.into_iter().find(|entry| entry.file.file_name() == clip.file_name());
            found.map(|entry| entry.blinks).ok_or_else(|| unusable("it says nothing of this clip".to_owned()))
        }
    }
}

impl Output {
    #[expect(clippy::cast_precision_loss, reason = "frame numbers")]
    fn new(path: &Path, clip: &Clip, truth: Option<&[Span]>) -> Self {
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
            accuracy: truth.map(|truth| Score::from_spans(&found, truth, clip.frames).into()),
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
