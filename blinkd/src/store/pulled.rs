//! Writes the minutes that the account's other machines counted, and how far the pull has come. They are read in
//! [`blink_profile::pulled`].
//!
//! A page's days are written first, each replaced as a whole, and then the place. So a pull that is cut off anywhere
//! goes on with the page that it was at, and a page that comes twice adds nothing.

use std::{
    collections::{BTreeMap, HashSet},
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use blink_profile::{day_files, day_files::identity, pulled::place_file};
use blink_proto::{DeviceId, Minute, MinuteStart};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{History, StoreError, history::day_of, pull_place::Place};
use crate::profile::files::{self, FileError};

/// One account's folder of pulled minutes.
#[derive(Clone, Debug)]
pub(crate) struct Pulled {
    folder: PathBuf,
}

impl From<FileError> for StoreError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Read { source, .. } | FileError::Write { source, .. } => Self::Io(source),
            FileError::Damaged { source, .. } => Self::Json(source),
        }
    }
}

impl Pulled {
    pub(crate) fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// How far the pull from `server` has come. A damaged file reads as a pull that has not begun: what comes again adds
    /// nothing.
    pub(crate) fn place(&self, server: &str) -> Result<Place, StoreError> {
        match files::load::<Place>(&place_file(&self.folder)) {
            Ok(place) => Ok(place.filter(|place| place.is_of(server)).unwrap_or_else(|| Place::of(server))),
            Err(FileError::Damaged { .. }) => Ok(Place::of(server)),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn set_place(&self, place: &Place) -> Result<(), StoreError> {
        Ok(files::save(&place_file(&self.folder), place)?)
    }

    /// Adds the minutes that are neither here nor in the history; returns how many, by machine. If it fails, each day is
    /// written completely or not at all.
    pub(crate) fn add(&self, minutes: &[Minute], history: &History) -> Result<BTreeMap<DeviceId, u64>, StoreError> {
        let mut days: BTreeMap<Date, Vec<&Minute>> = BTreeMap::new();
        for minute in minutes {
            days.entry(day_of(MinuteStart::containing(minute.from_timestamp))).or_default().push(minute);
        }
        let mut added = BTreeMap::new();
        for (day, minutes) in days {
            let mut here = day_files::read::<Minute>(&self.folder, day, 0)?.records;
            let own = history.read(day, 0)?;
            let own = own.iter().map(|line| &line.minute);
            let mut known: HashSet<_> = own.chain(&here).map(identity).collect();
            let before = here.len();
            here.extend(minutes.into_iter().filter(|minute| known.insert(identity(minute))).cloned());
            if here.len() > before {
                for minute in &here[before..] {
                    *added.entry(minute.device_id).or_default() += 1;
                }
                here.sort_by_key(identity);
                self.replace(day, &here)?;
            }
        }
        Ok(added)
    }

    fn replace(&self, day: Date, minutes: &[Minute]) -> Result<(), StoreError> {
        blink_files::private_folder(&self.folder)?;
        blink_files::save(&day_files::path_of(&self.folder, day), blink_files::PRIVATE, |file| {
            minutes.iter().try_for_each(|minute| {
                serde_json::to_writer(&mut *file, minute)?;
                file.write_all(b"\n")
            })
        })?;
        Ok(())
    }

    /// Removes the days before `first_kept`. The place is told first, so that a longer history asks for them again.
    pub(crate) fn prune(&self, first_kept: Date) -> Result<(), StoreError> {
        let days = day_files::days(&self.folder)?;
        if days.keys().next().is_none_or(|oldest| *oldest >= first_kept) {
            return Ok(());
        }
        let kept_from = start_of(first_kept);
        if let Ok(Some(mut place)) = files::load::<Place>(&place_file(&self.folder)) {
            place.keep_from(kept_from);
            self.set_place(&place)?;
        }
        for day in days.into_keys().take_while(|day| *day < first_kept) {
            match fs::remove_file(day_files::path_of(&self.folder, day)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }
}

/// The first instant of a UTC day.
pub(crate) fn start_of(day: Date) -> Timestamp {
    day.to_zoned(TimeZone::UTC).map_or(Timestamp::MIN, |zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use blink_proto::example;

    use super::*;

    const MIDNIGHT: i64 = 29_534_400; // 2026-02-26T00:00:00Z

    fn of(device: u128, n: i64) -> Minute {
        Minute { device_id: DeviceId(uuid::Uuid::from_u128(device)), ..example::minute(MIDNIGHT + n) }
    }

    fn folder() -> (tempfile::TempDir, Pulled, History) {
        let root = tempfile::tempdir().unwrap();
        let history = History::open(&root.path().join("history")).unwrap();
        let pulled = Pulled::at(&root.path().join("pulled"));
        (root, pulled, history)
    }

    fn records(pulled: &Pulled, day: &str) -> Vec<Minute> {
        day_files::read(&pulled.folder, day.parse().unwrap(), 0).unwrap().records
    }

    #[test]
    fn a_page_that_comes_twice_adds_nothing_and_the_historys_minutes_stay_out() {
        let (_root, pulled, history) = folder();
        history.append(&super::super::Line::sealed(of(1, 0), None)).unwrap();
        let page = [of(1, 0), of(2, 1), of(1, 1), of(2, 0), of(2, -1)];
        let device = |n| DeviceId(uuid::Uuid::from_u128(n));
        assert_eq!(pulled.add(&page, &history).unwrap(), BTreeMap::from([(device(1), 1), (device(2), 3)]));
        assert_eq!(pulled.add(&page[1..], &history).unwrap(), BTreeMap::new());
        assert_eq!(records(&pulled, "2026-02-26"), [of(2, 0), of(1, 1), of(2, 1)]);
        assert_eq!(records(&pulled, "2026-02-25"), [of(2, -1)]);
        let text = fs::read_to_string(pulled.folder.join("2026-02-26.ndjson")).unwrap();
        assert_eq!(text.lines().count(), 3, "nothing is there twice even unread");
    }

    #[test]
    fn what_retention_removes_is_asked_for_again_when_more_is_kept() {
        let (_root, pulled, history) = folder();
        pulled.add(&[of(2, -1), of(2, 0)], &history).unwrap();
        let from = start_of("2026-02-20".parse().unwrap());
        let mut place = Place::of("https://blinks.example");
        let step = place.next(from);
        assert!(place.advance(&step, Timestamp::UNIX_EPOCH, None));
        pulled.set_place(&place).unwrap();
        assert!(pulled.place("https://blinks.example").unwrap().next(from).received_from.is_some());
        pulled.prune("2026-02-26".parse().unwrap()).unwrap();
        assert!(records(&pulled, "2026-02-25").is_empty() && records(&pulled, "2026-02-26").len() == 1);
        let place = pulled.place("https://blinks.example").unwrap();
        assert_eq!(place.next(from).received_from, None);
        assert!(place.next(start_of("2026-02-26".parse().unwrap())).received_from.is_some());
    }

    #[test]
    fn a_damaged_place_or_one_of_another_server_begins_anew() {
        let (_root, pulled, _) = folder();
        let mut place = Place::of("https://blinks.example");
        let step = place.next(Timestamp::UNIX_EPOCH);
        place.advance(&step, Timestamp::UNIX_EPOCH, Some("c".into()));
        pulled.set_place(&place).unwrap();
        assert_eq!(pulled.place("https://blinks.example").unwrap(), place);
        assert_eq!(pulled.place("https://other.example").unwrap(), Place::of("https://other.example"));
        fs::write(place_file(&pulled.folder), "{").unwrap();
        assert_eq!(pulled.place("https://blinks.example").unwrap(), Place::of("https://blinks.example"));
    }
}
