//! The local history, read from its day files: one day in memory at a time, in order, damage skipped and counted.
//!
//! blinkd alone writes them. A day file holds the minutes of one UTC day in the order in which they were sealed or
//! imported, so each day is sorted after it was read.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use blink_proto::{Minute, paths::Paths};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::exit::Failure;

/// No record is nearly as long; what is has no end worth waiting for.
pub(crate) const MAX_LINE_BYTES: u64 = 16 << 10;

/// Why the history cannot be read.
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

/// A span of time: the first instant inclusive, the last exclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Range {
    /// The first instant.
    pub(crate) from: Option<Timestamp>,
    /// The first instant after it.
    pub(crate) to: Option<Timestamp>,
}

impl Range {
    fn holds(self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| at >= from) && self.to.is_none_or(|to| at < to)
    }

    /// Whether a UTC day has an instant in it.
    fn touches(self, day: Date) -> bool {
        let begins = |day: Date| day.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp());
        let (begin, end) = (begins(day), day.tomorrow().and_then(begins));
        self.from.is_none_or(|from| end.is_ok_and(|end| end > from))
            && self.to.is_none_or(|to| begin.is_ok_and(|begin| begin < to))
    }
}

/// The days of a span, oldest first, each read when it is asked for.
#[derive(Debug)]
pub(crate) struct History {
    days: std::collections::btree_map::IntoIter<Date, PathBuf>,
    range: Range,
    skipped: u64,
}

impl History {
    /// The days of this profile that have minutes in `range`. Without a history there are none.
    pub(crate) fn open(paths: &Paths, range: Range) -> Result<Self, HistoryError> {
        let folder = paths.history();
        let failed = |source| HistoryError { path: folder.clone(), source };
        let mut days = BTreeMap::new();
        match fs::read_dir(&folder) {
            Ok(entries) => {
                for entry in entries {
                    let path = entry.map_err(failed)?.path();
                    if let Some(day) = day_of(&path).filter(|day| range.touches(*day)) {
                        days.insert(day, path);
                    }
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        Ok(Self { days: days.into_iter(), range, skipped: 0 })
    }

    /// The lines so far that were no record.
    pub(crate) fn skipped(&self) -> u64 {
        self.skipped
    }

    fn read(&mut self, path: &Path) -> io::Result<Vec<Minute>> {
        let mut minutes = Vec::new();
        let file = match File::open(path) {
            // Pruned since the folder was read.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(minutes),
            file => file?,
        };
        let mut lines = BufReader::new(file);
        let mut line = Vec::new();
        loop {
            line.clear();
            if (&mut lines).take(MAX_LINE_BYTES).read_until(b'\n', &mut line)? == 0 {
                break;
            }
            if line.last() != Some(&b'\n') && line.len() as u64 == MAX_LINE_BYTES {
                lines.skip_until(b'\n')?;
            }
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            match serde_json::from_slice::<Minute>(&line) {
                Ok(minute) if minute.check().is_ok() => {
                    if self.range.holds(minute.from_timestamp) {
                        minutes.push(minute);
                    }
                }
                _ => self.skipped += 1,
            }
        }
        // A minute is one of a device and an owner: what was sealed first stays, as on the server.
        minutes.sort_by_key(|m| (m.from_timestamp, m.device_id, m.user_id));
        minutes.dedup_by_key(|m| (m.from_timestamp, m.device_id, m.user_id));
        Ok(minutes)
    }
}

impl Iterator for History {
    type Item = Result<Vec<Minute>, HistoryError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (_, path) = self.days.next()?;
        Some(self.read(&path).map_err(|source| HistoryError { path, source }))
    }
}

fn day_of(path: &Path) -> Option<Date> {
    if path.extension()? != "ndjson" {
        return None;
    }
    path.file_stem()?.to_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use blink_proto::example;

    use super::*;

    const MIDNIGHT: i64 = 29_534_400; // 2026-02-26T00:00:00Z

    fn lines(minutes: &[Minute]) -> String {
        minutes.iter().fold(String::new(), |mut text, minute| {
            let _ = writeln!(text, "{}", serde_json::to_string(minute).unwrap());
            text
        })
    }

    fn profile(days: &[(&str, String)]) -> (tempfile::TempDir, Paths) {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        fs::create_dir_all(paths.history()).unwrap();
        for (day, text) in days {
            fs::write(paths.history().join(format!("{day}.ndjson")), text).unwrap();
        }
        (folder, paths)
    }

    fn read(paths: &Paths, range: Range) -> (Vec<Minute>, u64) {
        let mut history = History::open(paths, range).unwrap();
        let minutes = history.by_ref().flat_map(Result::unwrap).collect();
        (minutes, history.skipped())
    }

    #[test]
    fn days_and_minutes_come_in_order_and_damage_is_counted() {
        let minute = |n| example::minute(MIDNIGHT + n);
        let torn = lines(&[minute(3)])[..60].to_owned() + "\n";
        let wrong = lines(&[Minute { observed_ms: 70_000, ..minute(4) }]);
        let endless = "x".repeat(40_000) + "\n";
        let first = lines(&[minute(2), minute(0)]) + &torn + &wrong + &endless + "\n" + &lines(&[minute(1)]);
        let (_folder, paths) =
            profile(&[("2026-02-27", lines(&[minute(1440)])), ("2026-02-26", first), ("notes", "mine".to_owned())]);
        let (minutes, skipped) = read(&paths, Range::default());
        assert_eq!(minutes, [0, 1, 2, 1440].map(minute));
        assert_eq!(skipped, 3);
    }

    #[test]
    fn a_minute_is_read_once_and_the_first_wins() {
        let first = example::minute(MIDNIGHT);
        let again = Minute { blink_count: 99, ..first.clone() };
        let other = Minute { user_id: Some(uuid::Uuid::nil().into()), ..first.clone() };
        let (_folder, paths) = profile(&[("2026-02-26", lines(&[first.clone(), again, other.clone()]))]);
        assert_eq!(read(&paths, Range::default()).0, [first, other]);
    }

    #[test]
    fn a_span_begins_inclusive_and_ends_exclusive() {
        let minute = |n| example::minute(MIDNIGHT + n);
        let (_folder, paths) = profile(&[
            ("2026-02-25", lines(&[minute(-1)])),
            ("2026-02-26", lines(&[minute(0), minute(5)])),
            ("2026-02-27", lines(&[minute(1440)])),
        ]);
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
