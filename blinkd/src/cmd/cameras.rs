//! `blinkd cameras`: lists the cameras and whether they can be used.

use blink_vision::native::camera::{self, Camera, CameraState};

use crate::{exit::Failure, stdout};

/// What `blinkd cameras` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  blinkd cameras\n  blinkd cameras --json")]
pub struct Args {
    /// Print one JSON array
    #[arg(long)]
    pub json: bool,
}

/// Prints the list. It opens no camera.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let cameras = camera::list();
    stdout::result(args.json, &cameras, || for_people(&cameras))
}

fn for_people(cameras: &[Camera]) -> String {
    if cameras.is_empty() {
        return "No camera was found. Plug one in; without one, `--source synthetic` shows how it works.".to_owned();
    }
    let line = |camera: &Camera| {
        let state = match (camera.state, &camera.used_by) {
            (CameraState::Free, _) => "free".to_owned(),
            (CameraState::Busy, Some(holder)) => format!("in use by {holder}"),
            (CameraState::Busy, None) => "in use".to_owned(),
            (CameraState::NoPermission, _) => "no permission: add this user to the group `video`".to_owned(),
        };
        format!("camera:{}  {}  {}  {state}", camera.number, camera.name, camera.path.display())
    };
    cameras.iter().map(line).collect::<Vec<_>>().join("\n")
}
