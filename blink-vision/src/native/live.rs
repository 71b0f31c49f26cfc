//! Cameras, GStreamer pipelines and RTSP streams, read by a thread of their own so that callers wait no longer than
//! their time-out.
//!
//! Only the newest frame is kept: a frame that comes while the last one is still being processed replaces it.

use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use opencv::{
    core::{Mat, MatTraitConst, Vector},
    imgproc,
    videoio::{self, VideoCapture, VideoCaptureTrait, VideoCaptureTraitConst},
};

use super::{Frame, SourceError, camera, frame::TIMEOUT};
use crate::SourceSpec;

/// The longest wait for the device to be closed when a source is dropped.
const CLOSES_WITHIN: Duration = Duration::from_millis(700);

#[derive(Debug, Default)]
struct Shared {
    newest: Mutex<Newest>,
    came: Condvar,
    stop: AtomicBool,
}

#[derive(Debug, Default)]
struct Newest {
    frame: Option<(Duration, Mat)>,
    /// A buffer for reuse, so that no image is allocated per frame.
    spare: Mat,
    ended: Option<SourceError>,
    /// Whether the thread has closed the device.
    closed: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Newest> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A source that a thread reads. When it is dropped, the thread closes the device after its current read, and the drop
/// waits for that for a limited time.
#[derive(Debug)]
pub(super) struct LiveSource {
    shared: Arc<Shared>,
    current: Mat,
    index: u64,
}

impl LiveSource {
    pub(super) fn open(spec: &SourceSpec) -> Result<Self, SourceError> {
        if let SourceSpec::Camera(number) = spec {
            camera::check(*number)?;
        }
        let shared = Arc::new(Shared::default());
        let (for_thread, spec) = (Arc::clone(&shared), spec.clone());
        thread::Builder::new()
            .name("source".to_owned())
            .spawn(move || {
                let ended = read_until_stopped(&spec, &for_thread).err();
                let mut newest = for_thread.lock();
                newest.ended = Some(ended.unwrap_or_else(|| SourceError::Failed("the stream ended".to_owned())));
                newest.closed = true;
                drop(newest);
                for_thread.came.notify_all();
            })
            .map_err(|error| SourceError::Failed(format!("no thread could be started to read it: {error}")))?;
        Ok(Self { shared, current: Mat::default(), index: 0 })
    }

    pub(super) fn read(&mut self) -> Result<Frame<'_>, SourceError> {
        let newest = self.shared.lock();
        let waiting = |newest: &mut Newest| newest.frame.is_none() && newest.ended.is_none();
        let waited = self.shared.came.wait_timeout_while(newest, TIMEOUT, waiting);
        let (mut newest, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if let Some((timestamp, picture)) = newest.frame.take() {
            newest.spare = std::mem::replace(&mut self.current, picture);
            drop(newest);
            let index = self.index;
            self.index += 1;
            return Ok(Frame { index, timestamp, grey: &self.current });
        }
        Err(newest.ended.take().unwrap_or(SourceError::TimedOut))
    }
}

impl Drop for LiveSource {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        // The device must be closed before somebody opens it again. A device that hangs is left to its thread.
        let open = |newest: &mut Newest| !newest.closed;
        drop(self.shared.came.wait_timeout_while(self.shared.lock(), CLOSES_WITHIN, open));
    }
}

fn read_until_stopped(spec: &SourceSpec, shared: &Shared) -> Result<(), SourceError> {
    let mut capture = open_capture(spec)?;
    let opened = Instant::now();
    let mut raw = Mat::default();
    let mut grey = Mat::default();
    while !shared.stop.load(Ordering::Relaxed) {
        if !capture.read(&mut raw)? || raw.empty() {
            return Err(lost(spec));
        }
        let timestamp = opened.elapsed();
        match raw.channels() {
            1 => std::mem::swap(&mut raw, &mut grey),
            _ => imgproc::cvt_color_def(&raw, &mut grey, imgproc::COLOR_BGR2GRAY)?,
        }
        let mut newest = shared.lock();
        let spare = std::mem::take(&mut newest.spare);
        let picture = std::mem::replace(&mut grey, spare);
        if let Some((_, passed_over)) = newest.frame.replace((timestamp, picture)) {
            newest.spare = passed_over;
        }
        drop(newest);
        shared.came.notify_one();
    }
    capture.release()?;
    Ok(())
}

fn open_capture(spec: &SourceSpec) -> Result<VideoCapture, SourceError> {
    #[expect(clippy::cast_possible_truncation, reason = "500")]
    let timeout = TIMEOUT.as_millis() as i32;
    let capture = match spec {
        SourceSpec::Camera(number) => {
            let number = i32::try_from(*number).unwrap_or(i32::MAX);
            VideoCapture::new(number, if cfg!(target_os = "linux") { videoio::CAP_V4L2 } else { videoio::CAP_ANY })
        }
        SourceSpec::Gst(pipeline) => {
            // `videoflip` takes grey, but not every raw format, so it follows the conversion.
            let grey = "videoconvert ! video/x-raw,format=GRAY8";
            // A pipeline that plays a file may state an orientation.
            let upright = "videoflip video-direction=auto";
            let sink = "appsink drop=true max-buffers=2 sync=false";
            VideoCapture::from_file(format!("{pipeline} ! {grey} ! {upright} ! {sink}"), videoio::CAP_GSTREAMER)
        }
        SourceSpec::Rtsp(url) => {
            let open = [videoio::CAP_PROP_OPEN_TIMEOUT_MSEC, timeout];
            let read = [videoio::CAP_PROP_READ_TIMEOUT_MSEC, timeout];
            VideoCapture::from_file_with_params(url, videoio::CAP_FFMPEG, &Vector::from_slice(&[open, read].concat()))
        }
        SourceSpec::File { .. } | SourceSpec::Synthetic(_) => {
            return Err(SourceError::Failed("a file or drawn face is no live source".to_owned()));
        }
    };
    match capture {
        Ok(mut capture) if capture.is_opened()? => {
            // OpenCV 4.6 turns pictures the wrong way, and a camera's stream has no orientation.
            capture.set(videoio::CAP_PROP_ORIENTATION_AUTO, 0.0)?;
            Ok(capture)
        }
        _ => Err(lost(spec)),
    }
}

/// Why a live source could not be opened or read.
fn lost(spec: &SourceSpec) -> SourceError {
    match spec {
        SourceSpec::Camera(number) => camera::check(*number).err().unwrap_or_else(|| camera::why_unusable(*number)),
        SourceSpec::Gst(_) => SourceError::Failed("the GStreamer pipeline does not run or has ended".to_owned()),
        _ => SourceError::Failed("the stream cannot be reached or has ended".to_owned()),
    }
}
