//! The local history on disk: `history/YYYY-MM-DD.ndjson` with a line for each sealed or imported minute, by the UTC
//! date of its start. Only blinkd writes the files; blinkd and blinkctl read them here.
//!
//! A line is skipped and counted, and stays in the file, if it is no record (a write was cut off), if it is longer than
//! any record, or if its figures are impossible.
//!
//! Device and start identify a minute, and its first record counts, whoever it belongs to: no camera sees a minute
//! twice. Imports follow the same rule, so a second record exists only where somebody edited the files, and counting it
//! would count its blinks twice. The server keeps one record per account, since one machine may serve two people there;
//! here the files are one person's.

use std::{
    collections::{BTreeMap, HashSet},
    fs::{self, File},
    io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use blink_proto::{DeviceId, Minute, MinuteStart};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Longer lines are skipped. Records are far shorter, and a damaged line may have no end.
pub const MAX_LINE_BYTES: u64 = 16 << 10;

/// How an imported minute is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Import {
    /// It is kept here only: it is never uploaded, not even when the store is rebuilt.
    Kept,
    /// It is uploaded too.
    Queued,
}

/// A line of a day file: the record, and the server of its owner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    #[serde(flatten)]
    pub minute: Minute,
    /// The owner's server; absent while the minute belonged to nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Absent where the minute was sealed here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import: Option<Import>,
}

impl Line {
    #[must_use]
    pub fn sealed(minute: Minute, server: Option<String>) -> Self {
        Self { minute, server, import: None }
    }
}

/// What is parsed of a line: all of it, or the minute alone, which is quicker.
pub trait Record: DeserializeOwned {
    fn minute(&self) -> &Minute;
}

impl Record for Line {
    fn minute(&self) -> &Minute {
        &self.minute
    }
}

impl Record for Minute {
    fn minute(&self) -> &Minute {
        self
    }
}

pub type Identity = (Timestamp, DeviceId);

/// The identity of a minute, whoever it belongs to.
#[must_use]
pub fn identity(minute: &Minute) -> Identity {
    (minute.from_timestamp, minute.device_id)
}

/// The day, in UTC, whose file holds the minute.
#[must_use]
pub fn day_of(from: MinuteStart) -> Date {
    from.start().to_zoned(TimeZone::UTC).date()
}

#[must_use]
pub fn path_of(folder: &Path, day: Date) -> PathBuf {
    folder.join(format!("{day}.ndjson"))
}

/// The day whose file has this name. Dates are written in many ways, of which [`path_of`] has one: a person's copy
/// such as `20260226.ndjson` is no day.
#[must_use]
pub fn day_of_name(name: &str) -> Option<Date> {
    let stem = name.strip_suffix(".ndjson")?;
    stem.parse().ok().filter(|day: &Date| day.to_string() == stem)
}

/// The days that have a file, with its length in bytes; empty without a folder.
pub fn days(folder: &Path) -> io::Result<BTreeMap<Date, u64>> {
    let mut days = BTreeMap::new();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(days),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if let Some(day) = entry.file_name().to_str().and_then(day_of_name) {
            days.insert(day, entry.metadata()?.len());
        }
    }
    Ok(days)
}

#[derive(Debug)]
pub struct Day<T> {
    /// The records in the order in which they were written.
    pub records: Vec<T>,
    pub skipped: u64,
}

/// Reads the file of `day` from the byte `skip_bytes` on; empty where there is no file.
pub fn read<T: Record>(folder: &Path, day: Date, skip_bytes: u64) -> io::Result<Day<T>> {
    let mut found = Day { records: Vec::new(), skipped: 0 };
    let mut file = match File::open(path_of(folder, day)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        file => file?,
    };
    file.seek(SeekFrom::Start(skip_bytes))?;
    let mut known = HashSet::new();
    each_line(&mut BufReader::new(file), |line| match serde_json::from_slice::<T>(line) {
        Ok(record) if record.minute().check().is_ok() => {
            if known.insert(identity(record.minute())) {
                found.records.push(record);
            }
        }
        _ => found.skipped += 1,
    })?;
    Ok(found)
}

