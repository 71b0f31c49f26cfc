//! `blinkctl pause`, `resume` and `toggle`.

use blink_proto::{
    ipc::{PauseSpan, Reply, Request},
    status::{State, Status},
};
use jiff::{SignedDuration, Timestamp, Zoned};
use serde_json::json;

use crate::{
    client::{Client, LOCAL_LIMIT, wrong_reply},
    complete,
    context::Context,
    exit::Failure,
    output::Tone,
    when::{When, parse_span, parse_when},
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  blinkctl pause                       until `blinkctl resume`
  blinkctl pause --for 30m
  blinkctl pause --until tomorrow
  blinkctl pause --until 15:30")]
pub(crate) struct Args {
    /// How long, such as 30m, 1h30m or 2d
    #[arg(long = "for", value_name = "SPAN", value_parser = parse_span, conflicts_with = "until")]
    span: Option<SignedDuration>,

    /// Until when: tomorrow, 15:30, 2026-03-02 or 2026-03-02T09:00:00Z
    #[arg(long, value_name = "T", value_parser = parse_when, add = complete::times_ahead())]
    until: Option<When>,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  blinkctl resume")]
pub(crate) struct ResumeArgs {}

impl Args {
    fn end(&self, now: &Zoned) -> Result<Option<Timestamp>, Failure> {
        let past = || Failure::usage("usage", "--until is not in the future", "Name a later time, or use --for.");
        if let Some(span) = self.span {
            return now.timestamp().checked_add(span).map(Some).map_err(|_| past());
        }
        self.until.map(|when| when.after(now).ok_or_else(past)).transpose()
    }
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  blinkctl toggle        bound to a key of your desktop, say")]
pub(crate) struct ToggleArgs {}

pub(crate) async fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    let now = Zoned::now();
    let until = args.end(&now)?;
    let mut client = Client::connect(&context.paths).await?;
    pause(&mut client, until, &now, context).await
}

pub(crate) async fn resume(_: &ResumeArgs, context: &Context) -> Result<(), Failure> {
    let mut client = Client::connect(&context.paths).await?;
    go_on(&mut client, context).await
}

pub(crate) async fn toggle(_: &ToggleArgs, context: &Context) -> Result<(), Failure> {
    let mut client = Client::connect(&context.paths).await?;
    match status(&mut client).await?.state {
        State::NoConsent => Err(Failure::failed(
            "no_consent",
            "There is nothing to pause: this machine has no consent, and the camera is off",
            "`blinkctl consent grant` shows the text and records it.",
        )),
        state if holds(state) => go_on(&mut client, context).await,
        _ => pause(&mut client, None, &Zoned::now(), context).await,
    }
}

/// Whether toggling resumes. A lock counts too, because it may only have been requested.
pub(super) fn holds(state: State) -> bool {
    matches!(state, State::Paused | State::Locked)
}

async fn status(client: &mut Client) -> Result<Status, Failure> {
    match client.call(Request::Status, LOCAL_LIMIT).await? {
        Reply::Status(status) => Ok(status),
        _ => Err(wrong_reply()),
    }
}

async fn pause(client: &mut Client, until: Option<Timestamp>, now: &Zoned, context: &Context) -> Result<(), Failure> {
    client.call(Request::Pause(PauseSpan { until }), LOCAL_LIMIT).await?;
    context.output.result(&json!({ "paused": true, "until": until }), |paint| {
        let until = until.map_or_else(String::new, |until| format!(" until {}", clock(until, now)));
        let head = paint.with(Tone::Calm, &format!("Paused{until}."));
        format!("{head} The camera is closed; `blinkctl resume` goes on.\n")
    })
}

async fn go_on(client: &mut Client, context: &Context) -> Result<(), Failure> {
    client.call(Request::Resume, LOCAL_LIMIT).await?;
    let status = status(client).await?;
    context.output.result(&json!({ "paused": false, "state": status.state }), |paint| {
        let rest = match status.state {
            State::NoConsent => {
                " The camera stays off: this machine has no consent. `blinkctl consent grant` shows the text and records it."
            }
            State::Locked => " Counting starts when the screen is unlocked.",
            State::Yielded => " The camera is still handed to another program.",
            _ => " Blinks are counted as soon as your face is found.",
        };
        format!("{}{rest}\n", paint.with(Tone::Good, "No longer paused."))
    })
}

/// A local time, with the date where it is not today.
fn clock(at: Timestamp, now: &Zoned) -> String {
    let at = at.to_zoned(now.time_zone().clone());
    let form = if at.date() == now.date() { "%H:%M" } else { "%a %d %b, %H:%M" };
    at.strftime(form).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_is_named_where_it_is_another() {
        let now: Zoned = "2026-03-28T22:15:00+01:00[Europe/Berlin]".parse().unwrap();
        assert_eq!(clock("2026-03-28T22:30:00Z".parse().unwrap(), &now), "23:30");
        assert_eq!(clock("2026-03-28T23:00:00Z".parse().unwrap(), &now), "Sun 29 Mar, 00:00");
    }
}
