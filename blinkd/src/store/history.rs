//! Day files: every sealed minute as a line of JSON, appended and synced before anything else hears of it.
//!
//! `history/YYYY-MM-DD.ndjson`, by the UTC date of the minute's start. Nothing here ever rewrites a line. A line that
//! cannot be read (a crash in the middle of a write) is skipped by readers and left where it is.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use blink_proto::{Minute, MinuteStart};
use jiff::{civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::profile::files;

/// How a minute came into the history otherwise than by being sealed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Import {
    /// To be kept here alone: it is never uploaded, not even when the store is rebuilt.
    Kept,
    /// To be uploaded too.
    Queued,
}

/// A line of a day file: the record, and which server its owner is at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The record.
    #[serde(flatten)]
    pub minute: Minute,
    /// The owner's server; absent while the minute was nobody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Absent where the minute was sealed here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import: Option<Import>,
}

impl Line {
    /// The line of a minute that was sealed here.
    #[must_use]
    pub fn sealed(minute: Minute, server: Option<String>) -> Self {
        Self { minute, server, import: None }
    }
}

/// The folder of day files.
#[derive(Clone, Debug)]
pub struct History {
    folder: PathBuf,
    /// A disk that is full, for tests.
    #[cfg(test)]
    pub(crate) full: std::sync::Arc<std::sync::atomic::AtomicBool>,
}

/// The day file a minute belongs to.
#[must_use]
pub fn day_of(from: MinuteStart) -> Date {
    from.start().to_zoned(TimeZone::UTC).date()
}

impl History {
    /// The history in `folder`, which is made if need be.
    ///
    /// # Errors
    ///
    /// The folder cannot be made.
    pub fn at(folder: &Path) -> io::Result<Self> {
        files::make_private_folder(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
            #[cfg(test)]
            full: std::sync::Arc::default(),
        })
    }

    fn path(&self, day: Date) -> PathBuf {
        self.folder.join(format!("{day}.ndjson"))
    }

    /// Appends a sealed minute and makes it last. Returns the day and its file's new length.
    ///
    /// # Errors
    ///
    /// The disk does not let us; nothing that was there is harmed.
    pub fn append(&self, line: &Line) -> io::Result<(Date, u64)> {
        let day = day_of(MinuteStart::containing(line.minute.from_timestamp));
        Ok((day, self.append_to(day, &[line])?))
    }

    /// Appends minutes, in their order, each day's at once. Returns the days with their files' new lengths.
    ///
    /// # Errors
    ///
    /// The disk does not let us; each day's minutes are there, or none of them is.
    pub fn append_all(&self, lines: &[Line]) -> io::Result<BTreeMap<Date, u64>> {
        let mut days: BTreeMap<Date, Vec<&Line>> = BTreeMap::new();
        for line in lines {
            days.entry(day_of(MinuteStart::containing(line.minute.from_timestamp))).or_default().push(line);
        }
        days.into_iter().map(|(day, lines)| Ok((day, self.append_to(day, &lines)?))).collect()
    }

    fn append_to(&self, day: Date, lines: &[&Line]) -> io::Result<u64> {
        #[cfg(test)]
        if self.full.load(std::sync::atomic::Ordering::SeqCst) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let path = self.path(day);
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path)?;
        let length = file.metadata()?.len();
        let mut text = Vec::new();
        for line in lines {
            serde_json::to_writer(&mut text, line)?;
            text.push(b'\n');
        }
        if length > 0 && !ends_a_line(&mut file)? {
            // A write was cut off here. Its remains are left alone, on a line of their own.
            text.insert(0, b'\n');
        }
        if let Err(error) = file.write_all(&text).and_then(|()| file.sync_all()) {
            // Take back what was written of it, so that a full disk leaves no half lines behind.
            let _ = file.set_len(length);
            return Err(error);
        }
        if length == 0 {
            files::sync_folder(&self.folder)?;
        }
        Ok(length + text.len() as u64)
    }

    /// The days there are, with the length of each file.
    ///
    /// # Errors
    ///
    /// The folder cannot be read.
    pub fn days(&self) -> io::Result<BTreeMap<Date, u64>> {
        let mut days = BTreeMap::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let day = name.to_str().and_then(|name| name.strip_suffix(".ndjson")).and_then(|day| day.parse().ok());
            if let Some(day) = day {
                days.insert(day, entry.metadata()?.len());
            }
        }
        Ok(days)
    }

    /// The minutes of a day, in the order they were sealed, from the byte `skip` on; none where there is no file.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn read(&self, day: Date, skip: u64) -> io::Result<Vec<Line>> {
        let mut file = match File::open(self.path(day)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        file.seek(SeekFrom::Start(skip))?;
        let (mut lines, mut damaged) = (Vec::new(), 0);
        for text in BufReader::new(file).split(b'\n') {
            let text = text?;
            match serde_json::from_slice(&text) {
                Ok(line) => lines.push(line),
                Err(_) => damaged += usize::from(!text.is_empty()),
            }
        }
        if damaged > 0 {
            tracing::warn!(%day, damaged, "lines of the history cannot be read and are skipped");
        }
        Ok(lines)
    }

    /// Removes the lines for which `gone` holds, for the deletions that people are entitled to. Each day file is
    /// replaced whole.
    ///
    /// # Errors
    ///
    /// The disk does not let us; each day is as it was, or done.
    pub fn remove(&self, gone: impl Fn(&Line) -> bool) -> io::Result<()> {
        for day in self.days()?.into_keys() {
            let lines = self.read(day, 0)?;
            if !lines.iter().any(&gone) {
                continue;
            }
            let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
            for line in lines.iter().filter(|line| !gone(line)) {
                serde_json::to_writer(&mut file, line)?;
                file.write_all(b"\n")?;
            }
            file.as_file().sync_all()?;
            file.persist(self.path(day)).map_err(|error| error.error)?;
        }
        files::sync_folder(&self.folder)
    }

    /// Removes the days before `first_kept`; returns how many.
    ///
    /// # Errors
    ///
    /// The folder does not let us.
    pub fn prune(&self, first_kept: Date) -> io::Result<usize> {
        let old: Vec<Date> = self.days()?.into_keys().filter(|day| *day < first_kept).collect();
        for day in &old {
            fs::remove_file(self.path(*day))?;
        }
        Ok(old.len())
    }
}

