//! Minutes of the account's other machines, brought from its server to be read here: `pulled/USER_ID/YYYY-MM-DD.ndjson`,
//! day files as those of the [history](crate::day_files). Only blinkd writes them; blinkd and blinkctl read them here.
//!
//! They are nobody else's: whoever signs in to another account does not see them. They are never uploaded, and never
//! become part of the history.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
};

use blink_proto::{Minute, UserId};
use jiff::civil::Date;

use crate::{
    AccountFile, Paths,
    day_files::{self, Day, identity},
    paths::PULL_PLACE,
};

/// The folder that may be read now: the signed-in account's.
#[must_use]
pub fn readable(paths: &Paths) -> Option<PathBuf> {
    let account = AccountFile::load(paths).ok().flatten()?.current?;
    Some(paths.pulled_of(account.user_id))
}

/// The folders of all accounts.
pub fn folders(paths: &Paths) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(paths.pulled()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let found = entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
    Ok(found.into_iter().filter(|path| is_of_account(path)).collect())
}

/// Whether this is the folder of an account, by its name.
pub(crate) fn is_of_account(path: &Path) -> bool {
    let id = path.file_name().and_then(|name| name.to_str());
    let is_id = |name: &str| name.parse::<UserId>().is_ok_and(|id| id.to_string() == name);
    id.is_some_and(is_id) && fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir())
}

/// The file in an account's folder that says how far the pull has come.
#[must_use]
pub fn place_file(folder: &Path) -> PathBuf {
    folder.join(PULL_PLACE)
}

/// Adds to a day's minutes of the history what was pulled, by time. The history's own record counts where both have a
/// minute: the same machine's, or one of the same id.
#[must_use]
pub fn join(mut own: Day<Minute>, pulled: Day<Minute>) -> Day<Minute> {
    let known: HashSet<_> = own.records.iter().map(identity).collect();
    let named: HashSet<_> = own.records.iter().map(|minute| (minute.from_timestamp, minute.id)).collect();
    let is_new =
        |minute: &Minute| !known.contains(&identity(minute)) && !named.contains(&(minute.from_timestamp, minute.id));
    own.records.extend(pulled.records.into_iter().filter(is_new));
    own.records.sort_by_key(identity);
    own.skipped += pulled.skipped;
    own
}

/// Reads what the history and the pulled minutes have of a day, each minute once, by time.
pub fn read_day(history: &Path, pulled: Option<&Path>, day: Date) -> io::Result<Day<Minute>> {
    let own = day_files::read(history, day, 0)?;
    let pulled =
        pulled.map_or_else(|| Ok(Day { records: Vec::new(), skipped: 0 }), |from| day_files::read(from, day, 0));
    Ok(join(own, pulled?))
}

#[cfg(test)]
mod tests {
    use blink_proto::{DeviceId, MinuteId, example};

    use super::*;

    const MIDNIGHT: i64 = 29_534_400; // 2026-02-26T00:00:00Z

    fn of(device: u128, n: i64) -> Minute {
        let id = MinuteId(uuid::Uuid::from_u128(device << 64 | u128::from(n.unsigned_abs())));
        Minute { id, device_id: DeviceId(uuid::Uuid::from_u128(device)), ..example::minute(MIDNIGHT + n) }
    }

    fn day(records: &[Minute]) -> Day<Minute> {
        Day { records: records.to_vec(), skipped: 1 }
    }

    #[test]
    fn each_minute_comes_once_by_time_and_the_historys_own_record_counts() {
        let own = Minute { blink_count: 1, ..of(1, 0) };
        let renamed = Minute { id: MinuteId(uuid::Uuid::nil()), blink_count: 99, ..of(1, 0) };
        let elsewhere = Minute { device_id: DeviceId(uuid::Uuid::from_u128(9)), blink_count: 99, ..of(1, 2) };
        let joined = join(day(&[of(1, 2), own.clone()]), day(&[of(2, 0), renamed, elsewhere, of(2, 1)]));
        assert_eq!((joined.records, joined.skipped), (vec![own, of(2, 0), of(2, 1), of(1, 2)], 2));
    }

    #[test]
    fn ids_that_a_machine_gives_to_all_its_minutes_lose_none() {
        let nameless = |n| Minute { id: MinuteId(uuid::Uuid::nil()), ..of(2, n) };
        let joined = join(day(&[of(1, 0)]), day(&[nameless(0), nameless(1), nameless(2)]));
        assert_eq!(joined.records.len(), 4);
    }

    #[test]
    fn only_folders_of_accounts_are_ours_to_read() {
        let root = tempfile::tempdir().unwrap();
        let paths = Paths::under(root.path());
        assert!(folders(&paths).unwrap().is_empty() && readable(&paths).is_none());
        let id = UserId(uuid::Uuid::from_u128(7));
        for name in [&id.to_string(), "notes", &uuid::Uuid::from_u128(8).simple().to_string()] {
            fs::create_dir_all(paths.pulled().join(name)).unwrap();
        }
        assert_eq!(folders(&paths).unwrap(), [paths.pulled_of(id)]);
        assert_eq!(readable(&paths), None, "nobody is signed in");
    }
}
