//! A video file through the daemon's own pipeline, as fast as it goes: what `analyze` and `bench` share.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use blink_vision::{
    Blink, Event, FrameReport,
    native::{FileSource, Pipeline, SourceError, load_landmark_model},
    stillness,
};

use crate::{exit::Failure, models};

/// What a run through a clip brought.
#[derive(Debug, Default)]
pub(crate) struct Clip {
    pub frames: u64,
    /// The last frame's time, and that of the one before it.
    last: [Duration; 2],
    /// Time in which one picture was repeated for too long to be observed.
    pub stood_still: Duration,
    pub observed: Duration,
    /// Every blink, in order.
    pub blinks: Vec<Blink>,
    /// Whether the file ended before the length it states.
    pub truncated: bool,
    /// Wall time spent reading and decoding, and looking.
    pub decode: Duration,
    /// See [`Self::decode`].
    pub process: Duration,
    /// Wall time of each frame, decoding and looking together.
    pub each: Vec<Duration>,
    /// Processor time of this process from the first frame to the last.
    pub cpu: Duration,
}

impl Clip {
    /// From the first frame's time to the end of the last.
    #[must_use]
    pub(crate) fn duration(&self) -> Duration {
        if self.frames < 2 { self.last[1] } else { self.last[1] + (self.last[1].saturating_sub(self.last[0])) }
    }

    /// Frames per second over the whole clip, 0 for a single frame.
    #[must_use]
    pub(crate) fn fps(&self) -> f64 {
        let span = self.last[1].as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "frame numbers")]
        let intervals = self.frames.saturating_sub(1) as f64;
        if span > 0.0 { intervals / span } else { 0.0 }
    }
}

/// Where a run is, for whoever shows progress.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    pub frames: u64,
    /// Frames the file states, if it does.
    pub of: Option<u64>,
}

/// Runs the clip at `path`; `seen` is called for each frame with its report and what it settled.
///
/// Fails where the model or the file cannot be used. A damaged end is no error.
pub(crate) fn run(
    path: &Path,
    fps: Option<f64>,
    mut seen: impl FnMut(&FrameReport, &[Event], Progress),
) -> Result<Clip, Failure> {
    let predictor = load_landmark_model(&models::folders()).map_err(models::failure)?;
    let mut source = FileSource::open(path, false).map_err(source_failure)?.with_fps(fps);
    let mut pipeline = Pipeline::new(Arc::new(predictor));
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

/// Processor time of this process so far, user and system.
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// The most memory this process has had resident so far, bytes; 0 where the system does not tell.
#[must_use]
pub(crate) fn peak_rss_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")).and_then(|kib| kib.trim().parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}
