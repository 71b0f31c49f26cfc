//! Checks of the machine: the daemon, its folders and disk, the models, the camera.

use std::{fs, io, path::Path};

use blink_profile::Paths;
use blink_proto::{
    doctor::{Check, Level},
    status::State,
};
use blink_vision::{
    SourceSpec,
    models::LANDMARKS_68,
    native::camera::{self, Camera, CameraState},
};

use super::{Asked, of_problem};
use crate::{config::Config, models};

/// With less free space than the first value, writing fails today; below the second a warning is given.
const FULL_BYTES: u64 = 1 << 20;
const NEARLY_FULL_BYTES: u64 = 100 << 20;
/// Below this frame rate nothing is observed.
const ENOUGH_FPS: f64 = 14.5;

pub(super) fn daemon(asked: &Asked) -> Check {
    match (asked.daemon, &asked.elsewhere) {
        (Some(pid), Some(fix)) => {
            let message = format!("blinkd is running (process {pid}), but not at the socket that is tried from here.");
            Check::found("daemon", Level::Problem, message, fix.clone())
        }
        (Some(pid), None) => Check::ok("daemon", format!("blinkd is running (process {pid}).")),
        (None, _) => Check::found("daemon", Level::Problem, "blinkd is not running.", "Start it with `blinkd run`."),
    }
}

pub(super) fn config(asked: &Asked) -> Check {
    match &asked.config {
        Ok(_) => Check::ok("config", "The settings are sound."),
        Err(problem) => of_problem("config", Level::Problem, problem),
    }
}

pub(super) fn data_folder(paths: &Paths) -> Check {
    match writable(&paths.data) {
        Ok(()) => Check::ok("data_folder", "The data folder can be written."),
        Err(error) => {
            let message = format!("The data folder {} cannot be written: {error}.", paths.data.display());
            let fix = format!("Make {} yours and writable; minutes cannot be saved until then.", paths.data.display());
            Check::found("data_folder", Level::Problem, message, fix)
        }
    }
}

/// Whether files can be made in the folder, or the folder itself where it does not exist yet.
fn writable(folder: &Path) -> io::Result<()> {
    let nearest = folder.ancestors().find(|path| path.exists()).unwrap_or(folder);
    if !fs::metadata(nearest)?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    if nearest == folder { tempfile::tempfile_in(folder).map(drop) } else { may_write(nearest) }
}

#[cfg(unix)]
fn may_write(folder: &Path) -> io::Result<()> {
    Ok(rustix::fs::access(folder, rustix::fs::Access::WRITE_OK)?)
}

#[cfg(not(unix))]
fn may_write(_folder: &Path) -> io::Result<()> {
    Ok(())
}

pub(super) fn disk(paths: &Paths) -> Check {
    let nearest = paths.data.ancestors().find(|path| path.exists()).unwrap_or(&paths.data);
    room(free_bytes(nearest))
}

#[cfg(unix)]
fn free_bytes(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(not(unix))]
fn free_bytes(_folder: &Path) -> Option<u64> {
    None
}

pub(super) fn room(free_bytes: Option<u64>) -> Check {
    let fix = "Free some disk space; what was counted meanwhile is saved as soon as there is room.";
    match free_bytes {
        Some(free) if free < FULL_BYTES => {
            Check::found("disk", Level::Problem, "The disk of the data folder is full.", fix)
        }
        Some(free) if free < NEARLY_FULL_BYTES => {
            let message = format!("The disk of the data folder is nearly full: {} MB are free.", free >> 20);
            Check::found("disk", Level::Warning, message, fix)
        }
        Some(_) => Check::ok("disk", "There is room on the disk."),
        None => Check::ok("disk", "How much room the disk has cannot be told here."),
    }
}

pub(super) fn models() -> Check {
    match LANDMARKS_68.find(&models::folders()) {
        Ok(_) => Check::ok("model", "The landmark model is there and whole."),
        Err(error) => Check::found(
            "model",
            Level::Problem,
            format!("Nothing can be seen: {error}."),
            error.fix(models::FETCH_COMMAND),
        ),
    }
}

pub(super) fn source(asked: &Asked, config: &Config) -> Check {
    match &config.source {
        SourceSpec::Camera(number) => the_camera(*number, &camera::list(), asked.daemon),
        SourceSpec::File { path, .. } if !path.is_file() => {
            let fix = "Name a file that is there with `blinkctl config set camera.source`.";
            Check::found("camera", Level::Problem, format!("The file {} is not there.", path.display()), fix)
        }
        SourceSpec::File { .. } => Check::ok("camera", "Frames come from a file."),
        SourceSpec::Gst(_) => Check::ok("camera", "Frames come from a GStreamer pipeline."),
        // The address is not shown, because it may hold a password.
        SourceSpec::Rtsp(_) => Check::ok("camera", "Frames come from a network camera."),
        SourceSpec::Synthetic(_) => {
            let fix = "Choose a camera with `blinkctl config set camera.source camera:0`.";
            Check::found("camera", Level::Warning, "Frames come from the synthetic face: nobody is observed.", fix)
        }
    }
}

pub(super) fn the_camera(number: u32, cameras: &[Camera], daemon: Option<u32>) -> Check {
    let Some(camera) = cameras.iter().find(|camera| camera.number == number) else {
        let (message, fix) = match cameras.first() {
            None => ("No camera was found.".to_owned(), "Plug one in, and see `blinkd cameras`.".to_owned()),
            Some(other) => (
                format!("There is no camera {number}."),
                format!("Use another: `blinkctl config set camera.source camera:{}`.", other.number),
            ),
        };
        return Check::found("camera", Level::Problem, message, fix);
    };
    match (camera.state, &camera.used_by) {
        (CameraState::NoPermission, _) => {
            let message = format!("This user may not open {}.", camera.path.display());
            let fix = "Add this user to the group `video` (`sudo usermod -aG video \"$USER\"`) and sign in anew.";
            Check::found("camera", Level::Problem, message, fix)
        }
        (CameraState::Busy, Some(holder)) if Some(holder.pid) != daemon => {
            let message = format!("The camera {} is held by {holder}.", camera.name);
            Check::found("camera", Level::Problem, message, "Close that program; the camera is then taken by itself.")
        }
        (CameraState::Busy, None) => {
            let message = format!("The camera {} is held by another program.", camera.name);
            Check::found("camera", Level::Problem, message, "Close that program; the camera is then taken by itself.")
        }
        _ => Check::ok("camera", format!("The camera {} can be used.", camera.name)),
    }
}

/// Only the running daemon sees frames, so without one there is no check.
pub(super) fn frame_rate(asked: &Asked) -> Option<Check> {
    let status = asked.status.as_ref().filter(|status| matches!(status.state, State::Tracking | State::NoFace))?;
    if status.fps <= 0.0 {
        return None;
    }
    if status.fps >= ENOUGH_FPS {
        return Some(Check::ok("frame_rate", format!("{:.0} frames a second come.", status.fps)));
    }
    let message = format!("Only {:.1} frames a second come: under 15 nothing can be observed.", status.fps);
    let fix = "Turn on more light (cameras slow down in the dark), close what keeps the machine busy, or use another \
               camera.";
    Some(Check::found("frame_rate", Level::Problem, message, fix))
}
