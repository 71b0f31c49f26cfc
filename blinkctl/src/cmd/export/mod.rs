//! `blinkctl export`: writes sealed minutes in the order of time, from this machine's history or from the account.

mod columnar;
mod remote;
mod writer;

use std::{
    io::{self, BufWriter},
    path::PathBuf,
};

use blink_proto::Minute;
use jiff::tz::TimeZone;
use serde::Serialize;

use self::writer::Writer;
use crate::{
    complete,
    context::Context,
    days::{Days, Range},
    exit::Failure,
    output::{Tone, counted, path_text},
    signal,
    target::Target,
    when::{Moment, parse_moment},
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  blinkctl export > minutes.json
  blinkctl export --format csv --from 2026-03-01 --to 2026-04-01 -o march.csv
  blinkctl export --remote --format parquet -o account.parquet

A date is the start of that day on your clock, so the example is the whole of March.
`blinkctl import` takes the formats json and ndjson back, byte for byte.")]
pub(crate) struct Args {
    /// How the minutes are written
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    /// The first moment wanted: a date, or a time such as 2026-03-02T09:00:00Z
    #[arg(long, value_name = "T", value_parser = parse_moment, add = complete::days())]
    from: Option<Moment>,

    /// The first moment not wanted any more
    #[arg(long, value_name = "T", value_parser = parse_moment, add = complete::days())]
    to: Option<Moment>,

    /// What the server holds of your account, instead of this machine's history
    #[arg(long)]
    remote: bool,

    /// Write to this file instead of stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Replace the file if it is there
    #[arg(long, requires = "output")]
    force: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// A header, then a line for each minute (RFC 4180)
    Csv,
    /// One array
    #[default]
    Json,
    /// An object on each line
    Ndjson,
    /// A file for data tools, compressed; needs -o
    Parquet,
}

/// The result of an export to a file.
#[derive(Serialize)]
struct Written {
    file: String,
    minutes: u64,
    /// Lines of the history that are no record.
    skipped: u64,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    let range = args.range(&TimeZone::system())?;
    let file = args.output.as_ref().filter(|path| path.as_os_str() != "-");
    let Some(path) = file else {
        if args.format == Format::Parquet {
            let message = "--format parquet needs a file to write to";
            return Err(Failure::usage("missing_flag", message, "Name it with -o."));
        }
        let stdout = BufWriter::with_capacity(64 << 10, io::stdout());
        let (_, skipped) = args.fill(stdout, range, context).await?;
        tell_skipped(skipped, context);
        return Ok(());
    };
    let target = Target::beside(path, args.force)?;
    let (minutes, skipped) = tokio::select! {
        biased;
        // A signal is handled here, so that the unfinished file is removed.
        () = signal::stop() => return Err(signal::stopped("The export")),
        filled = args.fill(target.writer(), range, context) => filled?,
    };
    target.put()?;
    tell_skipped(skipped, context);
    let written = Written { file: path_text(path), minutes, skipped };
    context.output.result(&written, |paint| {
        let wrote = format!("Wrote {}", counted(minutes, "minute"));
        format!("{} to {}.\n", paint.with(Tone::Good, &wrote), path.display())
    })
}

impl Args {
    fn range(&self, zone: &TimeZone) -> Result<Range, Failure> {
        let at = |moment: Option<Moment>| moment.map(|moment| moment.instant_in(zone)).transpose();
        let past = |why| Failure::usage("usage", why, "Name a time that a clock can show.");
        let range = Range { from: at(self.from).map_err(past)?, to: at(self.to).map_err(past)? };
        if let (Some(from), Some(to)) = (range.from, range.to)
            && from >= to
        {
            let fix = "--to is the first moment not wanted any more, and a date is the start of its day: for one day name the next.";
            return Err(Failure::usage("usage", "There is no time between --from and --to", fix));
        }
        Ok(range)
    }

    /// Writes the minutes; returns how many, and how many lines of the history are no record.
    async fn fill(&self, out: impl io::Write + Send, range: Range, context: &Context) -> Result<(u64, u64), Failure> {
        if self.remote {
            let mut writer = Writer::<blink_proto::http::HistoryItem, _>::new(self.format, out)
                .map_err(|error| unwritten(&error))?;
            let minutes = remote::fill(&mut writer, range, context).await?;
            writer.finish().map_err(|error| unwritten(&error))?;
            return Ok((minutes, 0));
        }
        // The folder is read first, so that a failure is reported before anything is written.
        let mut history = Days::open(&context.paths, range)?;
        let mut writer = Writer::<Minute, _>::new(self.format, out).map_err(|error| unwritten(&error))?;
        let mut minutes = 0;
        for day in history.by_ref() {
            for minute in day? {
                writer.write(minute).map_err(|error| unwritten(&error))?;
                minutes += 1;
            }
            // The task that waits for a signal gets a turn.
            tokio::task::yield_now().await;
        }
        writer.finish().map_err(|error| unwritten(&error))?;
        Ok((minutes, history.skipped()))
    }
}

/// Reports lines that could not be read.
fn tell_skipped(skipped: u64, context: &Context) {
    if skipped == 0 {
        return;
    }
    let were = if skipped == 1 { "was" } else { "were" };
    let message = format!("{} of the history could not be read and {were} left out", counted(skipped, "line"));
    context.output.notice(
        &serde_json::json!({ "warning": { "code": "damaged_lines", "message": message, "lines": skipped } }),
        |paint| format!("{}.\n", paint.with(Tone::Calm, &message)),
    );
}

/// A closed pipe ends the program silently, as for any other result: a reader such as `head` has read all it wanted.
fn unwritten(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe {
        std::process::exit(0);
    }
    Failure::failed("output", format!("The minutes could not be written: {error}"), "Check where the output goes.")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn args(from: Option<&str>, to: Option<&str>) -> Args {
        let moment = |text: Option<&str>| text.map(|text| parse_moment(text).unwrap());
        Args { format: Format::Json, from: moment(from), to: moment(to), remote: false, output: None, force: false }
    }

    #[test]
    fn a_date_is_the_start_of_its_local_day() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let range = args(Some("2026-03-29"), Some("2026-03-30")).range(&berlin).unwrap();
        // The clocks go forward that night, so the day has 23 hours.
        assert_eq!(range.from, Some("2026-03-28T23:00:00Z".parse().unwrap()));
        assert_eq!(range.to, Some("2026-03-29T22:00:00Z".parse().unwrap()));
    }

    #[rstest]
    #[case("2026-03-29", "2026-03-29")]
    #[case("2026-03-29T10:00:00Z", "2026-03-29")]
    fn a_span_of_no_time_is_a_slip(#[case] from: &str, #[case] to: &str) {
        let failure = args(Some(from), Some(to)).range(&TimeZone::UTC).unwrap_err();
        assert_eq!(failure.status as u8, 2);
    }
}
