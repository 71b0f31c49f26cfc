//! Checks of the person's decisions, and of minutes kept back because of them.

use blink_proto::{
    doctor::{Check, Level},
    problem::code,
    status::State,
};

use super::{Asked, of_problem};
use crate::store::KeptBack;

pub(super) fn consent(asked: &Asked) -> Check {
    if asked.consented {
        return Check::ok("consent", "Tracking is consented to on this machine.");
    }
    let message = "Nobody has consented to tracking on this machine: the camera stays closed.";
    Check::found("consent", Level::Problem, message, "Read the text and consent with `blinkctl consent grant`.")
}

/// Problems that the running daemon reports and no other check covers.
pub(super) fn state(asked: &Asked) -> Vec<Check> {
    let Some(status) = &asked.status else { return Vec::new() };
    let mut checks = Vec::new();
    match status.state {
        State::Paused => {
            checks.push(Check::found(
                "tracking",
                Level::Warning,
                "Tracking is paused.",
                "Go on with `blinkctl resume`.",
            ));
        }
        State::Yielded => {
            let fix = "It is taken back by itself, or at once with `blinkctl resume`.";
            checks.push(Check::found("tracking", Level::Warning, "The camera is handed to another program.", fix));
        }
        State::NoFace => {
            let fix = "Sit before the camera, in light from the front, alone in the picture.";
            checks.push(Check::found("tracking", Level::Warning, "No single face can be followed now.", fix));
        }
        State::Tracking => checks.push(Check::ok("tracking", "Blinks are being counted.")),
        _ => {}
    }
    checks.extend(status.last_error.as_ref().map(|problem| of_problem("state", Level::Problem, problem)));
    // An ended session is reported by the check of the account.
    let session_ended = asked.account.current.as_ref().is_some_and(|account| account.session_ended);
    let upload = status.queue.last_error.as_ref().filter(|problem| !(session_ended && problem.is(code::NOT_SIGNED_IN)));
    checks.extend(upload.map(|problem| of_problem("upload", Level::Problem, problem)));
    checks
}

pub(super) fn account(asked: &Asked) -> Check {
    match (&asked.account.current, &asked.account.first) {
        (Some(account), _) if account.session_ended => {
            let message = format!("The server {} has ended the session; minutes are kept here.", account.server);
            let fix = "Run `blinkctl login`; if the account was erased, `blinkctl register` makes a new one.";
            Check::found("account", Level::Problem, message, fix)
        }
        (Some(account), _) => Check::ok("account", format!("Signed in to {}.", account.server)),
        (None, None) => Check::ok("account", "There is no account: minutes stay on this machine."),
        (None, Some(_)) => {
            let message = "Nobody is signed in: minutes are kept here and not sent.";
            Check::found("account", Level::Warning, message, "Run `blinkctl login`.")
        }
    }
}

pub(super) fn kept_back(asked: &Asked) -> Vec<Check> {
    let Some(KeptBack { held, set_aside }) = asked.kept_back else { return Vec::new() };
    let count = |n: u64| if n == 1 { "1 minute".to_owned() } else { format!("{n} minutes") };
    let mut checks = Vec::new();
    // Before the first account all minutes belong to nobody, which is no fault.
    if held > 0 && asked.account.first.is_some() {
        let verb = if held == 1 { "is" } else { "are" };
        let message =
            format!("{} of nobody or of another account {verb} held, and never sent under this one.", count(held));
        let fix = "Sign in to the account they belong to and they are sent; they are in the local history in any case.";
        checks.push(Check::found("held", Level::Warning, message, fix));
    }
    if set_aside > 0 {
        let verb = if set_aside == 1 { "was" } else { "were" };
        let message = format!("{} {verb} rejected by the server and set aside.", count(set_aside));
        let fix = "See why with `blinkctl sync --set-aside list`, then `retry` or `drop`.";
        checks.push(Check::found("set_aside", Level::Warning, message, fix));
    }
    checks
}
