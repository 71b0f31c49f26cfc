//! `blinkctl sync --pull`: brings the minutes of the account's other machines here, to be read in reports and exports.

use std::collections::BTreeSet;

use blink_proto::ipc::{Elsewhere, Pulled, Reply, Request};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use crate::{
    client::{Client, SERVER_LIMIT, wrong_reply},
    context::Context,
    exit::Failure,
    output::{Paint, Tone, counted},
    progress::Progress,
    signal,
};

/// What came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Brought {
    minutes: u64,
    machines: u64,
    /// Minutes that were not taken, because they cannot be true.
    left_out: u64,
}

/// Asks how much there is to bring.
pub(crate) async fn elsewhere(from: Option<Timestamp>, context: &Context) -> Result<Elsewhere, Failure> {
    let mut client = Client::connect(&context.paths).await?;
    match client.call(Request::Elsewhere { from }, SERVER_LIMIT).await? {
        Reply::Elsewhere(elsewhere) => Ok(elsewhere),
        _ => Err(wrong_reply()),
    }
}

/// Brings everything from `from` on. What came stays when it fails in the middle, and the failure says so.
pub(crate) async fn bring(from: Option<Timestamp>, context: &Context) -> Result<Brought, Failure> {
    let Elsewhere { minutes, .. } = elsewhere(from, context).await?;
    let progress = Progress::up_to(minutes, "Bringing", context.output);
    let mut brought = Brought::default();
    let done = tokio::select! {
        // The signal comes first, so that the person can always end it.
        biased;
        () = signal::stop() => Err(signal::stopped("The pull")),
        done = all(from, &progress, &mut brought, context) => done,
    };
    drop(progress);
    done.map(|()| brought).map_err(|failure| goes_on(failure, brought.minutes))
}

async fn all(
    from: Option<Timestamp>,
    progress: &Progress,
    brought: &mut Brought,
    context: &Context,
) -> Result<(), Failure> {
    let mut client = Client::connect(&context.paths).await?;
    let (mut seen, mut told) = (BTreeSet::new(), false);
    loop {
        let Reply::Pulled(page) = client.call(Request::Pull { from }, SERVER_LIMIT).await? else {
            return Err(wrong_reply());
        };
        if from.is_some_and(|from| from < page.from) && !std::mem::replace(&mut told, true) {
            tell_kept(&page, context);
        }
        seen.extend(page.machines.iter().map(|machine| machine.device_id));
        brought.minutes += page.machines.iter().map(|machine| machine.minutes).sum::<u64>();
        brought.machines = seen.len() as u64;
        brought.left_out += page.left_out;
        progress.set(brought.minutes);
        if page.done {
            return Ok(());
        }
    }
}

fn tell_kept(page: &Pulled, context: &Context) {
    let message = format!("Nothing before {} was asked for: history.retention_days keeps no more", page.from);
    let json = json!({ "warning": { "code": "too_old", "message": message } });
    context.output.notice(&json, |paint| format!("{}.\n", paint.with(Tone::Calm, &message)));
}

/// Adds to a failure what stays, and how to go on.
fn goes_on(mut failure: Failure, minutes: u64) -> Failure {
    let stays = match minutes {
        0 => String::new(),
        1 => "1 minute came and stays; ".to_owned(),
        n => format!("{n} minutes came and stay; "),
    };
    let fix = failure.problem.fix;
    let again = if fix.contains("sync --pull") { "it" } else { "`blinkctl sync --pull`" };
    failure.problem.fix = format!("{fix} {stays}{again} goes on from there.").trim().to_owned();
    failure
}

pub(super) async fn run(from: Option<Timestamp>, context: &Context) -> Result<(), Failure> {
    let brought = bring(from, context).await?;
    context.output.result(&brought, |paint| text(&brought, paint))
}

/// What came, for people.
pub(crate) fn text(brought: &Brought, paint: Paint) -> String {
    let Brought { minutes, machines, left_out } = *brought;
    let mut text = if minutes == 0 {
        "Nothing new came from other machines of this account.\n".to_owned()
    } else {
        let head = format!("Brought {} from {}", counted(minutes, "minute"), counted(machines, "other machine"));
        let shows = "`blinkctl report` and `blinkctl export` show them beside this machine's own.";
        format!("{}. {shows}\n", paint.with(Tone::Good, &head))
    };
    match left_out {
        0 => {}
        1 => text.push_str("1 minute was left out, because it cannot be true.\n"),
        n => text.push_str(&format!("{n} minutes were left out, because they cannot be true.\n")),
    }
    text
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Check the network.", 0, "Check the network. `blinkctl sync --pull` goes on from there.")]
    #[case(
        "Check the network.",
        1,
        "Check the network. 1 minute came and stays; `blinkctl sync --pull` goes on from there."
    )]
    #[case("", 2_000, "2000 minutes came and stay; `blinkctl sync --pull` goes on from there.")]
    #[case(
        "Make room, then run `blinkctl sync --pull` again.",
        9,
        "Make room, then run `blinkctl sync --pull` again. 9 minutes came and stay; it goes on from there."
    )]
    fn a_failure_says_what_stays_and_how_to_go_on(#[case] fix: &str, #[case] minutes: u64, #[case] said: &str) {
        assert_eq!(goes_on(Failure::failed("x", "x", fix), minutes).problem.fix, said);
    }
}
