//! Iterates over the days of the local history within a range, one day in memory at a time, its minutes in order.

use std::{
    collections::{BTreeMap, btree_map},
    io,
    path::{Path, PathBuf},
};

use blink_profile::{Paths, day_files};
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

/// The length in bytes of each day's file; a file of the same length holds the same minutes, as records are only added.
pub(crate) fn lengths(paths: &Paths) -> Result<BTreeMap<Date, u64>, HistoryError> {
    let folder = paths.history();
    day_files::days(&folder).map_err(unreadable(&folder))
}

/// The minutes of one UTC day.
pub(crate) fn minutes_of(paths: &Paths, day: Date) -> Result<Vec<Minute>, HistoryError> {
    let folder = paths.history();
    let read = day_files::read::<Minute>(&folder, day, 0).map_err(unreadable(&day_files::path_of(&folder, day)))?;
    Ok(read.records)
}

/// The days of a range, oldest first, each read when the iterator reaches it.
#[derive(Debug)]
pub(crate) struct Days {
    folder: PathBuf,
    days: btree_map::IntoKeys<Date, u64>,
    range: Range,
    skipped: u64,
}

impl Days {
    /// The days of this profile that have minutes in `range`; none without a history.
    pub(crate) fn open(paths: &Paths, range: Range) -> Result<Self, HistoryError> {
        let folder = paths.history();
        let mut days = day_files::days(&folder).map_err(unreadable(&folder))?;
        days.retain(|day, _| range.touches(*day));
        Ok(Self { folder, days: days.into_keys(), range, skipped: 0 })
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
        let read = day_files::read::<Minute>(&self.folder, day, 0);
        Some(read.map_err(unreadable(&day_files::path_of(&self.folder, day))).map(|mut read| {
            self.skipped += read.skipped;
            read.records.retain(|minute| self.range.holds(minute.from_timestamp));
            read.records.sort_by_key(day_files::identity);
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

    #[test]
    fn without_a_history_there_are_no_days() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(&Paths::under(folder.path()), Range::default()), (Vec::new(), 0));
    }
}
