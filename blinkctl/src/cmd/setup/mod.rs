//! `blinkctl setup`: the first run, step by step. Each step shows its state, and can be skipped and repeated.

mod account;
mod camera;

use std::fmt::Write;

use blink_proto::{
    consent::TRACKING_VERSION,
    ipc::{Reply, Request},
    status::Status,
};
use serde_json::json;

use super::service;
use crate::{
    ask,
    client::{Client, LOCAL_LIMIT, SERVER_LIMIT, wrong_reply},
    context::Context,
    exit::Failure,
    output::{Paint, Tone},
    start,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  blinkctl setup

Every step can be skipped with Enter and repeated later. Without a terminal the same is done by
  blinkctl consent grant
  blinkctl config set camera.source camera:0
  blinkctl register --email .. --password-stdin --accept-consent
  blinkctl service install")]
pub(crate) struct Args {}

pub(crate) async fn run(_: &Args, context: &Context) -> Result<(), Failure> {
    if !ask::possible() {
        let fix = "Use `blinkctl consent grant`, `blinkctl config set camera.source ..`, `blinkctl register` or \
                   `blinkctl login`, and `blinkctl service install` instead.";
        return Err(Failure::usage("no_terminal", "`blinkctl setup` asks questions, and there is no terminal", fix));
    }
    let paint = context.output.paint();
    heading(1, "The daemon", paint)?;
    let version = daemon(context, paint).await?;
    heading(2, "Consent", paint)?;
    let consent = consent(context, paint).await?;
    heading(3, "The camera", paint)?;
    if consent {
        camera::step(context, paint).await?;
    } else {
        ask::say("Without consent no camera is opened. `blinkctl setup` can be run again at any time.\n")?;
    }
    heading(4, "An account, or this machine alone", paint)?;
    account::step(context, paint).await?;
    heading(5, "Start at sign-in", paint)?;
    let installed = at_sign_in(context, paint).await?;
    let status = status(context).await?;
    let json = json!({
        "version": version,
        "consent": status.consent,
        "source": status.source,
        "account": status.account,
        "start_at_sign_in": installed,
        "state": status.state,
    });
    context.output.result(&json, |paint| done(&status, paint))
}

fn heading(number: u8, title: &str, paint: Paint) -> Result<(), Failure> {
    ask::say(&format!("\n{}\n", paint.with(Tone::Strong, &format!("{number} of 5  {title}"))))
}

async fn daemon(context: &Context, paint: Paint) -> Result<String, Failure> {
    match Client::connect(&context.paths).await {
        Ok(_) => {}
        Err(error) if error.is_absent() => {
            ask::say("Starting blinkd ..\n")?;
            start::daemon(context).await?;
        }
        Err(error) => return Err(error.into()),
    }
    let status = status(context).await?;
    ask::say(&format!("{} version {}.\n", paint.with(Tone::Good, "blinkd is running,"), status.version))?;
    Ok(status.version)
}

async fn consent(context: &Context, paint: Paint) -> Result<bool, Failure> {
    if status(context).await?.consent {
        ask::say(&format!(
            "{} `blinkctl consent withdraw` takes it back.\n",
            paint.with(Tone::Good, "You have consented.")
        ))?;
        return Ok(true);
    }
    if !ask::consent()? {
        ask::say(&format!("{} The camera stays off.\n", paint.with(Tone::Calm, "You did not consent.")))?;
        return Ok(false);
    }
    let mut client = Client::connect(&context.paths).await?;
    client.call(Request::ConsentGrant { version: TRACKING_VERSION.to_owned() }, SERVER_LIMIT).await?;
    ask::say(&format!("{}\n", paint.with(Tone::Good, "Your consent is recorded.")))?;
    Ok(true)
}

async fn at_sign_in(context: &Context, paint: Paint) -> Result<bool, Failure> {
    if service::is_installed() {
        let head = paint.with(Tone::Good, "blinkd starts with every sign-in.");
        ask::say(&format!("{head} `blinkctl service uninstall` undoes it.\n"))?;
        return Ok(true);
    }
    if !ask::yes("Start blinkd with every sign-in?")? {
        ask::say("It starts when you run `blinkd run`.\n")?;
        return Ok(false);
    }
    match service::install(context).await {
        Ok(()) => {
            ask::say(&format!("{}\n", paint.with(Tone::Good, "blinkd starts with every sign-in.")))?;
            Ok(true)
        }
        Err(failure) => {
            trouble(&failure, paint)?;
            Ok(false)
        }
    }
}

/// Reports a failed step; the next one follows, and each can be repeated.
fn trouble(failure: &Failure, paint: Paint) -> Result<(), Failure> {
    ask::say(&format!("{}\n", paint.with(Tone::Bad, &crate::output::plain(&failure.problem.to_string()))))
}

async fn status(context: &Context) -> Result<Status, Failure> {
    match Client::connect(&context.paths).await?.call(Request::Status, LOCAL_LIMIT).await? {
        Reply::Status(status) => Ok(status),
        _ => Err(wrong_reply()),
    }
}

fn done(status: &Status, paint: Paint) -> String {
    let mut text = format!("\n{}\n", paint.with(Tone::Strong, "That is all."));
    let next = if status.consent { "blinkctl live" } else { "blinkctl consent grant" };
    let why = if status.consent { "your eyes, as blinkd sees them" } else { "when you have made up your mind" };
    let _ = writeln!(text, "  {next:<24}{why}");
    let _ = writeln!(text, "  {:<24}the figures of today", "blinkctl status");
    let _ = writeln!(text, "  {:<24}when something does not work", "blinkctl doctor");
    text
}
