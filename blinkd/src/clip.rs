//! Runs a video file through the daemon's pipeline as fast as possible, for `analyze` and `bench`.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use blink_vision::{
    Blink, Event, FrameReport, Wink,
    native::{FileSource, Pipeline, SourceError, load_landmark_model},
    predictor::Predictor,
    stillness,
};

use crate::{cost::cpu_time, exit::Failure, models};

#[derive(Debug, Default)]
pub(crate) struct Clip {
    pub frames: u64,
    /// The times of the last frame and of the one before it.
    last: [Duration; 2],
    /// How long a picture was repeated for too long to be observed.
    pub stood_still: Duration,
    pub observed: Duration,
    pub blinks: Vec<Blink>,
    pub winks: Vec<Wink>,
    /// Whether the file ended before its stated length.
    pub truncated: bool,
    /// Wall time spent reading and decoding frames.
    pub decode: Duration,
    /// Wall time spent processing frames.
    pub process: Duration,
    /// Wall time of each frame, decoding and processing together.
    pub each: Vec<Duration>,
    /// CPU time of this process from the first frame to the last.
    pub cpu: Duration,
}

impl Clip {
    /// The time from the first frame to the end of the last, taking the last interval as that frame's length.
    #[must_use]
    pub(crate) fn duration(&self) -> Duration {
        if self.frames < 2 { self.last[1] } else { self.last[1] + (self.last[1].saturating_sub(self.last[0])) }
    }

    /// Frames per second over the whole clip; 0 for a single frame.
    #[must_use]
    pub(crate) fn fps(&self) -> f64 {
        let span = self.last[1].as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "frame numbers")]
        let intervals = self.frames.saturating_sub(1) as f64;
        if span > 0.0 { intervals / span } else { 0.0 }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    pub frames: u64,
    /// The number of frames that the file states, if it does.
    pub of: Option<u64>,
}

/// The landmark model, which is read and verified as a whole.
pub(crate) fn model() -> Result<Arc<Predictor>, Failure> {
    load_landmark_model(&models::folders()).map(Arc::new).map_err(models::failure)
}

/// Runs the clip at `path`; `seen` gets each frame's report and the events decided with it. A damaged end is no error.
pub(crate) fn run(
    model: Arc<Predictor>,
    path: &Path,
    fps: Option<f64>,
    mut seen: impl FnMut(&FrameReport, &[Event], Progress),
) -> Result<Clip, Failure> {
    let mut source = FileSource::open(path, false).map_err(source_failure)?.with_fps(fps);
    let mut pipeline = Pipeline::new(model).with_models_in(&models::folders());
    let of = source.stated_frames();
    let mut clip = Clip::default();
    let mut events = Vec::new();
    let mut stands_still = false;
    let cpu_before = cpu_time();
    loop {
        let started = Instant::now();
        let frame = match source.read() {
            Ok(frame) => frame,
            Err(SourceError::EndOfFile) => break,
            Err(_) if clip.frames > 0 => {
                clip.truncated = true;
                break;
            }
            Err(error) => return Err(source_failure(error)),
        };
        let decoded = Instant::now();
        let report = pipeline.process(&frame).map_err(source_failure)?;
        let done = Instant::now();
        clip.frames += 1;
        if report.stands_still {
            let begun = if stands_still { clip.last[1] } else { report.timestamp.saturating_sub(stillness::MOST) };
            clip.stood_still += report.timestamp.saturating_sub(begun);
        }
        stands_still = report.stands_still;
        clip.last = [clip.last[1], report.timestamp];
        clip.decode += decoded - started;
        clip.process += done - decoded;
        clip.each.push(done - started);
        events.extend(pipeline.drain_events());
        seen(&report, &events, Progress { frames: clip.frames, of });
        clip.take(&mut events);
    }
    pipeline.finish();
    events.extend(pipeline.drain_events());
    clip.take(&mut events);
    clip.cpu = cpu_time().saturating_sub(cpu_before);
    clip.truncated |= source.ended_early();
    Ok(clip)
}

impl Clip {
    fn take(&mut self, events: &mut Vec<Event>) {
        for event in events.drain(..) {
            match event {
                Event::Blink(blink) => self.blinks.push(blink),
                Event::Wink(wink) => self.winks.push(wink),
                Event::Observed { from, to, .. } => self.observed += to.saturating_sub(from),
            }
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "used with map_err")]
fn source_failure(error: SourceError) -> Failure {
    let because = std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
    Failure::failed(error.code(), format!("{error}{because}"), error.fix())
}

/// Peak resident memory of this process in bytes; 0 where the system does not tell.
#[must_use]
pub(crate) fn peak_rss_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")).and_then(|kib| kib.trim().parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}
