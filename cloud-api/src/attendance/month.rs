//! What stands for one person's days, packed by month: four bytes for each day. Analytics read months instead of
//! records, so that a million records are some ten thousand rows.

use jiff::{
    ToSpan as _,
    civil::Date,
    tz::{Offset, TimeZone},
};

use super::record::Status;
use crate::domain::time::UtcMs;

const MINUTE_MS: i64 = 60_000;
const DAY_BYTES: usize = 4;
const BYTES: usize = 31 * DAY_BYTES;
const NO_CONFIDENCE: u8 = u8::MAX;
const LIVE: u8 = 0b1000_0000;

/// What stands for one day of one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    pub status: Status,
    /// When it was marked, in whole minutes from the date's midnight in UTC: a time zone is not needed to know it.
    pub minute: i16,
    /// 0 to 100, of a face that was recognised.
    pub confidence: Option<u8>,
    /// Whether the face was proved to be alive.
    pub live: bool,
}

impl Entry {
    /// The minutes from the date's midnight in UTC to this moment, at most those of three weeks.
    #[must_use]
    pub fn minute_of(date: Date, at: UtcMs) -> i16 {
        let midnight = Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).map_or(0, |t| t.as_millisecond());
        let minutes = at.0.saturating_sub(midnight).div_euclid(MINUTE_MS);
        i16::try_from(minutes).unwrap_or(if minutes < 0 { i16::MIN } else { i16::MAX })
    }
}

/// The months of the calendar by number: 12 to a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MonthNumber(pub i32);

impl MonthNumber {
    #[must_use]
    pub fn of(date: Date) -> Self {
        Self(i32::from(date.year()) * 12 + i32::from(date.month()) - 1)
    }

    /// Its first day, if the calendar has it.
    #[must_use]
    pub fn first(self) -> Option<Date> {
        let year = i16::try_from(self.0.div_euclid(12)).ok()?;
        Date::new(year, i8::try_from(self.0.rem_euclid(12)).ok()? + 1, 1).ok()
    }
}

/// The days of one month of one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Month([u8; BYTES]);

impl Default for Month {
    fn default() -> Self {
        Self([0; BYTES])
    }
}

impl Month {
    /// `None` for bytes that [`Self::bytes`] did not give.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        Some(Self(bytes.try_into().ok()?))
    }

    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|byte| *byte == 0)
    }

    /// What stands for the day of the month, 1 to 31.
    #[must_use]
    pub fn get(&self, day: i8) -> Option<Entry> {
        let bytes = &self.0[place(day)..place(day) + DAY_BYTES];
        let status = status(bytes[0] & !LIVE)?;
        Some(Entry {
            status,
            minute: i16::from_be_bytes([bytes[2], bytes[3]]),
            confidence: (bytes[1] != NO_CONFIDENCE).then_some(bytes[1]),
            live: bytes[0] & LIVE != 0,
        })
    }

    /// The days of the month on which something stands.
    pub fn marked(&self) -> impl DoubleEndedIterator<Item = i8> {
        (1..=31).filter(|day| self.get(*day).is_some())
    }

    pub fn set(&mut self, day: i8, what: Option<Entry>) {
        let mut bytes = [0; DAY_BYTES];
        if let Some(Entry { status, minute, confidence, live }) = what {
            bytes[0] = byte(status) | if live { LIVE } else { 0 };
            bytes[1] = confidence.unwrap_or(NO_CONFIDENCE);
            bytes[2..].copy_from_slice(&minute.to_be_bytes());
        }
        self.0[place(day)..place(day) + DAY_BYTES].copy_from_slice(&bytes);
    }
}

fn byte(status: Status) -> u8 {
    match status {
        Status::Present => 1,
        Status::Late => 2,
        Status::Absent => 3,
        Status::Unknown => 4,
    }
}

fn status(byte: u8) -> Option<Status> {
    Some(match byte {
        1 => Status::Present,
        2 => Status::Late,
        3 => Status::Absent,
        4 => Status::Unknown,
        _ => return None,
    })
}

fn place(day: i8) -> usize {
    usize::from(day.clamp(1, 31).unsigned_abs() - 1) * DAY_BYTES
}

/// Turns the minutes of a day into the wall's, quickly: most days have one offset from UTC.
#[derive(Clone, Debug)]
pub struct WallClock {
    midnight: UtcMs,
    /// `None` on a day on which the clocks change, or near it.
    offset_min: Option<i32>,
    zone: TimeZone,
}

