//! The person's own history as hours, for everything that reckons with it. Days that were read are kept as sums, so
//! that a program that is asked again and again reads only what has changed.

use std::collections::BTreeMap;

use blink_figures::{Hours, Period, Piece, Setup, Setups};
use blink_profile::{
    Consent, Paths,
    setups::{self, SetupLine},
};
use blink_proto::{DeviceId, Minute};
use jiff::{Timestamp, ToSpan as _, Zoned, civil::Date};

use crate::{
    days::{self, HistoryError},
    exit::Failure,
};

const QUARTER_MS: i64 = 15 * 60_000;

/// The quarters of an hour of one day file.
#[derive(Debug)]
struct Day {
    bytes: [u64; 2],
    quarters: Vec<Piece>,
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
        let machine = blink_profile::device::id(paths);
        Self { paths: paths.clone(), lines: Vec::new(), setups: Setups::default(), days: BTreeMap::new(), machine }
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

    /// Reads some of the days that were not read yet, newest first; false when there are none. A day that cannot be read
    /// ends it: whoever asks for that day is told.
    pub(crate) fn read_ahead(&mut self) -> bool {
        const DAYS: usize = 30;
        let Ok(files) = days::lengths(&self.paths) else { return false };
        let unread = files.into_keys().rev().filter(|date| !self.days.contains_key(date));
        let some: Vec<Date> = unread.take(DAYS).collect();
        let Some((newest, oldest)) = some.first().zip(some.last()) else { return false };
        self.refresh(Period { first: *oldest, last: *newest }).is_ok()
    }

    pub(crate) fn setups(&self) -> &Setups {
        &self.setups
    }

    /// Reads the day files of `period` that have another length than when they were read, and forgets those that went.
    fn refresh(&mut self, period: Period) -> Result<(), HistoryError> {
        // What measured is a help: without it machines are told apart alone.
        let lines = setups::read(&self.paths).unwrap_or_default();
        if lines != self.lines {
            self.lines = lines;
            self.days.clear();
        }
        let files = days::lengths(&self.paths)?;
        self.days.retain(|date, _| files.contains_key(date));
        for (date, bytes) in files {
            let is_known = self.days.get(&date).is_some_and(|day| day.bytes == bytes);
            if is_known || !around(period).holds(date) {
                continue;
            }
            let quarters = self.quarters(&days::minutes_of(&self.paths, date)?);
            self.days.insert(date, Day { bytes, quarters });
        }
        Ok(())
    }

    fn quarters(&mut self, minutes: &[Minute]) -> Vec<Piece> {
        let mut quarters: BTreeMap<(i64, DeviceId), Piece> = BTreeMap::new();
        for minute in minutes {
            let at = minute.from_timestamp;
            let quarter = at.as_millisecond().div_euclid(QUARTER_MS);
            let piece = quarters.entry((quarter, minute.device_id)).or_insert_with(|| Piece {
                at: Timestamp::from_millisecond(quarter * QUARTER_MS).unwrap_or(at),
                blinks: 0,
                observed_ms: 0,
                setup: self.setup(at, minute.device_id),
            });
            piece.blinks += u64::from(minute.blink_count);
            piece.observed_ms += u64::from(minute.observed_ms);
        }
        quarters.into_values().collect()
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

/// Fails without this machine's consent: then nothing is told of the figures to anything but the person.
pub(crate) fn require_consent(paths: &Paths) -> Result<(), Failure> {
    if Consent::open(&paths.consent_file()).granted() {
        return Ok(());
    }
    let fix = "Read the text and decide with `blinkctl consent grant`.";
    Err(Failure::failed("no_consent", "There is no consent on this machine, so nothing is told of its figures", fix))
}