/// Calls `take` with each line that is not blank, cut at [`MAX_LINE_BYTES`].
fn each_line(lines: &mut impl BufRead, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if lines.take(MAX_LINE_BYTES).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        if line.last() != Some(&b'\n') && line.len() as u64 == MAX_LINE_BYTES {
            lines.skip_until(b'\n')?;
        }
        if !line.iter().all(u8::is_ascii_whitespace) {
            take(&line);
        }
    }
}

#[cfg(test)]
mod tests {
    use blink_proto::example;

    use super::*;

    const MIDNIGHT: i64 = 29_534_400; // 2026-02-26T00:00:00Z

    fn day_file(lines: &[String]) -> (tempfile::TempDir, Date) {
        let folder = tempfile::tempdir().unwrap();
        let day = day_of(MinuteStart::from_number(MIDNIGHT).unwrap());
        fs::write(path_of(folder.path(), day), lines.concat()).unwrap();
        (folder, day)
    }

    fn line(minute: &Minute) -> String {
        serde_json::to_string(minute).unwrap() + "\n"
    }

    #[test]
    fn damage_and_what_cannot_be_true_are_skipped_and_counted() {
        let minute = |n| example::minute(MIDNIGHT + n);
        let torn = line(&minute(3))[..60].to_owned() + "\n";
        let wrong = line(&Minute { observed_ms: 70_000, ..minute(4) });
        let endless = "x".repeat(40_000) + "\n";
        let lines = [line(&minute(2)), line(&minute(0)), torn, wrong, endless, "\n".to_owned(), line(&minute(1))];
        let (folder, day) = day_file(&lines);
        let found = read::<Minute>(folder.path(), day, 0).unwrap();
        assert_eq!((found.records, found.skipped), ([2, 0, 1].map(minute).to_vec(), 3));
        let later = read::<Line>(folder.path(), day, lines[0].len() as u64).unwrap();
        let later: Vec<_> = later.records.into_iter().map(|line| line.minute).collect();
        assert_eq!(later, [0, 1].map(minute));
    }

    #[test]
    fn the_first_record_of_a_minute_is_the_one_whoever_it_belongs_to() {
        let first = example::minute(MIDNIGHT);
        let again = Minute { blink_count: 99, ..first.clone() };
        let anothers = Minute { user_id: Some(uuid::Uuid::nil().into()), ..first.clone() };
        let elsewhere = Minute { device_id: uuid::Uuid::nil().into(), ..first.clone() };
        let (folder, day) = day_file(&[&first, &again, &anothers, &elsewhere].map(line));
        assert_eq!(read::<Minute>(folder.path(), day, 0).unwrap().records, [first, elsewhere]);
    }

    #[test]
    fn a_line_is_the_record_in_its_order_then_the_server() {
        let server = Some("https://blinks.example".to_owned());
        let line = serde_json::to_string(&Line::sealed(example::minute(1), server)).unwrap();
        assert!(line.starts_with("{\"id\":") && line.ends_with(",\"server\":\"https://blinks.example\"}"), "{line}");
        let record: Minute = serde_json::from_str(&line).unwrap();
        assert!(line.starts_with(serde_json::to_string(&record).unwrap().trim_end_matches('}')));
    }

    #[test]
    fn only_days_are_days_and_without_a_folder_there_are_none() {
        let (folder, day) = day_file(&["x".to_owned()]);
        for name in [
            "notes.ndjson",
            "2026-02-26.ndjson.bak",
            "2026-13-01.ndjson",
            "20200101.ndjson",
            "2020-01-02T1000.ndjson",
            "+002020-01-03.ndjson",
        ] {
            fs::write(folder.path().join(name), "mine").unwrap();
        }
        assert_eq!(days(folder.path()).unwrap(), BTreeMap::from([(day, 1)]));
        assert!(days(&folder.path().join("none")).unwrap().is_empty());
    }
}