fn ends_a_line(file: &mut File) -> io::Result<bool> {
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use blink_proto::example;

    use super::*;

    #[test]
    fn what_is_appended_is_read_back_even_after_a_torn_line() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::at(&folder.path().join("history")).unwrap();
        let lines: Vec<_> = (0..3).map(|n| Line::sealed(example::minute(29_000_000 + n), None)).collect();
        let (day, length) = history.append(&lines[0]).unwrap();
        let path = history.path(day);
        let mut torn = serde_json::to_vec(&lines[1]).unwrap();
        torn.truncate(50);
        OpenOptions::new().append(true).open(&path).unwrap().write_all(&torn).unwrap();
        history.append(&lines[1]).unwrap();
        let (_, end) = history.append(&lines[2]).unwrap();
        assert_eq!(history.read(day, 0).unwrap(), lines);
        assert_eq!(history.read(day, length).unwrap(), lines[1..]);
        assert_eq!(history.days().unwrap(), BTreeMap::from([(day, end)]));
        assert_eq!(fs::metadata(&path).unwrap().len(), end);
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
    fn old_days_are_pruned_and_other_files_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::at(folder.path()).unwrap();
        for day in 0..5 {
            history.append(&Line::sealed(example::minute(29_000_000 + day * 1440), None)).unwrap();
        }
        fs::write(folder.path().join("notes.txt"), "mine").unwrap();
        let days: Vec<_> = history.days().unwrap().into_keys().collect();
        assert_eq!(history.prune(days[3]).unwrap(), 3);
        assert_eq!(history.days().unwrap().into_keys().collect::<Vec<_>>(), days[3..]);
        assert!(folder.path().join("notes.txt").exists());
    }
}
