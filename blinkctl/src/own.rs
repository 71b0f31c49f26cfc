//! The person's own history as hours, for everything that reckons with it. Days that were read are kept as sums, so
//! that a program that is asked again and again reads only what has changed.

use std::{
    collections::BTreeMap,
    num::NonZero,
    panic::resume_unwind,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
};

use blink_figures::{Hours, Period, Piece, Setup, Setups};
use blink_profile::{
    Consent, Paths,
    setups::{self, SetupLine},
};
use blink_proto::DeviceId;
use jiff::{Timestamp, ToSpan as _, Zoned, civil::Date};

use crate::{
    days::{self, HistoryError},
    exit::Failure,
};

const QUARTER_MS: i64 = 15 * 60_000;

/// So many days are read ahead before their sums are kept.
const DAYS_READ_AT_ONCE: usize = 64;

/// The quarters of an hour of one day file.
#[derive(Debug)]
struct Day {
    bytes: [u64; 2],
    quarters: Vec<Piece>,
}

/// A quarter of an hour as one machine saw it.
#[derive(Debug)]
struct Quarter {
    at: Timestamp,
    /// Its first minute with a record.
    first: Timestamp,
    machine: DeviceId,
    blinks: u64,
    observed_ms: u64,
}

/// The quarters of an hour of the day file of `date`.
fn quarters(paths: &Paths, date: Date) -> Result<Vec<Quarter>, HistoryError> {
    let mut quarters: BTreeMap<(i64, DeviceId), Quarter> = BTreeMap::new();
    for minute in days::minutes_of(paths, date)? {
        let (first, machine) = (minute.from_timestamp, minute.device_id);
        let number = first.as_millisecond().div_euclid(QUARTER_MS);
        let quarter = quarters.entry((number, machine)).or_insert_with(|| Quarter {
            at: Timestamp::from_millisecond(number * QUARTER_MS).unwrap_or(first),
            first,
            machine,
            blinks: 0,
            observed_ms: 0,
        });
        quarter.blinks += u64::from(minute.blink_count);
        quarter.observed_ms += u64::from(minute.observed_ms);
    }
    Ok(quarters.into_values().collect())
}

type ReadDay = (Date, [u64; 2], Vec<Quarter>);

