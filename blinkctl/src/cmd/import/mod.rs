//! `blinkctl import`: reads a JSON export back into this machine's history.

mod read;

use std::path::PathBuf;

use blink_proto::{
    Minute,
    ipc::{ImportRejection, Imported, MAX_IMPORT_MINUTES, Reply, Request},
};
use serde::Serialize;

use crate::{
    client::{Client, SERVER_LIMIT, wrong_reply},
    context::Context,
    exit::Failure,
    output::{Paint, Tone, counted},
    progress::Progress,
};

/// The most rejections that a message names one by one.
const NAMED: usize = 3;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  blinkctl import minutes.json
  blinkctl export | ssh other blinkctl import -

What is there already is left as it is. A file with a mistake in it is not imported at all.")]
pub(crate) struct Args {
    /// An export in the format json or ndjson; - reads stdin
    file: PathBuf,

    /// Also send what belongs to the account that is signed in
    #[arg(long)]
    upload: bool,
}

#[derive(Debug, Default, PartialEq, Serialize)]
struct Sums {
    minutes: u64,
    imported: u64,
    duplicates: u64,
    queued: u64,
    #[serde(skip)]
    rejected: Vec<ImportRejection>,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    // The daemon is looked for first, before a long file is read in vain.
    drop(Client::connect(&context.paths).await?);
    let minutes = read::minutes(&args.file)?;
    let mut client = Client::connect(&context.paths).await?;
    let mut sums = Sums { minutes: minutes.len() as u64, ..Sums::default() };
    let progress = Progress::up_to(sums.minutes, "Imported", context.output);
    let mut taken = 0;
    for part in minutes.chunks(MAX_IMPORT_MINUTES) {
        let imported = call(&mut client, part, args.upload).await.map_err(|failure| broken_off(failure, &sums))?;
        sums.add(imported, taken);
        taken += part.len() as u64;
        progress.set(taken);
    }
    drop(progress);
    if sums.rejected.is_empty() {
        return context.output.result(&sums, |paint| sums.text(paint));
    }
    Err(sums.rejection())
}

async fn call(client: &mut Client, minutes: &[Minute], upload: bool) -> Result<Imported, Failure> {
    match client.call(Request::Import { minutes: minutes.to_vec(), upload }, SERVER_LIMIT).await? {
        Reply::Imported(imported) => Ok(imported),
        _ => Err(wrong_reply()),
    }
}

/// What was imported before a failed call stays; importing the file again adds the rest.
fn broken_off(mut failure: Failure, sums: &Sums) -> Failure {
    if sums.imported + sums.duplicates > 0 {
        let before = format!("{} of {} minutes are imported; then it broke off", done(sums), sums.minutes);
        failure.problem.message = format!("{before}: {}", failure.problem.message);
        failure.problem.fix += " Importing the same file again adds what is missing.";
    }
    failure
}

fn done(sums: &Sums) -> u64 {
    sums.imported + sums.duplicates
}

impl Sums {
    fn add(&mut self, imported: Imported, before: u64) {
        self.imported += imported.imported;
        self.duplicates += imported.duplicates;
        self.queued += imported.queued;
        self.rejected.extend(imported.rejected.into_iter().map(|r| ImportRejection { index: before + r.index, ..r }));
    }

    fn text(&self, paint: Paint) -> String {
        if self.minutes == 0 {
            return "The file holds no minutes.\n".to_owned();
        }
        let mut text = paint.with(Tone::Good, &format!("Imported {}.", counted(self.imported, "minute")));
        match self.duplicates {
            0 => {}
            1 => text += " 1 was there already.",
            n => text += &format!(" {n} were there already."),
        }
        match self.queued {
            0 => {}
            1 => text += " 1 waits to be sent.",
            n => text += &format!(" {n} wait to be sent."),
        }
        text + "\n"
    }

    /// The failure that reports minutes which were not imported.
    fn rejection(&self) -> Failure {
        let refused = self.rejected.len();
        let named = self.rejected.iter().take(NAMED).map(|r| format!("index {} ({}: {})", r.index, r.code, r.detail));
        let mut named = named.collect::<Vec<_>>().join(", ");
        if refused > NAMED {
            named += &format!(" and {} more", refused - NAMED);
        }
        let verb = if refused == 1 { "was" } else { "were" };
        let message = format!(
            "{} of {} minutes are imported, {} were there already, {refused} {verb} not taken: {named}",
            self.imported, self.minutes, self.duplicates
        );
        Failure::failed("rejected", message, "Mend or remove those records; the others are safe.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejection(index: u64) -> ImportRejection {
        ImportRejection { index, code: "too_old".into(), detail: "older than 90 days".into() }
    }

    #[test]
    fn indices_count_through_all_calls() {
        let mut sums = Sums { minutes: 1_500, ..Sums::default() };
        sums.add(Imported { imported: 999, rejected: vec![rejection(7)], ..Imported::default() }, 0);
        sums.add(Imported { imported: 498, rejected: vec![rejection(0), rejection(2)], ..Imported::default() }, 1_000);
        let indices: Vec<_> = sums.rejected.iter().map(|r| r.index).collect();
        assert_eq!(indices, [7, 1_000, 1_002]);
        insta::assert_snapshot!(sums.rejection().problem.to_string());
    }

    #[test]
    fn many_rejections_are_summed_up() {
        let sums = Sums { minutes: 9, rejected: (0..9).map(rejection).collect(), ..Sums::default() };
        assert!(sums.rejection().problem.message.ends_with(" and 6 more"));
    }

    #[test]
    fn what_was_done_before_a_failure_is_told() {
        let sums = Sums { minutes: 3_000, imported: 1_990, duplicates: 10, ..Sums::default() };
        let failure = broken_off(Failure::failed("disk_full", "The disk is full", "Make room."), &sums);
        insta::assert_snapshot!(failure.problem.to_string());
        let first = broken_off(Failure::failed("disk_full", "The disk is full", "Make room."), &Sums::default());
        assert_eq!(first.problem.message, "The disk is full");
    }
}
