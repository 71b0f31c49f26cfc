//! `blinkd cameras`: which cameras there are, and whether they can be used.

use std::io::{self, Write};

use blink_vision::native::camera::{self, CameraState};

use crate::exit::Failure;

/// What `blinkd cameras` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  blinkd cameras\n  blinkd cameras --json")]
pub struct Args {
    /// Print one JSON array
    #[arg(long)]
    pub json: bool,
}

/// Runs the command. It opens no camera.
///
/// # Errors
/// None: no camera is an empty list.
pub fn run(args: &Args) -> Result<(), Failure> {
    let cameras = camera::list();
    let mut out = io::stdout().lock();
    // With standard output closed there is nobody left to tell.
    if args.json {
        let _ = writeln!(out, "{}", serde_json::to_string(&cameras).unwrap_or_default());
    } else if cameras.is_empty() {
        let _ =
            writeln!(out, "No camera was found. Plug one in; without one, `--source synthetic` shows how it works.");
    } else {
        for camera in cameras {
            let state = match (camera.state, camera.used_by) {
                (CameraState::Free, _) => "free".to_owned(),
                (CameraState::Busy, Some(program)) => format!("in use by {program}"),
                (CameraState::Busy, None) => "in use".to_owned(),
                (CameraState::NoPermission, _) => "no permission: add this user to the group `video`".to_owned(),
            };
            let _ = writeln!(out, "camera:{}  {}  {}  {state}", camera.number, camera.name, camera.path.display());
        }
    }
    Ok(())
}
