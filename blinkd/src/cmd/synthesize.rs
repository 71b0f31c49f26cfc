//! `blinkd synthesize`: writes the synthetic source to a video file, with the ground truth of its blinks.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use blink_proto::problem::code;
use blink_vision::{
    container::{Extent, riff::MotionJpeg},
    native::SyntheticFace,
    schedule::Truth,
    source::Synthetic,
};
use jiff::Timestamp;
use opencv::{
    core::Size,
    videoio::{self, VideoWriter, VideoWriterTrait, VideoWriterTraitConst},
};

use crate::{exit::Failure, stderr, stdout};

/// What `blinkd synthesize` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  blinkd synthesize face.avi --seconds 60 --bpm 20 --seed 7 --truth face.json\n  \
    blinkd synthesize face.avi && blinkd analyze face.avi\n  \
    blinkd synthesize demos/demo.mp4 --seconds 5 --bpm 40 --sway 8")]
pub struct Args {
    /// The video file to write, an AVI or an MP4
    #[arg(value_name = "OUT.avi|.mp4")]
    pub out: PathBuf,
    /// How long it is
    #[arg(long, value_name = "N", default_value_t = 60.0, value_parser = seconds)]
    pub seconds: f64,
    /// Blinks per minute, 0 to 60
    #[arg(long, value_name = "N", default_value_t = 15.0, value_parser = blinks_per_minute)]
    pub bpm: f64,
    /// What the variations are drawn from
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Frames per second, 1 to 120
    #[arg(long, value_name = "N", default_value_t = 30.0, value_parser = frames_per_second)]
    pub fps: f64,
    /// Give the face glasses
    #[arg(long)]
    pub glasses: bool,
    /// Let the head move by up to so many pixels, 0 to 20
    #[arg(long, value_name = "PIXELS", default_value_t = 0.0, value_parser = pixels)]
    pub sway: f64,
    /// Also write every blink, as JSON
    #[arg(long, value_name = "FILE.json")]
    pub truth: Option<PathBuf>,
}

fn within(text: &str, low: f64, high: f64) -> Result<f64, String> {
    text.parse().ok().filter(|n| (low..=high).contains(n)).ok_or_else(|| format!("use a number from {low} to {high}"))
}

fn seconds(text: &str) -> Result<f64, String> {
    within(text, 0.1, 86_400.0)
}

fn blinks_per_minute(text: &str) -> Result<f64, String> {
    within(text, 0.0, 60.0)
}

fn frames_per_second(text: &str) -> Result<f64, String> {
    within(text, 1.0, 120.0)
}

fn pixels(text: &str) -> Result<f64, String> {
    within(text, 0.0, 20.0)
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let Some(format) = Format::of(&args.out) else {
        let message = format!("{} is the name of neither an AVI nor an MP4 file", args.out.display());
        return Err(Failure::usage(code::USAGE, message, "End the name in .avi or .mp4."));
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded by the arguments' checks")]
    let frames = (args.seconds * args.fps).round().max(1.0) as u64;
    let Args { bpm, seed, fps, glasses, sway, .. } = *args;
    let spec = Synthetic { bpm, seed, fps, glasses, sway, ..Synthetic::default() };
    write_video(&args.out, format, &spec, frames)?;
    let truth = Truth::new(args.bpm, args.seed, args.fps, frames, Duration::ZERO);
    if let Some(path) = &args.truth {
        let text = serde_json::to_string_pretty(&truth).unwrap_or_default() + "\n";
        fs::write(path, text).map_err(|error| unwritable(path, &error.to_string()))?;
    }
    let blinks = truth.blinks.len();
    stdout::text(&format!("{}: {frames} frames, {blinks} blinks\n", args.out.display()))
}

/// What is written, by the file's name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    /// Motion JPEG: each picture for itself.
    Avi,
    /// H.264, small and known to every browser.
    Mp4,
}

impl Format {
    fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "avi" => Some(Self::Avi),
            "mp4" => Some(Self::Mp4),
            _ => None,
        }
    }

    fn codec(self) -> opencv::Result<i32> {
        match self {
            Self::Avi => VideoWriter::fourcc('M', 'J', 'P', 'G'),
            Self::Mp4 => VideoWriter::fourcc('a', 'v', 'c', '1'),
        }
    }
}

fn write_video(path: &Path, format: Format, spec: &Synthetic, frames: u64) -> Result<(), Failure> {
    let refused = |error: opencv::Error| unwritable(path, &error.message);
    // OpenCV does not say why it cannot write, but the system does.
    fs::File::create(path).map_err(|error| unwritable(path, &error.to_string()))?;
    let codec = format.codec().map_err(refused)?;
    let mut face = SyntheticFace::new(spec, Timestamp::UNIX_EPOCH).map_err(refused)?;
    let size = face.draw(Duration::ZERO).and_then(opencv::core::MatTraitConst::size).map_err(refused)?;
    let size = Size::new(size.width, size.height);
    // FFmpeg gives names such as `pipe:1.avi` a meaning, but no absolute path.
    let whole = std::path::absolute(path).map_err(|error| unwritable(path, &error.to_string()))?;
    let mut writer =
        VideoWriter::new_with_backend(whole, videoio::CAP_FFMPEG, codec, spec.fps, size, true).map_err(refused)?;
    if !writer.is_opened().map_err(refused)? {
        return Err(unwritable(path, "the video writer does not start"));
    }
    let bar = stderr::progress(frames);
    for i in 0..frames {
        #[expect(clippy::cast_precision_loss, reason = "frame numbers")]
        let picture = face.draw(Duration::from_secs_f64(i as f64 / spec.fps)).map_err(refused)?;
        writer.write(picture).map_err(refused)?;
        bar.set_position(i + 1);
    }
    bar.finish_and_clear();
    writer.release().map_err(refused)?;
    check_is_whole(path, format, frames)
}

/// Checks the file's header against its frames: OpenCV's writer does not report a full disk, and the header then states
/// more frames than there are, or none.
fn check_is_whole(path: &Path, format: Format, frames: u64) -> Result<(), Failure> {
    let refused = |error: std::io::Error| unwritable(path, &error.to_string());
    let mut file = fs::File::open(path).map_err(refused)?;
    let extent = Extent::of(&mut file);
    let whole = match format {
        Format::Avi => {
            let movie = MotionJpeg::open(file).map_err(refused)?;
            extent == Extent::WholeAndCounted && movie.is_some_and(|movie| movie.stated_frames() == frames)
        }
        // Its index comes last, and is there or not.
        Format::Mp4 => matches!(extent, Extent::Whole | Extent::WholeAndCounted),
    };
    if whole {
        return Ok(());
    }
    Err(unwritable(path, "not all of it is there; the disk may be full"))
}

fn unwritable(path: &Path, why: &str) -> Failure {
    Failure::failed(code::UNWRITABLE, format!("{} cannot be written: {why}", path.display()), "Choose another place.")
}
