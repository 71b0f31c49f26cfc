//! Iterates over the days of the local history and of what was pulled within a range, one day in memory at a time, its
//! minutes in order and each once.

use std::{
    collections::{BTreeMap, BTreeSet, btree_set},
    io,
    path::{Path, PathBuf},
};

use blink_profile::{Paths, day_files, pulled};
use blink_proto::Minute;
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::exit::Failure;

#[derive(Debug, thiserror::Error)]
#[error("{} cannot be read: {source}", .path.display())]
pub(crate) struct HistoryError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl From<HistoryError> for Failure {
    fn from(error: HistoryError) -> Self {
        Self::failed("history_unreadable", error.to_string(), "Make it readable for you, then try again.")
    }
}

/// A time range with inclusive start and exclusive end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) from: Option<Timestamp>,
    pub(crate) to: Option<Timestamp>,
}

impl Range {
    pub(crate) fn holds(self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| at >= from) && self.to.is_none_or(|to| at < to)
    }

    /// Whether any instant of the UTC day is in the range.
    fn touches(self, day: Date) -> bool {
        let begins = |day: Date| day.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp());
        let (begin, end) = (begins(day), day.tomorrow().and_then(begins));
        self.from.is_none_or(|from| end.is_ok_and(|end| end > from))
            && self.to.is_none_or(|to| begin.is_ok_and(|begin| begin < to))
    }
}

/// The lengths in bytes of each day's files, own and pulled. Records are only added, so equal lengths are equal minutes.
pub(crate) fn lengths(paths: &Paths) -> Result<BTreeMap<Date, [u64; 2]>, HistoryError> {
    let mut days = BTreeMap::<Date, [u64; 2]>::new();
    for (place, folder) in [Some(paths.history()), pulled::readable(paths)].into_iter().enumerate() {
        let Some(folder) = folder else { continue };
        for (day, bytes) in day_files::days(&folder).map_err(unreadable(&folder))? {
            days.entry(day).or_default()[place] = bytes;
        }
    }
    Ok(days)
}

/// The minutes of one UTC day, own and pulled.
pub(crate) fn minutes_of(paths: &Paths, day: Date) -> Result<Vec<Minute>, HistoryError> {
    let (history, pulled) = (paths.history(), pulled::readable(paths));
    let read = pulled::read_day(&history, pulled.as_deref(), day);
    Ok(read.map_err(unreadable(&day_files::path_of(&history, day)))?.records)
}

/// The days of a range, oldest first, each read when the iterator reaches it: what this machine counted, and what was
/// pulled of the account's other machines.
#[derive(Debug)]
pub(crate) struct Days {
    history: PathBuf,
    pulled: Option<PathBuf>,
    days: btree_set::IntoIter<Date>,
    range: Range,
    skipped: u64,
}

impl Days {
    /// The days of this profile that have minutes in `range`; none without a history.
    pub(crate) fn open(paths: &Paths, range: Range) -> Result<Self, HistoryError> {
        let (history, pulled) = (paths.history(), pulled::readable(paths));
        let mut days = BTreeSet::new();
        for folder in [Some(&history), pulled.as_ref()].into_iter().flatten() {
            days.extend(day_files::days(folder).map_err(unreadable(folder))?.into_keys());
        }
        days.retain(|day| range.touches(*day));
        Ok(Self { history, pulled, days: days.into_iter(), range, skipped: 0 })
    }

    /// The number of lines so far that are no record.
    pub(crate) fn skipped(&self) -> u64 {
        self.skipped
    }
}

impl Iterator for Days {
    type Item = Result<Vec<Minute>, HistoryError>;

    fn next(&mut self) -> Option<Self::Item> {
        let day = self.days.next()?;
        let read = pulled::read_day(&self.history, self.pulled.as_deref(), day);
        Some(read.map_err(unreadable(&day_files::path_of(&self.history, day))).map(|mut read| {
            self.skipped += read.skipped;
            read.records.retain(|minute| self.range.holds(minute.from_timestamp));
            read.records
        }))
    }
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> HistoryError {
    let path = path.to_owned();
    move |source| HistoryError { path, source }
}

#[cfg(test)]
mod tests {
    use std::{fmt::Write, fs};

