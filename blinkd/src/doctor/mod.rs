//! Finds causes of trouble and says what fixes them. The running daemon and `blinkd doctor` make the same checks.
//!
//! - [`examine`]: all checks, in the order in which a person would look
//! - `machine`: folders, disk, models, camera; `desktop`: bus, tray, reminders, keyring; `server`: reachability, clock;
//!   `person`: consent, sign-in, minutes kept back
//!
//! No check opens a camera or changes anything, and no message holds a secret.

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

/// The data that the checks use.
#[derive(Debug)]
pub(crate) struct Asked {
    pub paths: Paths,
    /// The settings, or what is wrong with them.
    pub config: Result<Config, Problem>,
    pub now: Timestamp,
    pub vault: Vault,
    pub session: Bus,
    /// Whether consent to tracking is recorded here.
    pub consented: bool,
    /// The account signed in, and the profile's first one.
    pub account: AccountFile,
    /// Minutes kept for others than the signed-in account, and those its server rejected; `None` where the store cannot
    /// be read.
    pub kept_back: Option<KeptBack>,
    /// The daemon's status; `None` when the daemon is another process.
    pub status: Option<Status>,
    /// The process id of a running daemon.
    pub daemon: Option<u32>,
    /// The fix when the daemon listens at another socket than the one clients of this environment try.
    pub elsewhere: Option<String>,
    /// What happens to reminders; `None` when the daemon is another process or shows none.
    pub reminders: Option<ReminderFate>,
}

/// Makes all checks. It may take some seconds, because other programs and the server are asked.
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

fn of_problem(id: &str, level: blink_proto::doctor::Level, problem: &Problem) -> Check {
    Check::found(id, level, problem.message.clone(), problem.fix.clone())
}

#[cfg(test)]
mod tests;
