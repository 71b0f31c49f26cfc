//! `blinkctl open`: opens the dashboard of the account's server.

use blink_proto::ipc::{Reply, Request};
use serde_json::json;

use crate::{
    browser::{self, BrowserError},
    client::{Client, LOCAL_LIMIT, wrong_reply},
    context::Context,
    exit::{ExitStatus, Failure},
    output::plain,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  blinkctl open
  blinkctl open --json        only prints the address")]
pub(crate) struct Args {}

pub(crate) async fn run(_: &Args, context: &Context) -> Result<(), Failure> {
    let mut client = Client::connect(&context.paths).await?;
    let Reply::Status(status) = client.call(Request::Status, LOCAL_LIMIT).await? else { return Err(wrong_reply()) };
    let Some(account) = status.account else {
        let fix = "Sign in with `blinkctl login`, or see `blinkctl report` for your figures on this machine.";
        let failure = Failure::failed("not_signed_in", "Nobody is signed in, so there is no dashboard to open", fix);
        return Err(Failure { status: ExitStatus::NotSignedIn, ..failure });
    };
    let url = plain(&account.server);
    if context.output.is_json() {
        return context.output.result(&json!({ "url": url }), |_| String::new());
    }
    browser::open(&account.server).map_err(|error| {
        let fix = match error {
            BrowserError::NotAPage => format!("Check the server that you signed in to: {url}."),
            _ => format!("Open {url} there yourself."),
        };
        Failure::failed("no_browser", format!("The browser could not be opened: {error}"), fix)
    })?;
    context.output.line(&format!("Opened {url} in the browser."))
}
