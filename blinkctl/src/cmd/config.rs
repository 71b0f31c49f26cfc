//! `blinkctl config`: blinkd's settings. The program blinkd reads and writes the file; a running daemon is told to
//! reload.

use std::fmt::Write;

use blink_proto::ipc::{Reply, Request};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    blinkd,
    client::{Client, LOCAL_LIMIT, wrong_reply},
    complete,
    context::Context,
    exit::Failure,
    output::{Paint, Tone, plain},
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  blinkctl config show
  blinkctl config set camera.source camera:1")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show where the settings file is
    #[command(after_help = "Example:
  \"$EDITOR\" \"$(blinkctl config path)\"")]
    Path,
    /// Show every setting, its value and where that comes from
    #[command(after_help = "Example:
  blinkctl config show")]
    Show,
    /// Show one setting
    #[command(after_help = "Example:
  blinkctl config get upload.server")]
    Get {
        /// Its name, such as camera.source
        #[arg(add = complete::settings())]
        key: String,
    },
    /// Change one setting in the file; a running blinkd takes it at once where it can
    #[command(after_help = "Examples:
  blinkctl config set camera.source camera:1
  blinkctl config set history.retention_days 365")]
    Set {
        /// Its name, such as camera.source
        #[arg(add = complete::settings())]
        key: String,
        /// The new value
        #[arg(allow_hyphen_values = true, add = complete::values())]
        value: String,
    },
}

#[derive(Deserialize)]
struct Path {
    path: String,
}

#[derive(Deserialize)]
struct Show {
    path: String,
    keys: Vec<Shown>,
}

#[derive(Deserialize)]
struct Shown {
    key: String,
    value: Value,
    source: String,
}

#[derive(Serialize, Deserialize)]
struct Pair {
    key: String,
    value: Value,
}

#[derive(Serialize)]
pub(crate) struct Changed {
    key: String,
    value: Value,
    /// Whether a daemon is running, which was told to reload.
    running: bool,
    /// Keys that take effect only when the daemon restarts.
    pub(crate) restart_needed: Vec<String>,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    let output = context.output;
    match &args.action {
        Action::Path => {
            let text = blinkd::json(&["config", "path"]).await?;
            if output.is_json() {
                return output.line(&text);
            }
            output.line(&read::<Path>(&text)?.path)
        }
        Action::Show => {
            let text = blinkd::json(&["config", "show"]).await?;
            if output.is_json() {
                return output.line(&text);
            }
            output.text(&page(&read(&text)?, output.paint()))
        }
        Action::Get { key } => {
            let text = blinkd::json(&["config", "get", "--", key]).await?;
            if output.is_json() {
                return output.line(&text);
            }
            output.line(&bare(&read::<Pair>(&text)?.value))
        }
        Action::Set { key, value } => {
            let changed = set(key, value, context).await?;
            output.result(&changed, |paint| said(&changed, paint))
        }
    }
}

/// All settings by name.
pub(crate) async fn settings() -> Result<Vec<(String, Value)>, Failure> {
    let show: Show = blinkd::read(&["config", "show"]).await?;
    Ok(show.keys.into_iter().map(|shown| (shown.key, shown.value)).collect())
}

/// Writes a setting and has a running daemon reload.
pub(crate) async fn set(key: &str, value: &str, context: &Context) -> Result<Changed, Failure> {
    let Pair { key, value } = blinkd::read(&["config", "set", "--", key, value]).await?;
    let mut changed = Changed { key, value, running: true, restart_needed: Vec::new() };
    let mut client = match Client::connect(&context.paths).await {
        Ok(client) => client,
        // A daemon that listens elsewhere, or does not listen yet, is reported by `unread`.
        Err(error) if error.is_absent() => {
            changed.running = false;
            return Ok(changed);
        }
        Err(error) => return Err(unread(Failure::from(error))),
    };
    match client.call(Request::Reload, LOCAL_LIMIT).await.map_err(unread)? {
        Reply::Done => Ok(changed),
        Reply::RestartNeeded { keys } => {
            changed.restart_needed = keys;
            Ok(changed)
        }
        _ => Err(wrong_reply()),
    }
}

fn unread(mut failure: Failure) -> Failure {
    failure.problem.message =
        format!("The setting is written, but blinkd could not read it: {}", failure.problem.message);
    failure
}

fn said(changed: &Changed, paint: Paint) -> String {
    let mut text = format!("{} = {}", plain(&changed.key), plain(&changed.value.to_string()));
    if !changed.running {
        text += "\nIt takes effect when blinkd starts.";
    } else if !changed.restart_needed.is_empty() {
        let keys = changed.restart_needed.iter().map(|key| plain(key)).collect::<Vec<_>>().join(", ");
        let verb = if changed.restart_needed.len() == 1 { "takes" } else { "take" };
        let head = paint.with(Tone::Calm, &format!("{keys} {verb} effect when blinkd starts again"));
        text += &format!("\n{head}: `blinkctl quit`, then `blinkd run`.");
    } else {
        text += "\nblinkd uses it now.";
    }
    text + "\n"
}

fn page(show: &Show, paint: Paint) -> String {
    let lines: Vec<_> =
        show.keys.iter().map(|k| format!("{} = {}", plain(&k.key), plain(&k.value.to_string()))).collect();
    let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or_default();
    let mut page = format!("{}\n\n", paint.with(Tone::Faint, &plain(&show.path)));
    for (line, key) in lines.iter().zip(&show.keys) {
        let _ = writeln!(page, "{line:<width$}  {}", paint.with(Tone::Faint, &plain(&key.source)));
    }
    page
}

/// A value for scripts: text without quotation marks.
fn bare(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), plain)
}

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|_| {
        let message = "`blinkd config` printed something this blinkctl does not understand";
        Failure::failed("protocol", message, "Install blinkd and blinkctl of the same version.")
    })
}
