//! `blinkd doctor`: makes all checks without asking a daemon.

use std::{collections::BTreeSet, env};

use blink_profile::{Paths, lock};
use blink_proto::doctor::{Check, Level};
use blink_proto::problem::code;
use jiff::Timestamp;

use crate::{
    config::Config,
    doctor::{self, Asked},
    exit::Failure,
    lock::Lock,
    profile::{AccountFile, Consent, Device, Vault, files::FileError},
    session::Bus,
    stdout,
    store::{History, KeptBack, Store, database::drop_quietly, ownership::MinuteOwnership},
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

/// Runs the command. After printing, it fails if something keeps blinks from being counted or sent.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let paths = super::profile()?;
    let config = Config::read(&paths.config_file(), false, env::vars_os()).map_err(|failure| failure.problem);
    let (account, unreadable) = match AccountFile::load(&paths) {
        Ok(account) => (account.unwrap_or_default(), None),
        Err(error) => (AccountFile::default(), Some(account_unreadable(&error))),
    };
    let holder = lock::holder(&paths);
    let daemon = holder.as_ref().map(|holder| holder.pid);
    let asked = Asked {
        now: Timestamp::now(),
        vault: Vault::open(&paths, config.as_ref().map_or(true, |config| config.keyring)),
        session: Bus::Standard,
        consented: Consent::open(&paths.consent_file()).granted(),
        kept_back: if daemon.is_none() { kept_back(&paths, &account) } else { None },
        status: None,
        reminders: None,
        daemon,
        elsewhere: holder.and_then(|holder| holder.elsewhere(&paths)),
        config,
        account,
        paths,
    };
    let mut checks = doctor::examine(&asked);
    checks.extend(unreadable);
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
    Err(Failure::failed(code::PROBLEMS, format!("{found}."), "Each line above says what to do."))
}

fn account_unreadable(error: &FileError) -> Check {
    let message = format!("The account file cannot be used: {}.", error.why());
    let fix =
        "Check its permissions; a damaged one is set aside when blinkd starts, and `blinkctl login` signs in again.";
    Check::found("account_file", Level::Problem, message, fix)
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

/// What is kept back from upload; read only while no daemon has the store open.
fn kept_back(paths: &Paths, account: &AccountFile) -> Option<KeptBack> {
    let folder = paths.store();
    if !folder.exists() {
        return None;
    }
    let _lock = Lock::take(paths).ok()?;
    let device = Device::open(paths, None).ok()?;
    let history = History::open(&paths.history()).ok()?;
    let ownership = MinuteOwnership { device_id: device.id, first: account.first.as_ref(), erased: &account.erased };
    let (store, _) = Store::open(&folder, &history, ownership, &BTreeSet::new(), Timestamp::now()).ok()?;
    let owner = account.current.as_ref().map(crate::profile::SignedInAccount::owner);
    let counts = store.kept_back(owner.as_ref());
    drop_quietly(store);
    Some(counts)
}
