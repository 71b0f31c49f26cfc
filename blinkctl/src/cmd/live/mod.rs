//! `blinkctl live`: a full-screen view of the eyes as they are measured.
//!
//! - `model`: the data shown: the last half minute, the status, the connection
//! - `view`: draws the model on a screen of any size
//! - `screen`: takes the terminal over, and restores it in any case
//! - `feed`: events from the daemon, which may restart

mod feed;
mod model;
mod screen;
mod view;

use std::{io::IsTerminal, time::Duration};

use blink_proto::ipc::{PauseSpan, Reply, Request};
use jiff::{Timestamp, Zoned};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};

use self::{
    feed::{Feed, FeedEvent},
    model::Model,
    screen::{Key, Screen},
};
use crate::{
    client::{Client, LOCAL_LIMIT, wrong_reply},
    context::Context,
    exit::Failure,
    output, signal,
};

/// Time between two frames: 15 per second.
const FRAME: Duration = Duration::from_millis(66);

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  blinkctl live
  blinkctl live --json | head        every frame and blink as an object on a line

Keys: p pauses and goes on, q or Esc leaves.")]
pub(crate) struct Args {}

pub(crate) async fn run(_: &Args, context: &Context) -> Result<(), Failure> {
    if context.output.is_json() {
        return lines(context).await;
    }
    if !output::stdout_is_terminal() || !std::io::stdin().is_terminal() {
        let fix = "Use `blinkctl status --watch` there, or `blinkctl live --json` for an object on each line.";
        return Err(Failure::usage("no_terminal", "`blinkctl live` fills a terminal, and this is none", fix));
    }
    // An error at the start is printed as a line, not on the screen.
    let feed = Feed::start(Client::connect(&context.paths).await?, context.paths.clone()).await?;
    let colour = context.output.paint().colour;
    let mut screen = Screen::take().map_err(|error| {
        let fix = "Use `blinkctl status --watch` instead.";
        Failure::failed("terminal", format!("The terminal cannot be used: {error}"), fix)
    })?;
    let shown = show(&mut screen, feed, colour, context).await;
    drop(screen);
    shown
}

/// Draws until the person leaves.
async fn show(screen: &mut Screen, mut feed: Feed, colour: bool, context: &Context) -> Result<(), Failure> {
    let mut model = Model::default();
    let mut tick = interval(FRAME);
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let stop = signal::stop();
    tokio::pin!(stop);
    let (told, mut tells) = mpsc::unbounded_channel();
    loop {
        tokio::select! {
            () = &mut stop => return Ok(()),
            key = screen.key() => match key {
                Key::Leave => return Ok(()),
                Key::Pause => {
                    // A connection of its own keeps the drawing going meanwhile.
                    let (paths, told) = (context.paths.clone(), told.clone());
                    tokio::spawn(async move {
                        let failed = toggle(&paths).await.err().map(|failure| failure.problem.to_string());
                        let _ = told.send(failed);
                    });
                }
                Key::Other => {}
            },
            event = feed.next() => match event {
                FeedEvent::Daemon(event) => model.take(*event),
                FeedEvent::Lost(why) => model.lost(why),
                FeedEvent::Back => model.back(),
            },
            Some(failed) = tells.recv() => model.notice(failed, Timestamp::now()),
            _ = tick.tick() => {
                let now = Zoned::now();
                model.forget(now.timestamp());
                screen.draw(|frame| view::draw(frame, &model, &now, colour)).map_err(|error| {
                    Failure::failed("terminal", format!("The terminal is gone: {error}"), "Open another one.")
                })?;
            }
        }
    }
}

async fn toggle(paths: &blink_profile::Paths) -> Result<(), Failure> {
    let mut client = Client::connect(paths).await?;
    let Reply::Status(status) = client.call(Request::Status, LOCAL_LIMIT).await? else { return Err(wrong_reply()) };
    let pause = Request::Pause(PauseSpan { until: None });
    let request = if super::pause::holds(status.state) { Request::Resume } else { pause };
    client.call(request, LOCAL_LIMIT).await.map(|_| ())
}

/// Prints every event as a JSON line.
async fn lines(context: &Context) -> Result<(), Failure> {
    let mut client = Client::connect(&context.paths).await?;
    client.call(Request::Subscribe { live: true }, LOCAL_LIMIT).await?;
    let stop = signal::stop();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => return Ok(()),
            event = client.event() => context.output.result(&event?, |_| String::new())?,
        }
    }
}
