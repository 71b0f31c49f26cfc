//! `blinkctl sync --set-aside`: lists, retries or drops the minutes that the server rejected.

use std::fmt::Write;

use blink_proto::ipc::{Reply, Request, SetAside, SetAsideCount};
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::json;

use crate::{
    ask,
    client::{Client, LOCAL_LIMIT, wrong_reply},
    context::Context,
    exit::Failure,
    output::{Paint, Tone, counted, plain},
};

/// What to do with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Action {
    /// Show each with its reason
    List,
    /// Put them back into the queue
    Retry,
    /// Never send them; they stay in this machine's history
    Drop,
}

#[derive(Serialize)]
struct Listed<'a> {
    items: &'a [SetAside],
    /// The number of all set-aside minutes; `items` are the first of them.
    total: u64,
}

pub(super) async fn run(action: Action, yes: bool, context: &Context) -> Result<(), Failure> {
    match action {
        Action::List => list(context).await,
        Action::Retry => {
            let minutes = count(Request::SetAsideRetry, context).await?;
            context.output.result(&json!({ "minutes": minutes }), |_| match minutes {
                0 => "No minute was set aside.\n".to_owned(),
                1 => "1 minute waits to be sent again; `blinkctl sync` sends it now.\n".to_owned(),
                n => format!("{n} minutes wait to be sent again; `blinkctl sync` sends them now.\n"),
            })
        }
        Action::Drop => {
            // The daemon is looked for first, so that nobody types a word in vain.
            let total = total(&mut Client::connect(&context.paths).await?).await?;
            let what = format!("Of what the server rejected nothing will ever be sent ({}).", counted(total, "minute"));
            ask::confirm(yes, &format!("{what} It stays in this machine's history."), "drop")?;
            let minutes = count(Request::SetAsideDrop, context).await?;
            context.output.result(&json!({ "minutes": minutes }), |_| match minutes {
                0 => "No minute was set aside.\n".to_owned(),
                1 => "1 minute will not be sent. It stays in this machine's history.\n".to_owned(),
                n => format!("{n} minutes will not be sent. They stay in this machine's history.\n"),
            })
        }
    }
}

async fn count(request: Request, context: &Context) -> Result<u64, Failure> {
    match Client::connect(&context.paths).await?.call(request, LOCAL_LIMIT).await? {
        Reply::SetAsideCount(SetAsideCount { minutes }) => Ok(minutes),
        _ => Err(wrong_reply()),
    }
}

async fn total(client: &mut Client) -> Result<u64, Failure> {
    match client.call(Request::Status, LOCAL_LIMIT).await? {
        Reply::Status(status) => Ok(status.queue.set_aside),
        _ => Err(wrong_reply()),
    }
}

async fn list(context: &Context) -> Result<(), Failure> {
    let mut client = Client::connect(&context.paths).await?;
    let Reply::SetAside { items } = client.call(Request::SetAsideList, LOCAL_LIMIT).await? else {
        return Err(wrong_reply());
    };
    // A minute may have been set aside since.
    let total = total(&mut client).await?.max(items.len() as u64);
    context.output.result(&Listed { items: &items, total }, |paint| page(&items, total, &TimeZone::system(), paint))
}

/// A line for each minute, then what can be done.
fn page(items: &[SetAside], total: u64, zone: &TimeZone, paint: Paint) -> String {
    if items.is_empty() {
        return "No minute was set aside.\n".to_owned();
    }
    let mut page = String::new();
    for SetAside { minute, code, detail, .. } in items {
        let from = minute.from_timestamp.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M");
        let blinks = if minute.blink_count == 1 { "blink" } else { "blinks" };
        let reason = paint.with(Tone::Calm, &plain(code));
        let detail = if detail.is_empty() { String::new() } else { format!(": {}", plain(detail)) };
        let _ = writeln!(page, "{from}  {:>3} {blinks:<6}  {reason}{detail}", minute.blink_count);
    }
    if (items.len() as u64) < total {
        let _ = writeln!(page, "These are the first {} of {total}.", items.len());
    }
    page + "\n`blinkctl sync --set-aside retry` sends them again, `drop` gives them up.\n"
}

#[cfg(test)]
mod tests {
    use blink_proto::example;

    use super::*;

    #[test]
    fn what_a_server_says_cannot_steer_the_terminal() {
        let minute = example::minute(29_536_500);
        let item =
            |detail: &str| SetAside { minute: minute.clone(), code: "too_old".into(), detail: detail.into(), at: None };
        let items = [item("older than\u{1b}[2J 400 days"), item("")];
        let page = page(&items, 5_213, &TimeZone::UTC, Paint { colour: false });
        insta::assert_snapshot!(page);
    }
}
