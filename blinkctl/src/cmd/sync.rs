//! `blinkctl sync`.

use blink_proto::ipc::{Reply, Request};

use super::Context;
use crate::{
    client::{Client, SYNC_LIMIT, wrong_reply},
    exit::Failure,
};

/// The flags of `sync`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  blinkctl sync

Only closed minutes are sent: the running one follows when it is over.
Exit code 1 with the reason when something could not be sent, 4 when nobody is signed in.")]
pub(crate) struct Args {}

pub(crate) async fn run(_: &Args, context: &Context) -> Result<(), Failure> {
    let mut client = Client::connect(&context.paths).await?;
    let Reply::Sync(done) = client.call(Request::Sync, SYNC_LIMIT).await? else { return Err(wrong_reply()) };
    context.output.result(&done, |_| {
        let sent = match done.uploaded {
            0 => "Nothing waited: every closed minute is on the server.".to_owned(),
            1 => "Sent 1 minute: every closed minute is on the server.".to_owned(),
            n => format!("Sent {n} minutes: every closed minute is on the server."),
        };
        match done.set_aside {
            0 => format!("{sent}\n"),
            n => {
                format!("{sent}\n{n} set aside because the server refused them; `blinkctl status` shows the reason.\n")
            }
        }
    })
}
