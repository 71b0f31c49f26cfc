//! `blinkctl doctor`: checks for causes of trouble, and what fixes them.

use std::fmt::Write;

use blink_proto::{
    doctor::{Check, Level},
    ipc::{Reply, Request},
};
use serde::{Deserialize, Serialize};

use crate::{
    blinkd,
    client::{Client, ClientError, SERVER_LIMIT, wrong_reply},
    context::Context,
    exit::{ExitStatus, Failure},
    output::{Paint, Tone, counted, plain},
    unreachable::Unreachable,
};

/// The id of the check that blinkctl makes itself.
const DAEMON: &str = "daemon";

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  blinkctl doctor

Exit code 1 when something keeps blinks from being counted or sent; what can be done without is a warning.")]
pub(crate) struct Args {}

#[derive(Serialize, Deserialize)]
struct Report {
    checks: Vec<Check>,
}

pub(crate) async fn run(_: &Args, context: &Context) -> Result<ExitStatus, Failure> {
    let report = Report { checks: checks(context).await? };
    context.output.result(&report, |paint| page(&report.checks, paint))?;
    let sick = report.checks.iter().any(|check| check.level == Level::Problem);
    Ok(if sick { ExitStatus::Failed } else { ExitStatus::Done })
}

async fn checks(context: &Context) -> Result<Vec<Check>, Failure> {
    Ok(match Client::connect(&context.paths).await {
        Ok(mut client) => match client.call(Request::Doctor, SERVER_LIMIT).await? {
            Reply::Doctor { checks } => checks,
            _ => return Err(wrong_reply()),
        },
        Err(ClientError::Unreachable(Unreachable::NotRunning)) => without_daemon().await,
        Err(error) => {
            let failure = Failure::from(error);
            with_own(Check::found(DAEMON, Level::Problem, failure.problem.message, failure.problem.fix)).await
        }
    })
}

async fn without_daemon() -> Vec<Check> {
    let fix = "Start it with `blinkd run`, or with every sign-in by `blinkctl service install`.";
    with_own(Check::found(DAEMON, Level::Problem, "blinkd is not running", fix)).await
}

/// The checks of the program blinkd when the daemon cannot be asked, after blinkctl's own.
async fn with_own(own: Check) -> Vec<Check> {
    let mut checks = vec![own];
    match blinkd::read::<Report>(&["doctor"]).await {
        Ok(report) => checks.extend(report.checks.into_iter().filter(|check| check.id != DAEMON)),
        Err(Failure { problem, .. }) => {
            checks.push(Check::found("program", Level::Problem, problem.message, problem.fix));
        }
    }
    checks
}

fn page(checks: &[Check], paint: Paint) -> String {
    let width = checks.iter().map(|check| check.id.chars().count()).max().unwrap_or_default();
    let mut page = String::new();
    for check in checks {
        let (tone, mark) = match check.level {
            Level::Ok => (Tone::Good, "✓"),
            Level::Warning => (Tone::Calm, "!"),
            Level::Problem => (Tone::Bad, "✗"),
        };
        let id = paint.with(Tone::Faint, &format!("{:<width$}", plain(&check.id)));
        let _ = writeln!(page, "{} {id}  {}", paint.with(tone, mark), plain(&check.message));
        if let Some(fix) = &check.fix {
            let _ = writeln!(page, "  {:width$}  {}", "", plain(fix));
        }
    }
    let count = |level| checks.iter().filter(|check| check.level == level).count() as u64;
    let end = match (count(Level::Problem), count(Level::Warning)) {
        (0, 0) => paint.with(Tone::Good, "All is well."),
        (0, warnings) => paint.with(Tone::Calm, &format!("{}, no problem.", counted(warnings, "warning"))),
        (problems, 0) => paint.with(Tone::Bad, &format!("{}.", counted(problems, "problem"))),
        (problems, warnings) => {
            let text = format!("{} and {}.", counted(problems, "problem"), counted(warnings, "warning"));
            paint.with(Tone::Bad, &text)
        }
    };
    page + "\n" + &end + "\n"
}
