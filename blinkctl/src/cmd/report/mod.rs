//! `blinkctl report`: charts of the last days, in the terminal, as an image or as a page.
//!
//! - `figures`: the sums, by day and by hour of the week
//! - `text`: charts for the terminal
//! - `scene`, `charts`: charts as shapes, drawn once for both of the next
//! - `png`, `html`: an image, and a self-contained page

mod charts;
mod figures;
mod html;
mod png;
mod scene;
mod text;

use std::path::PathBuf;

use jiff::Zoned;
use serde_json::json;

use self::figures::Figures;
use crate::{
    context::Context,
    days::{Days, Range},
    exit::Failure,
    output::{self, Tone},
    target::Target,
};

/// The width of charts in columns where there is no terminal.
const DEFAULT_COLUMNS: u16 = 80;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  blinkctl report
  blinkctl report --days 30 --html report.html
  blinkctl report --json | jq .total

Every rate is over the time in which your eyes could be observed; coverage beside it says how much of the whole that was.
Where nothing was observed there is a blank, never a zero.")]
pub(crate) struct Args {
    /// How many days, today the last of them
    #[arg(long, value_name = "N", default_value_t = 14, value_parser = clap::value_parser!(u16).range(1..=3650))]
    days: u16,

    /// Draw a picture instead
    #[arg(long, value_name = "FILE", conflicts_with = "html")]
    png: Option<PathBuf>,

    /// Write a page instead, for any browser, phone or printer; it needs no network
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    let now = Zoned::now();
    let mut figures = Figures::empty(&now, args.days).map_err(|error| {
        Failure::failed(
            "clock",
            format!("The days cannot be counted: {error}"),
            "Set the clock and the time zone right.",
        )
    })?;
    let mut history = Days::open(&context.paths, Range { from: Some(figures.start()), to: None })?;
    for day in history.by_ref() {
        for minute in day? {
            figures.add(&minute);
        }
    }
    figures.skipped = history.skipped();
    let machines = history.machines();
    let (path, bytes) = match (&args.png, &args.html) {
        (Some(path), _) => (path, png::draw(&figures)?),
        (None, Some(path)) => (path, html::page(&figures).into_bytes()),
        (None, None) => {
            let terminal = if output::stdout_is_terminal() { output::columns() } else { None };
            let columns = terminal.unwrap_or(DEFAULT_COLUMNS);
            let mut json = figures.json();
            json["machines"] = json!(machines);
            return context.output.result(&json, |paint| text::page(&figures, columns, paint) + &of_machines(machines));
        }
    };
    Target::beside(path, true)?.put_bytes(&bytes)?;
    context.output.result(&json!({ "file": output::path_text(path), "days": args.days }), |paint| {
        format!("{} to {}.\n{}", paint.with(Tone::Good, "Wrote the report"), path.display(), of_machines(machines))
    })
}

/// A line about the machines that counted the figures, if there are several.
fn of_machines(machines: usize) -> String {
    if machines > 1 { format!("The figures are from {machines} machines.\n") } else { String::new() }
}
