//! The camera: which one, and whether it sees somebody's eyes.

use std::time::Duration;

use blink_proto::{
    ipc::{Event, Request},
    status::{State, Status},
};
use tokio::time::{Instant, timeout_at};

use super::{status, trouble};
use crate::{
    ask,
    client::{Client, LOCAL_LIMIT},
    cmd::{
        Context,
        cameras::{self, Camera},
        config,
    },
    exit::Failure,
    output::{Paint, Tone, plain},
};

/// A camera needs a second or two to start, and a person a moment to sit down.
const PATIENCE: Duration = Duration::from_secs(20);

/// Chooses a camera and looks through it.
pub(super) async fn step(context: &Context, paint: Paint) -> Result<(), Failure> {
    match cameras::list().await {
        Ok(cameras) => choose(&cameras, context, paint).await?,
        Err(failure) => trouble(&failure, paint)?,
    }
    loop {
        if look(context, paint).await? || !ask::yes("Look again?")? {
            return Ok(());
        }
    }
}

async fn choose(cameras: &[Camera], context: &Context, paint: Paint) -> Result<(), Failure> {
    let source = status(context).await?.source;
    if cameras.is_empty() {
        return ask::say("No camera was found. Plug one in; blinkd takes it by itself.\n");
    }
    for camera in cameras {
        let name = plain(&camera.name);
        ask::say(&format!("  {}  {name}  {}\n", camera.number, camera.standing(paint)))?;
    }
    ask::say(&format!("In use is {}.\n", paint.with(Tone::Strong, &plain(&source))))?;
    let number = loop {
        let answer = ask::line("Which camera? (its number, or Enter to keep it) ")?;
        if answer.is_empty() {
            return Ok(());
        }
        match cameras.iter().find(|camera| camera.number.to_string() == answer) {
            Some(camera) => break camera.number,
            None => ask::say("There is no camera of that number.\n")?,
        }
    };
    let wanted = format!("camera:{number}");
    if wanted == source {
        return Ok(());
    }
    match config::set("camera.source", &wanted, context).await {
        Ok(changed) if changed.restart_needed.is_empty() => ask::say(&format!("{wanted} is used now.\n")),
        Ok(_) => ask::say(&format!("{wanted} is used when blinkd starts again: `blinkctl quit`, then `blinkd run`.\n")),
        Err(failure) => trouble(&failure, paint),
    }
}

/// Watches until the eyes are seen, for a while; tells what is seen meanwhile.
async fn look(context: &Context, paint: Paint) -> Result<bool, Failure> {
    ask::say("Sit in front of the camera as you do when you work ..\n")?;
    let mut client = Client::connect(&context.paths).await?;
    client.call(Request::Subscribe { live: false }, LOCAL_LIMIT).await?;
    let deadline = Instant::now() + PATIENCE;
    let mut told = String::new();
    loop {
        let Ok(event) = timeout_at(deadline, client.event()).await else {
            ask::say(
                "That was not it yet. `blinkctl live` shows what blinkd sees, `blinkctl doctor` what is wrong.\n",
            )?;
            return Ok(false);
        };
        let Event::Status(status) = event? else { continue };
        if status.state == State::Tracking {
            ask::say(&format!("{}\n", paint.with(Tone::Good, "I can see your eyes.")))?;
            return Ok(true);
        }
        let seen = seen(&status);
        if seen != told {
            ask::say(&format!("  {seen}\n"))?;
            told = seen;
        }
    }
}

/// What the camera shows, and what helps.
fn seen(status: &Status) -> String {
    if let Some(problem) = &status.last_error {
        return plain(&problem.to_string());
    }
    match status.state {
        State::NoFace => {
            "I cannot follow one face: sit alone in the picture, in light that falls on you from the front, \
                          and look at the screen."
                .to_owned()
        }
        State::Paused => "Tracking is paused; `blinkctl resume` goes on.".to_owned(),
        State::Yielded => "The camera is handed to another program; `blinkctl resume` takes it back.".to_owned(),
        State::NoConsent => "There is no consent.".to_owned(),
        State::Locked => "The screen is locked.".to_owned(),
        State::CameraBusy => "Another program uses the camera; close it, or choose another camera.".to_owned(),
        State::NoCamera => "There is no picture from the camera yet.".to_owned(),
        State::Error | State::Tracking => "One moment.".to_owned(),
    }
}
