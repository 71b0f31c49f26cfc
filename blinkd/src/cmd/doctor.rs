//! `blinkd doctor`: every cause of trouble, and what mends it, without asking a daemon.

use std::{env, fs};

use blink_proto::{
    doctor::{Check, Level},
    paths::Paths,
};
use jiff::Timestamp;

use crate::{
    config::Config,
    doctor::{self, Asked},
    exit::Failure,
    lock::Lock,
    profile::{AccountFile, Consent, Device, Vault, files},
    session::Bus,
    stdout,
    store::{
        History, Store,
        open::{Heritage, drop_quietly},
    },
};

/// What `blinkd doctor` takes.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  blinkd doctor\n  blinkd doctor --json\n\n`blinkctl doctor` asks the running daemon, \
                        which sees more. Exit code 1 when there is a problem; with --json only when nothing could be \
                        looked at."
)]
pub struct Args {
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(serde::Serialize)]
struct Report {
    checks: Vec<Check>,
}

/// Runs the command.
///
/// # Errors
/// Something keeps blinks from being counted or sent, after all was printed.
pub fn run(args: &Args) -> Result<(), Failure> {
    let paths = super::profile()?;
    let config = Config::read(&paths.config_file(), false, env::vars_os()).map_err(|failure| failure.problem);
    let account: AccountFile = files::load(&paths.data.join("account.json")).ok().flatten().unwrap_or_default();
    let daemon = running(&paths);
    let asked = Asked {
        now: Timestamp::now(),
        vault: Vault::open(&paths.data, config.as_ref().map_or(true, |config| config.keyring)),
        session: Bus::Standard,
        consented: Consent::at(&paths.consent_file()).granted(),
        waiting: if daemon.is_none() { waiting(&paths, &account) } else { None },
        status: None,
        reminders: None,
        daemon,
        config,
        account,
        paths,
    };
    let checks = doctor::examine(&asked);
    let report = Report { checks };
    let lines = || report.checks.iter().map(line).collect::<Vec<_>>().join("\n");
    stdout::result(args.json, &report, lines)?;
    if args.json {
        return Ok(());
    }
    let problems = report.checks.iter().filter(|check| check.level == Level::Problem).count();
    if problems == 0 {
        return Ok(());
    }
    let found =
        if problems == 1 { "1 problem was found".to_owned() } else { format!("{problems} problems were found") };
    Err(Failure::failed("problems", format!("{found}."), "Each line above says what to do."))
}

fn line(check: &Check) -> String {
    let mark = match check.level {
        Level::Ok => "ok      ",
        Level::Warning => "warning ",
        Level::Problem => "PROBLEM ",
    };
    let fix = check.fix.as_deref().map_or_else(String::new, |fix| format!(" {fix}"));
    format!("{mark} {:<12} {}{fix}", check.id, check.message)
}

/// The process that holds the profile's lock.
fn running(paths: &Paths) -> Option<u32> {
    let file = fs::File::open(paths.lock()).ok()?;
    match file.try_lock() {
        Err(fs::TryLockError::WouldBlock) => fs::read_to_string(paths.lock()).ok()?.trim().parse().ok(),
        _ => None,
    }
}

/// What the store holds back; only looked at while no daemon has it.
fn waiting(paths: &Paths, account: &AccountFile) -> Option<(u64, u64)> {
    let folder = paths.data.join("store");
    if !folder.exists() {
        return None;
    }
    let _lock = Lock::take(&paths.lock()).ok()?;
    let device = Device::of_profile(&paths.data, None).ok()?;
    let history = History::at(&paths.history()).ok()?;
    let heritage = Heritage { device_id: device.id, first: account.first.as_ref(), erased: &account.erased };
    let (store, _) = Store::open(&folder, &history, heritage, Timestamp::now()).ok()?;
    let owner = account.current.as_ref().map(crate::profile::SignedInAccount::owner);
    let counts = (store.held(owner.as_ref()), store.set_aside_count(owner.as_ref()));
    drop_quietly(store);
    Some(counts)
}
