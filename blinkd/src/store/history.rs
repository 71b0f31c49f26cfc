//! Writes the day files: every sealed minute is appended and synced before anything else is told of it. They are read
//! in [`blink_profile::day_files`]. No line is ever rewritten; [`History::remove`] deletes lines.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use blink_profile::day_files;
pub(crate) use blink_profile::day_files::{Import, Line, day_of};
use blink_proto::MinuteStart;
use jiff::civil::Date;

#[derive(Clone, Debug)]
pub struct History {
    folder: PathBuf,
    /// Simulates a full disk.
    #[cfg(test)]
    pub(crate) full: std::sync::Arc<std::sync::atomic::AtomicBool>,
}

impl History {
    /// Opens the history in `folder`, which is created if need be.
    pub fn open(folder: &Path) -> io::Result<Self> {
        blink_files::private_folder(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
            #[cfg(test)]
            full: std::sync::Arc::default(),
        })
    }

    fn path(&self, day: Date) -> PathBuf {
        day_files::path_of(&self.folder, day)
    }

    /// Appends a sealed minute and syncs it to disk. Returns the day and its file's new length in bytes. A failure
    /// leaves the file as it was.
    pub fn append(&self, line: &Line) -> io::Result<(Date, u64)> {
        let day = day_of(MinuteStart::containing(line.minute.from_timestamp));
        Ok((day, self.append_to(day, &[line])?))
    }

    /// Appends minutes in their order, each day's in one write. Returns the days with their files' new lengths in
    /// bytes. If it fails, each day's minutes are written completely or not at all.
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
            // An earlier write was cut off here. Its remains stay, on a line of their own.
            text.insert(0, b'\n');
        }
        if let Err(error) = file.write_all(&text).and_then(|()| file.sync_all()) {
            // The partial write is taken back, so that a full disk leaves no half lines behind.
            let _ = file.set_len(length);
            return Err(error);
        }
        if length == 0 {
            blink_files::sync_folder(&self.folder)?;
        }
        Ok(length + text.len() as u64)
    }

    /// The days that have a file, with its length in bytes.
    pub fn days(&self) -> io::Result<BTreeMap<Date, u64>> {
        day_files::days(&self.folder)
    }

    /// The minutes of a day in the order they were sealed, from the byte `skip` on; empty where there is no file.
    pub fn read(&self, day: Date, skip: u64) -> io::Result<Vec<Line>> {
        let found = day_files::read(&self.folder, day, skip)?;
        if found.skipped > 0 {
            tracing::warn!(%day, skipped = found.skipped, "lines of the history cannot be read and are skipped");
        }
        Ok(found.records)
    }

    /// Removes the lines for which `gone` holds, for the deletions that people are entitled to. Each day file is
    /// replaced as a whole; a line that cannot be read is no minute, and stays. If it fails, each day is either
    /// unchanged or done.
    pub fn remove(&self, gone: impl Fn(&Line) -> bool) -> io::Result<()> {
        for day in self.days()?.into_keys() {
            let path = self.path(day);
            let text = fs::read(&path)?;
            let goes = |line: &[u8]| serde_json::from_slice(line).is_ok_and(|line| gone(&line));
            let lines = || text.split_inclusive(|byte| *byte == b'\n');
            if lines().any(goes) {
                let mut stay = lines().filter(|line| !goes(line));
                blink_files::save(&path, blink_files::PRIVATE, |file| stay.try_for_each(|line| file.write_all(line)))?;
            }
        }
        Ok(())
    }

    /// Removes the days before `first_kept`; returns how many.
    ///
    /// Fails with the first that cannot be removed; the others are gone.
    pub fn prune(&self, first_kept: Date) -> io::Result<usize> {
        let old: Vec<Date> = self.days()?.into_keys().filter(|day| *day < first_kept).collect();
        let mut failed = None;
        for day in &old {
            match fs::remove_file(self.path(*day)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => failed = failed.or(Some(error)),
                _ => {}
            }
        }
        failed.map_or(Ok(old.len()), Err)
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
        let history = History::open(&folder.path().join("history")).unwrap();
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
    fn what_is_removed_takes_no_other_line_along() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::open(folder.path()).unwrap();
        let lines: Vec<_> = (0..3).map(|n| Line::sealed(example::minute(29_000_000 + n), None)).collect();
        let (day, _) = history.append(&lines[0]).unwrap();
        let path = history.path(day);
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"torn\": 1").unwrap();
        history.append_all(&lines[1..]).unwrap();
        history.remove(|line| line.minute == lines[1].minute).unwrap();
        assert_eq!(history.read(day, 0).unwrap(), [lines[0].clone(), lines[2].clone()]);
        assert!(fs::read_to_string(&path).unwrap().contains("{\"torn\": 1\n"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn old_days_are_pruned_and_other_files_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::open(folder.path()).unwrap();
        for day in 0..5 {
            history.append(&Line::sealed(example::minute(29_000_000 + day * 1440), None)).unwrap();
        }
        let theirs = ["notes.txt", "20200101.ndjson", "2020-01-02T1000.ndjson"].map(|name| folder.path().join(name));
        for file in &theirs {
            fs::write(file, "mine").unwrap();
        }
        let days: Vec<_> = history.days().unwrap().into_keys().collect();
        assert_eq!(history.prune(days[3]).unwrap(), 3);
        assert_eq!(history.days().unwrap().into_keys().collect::<Vec<_>>(), days[3..]);
        assert!(theirs.iter().all(|file| file.exists()));
    }

    #[test]
    fn a_day_that_cannot_be_pruned_holds_up_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::open(folder.path()).unwrap();
        let days: Vec<Date> = ["2026-02-25", "2026-02-26", "2026-02-27"].map(|day| day.parse().unwrap()).to_vec();
        fs::create_dir(history.path(days[0])).unwrap();
        fs::write(history.path(days[1]), "").unwrap();
        fs::write(history.path(days[2]), "").unwrap();
        history.prune(days[2]).unwrap_err();
        assert_eq!(history.days().unwrap().into_keys().collect::<Vec<_>>(), [days[0], days[2]]);
    }
}
