//! `blinkctl cameras`: lists the cameras. Only the program blinkd knows them; it is run for that.

use std::fmt::Write;

use serde::Deserialize;

use crate::{
    blinkd,
    context::Context,
    exit::Failure,
    output::{Paint, Tone, plain},
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  blinkctl cameras

`blinkctl config set camera.source camera:1` chooses another.")]
pub(crate) struct Args {}

/// A camera as `blinkd cameras --json` lists it; fields that are not shown are left out.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Camera {
    /// The N of `camera:N`.
    pub(crate) number: u32,
    /// The name that its driver gives.
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    path: String,
    /// `free`, `busy` or `no_permission`.
    #[serde(default)]
    state: String,
    /// The name of the program that holds it.
    #[serde(default)]
    used_by: Option<String>,
}

/// The list, alone or in an object.
#[derive(Deserialize)]
#[serde(untagged)]
enum Listed {
    Array(Vec<Camera>),
    Object { cameras: Vec<Camera> },
}

pub(crate) async fn list() -> Result<Vec<Camera>, Failure> {
    Ok(match blinkd::read(&["cameras"]).await? {
        Listed::Array(cameras) | Listed::Object { cameras } => cameras,
    })
}

pub(crate) async fn run(_: &Args, context: &Context) -> Result<(), Failure> {
    if context.output.is_json() {
        return context.output.line(&blinkd::json(&["cameras"]).await?);
    }
    context.output.text(&page(&list().await?, context.output.paint()))
}

fn page(cameras: &[Camera], paint: Paint) -> String {
    if cameras.is_empty() {
        return "No camera was found. Plug one in; blinkd takes it by itself.\n".to_owned();
    }
    let width = cameras.iter().map(|camera| plain(&camera.name).chars().count()).max().unwrap_or_default();
    let mut page = String::new();
    for camera in cameras {
        let number = paint.with(Tone::Strong, &format!("camera:{}", camera.number));
        let path = paint.with(Tone::Faint, &plain(&camera.path));
        let _ = writeln!(page, "{number}  {:<width$}  {path}  {}", plain(&camera.name), camera.standing(paint));
    }
    page
}

impl Camera {
    /// Says whether it can be used.
    pub(crate) fn standing(&self, paint: Paint) -> String {
        match (self.state.as_str(), &self.used_by) {
            ("free", _) => paint.with(Tone::Good, "free"),
            ("busy", Some(program)) => paint.with(Tone::Calm, &format!("in use by {}", plain(program))),
            ("busy", None) => paint.with(Tone::Calm, "in use"),
            ("no_permission", _) => {
                format!("{}: add yourself to the group `video`", paint.with(Tone::Bad, "no permission"))
            }
            (other, _) => plain(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_the_list_are_read() {
        let camera = r#"{"number":2,"name":"Cam","path":"/dev/video2","state":"busy","used_by":"zoom","new":1}"#;
        for text in [format!("[{camera}]"), format!("{{\"cameras\":[{camera}]}}")] {
            let (Listed::Array(cameras) | Listed::Object { cameras }) = serde_json::from_str(&text).unwrap();
            let page = page(&cameras, Paint { colour: false });
            assert_eq!(page, "camera:2  Cam  /dev/video2  in use by zoom\n");
        }
    }
}
