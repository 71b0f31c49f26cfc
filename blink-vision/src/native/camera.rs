//! The system's cameras as Linux reports them; on other systems only OpenCV's numbers exist.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{Holder, SourceError, holder::holders};

/// A camera.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Camera {
    /// The N of `camera:N`.
    pub number: u32,
    /// The name that its driver gives.
    pub name: String,
    /// Its device file.
    pub path: PathBuf,
    /// Whether it can be used.
    pub state: CameraState,
    /// The program that holds it, where the system tells.
    pub used_by: Option<Holder>,
}

/// Whether a camera can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CameraState {
    /// It can be opened.
    Free,
    /// Another program holds it.
    Busy,
    /// This user may not open it.
    NoPermission,
}

fn device(number: u32) -> PathBuf {
    PathBuf::from(format!("/dev/video{number}"))
}

/// The video capture devices by number, without devices that only carry metadata.
#[must_use]
pub fn list() -> Vec<Camera> {
    let entries = fs::read_dir("/sys/class/video4linux").into_iter().flatten().flatten();
    let mut cameras: Vec<Camera> = entries
        .filter_map(|entry| {
            let number = entry.file_name().to_str()?.strip_prefix("video")?.parse().ok()?;
            // A camera's further nodes (index 1 and up) carry metadata.
            let index = fs::read_to_string(entry.path().join("index")).unwrap_or_default();
            let name = fs::read_to_string(entry.path().join("name")).unwrap_or_default().trim().to_owned();
            (index.trim().is_empty() || index.trim() == "0").then(|| describe(number, name))
        })
        .collect();
    cameras.sort_by_key(|camera| camera.number);
    cameras
}

/// The name of the camera at `device`, such as `/dev/video0`, as the system has it.
#[must_use]
pub fn name_of(device: &Path) -> Option<String> {
    let node = Path::new("/sys/class/video4linux").join(device.file_name()?);
    fs::read_to_string(node.join("name")).ok().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty())
}

fn describe(number: u32, name: String) -> Camera {
    let path = device(number);
    let used_by = holders(&path).into_iter().next();
    let state = state_of(&path, used_by.is_some());
    Camera { number, name, path, state, used_by }
}

/// Whether the camera can be used, told without opening it: that is done with the person's consent only.
fn state_of(path: &Path, is_held: bool) -> CameraState {
    if !is_permitted(path) {
        return CameraState::NoPermission;
    }
    if is_held { CameraState::Busy } else { CameraState::Free }
}

#[cfg(unix)]
fn is_permitted(path: &Path) -> bool {
    use rustix::fs::{Access, access};
    access(path, Access::READ_OK | Access::WRITE_OK) != Err(rustix::io::Errno::ACCESS)
}

/// There are no files of cameras; the system asks the person once a camera is opened.
#[cfg(not(unix))]
fn is_permitted(_: &Path) -> bool {
    true
}

/// Fails when there is no such camera, or this user may not open it.
pub(super) fn check(number: u32) -> Result<(), SourceError> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let path = device(number);
    if !path.exists() {
        return Err(SourceError::NoCamera(format!("there is no camera {number}")));
    }
    match fs::File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Err(SourceError::NoCamera(format!("this user may not open camera {number}; add them to the group `video`")))
        }
        Err(error) if error.raw_os_error() == Some(16) => Err(busy(number)),
        _ => Ok(()),
    }
}

/// Why an existing camera cannot be used.
pub(super) fn why_unusable(number: u32) -> SourceError {
    match holders(&device(number)).first() {
        Some(holder) => SourceError::Busy(holder.to_string()),
        None => SourceError::Failed(format!("camera {number} is there but gives no pictures")),
    }
}

fn busy(number: u32) -> SourceError {
    let holders = holders(&device(number));
    SourceError::Busy(holders.first().map_or_else(|| "another program".to_owned(), Holder::to_string))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn what_a_camera_is_like_is_told_without_opening_it() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("video0");
        assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        // To open a FIFO would wait for somebody at its other end.
        assert_eq!([false, true].map(|held| state_of(&fifo, held)), [CameraState::Free, CameraState::Busy]);
    }
}
