//! `blinkd analyze`: counts the blinks of a video file with the daemon's pipeline and defaults.

mod plot;
mod trace;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use blink_proto::{Quality, rate_per_minute};
use blink_vision::geometry::Eye;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::{
    clip::{self, Clip, Progress},
    exit::Failure,
    stderr, stdout,
};

/// What `blinkd analyze` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  blinkd analyze talk.mp4\n  blinkd analyze talk.mp4 --json\n  \
    blinkd analyze talk.mp4 --trace talk.csv --plot talk.png")]
pub struct Args {
    /// The video file
    pub input: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Write a CSV file with a line for each frame: EARs, baseline, closure, pose, state, hint
    #[arg(long, value_name = "FILE.csv")]
    pub trace: Option<PathBuf>,
    /// Draw the EAR with the blinks marked, as PNG or SVG
    #[arg(long, value_name = "FILE.png|.svg")]
    pub plot: Option<PathBuf>,
    /// Take the frames to be this many per second, whatever the file says
    #[arg(long, value_name = "N", value_parser = frames_per_second)]
    pub fps: Option<f64>,
}

fn frames_per_second(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(fps) if (1.0..=1_000.0).contains(&fps) => Ok(fps),
        _ => Err("use a number of frames per second from 1 to 1000".to_owned()),
    }
}

/// The output of `--json`.
#[derive(Debug, Serialize)]
struct Output {
    /// Bytes that are not UTF-8 are replaced.
    input: String,
    frames: u64,
    fps: f64,
    duration_s: f64,
    observed_s: f64,
    blink_count: usize,
    blinks_per_minute: Option<f64>,
    quality: Quality,
    truncated: bool,
    blinks: Vec<BlinkOutput>,
    /// Movements of one eye alone, which count as no blinks.
    winks: Vec<WinkOutput>,
    cost: Cost,
}

/// Frame numbers are 0-based and inclusive; `duration_ms` is the width at half depth.
#[derive(Debug, Serialize)]
struct BlinkOutput {
    start_frame: u64,
    end_frame: u64,
    start_s: f64,
    end_s: f64,
    duration_ms: f64,
    depth: f64,
    complete: bool,
}

#[derive(Debug, Serialize)]
struct WinkOutput {
    start_frame: u64,
    end_frame: u64,
    start_s: f64,
    end_s: f64,
    /// The person's own `left` or `right`.
    eye: &'static str,
}

/// Milliseconds are means per frame.
#[derive(Debug, Serialize)]
struct Cost {
    decode_ms: f64,
    process_ms: f64,
    cpu_ms_per_frame: f64,
    peak_rss_bytes: u64,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let plot = args.plot.as_deref().map(plot::Plot::new).transpose()?;
    let model = clip::model()?;
    let mut trace = args.trace.as_deref().map(trace::Trace::create).transpose()?;
    let mut points = Vec::new();
    let bar = progress_bar();
    let clip = clip::run(model, &args.input, args.fps, |report, events, progress| {
        show(&bar, progress);
        if let Some(trace) = &mut trace {
            trace.write(report, events);
        }
        if plot.is_some() {
            points.push(*report);
        }
    });
    bar.finish_and_clear();
    let clip = clip?;
    trace.map_or(Ok(()), trace::Trace::finish)?;
    plot.map_or(Ok(()), |plot| plot.draw(&points, &clip))?;
    let output = Output::new(&args.input, &clip);
    stdout::result(args.json, &output, || output.for_people(&clip))
}

