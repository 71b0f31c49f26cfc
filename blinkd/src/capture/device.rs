//! The device behind a source, and notices of who opens it.
//!
//! Listing the holders of a device ([`blink_vision::native::holders`]) takes some milliseconds, so inotify tells when
//! it is worth doing while we hold the camera.

use std::path::{Path, PathBuf};

use blink_vision::SourceSpec;

/// The device file behind a source; `None` where there is none or it is unknown.
#[must_use]
pub(crate) fn from_source(source: &SourceSpec) -> Option<PathBuf> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    match source {
        SourceSpec::Camera(number) => Some(format!("/dev/video{number}").into()),
        SourceSpec::Gst(pipeline) if pipeline.trim_start().starts_with("v4l2src") => {
            let first = pipeline.split('!').next().unwrap_or_default();
            let device = first.split_whitespace().find_map(|word| word.strip_prefix("device="));
            Some(device.unwrap_or("/dev/video0").trim_matches('"').into())
        }
        _ => None,
    }
}

/// Tells whether any process, ours included, has opened a device since the last question.
#[derive(Debug, Default)]
pub(crate) struct Openings {
    #[cfg(target_os = "linux")]
    watch: Option<rustix::fd::OwnedFd>,
}

#[cfg(target_os = "linux")]
impl Openings {
    /// Watches `device`. Without a device, or where the system refuses the watch, no opening is ever seen.
    #[must_use]
    pub(crate) fn watch(device: Option<&Path>) -> Self {
        use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};
        let watch = device.and_then(|device| {
            let watch = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).ok()?;
            add_watch(&watch, device, WatchFlags::OPEN).ok()?;
            Some(watch)
        });
        Self { watch }
    }

    #[must_use]
    pub(crate) fn seen(&self) -> bool {
        let Some(watch) = &self.watch else { return false };
        let mut buffer = [0u8; 1024];
        let mut seen = false;
        // Events of a single watched file carry no name, so each fits the buffer whole; only their arrival matters.
        while rustix::io::read(watch, &mut buffer).is_ok_and(|n| n > 0) {
            seen = true;
        }
        seen
    }

    #[cfg(test)]
    fn watches(&self) -> bool {
        self.watch.is_some()
    }
}

#[cfg(not(target_os = "linux"))]
impl Openings {
    /// This system offers no such watch.
    #[must_use]
    pub(crate) fn watch(_device: Option<&Path>) -> Self {
        Self {}
    }

    #[must_use]
    pub(crate) fn seen(&self) -> bool {
        false
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;

    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("camera:2", Some("/dev/video2"))]
    #[case("gst:v4l2src device=/dev/video4 ! videoconvert", Some("/dev/video4"))]
    #[case("gst:v4l2src ! videoconvert", Some("/dev/video0"))]
    #[case("gst:videotestsrc ! videoconvert", None)]
    #[case("synthetic", None)]
    #[case("file:/dev/video0", None)]
    fn a_device_is_told_from_the_source(#[case] source: &str, #[case] device: Option<&str>) {
        assert_eq!(from_source(&source.parse().unwrap()), device.map(PathBuf::from));
    }

    #[test]
    fn an_opening_is_noticed_once() {
        let folder = tempfile::tempdir().unwrap();
        let device = folder.path().join("video0");
        assert!(!Openings::watch(Some(&device)).watches());
        fs::write(&device, "").unwrap();
        let openings = Openings::watch(Some(&device));
        assert!(openings.watches() && !openings.seen());
        drop(fs::File::open(&device).unwrap());
        assert!(openings.seen());
        assert!(!openings.seen());
    }
}
