//! `blinkctl status`.

pub(in crate::cmd) mod view;
mod watch;

use blink_proto::{
    ipc::{Reply, Request},
    status::Status,
};
use jiff::Zoned;

use crate::{
    client::{Client, LOCAL_LIMIT, wrong_reply},
    context::Context,
    exit::Failure,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  blinkctl status
  blinkctl status --watch
  blinkctl status --json | jq .rate_per_minute")]
pub(crate) struct Args {
    /// Keep showing it until Ctrl-C: redrawn in place on a terminal, else a line for each change
    #[arg(long)]
    watch: bool,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    let mut client = Client::connect(&context.paths).await?;
    let status = now(&mut client).await?;
    if args.watch {
        return watch::run(client, status, context.output).await;
    }
    context.output.result(&status, |paint| view::page(&status, &Zoned::now(), paint))
}

async fn now(client: &mut Client) -> Result<Status, Failure> {
    match client.call(Request::Status, LOCAL_LIMIT).await? {
        Reply::Status(status) => Ok(status),
        _ => Err(wrong_reply()),
    }
}
