//! Who else has the camera open, as far as the system tells this user.
//!
//! `/proc` names a process's open files to its own user. Looking through all of it costs some milliseconds, so while we
//! hold the camera inotify says when it is worth a look.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use blink_vision::SourceSpec;

/// The device file behind a source; `None` where there is none, or none that can be told.
#[must_use]
pub fn of_source(source: &SourceSpec) -> Option<PathBuf> {
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

/// Other programs that have a device open.
#[derive(Debug, Default)]
pub struct Holders(BTreeMap<u32, PathBuf>);

impl Holders {
    /// The programs that have `device` open now, ours left out.
    #[must_use]
    pub fn of(device: &Path) -> Self {
        // A link such as /dev/v4l/by-id is open under the name it leads to.
        let device = fs::canonicalize(device).unwrap_or_else(|_| device.to_owned());
        let own = std::process::id();
        let holds = |process: &Path| {
            let files = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
            files.into_iter().any(|file| fs::read_link(file.path()).is_ok_and(|target| target == device))
        };
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = processes.filter_map(|process| {
            let pid = process.file_name().to_str()?.parse().ok()?;
            let path = process.path();
            (pid != own && holds(&path)).then_some((pid, path))
        });
        Self(pids.collect())
    }

    /// Their process ids.
    pub fn pids(&self) -> impl Iterator<Item = u32> {
        self.0.keys().copied()
    }

    /// The name of one of them; `None` when it is gone.
    #[must_use]
    pub fn name(&self, pid: u32) -> Option<String> {
        let name = fs::read_to_string(self.0.get(&pid)?.join("comm")).ok()?;
        Some(name.trim().to_owned())
    }
}

/// Tells whether a device was opened by anybody, us included, since it was last asked.
#[derive(Debug, Default)]
pub struct Openings {
    #[cfg(target_os = "linux")]
    watch: Option<rustix::fd::OwnedFd>,
}

#[cfg(target_os = "linux")]
impl Openings {
    /// Watches `device`. Without one, or where the system does not let us, nothing is ever seen.
    #[must_use]
    pub fn of(device: Option<&Path>) -> Self {
        use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};
        let watch = device.and_then(|device| {
            let watch = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).ok()?;
            add_watch(&watch, device, WatchFlags::OPEN).ok()?;
            Some(watch)
        });
        Self { watch }
    }

    /// Whether it was opened since the last call.
    #[must_use]
    pub fn seen(&self) -> bool {
        let Some(watch) = &self.watch else { return false };
        let mut buffer = [0u8; 1024];
        let mut seen = false;
        // Events for one file carry no name, so each is whole in the buffer; what they say does not matter.
        while rustix::io::read(watch, &mut buffer).is_ok_and(|n| n > 0) {
            seen = true;
        }
        seen
    }

    /// Whether anything is watched.
    #[must_use]
    pub fn watches(&self) -> bool {
        self.watch.is_some()
    }
}

#[cfg(not(target_os = "linux"))]
impl Openings {
    /// Nothing is watched on this system.
    #[must_use]
    pub fn of(_device: Option<&Path>) -> Self {
        Self {}
    }

    /// Nothing is seen.
    #[must_use]
    pub fn seen(&self) -> bool {
        false
    }

    /// Nothing is watched.
    #[must_use]
    pub fn watches(&self) -> bool {
        false
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
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
        assert_eq!(of_source(&source.parse().unwrap()), device.map(PathBuf::from));
    }

    #[test]
    fn other_programs_are_named_and_ours_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let device = folder.path().join("video0");
        fs::write(&device, "").unwrap();
        let link = folder.path().join("by-id");
        std::os::unix::fs::symlink(&device, &link).unwrap();
        let ours = fs::File::open(&device).unwrap();
        assert_eq!(Holders::of(&device).pids().count(), 0);
        let mut other = std::process::Command::new("sleep").arg("60").stdin(ours.try_clone().unwrap()).spawn().unwrap();
        let holders = Holders::of(&link);
        assert_eq!(holders.pids().collect::<Vec<_>>(), [other.id()]);
        assert_eq!(holders.name(other.id()).unwrap(), "sleep");
        other.kill().unwrap();
        other.wait().unwrap();
        assert_eq!(Holders::of(&device).pids().count(), 0);
        assert_eq!(holders.name(other.id()), None);
    }

    #[test]
    fn an_opening_is_noticed_once() {
        let folder = tempfile::tempdir().unwrap();
        let device = folder.path().join("video0");
        assert!(!Openings::of(Some(&device)).watches());
        fs::write(&device, "").unwrap();
        let openings = Openings::of(Some(&device));
        assert!(openings.watches() && !openings.seen());
        drop(fs::File::open(&device).unwrap());
        assert!(openings.seen());
        assert!(!openings.seen());
    }
}