/// Reads days with all processors.
fn read_at_once(paths: &Paths, wanted: &[(Date, [u64; 2])]) -> Vec<Result<ReadDay, HistoryError>> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(wanted.len()).max(1);
    let read = |(date, bytes): &(Date, [u64; 2])| Ok((*date, *bytes, quarters(paths, *date)?));
    thread::scope(|scope| {
        let parts = wanted.chunks(wanted.len().div_ceil(threads).max(1));
        let reading: Vec<_> =
            parts.map(|part| scope.spawn(move || part.iter().map(read).collect::<Vec<_>>())).collect();
        reading.into_iter().flat_map(|part| part.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}

#[derive(Debug)]
pub(crate) struct OwnHistory {
    paths: Paths,
    lines: Vec<SetupLine>,
    setups: Setups,
    days: BTreeMap<Date, Day>,
    /// This machine.
    machine: Option<DeviceId>,
}

/// The files of UTC days that local days of `period` may lie in.
fn around(period: Period) -> Period {
    Period { first: period.first.saturating_sub(1.day()), last: period.last.saturating_add(1.day()) }
}

impl OwnHistory {
    pub(crate) fn open(paths: &Paths) -> Self {
        // What measured is a help: without it machines are told apart alone.
        let lines = setups::read(paths).unwrap_or_default();
        let machine = blink_profile::device::id(paths);
        Self { paths: paths.clone(), lines, setups: Setups::default(), days: BTreeMap::new(), machine }
    }

    /// The hours of the local days of `period`, up to `now`.
    pub(crate) fn hours(&mut self, period: Period, now: &Zoned) -> Result<Hours, HistoryError> {
        self.refresh(period)?;
        let mut hours = Hours::new(now.time_zone().clone(), now.timestamp());
        let files = around(period);
        for quarter in self.days.range(files.first..=files.last).flat_map(|(_, day)| &day.quarters) {
            hours.add(*quarter);
        }
        Ok(hours)
    }

    pub(crate) fn setups(&self) -> &Setups {
        &self.setups
    }

    /// Reads the day files of `period` that have another length than when they were read, and forgets those that went.
    fn refresh(&mut self, period: Period) -> Result<(), HistoryError> {
        let lines = setups::read(&self.paths).unwrap_or_default();
        if lines != self.lines {
            self.lines = lines;
            self.days.clear();
        }
        let files = days::lengths(&self.paths)?;
        self.days.retain(|date, _| files.contains_key(date));
        let is_read = |date: &Date, bytes: &[u64; 2]| self.days.get(date).is_some_and(|day| day.bytes == *bytes);
        let wanted = files.into_iter().filter(|(date, bytes)| around(period).holds(*date) && !is_read(date, bytes));
        for day in read_at_once(&self.paths, &wanted.collect::<Vec<_>>()) {
            let (date, bytes, quarters) = day?;
            self.keep(date, bytes, &quarters);
        }
        Ok(())
    }

    /// Keeps the sums of a day whose files had these lengths.
    fn keep(&mut self, date: Date, bytes: [u64; 2], quarters: &[Quarter]) {
        let piece = |quarter: &Quarter| Piece {
            at: quarter.at,
            blinks: quarter.blinks,
            observed_ms: quarter.observed_ms,
            setup: self.setup(quarter.first, quarter.machine),
        };
        let quarters = quarters.iter().map(piece).collect();
        self.days.insert(date, Day { bytes, quarters });
    }

    /// The number of what measured at `at` on `machine`.
    fn setup(&mut self, at: Timestamp, machine: DeviceId) -> usize {
        let is_own = self.machine == Some(machine);
        // Nothing is known of what measured before the first line: it is taken for the same.
        let line = self.lines.iter().rev().find(|line| line.from <= at).or(self.lines.first()).filter(|_| is_own);
        let setup = Setup {
            machine: machine.to_string(),
            camera: line.map(|line| line.camera.clone()),
            detector: line.map(|line| line.detector.clone()),
            glasses: line.and_then(|line| line.glasses),
        };
        self.setups.number(&setup)
    }
}

/// Reads the days that were not read yet with all processors, newest first. The files are read without the lock, so that no request waits for them; days that cannot be read are left, and whoever asks for them is told.
pub(crate) fn read_ahead(history: &Mutex<OwnHistory>, paths: &Paths) {
    let files: Vec<_> = days::lengths(paths).unwrap_or_default().into_iter().collect();
    for block in files.rchunks(DAYS_READ_AT_ONCE) {
        let is_unknown = |(date, _): &&(Date, [u64; 2])| !locked(history).days.contains_key(date);
        let wanted: Vec<_> = block.iter().filter(is_unknown).copied().collect();
        let read = read_at_once(paths, &wanted);
        let mut history = locked(history);
        for (date, bytes, quarters) in read.into_iter().flatten() {
            if !history.days.contains_key(&date) {
                history.keep(date, bytes, &quarters);
            }
        }
    }
}

/// Sums stay right when a request panicked.
pub(crate) fn locked(history: &Mutex<OwnHistory>) -> MutexGuard<'_, OwnHistory> {
    history.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Fails without this machine's consent: then nothing is told of the figures to anything but the person.
pub(crate) fn require_consent(paths: &Paths) -> Result<(), Failure> {
    if Consent::open(&paths.consent_file()).granted() {
        return Ok(());
    }
    let fix = "Read the text and decide with `blinkctl consent grant`.";
    Err(Failure::failed("no_consent", "There is no consent on this machine, so nothing is told of its figures", fix))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use blink_proto::{Minute, example};

    use super::*;

    const MIDNIGHT: i64 = 29_534_400; // 2026-02-26T00:00:00Z

    /// A profile with a day file for each of these, which holds so many minutes.
    fn profile(days: &[(&str, i64)]) -> (tempfile::TempDir, Paths) {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        fs::create_dir_all(paths.history()).unwrap();
        for (number, (day, minutes)) in (0..).zip(days) {
            let line =
                |n| serde_json::to_string::<Minute>(&example::minute(MIDNIGHT + 1_440 * number + n)).unwrap() + "\n";
            fs::write(paths.history().join(format!("{day}.ndjson")), (0..*minutes).map(line).collect::<String>())
                .unwrap();
        }
        (folder, paths)
    }

    fn blinks(history: &Mutex<OwnHistory>, first: &str, last: &str) -> u64 {
        let now: Zoned = "2026-03-02T12:00:00Z[UTC]".parse().unwrap();
        let period = Period { first: first.parse().unwrap(), last: last.parse().unwrap() };
        locked(history).hours(period, &now).unwrap().sum(period).blinks
    }

    #[test]
    fn what_is_read_ahead_is_not_read_again_until_it_changes() {
        let (_folder, paths) = profile(&[("2026-02-26", 20), ("2026-02-27", 10)]);
        let history = Mutex::new(OwnHistory::open(&paths));
        read_ahead(&history, &paths);
        assert_eq!(locked(&history).days.len(), 2);
        // Other bytes of the same number would be read as damage.
        let day = paths.history().join("2026-02-26.ndjson");
        let whole = fs::read(&day).unwrap();
        fs::write(&day, vec![b'x'; whole.len()]).unwrap();
        assert_eq!(blinks(&history, "2026-02-26", "2026-02-27"), 30 * 17);
        let line = serde_json::to_string(&example::minute(MIDNIGHT + 30)).unwrap() + "\n";
        fs::write(&day, [whole, line.into_bytes()].concat()).unwrap();
        fs::remove_file(paths.history().join("2026-02-27.ndjson")).unwrap();
        assert_eq!(blinks(&history, "2026-02-26", "2026-02-27"), 21 * 17);
    }
}