fn progress_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {percent:>3}% {wide_bar} {pos}/{len} frames, {eta} left");
    stderr::progress(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn show(bar: &ProgressBar, progress: Progress) {
    if progress.frames % 8 == 1 {
        bar.set_length(progress.of.unwrap_or(progress.frames).max(progress.frames));
        bar.set_position(progress.frames);
    }
}

impl Output {
    #[expect(clippy::cast_precision_loss, reason = "frame numbers")]
    fn new(input: &Path, clip: &Clip) -> Self {
        let observed_ms = u64::try_from(clip.observed.as_millis()).unwrap_or(u64::MAX);
        let per_frame = |time: Duration| round(1e3 * time.as_secs_f64() / clip.frames.max(1) as f64, 4);
        Self {
            input: input.display().to_string(),
            frames: clip.frames,
            fps: round(clip.fps(), 3),
            duration_s: round(clip.duration().as_secs_f64(), 3),
            observed_s: round(clip.observed.as_secs_f64(), 3),
            blink_count: clip.blinks.len(),
            blinks_per_minute: rate_per_minute(clip.blinks.len() as u64, observed_ms).map(|rate| round(rate, 2)),
            quality: Quality::of_observed(observed_ms),
            truncated: clip.truncated,
            blinks: clip.blinks.iter().map(BlinkOutput::from).collect(),
            winks: clip.winks.iter().map(WinkOutput::from).collect(),
            cost: Cost {
                decode_ms: per_frame(clip.decode),
                process_ms: per_frame(clip.process),
                cpu_ms_per_frame: per_frame(clip.cpu),
                peak_rss_bytes: clip::peak_rss_bytes(),
            },
        }
    }

    fn for_people(&self, clip: &Clip) -> String {
        let plural = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
        let mut lines = vec![self.input.clone()];
        let rate = match self.blinks_per_minute {
            Some(rate) => format!("{rate:.1} a minute of observed time"),
            None => "no rate: under 10 s could be observed".to_owned(),
        };
        lines.push(format!("  {}, {rate}", plural(self.blink_count, "blink")));
        let share = if self.duration_s > 0.0 { 100.0 * self.observed_s / self.duration_s } else { 0.0 };
        lines.push(format!(
            "  observed {:.1} of {:.1} s ({share:.0} %), {} frames at {:.1} fps",
            self.observed_s, self.duration_s, self.frames, self.fps
        ));
        if self.truncated {
            lines.push("  the file ends before the length it states: this is what could be read".to_owned());
        }
        if !clip.stood_still.is_zero() {
            let still_s = clip.stood_still.as_secs_f64();
            lines.push(format!("  the picture stands still for {still_s:.1} s: that is not observed"));
        }
        for blink in &self.blinks {
            let how = if blink.complete { "" } else { ", incomplete" };
            lines.push(format!("  {:>9.2} s  {:>4.0} ms{how}", blink.start_s, blink.duration_ms));
        }
        for wink in &self.winks {
            lines.push(format!("  {:>9.2} s  a wink of the {} eye, not counted", wink.start_s, wink.eye));
        }
        lines.push(format!(
            "  {:.2} ms of processor time a frame, {} MB at most",
            self.cost.cpu_ms_per_frame,
            self.cost.peak_rss_bytes / 1_000_000
        ));
        lines.join("\n")
    }
}

impl From<&blink_vision::Blink> for BlinkOutput {
    fn from(blink: &blink_vision::Blink) -> Self {
        Self {
            start_frame: blink.start_frame,
            end_frame: blink.end_frame,
            start_s: round(blink.start.as_secs_f64(), 4),
            end_s: round(blink.end.as_secs_f64(), 4),
            duration_ms: round(1e3 * blink.width.as_secs_f64(), 1),
            depth: round(f64::from(blink.depth), 3),
            complete: blink.complete,
        }
    }
}

impl From<&blink_vision::Wink> for WinkOutput {
    fn from(wink: &blink_vision::Wink) -> Self {
        Self {
            start_frame: wink.start_frame,
            end_frame: wink.end_frame,
            start_s: round(wink.start.as_secs_f64(), 4),
            end_s: round(wink.end.as_secs_f64(), 4),
            eye: match wink.eye {
                Eye::Left => "left",
                Eye::Right => "right",
            },
        }
    }
}

fn round(value: f64, digits: i32) -> f64 {
    let unit = 10f64.powi(digits);
    (value * unit).round() / unit
}

#[cfg(test)]
mod tests {
    use blink_vision::Wink;

    use super::*;

    #[test]
    fn winks_are_a_list_of_their_own() {
        let (start, end) = (Duration::from_secs(1), Duration::from_millis(1_200));
        let wink = Wink { eye: Eye::Right, start_frame: 30, end_frame: 36, start, end };
        let mut clip = Clip::default();
        clip.winks.push(wink);
        let output = Output::new(Path::new("a.mp4"), &clip);
        let winks = serde_json::to_value(&output.winks).unwrap();
        let told = serde_json::json!(
            [{"start_frame": 30, "end_frame": 36, "start_s": 1.0, "end_s": 1.2, "eye": "right"}]
        );
        assert_eq!((output.blink_count, winks), (0, told));
        assert!(output.for_people(&clip).contains("1.00 s  a wink of the right eye, not counted"));
    }
}
