//! `blinkctl owner`: enrols the person whose blinks are counted when several people are in the picture.

use blink_proto::ipc::Request;
use serde_json::json;

use crate::{
    client::{Client, LOCAL_LIMIT, SERVER_LIMIT},
    context::Context,
    exit::Failure,
    output::Tone,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  blinkctl owner enroll")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Learn your face, so that you are followed where others are in the picture. Sit before the camera alone
    #[command(
        after_help = "What is kept: five vectors of 128 numbers, in a file that only you can read, on this machine
alone. No picture is kept. `blinkctl owner forget` removes them.

Example:
  blinkctl owner enroll"
    )]
    Enroll,
    /// Forget your face
    #[command(after_help = "Example:
  blinkctl owner forget")]
    Forget,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    let mut client = Client::connect(&context.paths).await?;
    match args.action {
        Action::Enroll => {
            client.call(Request::OwnerEnroll, SERVER_LIMIT).await?;
            context.output.result(&json!({ "enrolled": true }), |paint| {
                let head = paint.with(Tone::Good, "Your face is known to this machine.");
                format!(
                    "{head} Among several people, you are the one who is followed. `blinkctl owner forget` undoes it.\n"
                )
            })
        }
        Action::Forget => {
            client.call(Request::OwnerForget, LOCAL_LIMIT).await?;
            context.output.result(&json!({ "enrolled": false }), |paint| {
                let head = paint.with(Tone::Calm, "Your face is forgotten.");
                format!("{head} With several people in the picture nobody is counted until one is followed.\n")
            })
        }
    }
}
