//! `blinkctl quit`.

use std::time::Duration;

use blink_proto::ipc::Request;
use serde_json::json;

use super::Context;
use crate::{
    client::{Client, LOCAL_LIMIT},
    exit::Failure,
};

/// How long the daemon may take to end after it agreed to; it promises two seconds.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// The flags of `quit`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  blinkctl quit")]
pub(crate) struct Args {}

pub(crate) async fn run(_: &Args, context: &Context) -> Result<(), Failure> {
    let mut client = Client::connect(&context.paths).await?;
    client.call(Request::Quit, LOCAL_LIMIT).await?;
    client.closed(STOP_LIMIT).await?;
    context
        .output
        .result(&json!({ "stopped": true }), |_| "blinkd has stopped. Start it again with `blinkd run`.\n".to_owned())
}
