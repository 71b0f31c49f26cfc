//! `blinkd erase`: erases while no daemon runs, for `blinkctl delete`. A running daemon erases itself.

use std::collections::BTreeSet;

use blink_profile::Paths;
use blink_profile::contents;
use blink_proto::{problem::code, receipt::LocalErasure};
use jiff::Timestamp;

use crate::{
    exit::Failure,
    lock::Lock,
    profile::{AccountFile, Device, Vault},
    stdout,
    store::{
        History, Store,
        database::drop_quietly,
        erase::{self, EraseError},
        ownership::MinuteOwnership,
    },
};

/// What `blinkd erase` takes.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  blinkd erase --local\n\nUse `blinkctl delete`, which asks first and shows a receipt.",
    group(clap::ArgGroup::new("what").required(true))
)]
pub struct Args {
    /// All minutes on this machine, open and unsent ones too
    #[arg(long, group = "what")]
    pub local: bool,
    /// Those, and settings, sign-in, consent, enrolled face and logs; models and files of your own stay
    #[arg(long, group = "what")]
    pub everything: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

fn left(error: &EraseError) -> Failure {
    let fix = "Check the folder's permissions and the disk, then try again.";
    Failure::failed(code::NOT_ERASED, format!("Not everything could be erased: {error}."), fix)
}

/// Runs the command. Fails when a daemon runs (exit code 5), or when something cannot be erased.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let paths = super::profile()?;
    let lock = Lock::take(&paths)?;
    let history = History::open(&paths.history())?;
    let counted = count(&paths, &history)?;
    let done = LocalErasure { everything: args.everything, ..counted };
    erase::begin(&paths, args.everything)?;
    if args.everything {
        // The profile's tokens may be in the keyring, whether or not somebody is signed in now.
        Vault::open(&paths, super::uses_keyring(&paths)).forget();
        erase::everything(&paths).and_then(|()| erase::finish(&paths)).map_err(|error| left(&error))?;
    } else {
        erase::minutes(&paths).map_err(|error| left(&error))?;
    }
    drop(lock);
    stdout::result(args.json, &done, || {
        let what = if args.everything { stays(&paths) } else { String::new() };
        format!("{} minutes were erased, {} of them never sent{what}.", done.minutes, done.unsent)
    })
}

/// Says what is left in the profile's folders because it is not blinkd's.
fn stays(paths: &Paths) -> String {
    let others: Vec<_> = contents::others(paths).iter().map(|path| path.display().to_string()).collect();
    if others.is_empty() {
        return "; nothing but models is left".to_owned();
    }
    format!("; this stays, for it is not blinkd's: {}", others.join(", "))
}

/// Counts for the receipt. An unreadable store is counted from the history alone, since it is erased all the same.
fn count(paths: &Paths, history: &History) -> Result<LocalErasure, Failure> {
    let account: AccountFile = AccountFile::load(paths).ok().flatten().unwrap_or_default();
    let folder = paths.store();
    let device = if folder.exists() { Device::open(paths, None).ok() } else { None };
    let store = device.and_then(|device| {
        let ownership =
            MinuteOwnership { device_id: device.id, first: account.first.as_ref(), erased: &account.erased };
        Store::open(&folder, history, ownership, &BTreeSet::new(), Timestamp::now()).ok()
    });
    let store = store.map(|(store, _)| store);
    let open = store.as_ref().and_then(|store| store.open_minutes().ok()).unwrap_or_default();
    let counted = erase::count(paths, store.as_ref(), history, open.iter());
    drop_quietly(store);
    counted.map_err(|error| error.problem().into())
}
