//! `blinkctl yield`: hands the camera to another program.

use blink_proto::ipc::Request;
use serde_json::json;

use crate::{
    client::{Client, LOCAL_LIMIT},
    context::Context,
    exit::Failure,
    output::Tone,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  blinkctl yield        before a video call with a program that finds the camera taken

blinkd takes the camera back by itself when the other program has let it go, or when none has taken it.")]
pub(crate) struct Args {}

pub(crate) async fn run(_: &Args, context: &Context) -> Result<(), Failure> {
    let mut client = Client::connect(&context.paths).await?;
    client.call(Request::Yield, LOCAL_LIMIT).await?;
    context.output.result(&json!({ "yielded": true }), |paint| {
        let head = paint.with(Tone::Calm, "The camera is free for another program.");
        format!("{head} blinkd takes it back when that one has let it go; `blinkctl resume` takes it back now.\n")
    })
}
