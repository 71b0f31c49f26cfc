//! `blinkctl consent`: shows, grants or withdraws this machine's consent.

use blink_profile::{FileError, consent};
use blink_proto::{
    consent::{ConsentRecord, TRACKING_TEXT, TRACKING_VERSION},
    ipc::{ConsentShown, Reply, Request},
};
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

use crate::{
    client::{Client, ClientError, LOCAL_LIMIT, SERVER_LIMIT, wrong_reply},
    context::Context,
    exit::Failure,
    output::{self, Paint, Tone, plain},
    unreachable::Unreachable,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  blinkctl consent show")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show the text and whether it was consented to on this machine
    #[command(after_help = "Example:
  blinkctl consent show")]
    Show,
    /// Print the text and record consent to it: the camera may be opened
    #[command(after_help = "Example:
  blinkctl consent grant")]
    Grant,
    /// Withdraw consent: the camera is closed and sending stops, at once. Works without blinkd too
    #[command(after_help = "Example:
  blinkctl consent withdraw")]
    Withdraw,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    match args.action {
        Action::Show => show(context).await,
        Action::Grant => grant(context).await,
        Action::Withdraw => withdraw(context).await,
    }
}

async fn show(context: &Context) -> Result<(), Failure> {
    let shown = match Client::connect(&context.paths).await {
        Ok(mut client) => ask(&mut client).await?,
        Err(error) if is_elsewhere_or_absent(&error) => from_file(context)?,
        Err(error) => return Err(error.into()),
    };
    print(context, &shown, |paint| format!("{}\n{}\n", readable(&shown.text), standing(shown.record.as_ref(), paint)))
}

async fn grant(context: &Context) -> Result<(), Failure> {
    let mut client = Client::connect(&context.paths).await?;
    let offered = ask(&mut client).await?;
    // The text must be on the screen before anything is recorded.
    if !context.output.is_json() {
        context.output.line(&readable(&offered.text))?;
    }
    client.call(Request::ConsentGrant { version: offered.version }, SERVER_LIMIT).await?;
    let shown = ask(&mut client).await?;
    print(context, &shown, |paint| format!("{}\n", standing(shown.record.as_ref(), paint)))
}

async fn withdraw(context: &Context) -> Result<(), Failure> {
    let shown = match Client::connect(&context.paths).await {
        Ok(mut client) => by_daemon(&mut client).await?,
        Err(error) if is_elsewhere_or_absent(&error) => {
            withdraw_in_file(context)?;
            // A daemon that started meanwhile may have read the old record.
            match Client::connect(&context.paths).await {
                Ok(mut client) => by_daemon(&mut client).await?,
                Err(_) => from_file(context)?,
            }
        }
        Err(error) => {
            // The daemon reads the withdrawal at its next start at the latest.
            withdraw_in_file(context)?;
            let fix =
                "Consent is recorded as withdrawn; stop the process `blinkd` to be sure that the camera is closed.";
            return Err(Failure::failed("unconfirmed", error.to_string(), fix));
        }
    };
    print(context, &shown, |paint| format!("{}\n", standing(shown.record.as_ref(), paint)))
}

async fn by_daemon(client: &mut Client) -> Result<ConsentShown, Failure> {
    client.call(Request::ConsentWithdraw, SERVER_LIMIT).await?;
    ask(client).await
}

async fn ask(client: &mut Client) -> Result<ConsentShown, Failure> {
    match client.call(Request::ConsentShow, LOCAL_LIMIT).await? {
        Reply::Consent(shown) => Ok(ConsentShown { text: plain_lines(&shown.text), ..shown }),
        _ => Err(wrong_reply()),
    }
}

fn from_file(context: &Context) -> Result<ConsentShown, Failure> {
    let record = consent::load(&context.paths).map_err(|error| file_failure(&error))?;
    Ok(ConsentShown { version: TRACKING_VERSION.to_owned(), text: TRACKING_TEXT.to_owned(), record })
}

/// Whether the file alone decides: a daemon at another socket reads it whenever it changes.
fn is_elsewhere_or_absent(error: &ClientError) -> bool {
    error.is_absent() || matches!(error, ClientError::Unreachable(Unreachable::Elsewhere { .. }))
}

/// Writes the withdrawal to the file, because withdrawing must never depend on a daemon.
fn withdraw_in_file(context: &Context) -> Result<(), Failure> {
    let record = ConsentRecord::withdrawn(Timestamp::now());
    consent::save(&context.paths, &record).map_err(|error| file_failure(&error))
}

fn file_failure(error: &FileError) -> Failure {
    let (code, message, fix) = match error {
        FileError::Read { .. } => {
            ("consent_unreadable", error.to_string(), "Make the file readable for you, or delete it.")
        }
        FileError::Damaged { path, source } => (
            "consent_damaged",
            format!("{} is damaged, which counts as no consent: {source}", path.display()),
            "Run `blinkctl consent withdraw` or `blinkctl consent grant` to write it anew.",
        ),
        FileError::Write { .. } => (
            "consent_unwritable",
            error.to_string(),
            "Make the folder writable for you, or delete the file: without it there is no consent.",
        ),
    };
    Failure::failed(code, message, fix)
}

#[derive(Serialize)]
struct Shown<'a> {
    granted: bool,
    #[serde(flatten)]
    consent: &'a ConsentShown,
}

fn print(context: &Context, shown: &ConsentShown, human: impl FnOnce(Paint) -> String) -> Result<(), Failure> {
    let granted = shown.record.as_ref().is_some_and(|record| record.granted);
    context.output.result(&Shown { granted, consent: shown }, human)
}

/// The text, wrapped to the terminal's width.
fn readable(text: &str) -> String {
    match if output::stdout_is_terminal() { output::columns() } else { None } {
        Some(columns) => output::wrapped(text, columns),
        None => text.to_owned(),
    }
}

fn standing(record: Option<&ConsentRecord>, paint: Paint) -> String {
    let on = |record: &ConsentRecord| record.at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string();
    match record {
        Some(record) if record.granted => {
            let head = paint.with(Tone::Good, &format!("Consent granted on {}", on(record)));
            format!("{head} (version {}). `blinkctl consent withdraw` takes it back.", plain(&record.version))
        }
        Some(record) => {
            let head = paint.with(Tone::Calm, &format!("Consent withdrawn on {}", on(record)));
            format!("{head}: the camera is off. `blinkctl consent grant` gives it again.")
        }
        None => {
            let head = paint.with(Tone::Calm, "No consent was given on this machine");
            format!("{head}: the camera is off. `blinkctl consent grant` gives it.")
        }
    }
}

/// `text` without control characters other than line feeds.
fn plain_lines(text: &str) -> String {
    text.chars().filter(|&c| c == '\n' || !c.is_control()).collect()
}