    use blink_profile::{AccountFile, SignedInAccount};
    use blink_proto::example;

    use super::*;

    const MIDNIGHT: i64 = 29_534_400; // 2026-02-26T00:00:00Z

    fn minute(n: i64) -> Minute {
        example::minute(MIDNIGHT + n)
    }

    fn profile(days: &[(&str, &[i64])]) -> (tempfile::TempDir, Paths) {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        fs::create_dir_all(paths.history()).unwrap();
        for (day, minutes) in days {
            let text = minutes.iter().fold(String::new(), |mut text, n| {
                let _ = writeln!(text, "{}", serde_json::to_string(&minute(*n)).unwrap());
                text
            });
            fs::write(paths.history().join(format!("{day}.ndjson")), text).unwrap();
        }
        (folder, paths)
    }

    fn read(paths: &Paths, range: Range) -> (Vec<Minute>, u64) {
        let mut days = Days::open(paths, range).unwrap();
        let minutes = days.by_ref().flat_map(Result::unwrap).collect();
        (minutes, days.skipped())
    }

    #[test]
    fn days_and_minutes_come_in_order_and_damage_is_counted() {
        let (_folder, paths) = profile(&[("2026-02-27", &[1440]), ("2026-02-26", &[2, 0, 1])]);
        fs::write(paths.history().join("2026-02-28.ndjson"), "torn").unwrap();
        assert_eq!(read(&paths, Range::default()), ([0, 1, 2, 1440].map(minute).to_vec(), 1));
    }

    #[test]
    fn a_span_begins_inclusive_and_ends_exclusive() {
        let (_folder, paths) = profile(&[("2026-02-25", &[-1]), ("2026-02-26", &[0, 5]), ("2026-02-27", &[1440])]);
        let at = |n: i64| Some(minute(n).from_timestamp);
        let found = |from, to| read(&paths, Range { from, to }).0;
        assert_eq!(found(at(0), at(1440)), [minute(0), minute(5)]);
        assert_eq!(found(at(-1), at(5)), [minute(-1), minute(0)]);
        assert_eq!(found(at(6), None), [minute(1440)]);
        assert_eq!(found(at(2000), None), []);
    }

    fn sign_in(paths: &Paths, n: u128) {
        let user_id = uuid::Uuid::from_u128(n).into();
        let server = "https://waw.example.org".to_owned();
        let account = SignedInAccount { server, user_id, email: "ada@example.org".into(), session_ended: false };
        AccountFile { current: Some(account), ..AccountFile::default() }.save(paths).unwrap();
    }

    #[test]
    fn what_was_pulled_comes_in_its_place_for_its_owner_alone() {
        let (_folder, paths) = profile(&[("2026-02-26", &[0, 2])]);
        let theirs = |n: i64| Minute { device_id: uuid::Uuid::from_u128(9).into(), ..minute(n) };
        let pulled = paths.pulled_of(uuid::Uuid::from_u128(1).into());
        fs::create_dir_all(&pulled).unwrap();
        let lines = |minutes: &[Minute]| {
            minutes.iter().map(|minute| serde_json::to_string(minute).unwrap() + "\n").collect::<String>()
        };
        fs::write(pulled.join("2026-02-26.ndjson"), lines(&[theirs(1), minute(2), theirs(3)])).unwrap();
        fs::write(pulled.join("2026-02-25.ndjson"), lines(&[theirs(-1)])).unwrap();
        let minutes = || read(&paths, Range::default()).0;
        assert_eq!(minutes(), [0, 2].map(minute), "nobody is signed in");
        sign_in(&paths, 1);
        assert_eq!(minutes(), [theirs(-1), minute(0), theirs(1), minute(2), theirs(3)]);
        sign_in(&paths, 2);
        assert_eq!(minutes(), [0, 2].map(minute), "somebody else is");
    }

    #[test]
    fn without_a_history_there_are_no_days() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(&Paths::under(folder.path()), Range::default()), (Vec::new(), 0));
    }
}
