//! `blinkctl letter`: one week of one's own in words and figures, made on this machine.

use std::path::{Path, PathBuf};

use blink_figures::{Letter, Week, page};
use jiff::Zoned;
use serde_json::json;

use crate::{
    complete,
    context::Context,
    exit::Failure,
    output::{self, Tone, columns, wrapped},
    own::OwnHistory,
    target::Target,
    when::Which,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  blinkctl letter
  blinkctl letter --week 2026-W10 -o letter.html
  blinkctl letter --week this --json | jq .comparison

A week is compared with the four weeks before it, and only in what is comparable: the same hours of the day, the same
camera. Where that says nothing for sure, the letter says so.")]
pub(crate) struct Args {
    /// Which week: 2026-W10, last or this; the last whole one where absent
    #[arg(long, value_name = "WEEK", value_parser = Which::parse, add = complete::weeks())]
    week: Option<Which>,

    /// Write it to a file instead: a page if it ends in .html, Markdown if it ends in .md
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// How the letter is written to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Html,
    Markdown,
}

impl Format {
    fn of(path: &Path) -> Result<Self, Failure> {
        let extension = path.extension().map(|extension| extension.to_ascii_lowercase());
        match extension.as_deref().and_then(|extension| extension.to_str()) {
            Some("html" | "htm") => Ok(Self::Html),
            Some("md" | "markdown") => Ok(Self::Markdown),
            _ => Err(Failure::usage(
                "bad_format",
                format!("{} ends neither in .html nor in .md", path.display()),
                "Name a file that ends in .html or .md.",
            )),
        }
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    let format = args.output.as_deref().map(Format::of).transpose()?;
    let now = Zoned::now();
    let week = args.week.unwrap_or(Which::Last).named(now.date())?;
    let mut history = OwnHistory::open(&context.paths);
    let mut letter = Letter::new(&history.hours(Letter::span(week), &now)?, history.setups(), week);
    // In somebody's first week the last whole one is empty, and this one is what there is to tell.
    if args.week.is_none() && letter.total.observed_ms == 0 {
        let this = Week::of(now.date());
        let running = Letter::new(&history.hours(Letter::span(this), &now)?, history.setups(), this);
        if running.total.observed_ms > 0 {
            letter = running;
        }
    }
    let Some((path, format)) = args.output.as_ref().zip(format) else {
        let text = page::text(&letter);
        let text = columns().filter(|_| output::stdout_is_terminal()).map_or(text.clone(), |wide| wrapped(&text, wide));
        return context.output.result(&letter, |_| text);
    };
    let text = match format {
        Format::Html => page::html(&letter),
        Format::Markdown => page::markdown(&letter),
    };
    Target::beside(path, true)?.put_bytes(text.as_bytes())?;
    context.output.result(&json!({ "file": output::path_text(path), "week": letter.week }), |paint| {
        format!("{} of {} to {}.\n", paint.with(Tone::Good, "Wrote the letter"), letter.week, path.display())
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("a.html", Some(Format::Html))]
    #[case("a.b.MD", Some(Format::Markdown))]
    #[case("letter", None)]
    #[case("letter.pdf", None)]
    fn the_name_says_how_it_is_written(#[case] path: &str, #[case] format: Option<Format>) {
        assert_eq!(Format::of(Path::new(path)).ok(), format);
    }
}
