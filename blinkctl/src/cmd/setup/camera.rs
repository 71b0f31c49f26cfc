//! Step of the set-up: chooses a camera, and checks that it sees the person's eyes.

use std::time::Duration;

use blink_proto::{
    ipc::{Event, Request, Sight},
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
        status::view,
    },
    exit::Failure,
    output::{Paint, Tone, plain},
};

/// How long to look: a camera takes a second or two to start, and a person a moment to sit down.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long to wait for a hint once the eyes are measured: it is given after a second, and the status comes each second.
const HINTS_COME_WITHIN: Duration = Duration::from_millis(2_500);

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

/// Watches until the eyes are seen well or the time is over, and says meanwhile what is seen.
async fn look(context: &Context, paint: Paint) -> Result<bool, Failure> {
    ask::say("Sit in front of the camera as you do when you work ..\n")?;
    let mut client = Client::connect(&context.paths).await?;
    client.call(Request::Subscribe { live: true }, LOCAL_LIMIT).await?;
    let deadline = Instant::now() + PATIENCE;
    let (mut told, mut sight) = (String::new(), None);
    // Whether the eyes were seen at all, and since when well.
    let (mut measured, mut well) = (false, None);
    loop {
        let until = well.map_or(deadline, |since| deadline.min(since + HINTS_COME_WITHIN));
        let status = match timeout_at(until, client.event()).await {
            Ok(event) if Instant::now() < until => match event? {
                Event::Status(status) => status,
                Event::Live(point) => {
                    sight = point.sight;
                    continue;
                }
                _ => continue,
            },
            _ => break,
        };
        // `State::Tracking` means that a face was followed within the last second, not that its eyes are measured.
        let unmeasured = matches!(sight, Some(Sight::Nobody | Sight::Several | Sight::Turned));
        let is_measured = status.state == State::Tracking && !unmeasured;
        measured |= is_measured;
        if is_measured && view::advice(&status).is_none() {
            well = well.or_else(|| Some(Instant::now()));
            continue;
        }
        well = None;
        let seen = seen(&status, sight);
        if seen != told {
            ask::say(&format!("  {seen}\n"))?;
            told = seen;
        }
    }
    let text = match (measured, well) {
        (_, Some(_)) => paint.with(Tone::Good, "I can see your eyes."),
        (true, None) => "I can see your eyes all the same. Until that is better, blinks may be missed.".to_owned(),
        (false, None) => {
            "That was not it yet. `blinkctl live` shows what blinkd sees, `blinkctl doctor` what is wrong.".to_owned()
        }
    };
    ask::say(&format!("{text}\n"))?;
    Ok(measured)
}

/// What the camera shows, and what helps.
fn seen(status: &Status, sight: Option<Sight>) -> String {
    if let Some(problem) = &status.last_error {
        return plain(&problem.to_string());
    }
    if matches!(status.state, State::NoFace | State::Tracking)
        && sight != Some(Sight::Several)
        && let Some(sentence) = view::advice(status)
    {
        return sentence.to_owned();
    }
    let text = match (status.state, sight) {
        (State::NoFace | State::Tracking, Some(Sight::Nobody)) => {
            "I see nobody: sit in front of the camera, in light that falls on you from the front."
        }
        (State::NoFace | State::Tracking, Some(Sight::Several)) => {
            "I see several people: sit alone in the picture. `blinkctl owner enroll` makes me know you among others."
        }
        (State::NoFace | State::Tracking, Some(Sight::Turned)) => {
            "I see a face, and cannot measure its eyes: look at the screen, come closer, let light fall on you."
        }
        (State::NoFace, _) => {
            "I cannot follow one face: sit alone in the picture, in light that falls on you from the front."
        }
        (State::Paused, _) => "Tracking is paused; `blinkctl resume` goes on.",
        (State::Yielded, _) => "The camera is handed to another program; `blinkctl resume` takes it back.",
        (State::NoConsent, _) => "There is no consent.",
        (State::Locked, _) => "The screen is locked.",
        (State::CameraBusy, _) => "Another program uses the camera; close it, or choose another camera.",
        (State::NoCamera, _) => "There is no picture from the camera yet.",
        (State::Error | State::Tracking, _) => "One moment.",
    };
    text.to_owned()
}
