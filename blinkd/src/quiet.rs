//! Keeps the libraries from writing to the person's terminal.

/// Variables that OpenCV, FFmpeg and GStreamer read when they start.
const SILENCE: &[(&str, &str)] = &[
    ("OPENCV_LOG_LEVEL", "SILENT"),
    ("OPENCV_VIDEOIO_DEBUG", "0"),
    ("OPENCV_VIDEOCAPTURE_DEBUG", "0"),
    ("OPENCV_FFMPEG_DEBUG", "0"),
    ("OPENCV_FFMPEG_LOGLEVEL", "-8"),
    ("GST_DEBUG", "0"),
    ("GST_DEBUG_NO_COLOR", "1"),
    ("G_MESSAGES_DEBUG", ""),
    ("LIBV4L2_LOG_FILENAME", "/dev/null"),
    // This is no verbosity: a camera that hangs is given up after one second instead of ten.
    ("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "1"),
];

/// Silences the libraries' output, because every failure is reported once, by us.
///
/// # Safety
///
/// No other thread may run yet: this changes the environment, which other threads may be reading.
#[expect(unsafe_code, reason = "the libraries take these settings from the environment alone")]
pub unsafe fn silence_libraries() {
    for (name, value) in SILENCE {
        // SAFETY: the caller promises that this is the process's only thread.
        unsafe { std::env::set_var(name, value) };
    }
}

/// Keeps panics off the terminal: they are logged with their location, and whoever joins the thread reports them.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panic");
    }));
}
