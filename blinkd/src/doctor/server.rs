//! Checks of the account's server: whether it answers, and whether its clock and ours agree.

use blink_proto::doctor::{Check, Level};
use jiff::{SignedDuration, Timestamp};

use super::{Asked, of_problem};
use crate::{
    config::Config,
    upload::{BaseUrl, Server as _, http::HttpServer},
};

/// A larger difference makes minutes in the future, and tokens that expire too soon.
const CLOCKS_AGREE: SignedDuration = SignedDuration::from_mins(2);

/// Makes no check where nobody is signed in, because nothing is sent then.
pub(super) fn checks(asked: &Asked, config: &Config) -> Vec<Check> {
    let Some(account) = &asked.account.current else { return Vec::new() };
    // Whether plain HTTP is allowed was decided at the sign-in.
    let answer = BaseUrl::parse(&account.server, true)
        .and_then(|base| HttpServer::new(base, config.ca_file.as_deref()))
        .and_then(|server| server.health().map_err(|error| error.problem()));
    match answer {
        Err(problem) => vec![of_problem("server", Level::Problem, &problem)],
        Ok(theirs) => {
            let reached = Check::ok("server", format!("The server {} answers.", account.server));
            // The time is read again, because reaching the server may have taken a while.
            vec![reached, clock(theirs, Timestamp::now().max(asked.now))]
        }
    }
}

pub(super) fn clock(theirs: Option<Timestamp>, ours: Timestamp) -> Check {
    let Some(theirs) = theirs else { return Check::ok("clock", "The server does not say what time it is.") };
    let ahead = ours.duration_since(theirs);
    if ahead.abs() <= CLOCKS_AGREE {
        return Check::ok("clock", "This machine's clock and the server's agree.");
    }
    let minutes = (ahead.abs().as_secs() + 30) / 60;
    let direction = if ahead.is_positive() { "ahead of" } else { "behind" };
    let message = format!("This machine's clock is {minutes} minutes {direction} the server's.");
    let fix = "Set the clock right, best by itself (`timedatectl set-ntp true`); if it is right, tell the server's \
               operator.";
    Check::found("clock", Level::Problem, message, fix)
}
