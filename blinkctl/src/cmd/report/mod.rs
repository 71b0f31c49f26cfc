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

use blink_figures::{Period, compare};
use jiff::Zoned;
use serde_json::json;

use self::figures::Figures;
use crate::{
    complete,
    context::Context,
    days::Days,
    exit::Failure,
    output::{self, Tone},
    own::OwnHistory,
    target::Target,
    when::Which,
};

/// The width of charts in columns where there is no terminal.
const DEFAULT_COLUMNS: u16 = 80;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  blinkctl report
  blinkctl report --days 30 --html report.html
  blinkctl report --week --compare
  blinkctl report --json | jq .total

Every rate is over the time in which your eyes could be observed; coverage beside it says how much of the whole that was.
Where nothing was observed there is a blank, never a zero.")]
pub(crate) struct Args {
    /// How many days, today the last of them
    #[arg(long, value_name = "N", default_value_t = 14, value_parser = clap::value_parser!(u16).range(1..=3650))]
    days: u16,

    /// A week instead: 2026-W10, last, or this one where none is named
    #[arg(long, value_name = "WEEK", num_args = 0..=1, default_missing_value = "this", value_parser = Which::parse,
        add = complete::weeks(), conflicts_with = "days")]
    week: Option<Which>,

    /// Say whether that is more or less than in as many days before, as far as that can be told
    #[arg(long)]
    compare: bool,

    /// Draw a picture instead
    #[arg(long, value_name = "FILE", conflicts_with = "html")]
    png: Option<PathBuf>,

    /// Write a page instead, for any browser, phone or printer; it needs no network
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    let now = Zoned::now();
    let period = match args.week {
        Some(week) => week.named(now.date())?.period(),
        None => Period::ending(now.date(), args.days.into()),
    };
    let mut figures = Figures::empty(&now, period);
    let mut history = Days::open(&context.paths, figures.range)?;
    for day in history.by_ref() {
        for minute in day? {
            figures.add(&minute);
        }
    }
    figures.skipped = history.skipped();
    figures.this_machine = blink_profile::device::id(&context.paths);
    if args.compare {
        let earlier = period.before(u32::try_from(period.days().count()).unwrap_or(1));
        let mut own = OwnHistory::open(&context.paths);
        let hours = own.hours(Period { first: earlier.first, last: period.last }, &now)?;
        figures.comparison = Some(compare(&hours, own.setups(), period, earlier));
    }
    let (path, bytes) = match (&args.png, &args.html) {
        (Some(path), _) => (path, png::draw(&figures)?),
        (None, Some(path)) => (path, html::page(&figures).into_bytes()),
        (None, None) => {
            let terminal = if output::stdout_is_terminal() { output::columns() } else { None };
            let columns = terminal.unwrap_or(DEFAULT_COLUMNS);
            return context.output.result(&figures.json(), |paint| text::page(&figures, columns, paint));
        }
    };
    Target::beside(path, true)?.put_bytes(&bytes)?;
    let days = period.days().count();
    let written = json!({ "file": output::path_text(path), "days": days });
    context
        .output
        .result(&written, |paint| format!("{} to {}.\n", paint.with(Tone::Good, "Wrote the report"), path.display()))
}