impl WallClock {
    #[must_use]
    pub fn of(date: Date, zone: &TimeZone) -> Self {
        let midnight = Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).unwrap_or_default();
        // A mark is stored with the day that its own zone had, which may since have been set to another.
        let offset =
            |days: i64| zone.to_offset(midnight.checked_add((24 * days).hours()).unwrap_or(midnight)).seconds();
        let same = offset(-1) == offset(2) && offset(0) == offset(1);
        Self { midnight: midnight.into(), offset_min: same.then(|| offset(0) / 60), zone: zone.clone() }
    }

    /// The minute of the day on the wall, 0 to 1,439.
    #[must_use]
    pub fn minute_of_day(&self, minute: i16) -> u16 {
        let offset = self.offset_min.unwrap_or_else(|| {
            let at = self.midnight.plus(i64::from(minute) * MINUTE_MS);
            self.zone.to_offset(at.timestamp()).seconds() / 60
        });
        u16::try_from((i32::from(minute) + offset).rem_euclid(1_440)).unwrap_or(0)
    }

    /// The moment of a minute, to the minute.
    #[must_use]
    pub fn instant(&self, minute: i16) -> UtcMs {
        self.midnight.plus(i64::from(minute) * MINUTE_MS)
    }
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, civil::date};
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> UtcMs {
        text.parse::<Timestamp>().unwrap().into()
    }

    #[test]
    fn months_are_numbered_through() {
        assert_eq!(MonthNumber::of(date(2026, 1, 31)).0 - MonthNumber::of(date(2025, 12, 1)).0, 1);
        assert_eq!(MonthNumber::of(date(2026, 3, 31)).first(), Some(date(2026, 3, 1)));
        assert_eq!(MonthNumber(i32::MAX).first(), None);
    }

    #[test]
    fn a_day_that_its_zone_has_before_or_after_utc_keeps_its_minute() {
        assert_eq!(Entry::minute_of(date(2026, 3, 11), at("2026-03-10T23:05:59Z")), -55);
        assert_eq!(Entry::minute_of(date(2026, 3, 10), at("2026-03-11T09:00:00Z")), 33 * 60);
        assert_eq!(Entry::minute_of(date(2026, 3, 10), UtcMs(i64::MAX)), i16::MAX);
        assert_eq!(Entry::minute_of(date(2026, 3, 10), UtcMs(i64::MIN)), i16::MIN);
    }

    #[test]
    fn foreign_bytes_are_no_month() {
        assert_eq!(Month::read(&[0; 3]), None);
        assert_eq!(Month::read(Month::default().bytes()), Some(Month::default()));
    }

    fn day() -> impl Strategy<Value = Option<Entry>> {
        let day = (prop::sample::select(Status::ALL), any::<i16>(), prop::option::of(0..=100u8), any::<bool>());
        prop::option::of(day.prop_map(|(status, minute, confidence, live)| Entry { status, minute, confidence, live }))
    }

    proptest! {
        #[test]
        fn what_was_set_is_read(days in prop::collection::vec((1..=31i8, day()), 0..60)) {
            let mut month = Month::default();
            let mut kept = std::collections::BTreeMap::new();
            for (n, day) in days {
                month.set(n, day);
                kept.insert(n, day);
            }
            let month = Month::read(month.bytes()).unwrap();
            for n in 1..=31 {
                prop_assert_eq!(month.get(n), kept.get(&n).copied().flatten());
            }
            prop_assert_eq!(month.is_empty(), kept.values().all(Option::is_none));
        }

        #[test]
        fn the_quick_way_to_the_wall_is_the_calendars(
            day in 20_000..21_500i64, minute in -900..2_340i16,
            zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Cairo", "Pacific/Apia"]),
        ) {
            let zone = TimeZone::get(zone).unwrap();
            let date = date(1970, 1, 1).checked_add(day.days()).unwrap();
            let clock = WallClock::of(date, &zone);
            let wall = zone.to_datetime(clock.instant(minute).timestamp());
            let expected = u16::try_from(i32::from(wall.hour()) * 60 + i32::from(wall.minute())).unwrap();
            // Days on which the clocks change within one and a half days of the date are reckoned exactly.
            prop_assert_eq!(clock.minute_of_day(minute), expected);
        }
    }
}
