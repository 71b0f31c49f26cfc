//! `blinkctl sync`.

pub(crate) mod pull;
mod set_aside;

use blink_proto::ipc::{Reply, Request};
use jiff::tz::TimeZone;

use crate::{
    client::{Client, SYNC_LIMIT, wrong_reply},
    context::Context,
    exit::Failure,
    when::{Moment, parse_moment},
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  blinkctl sync
  blinkctl sync --pull
  blinkctl sync --set-aside list

With --pull nothing is sent. What comes is kept beside this machine's history, as long as that.
It is no part of today's figures and never sent again.
Only closed minutes are sent: the running one follows when it is over.
Exit code 1 with the reason when something could not be sent, 4 when nobody is signed in.")]
pub(crate) struct Args {
    /// Instead, show, send again or give up the minutes that the server rejected
    #[arg(long, value_name = "ACTION", value_enum)]
    set_aside: Option<set_aside::Action>,

    /// Instead, bring the minutes of your other machines here, to be read in reports and exports
    #[arg(long, conflicts_with = "set_aside")]
    pull: bool,

    /// Bring those from this moment on alone: a date, or a time such as 2026-03-02T09:00:00Z
    #[arg(long, value_name = "DATE", value_parser = parse_moment, requires = "pull")]
    from: Option<Moment>,

    /// Give them up without asking
    #[arg(long, requires = "set_aside")]
    yes: bool,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    if let Some(action) = args.set_aside {
        return set_aside::run(action, args.yes, context).await;
    }
    if args.pull {
        let zone = TimeZone::system();
        let from = args.from.map(|moment| moment.instant_in(&zone)).transpose();
        let from = from.map_err(|why| Failure::usage("usage", why, "Name a time that a clock can show."))?;
        return pull::run(from, context).await;
    }
    let mut client = Client::connect(&context.paths).await?;
    let Reply::Sync(done) = client.call(Request::Sync, SYNC_LIMIT).await? else { return Err(wrong_reply()) };
    context.output.result(&done, |_| {
        let sent = match done.uploaded {
            0 => "Nothing waited".to_owned(),
            1 => "Sent 1 minute".to_owned(),
            n => format!("Sent {n} minutes"),
        };
        let why = "`blinkctl sync --set-aside list` shows why";
        let mut text = match done.set_aside {
            0 if done.uploaded == 0 => format!("{sent}.\n"),
            0 => format!("{sent}: nothing is left to send.\n"),
            1 => format!("{sent}.\nThe server refused 1 minute, which is set aside; {why}.\n"),
            n => format!("{sent}.\nThe server refused {n} minutes, which are set aside; {why}.\n"),
        };
        let held = "of nobody or of another account";
        match done.held {
            0 => {}
            1 => text.push_str(&format!("1 minute {held} stays here.\n")),
            n => text.push_str(&format!("{n} minutes {held} stay here.\n")),
        }
        text
    })
}
