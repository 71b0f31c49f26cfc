//! Looking for every cause of trouble, and saying what mends it. The running daemon and `blinkd doctor` ask the same.
//!
//! - [`examine`]: all checks, in the order in which one would look
//! - `machine`: folders, disk, models, camera; `desktop`: bus, tray, reminders, keyring; `server`: reachability, clock;
//!   `person`: consent, sign-in, what is held back
//!
//! Nothing here opens a camera or changes anything, and no message holds a secret.

mod desktop;
mod machine;
mod person;
mod server;

use blink_profile::Paths;
use blink_proto::{Problem, doctor::Check, status::Status};
use jiff::Timestamp;

use crate::{
    config::Config,
    nudge::ReminderFate,
    profile::{AccountFile, Vault},
    session::Bus,
    store::KeptBack,
};

/// What the checks are made with.
#[derive(Debug)]
pub(crate) struct Asked {
    pub paths: Paths,
    /// Its settings, or what is wrong with them.
    pub config: Result<Config, Problem>,
    pub now: Timestamp,
    /// Where the sign-in is kept.
    pub vault: Vault,
    pub session: Bus,
    /// Whether consent to tracking is recorded here.
    pub consented: bool,
    /// Who is signed in, and who was.
    pub account: AccountFile,
    /// What is kept for others than the signed-in account, and what its server rejected; `None` where the store cannot
    /// be asked.
    pub kept_back: Option<KeptBack>,
    /// The running daemon's state; `None` where it is not us.
    pub status: Option<Status>,
    /// The process of a daemon that runs, if one does.
    pub daemon: Option<u32>,
    /// What to do where it listens at another socket than the one that clients of this environment try.
    pub elsewhere: Option<String>,
    /// What becomes of reminders; `None` where the daemon is not us, or shows none.
    pub reminders: Option<ReminderFate>,
}

/// Makes all checks. It may take some seconds: other programs and the server are asked.
#[must_use]
pub(crate) fn examine(asked: &Asked) -> Vec<Check> {
    let default = Config::default();
    let config = asked.config.as_ref().unwrap_or(&default);
    let mut checks = vec![machine::daemon(asked), machine::config(asked)];
    checks.extend([machine::data_folder(&asked.paths), machine::disk(&asked.paths)]);
    checks.extend([machine::models(), person::consent(asked), machine::source(asked, config)]);
    checks.extend(person::state(asked));
    checks.extend(machine::frame_rate(asked));
    checks.extend(desktop::bus_and_tray(&asked.session));
    checks.extend(asked.reminders.map(desktop::reminders));
    checks.push(desktop::keyring(&asked.vault));
    checks.push(person::account(asked));
    checks.extend(server::checks(asked, config));
    checks.extend(person::kept_back(asked));
    checks
}

/// A problem as a check of this name.
fn of_problem(id: &str, level: blink_proto::doctor::Level, problem: &Problem) -> Check {
    Check::found(id, level, problem.message.clone(), problem.fix.clone())
}

#[cfg(test)]
mod tests;
