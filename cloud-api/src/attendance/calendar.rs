//! Which days count, and when an arrival is late: workdays less holidays, and the start of work with its grace, all in
//! the organisation's time zone.
//!
//! A day runs from midnight to midnight there. Late is who comes after start and grace: with 09:00 and 15 minutes 9:15:00
//! is in time. Between start and arrival time is counted as it elapsed, whatever the clocks did.

use jiff::{
    ToSpan as _,
    civil::{Date, DateTime, Time, Weekday},
    tz::TimeZone,
};

use super::holidays::Holidays;
use crate::domain::time::UtcMs;

const MINUTE_MS: i64 = 60_000;

/// People arrive up to so many hours before the start of work.
const EARLY_H: i64 = 3;
/// Longer times without a desk are not looked through.
const MOST_DAYS: i64 = 366;

/// The days of the week on which people are expected. None at all is possible: then nobody is ever absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Workdays(u8);

impl Workdays {
    /// Reads a list such as `mon-fri` or `Mon, Wed, sat`. An empty list, or `none`, is no day.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim().to_ascii_lowercase();
        let mut days = 0;
        if text == "none" {
            return Ok(Self(days));
        }
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (weekday(first)?, weekday(last)?);
            let mut day = first;
            loop {
                days |= bit(day);
                if day == last {
                    break;
                }
                day = day.next();
            }
        }
        Ok(Self(days))
    }

    #[must_use]
    pub fn contains(self, day: Weekday) -> bool {
        self.0 & bit(day) != 0
    }
}

fn bit(day: Weekday) -> u8 {
    1 << day.to_monday_zero_offset()
}

fn weekday(name: &str) -> Result<Weekday, String> {
    let days = [
        (Weekday::Monday, "monday"),
        (Weekday::Tuesday, "tuesday"),
        (Weekday::Wednesday, "wednesday"),
        (Weekday::Thursday, "thursday"),
        (Weekday::Friday, "friday"),
        (Weekday::Saturday, "saturday"),
        (Weekday::Sunday, "sunday"),
    ];
    let name = name.trim();
    let found = days.iter().find(|(_, whole)| name.len() >= 3 && whole.starts_with(name));
    found.map(|(day, _)| *day).ok_or_else(|| format!("{name:?} is no day of the week"))
}

/// The organisation's calendar.
#[derive(Clone, Debug)]
pub struct Calendar {
    pub zone: TimeZone,
    pub workdays: Workdays,
    pub holidays: Holidays,
    /// When work starts on a workday.
    pub starts: Time,
    /// When work ends, on the same day.
    pub ends: Time,
    /// Arriving so many minutes after the start is still in time.
    pub grace_min: u16,
}

impl Default for Calendar {
    /// Monday to Friday, from 9:00 with a grace of 15 minutes, in UTC, without holidays.
    fn default() -> Self {
        Self {
            zone: TimeZone::UTC,
            workdays: Workdays(0b1_1111),
            holidays: Holidays::default(),
            starts: Time::constant(9, 0, 0, 0),
            ends: Time::constant(17, 0, 0, 0),
            grace_min: 15,
        }
    }
}

/// A moment as the desk sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The day in the organisation's zone.
    pub date: Date,
    /// The time on the wall, to the second.
    pub time: Time,
    /// Whether this is later than start and grace on a day on which people are expected.
    pub late: bool,
}

impl Calendar {
    /// Whether people are expected on this day: a workday that is no holiday.
    #[must_use]
    pub fn expects(&self, date: Date) -> bool {
        self.workdays.contains(date.weekday()) && !self.holidays.contains(date)
    }

    /// The day on which this moment lies.
    #[must_use]
    pub fn date_of(&self, at: UtcMs) -> Date {
        self.local(at).date()
    }

    #[must_use]
    pub fn arrival(&self, at: UtcMs) -> Arrival {
        let local = self.local(at);
        let date = local.date();
        let since_ms = at.0.saturating_sub(self.instant(date, self.starts).0);
        let late = since_ms > i64::from(self.grace_min) * MINUTE_MS && self.expects(date);
        Arrival { date, time: to_the_second(local.time()), late }
    }

    /// The days on which somebody may have wanted to arrive between these two moments: those on which people are expected,
    /// from [`EARLY_H`] hours before the start of work to its end. At most the last [`MOST_DAYS`].
    #[must_use]
    pub fn days_of_arrival(&self, from: UtcMs, to: UtcMs) -> Vec<Date> {
        let earliest = self.starts.saturating_sub(EARLY_H.hours());
        let last = self.date_of(to);
        let first = last.saturating_sub(MOST_DAYS.days()).max(self.date_of(from));
        let days = first.series(1.day()).take_while(|date| *date <= last);
        let overlaps = |date: &Date| self.instant(*date, earliest) < to && self.instant(*date, self.ends) > from;
        days.filter(|date| self.expects(*date) && overlaps(date)).collect()
    }

    /// The moment of a time on the wall. One that a change of the clocks skips is as much later; of one that comes
    /// twice it is the first.
    #[must_use]
    pub fn instant(&self, date: Date, time: Time) -> UtcMs {
        let at = self.zone.to_ambiguous_timestamp(DateTime::from_parts(date, time)).compatible();
        // Only at the ends of the calendar is there no such moment.
        at.map_or(UtcMs(if date.year() < 0 { i64::MIN } else { i64::MAX }), UtcMs::from)
    }

    fn local(&self, at: UtcMs) -> DateTime {
        self.zone.to_datetime(at.timestamp())
    }
}

fn to_the_second(time: Time) -> Time {
    Time::new(time.hour(), time.minute(), time.second(), 0).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, civil::date};
    use rstest::rstest;

    use super::*;

    fn at(text: &str) -> UtcMs {
        text.parse::<Timestamp>().unwrap().into()
    }

    fn berlin() -> Calendar {
        Calendar { zone: TimeZone::get("Europe/Berlin").unwrap(), ..Calendar::default() }
    }

    #[rstest]
    #[case("mon-fri", 0b001_1111)]
    #[case("Mon,Tuesday, wed", 0b000_0111)]
    #[case("fri-mon", 0b111_0001)]
    #[case("sun-thu", 0b100_1111)]
    #[case("sat", 0b010_0000)]
    #[case("", 0)]
    #[case(" , ", 0)]
    #[case("none", 0)]
    fn lists_of_days(#[case] text: &str, #[case] days: u8) {
        assert_eq!(Workdays::parse(text), Ok(Workdays(days)));
    }

    #[rstest]
    #[case("mo")]
    #[case("mon-")]
    #[case("mon fri")]
    #[case("workdays")]
    #[case("1-5")]
    fn what_is_no_day_is_named(#[case] text: &str) {
        assert!(Workdays::parse(text).unwrap_err().contains("is no day of the week"));
    }

    #[rstest]
    #[case("2026-03-10T07:59:59Z", false)]
    #[case("2026-03-10T08:00:00Z", false)]
    #[case("2026-03-10T08:15:00Z", false)]
    #[case("2026-03-10T08:15:01Z", true)]
    #[case("2026-03-10T22:59:59Z", true)]
    // Saturday: nobody is expected, so nobody is late.
    #[case("2026-03-14T12:00:00Z", false)]
    fn late_is_after_start_and_grace(#[case] moment: &str, #[case] late: bool) {
        assert_eq!(berlin().arrival(at(moment)).late, late);
    }

    /// In Berlin work starts at 8:00 UTC and ends at 16:00 UTC; 13 March 2026 is a Friday.
    #[rstest]
    #[case::before_anybody_comes("2026-03-10T00:00:00Z", "2026-03-10T05:00:00Z", &[])]
    #[case::early("2026-03-10T00:00:00Z", "2026-03-10T05:00:01Z", &[10])]
    #[case::late("2026-03-10T15:59:59Z", "2026-03-10T20:00:00Z", &[10])]
    #[case::after_work("2026-03-10T16:00:00Z", "2026-03-10T20:00:00Z", &[])]
    #[case::over_a_weekend("2026-03-13T12:00:00Z", "2026-03-17T12:00:00Z", &[13, 16, 17])]
    #[case::on_a_weekend("2026-03-13T16:00:00Z", "2026-03-16T05:00:00Z", &[])]
    #[case::backwards("2026-03-11T12:00:00Z", "2026-03-10T12:00:00Z", &[])]
    fn days_on_which_somebody_may_have_come(#[case] from: &str, #[case] to: &str, #[case] days: &[i8]) {
        let found: Vec<i8> = berlin().days_of_arrival(at(from), at(to)).into_iter().map(Date::day).collect();
        assert_eq!(found, days);
    }

    #[test]
    fn a_clock_that_leaps_by_years_is_not_followed_day_by_day() {
        let days = berlin().days_of_arrival(at("2026-03-10T12:00:00Z"), at("2126-03-10T12:00:00Z"));
        assert!(days.len() <= 366 && days.last() == Some(&date(2126, 3, 8)), "{}", days.len());
    }

    #[test]
    fn two_marks_around_midnight_are_two_days() {
        let calendar = berlin();
        let (before, after) =
            (calendar.arrival(at("2026-03-10T22:59:59Z")), calendar.arrival(at("2026-03-10T23:00:00Z")));
        assert_eq!((before.date, before.time.to_string()), (date(2026, 3, 10), "23:59:59".to_owned()));
        assert_eq!((after.date, after.time.to_string()), (date(2026, 3, 11), "00:00:00".to_owned()));
        assert_eq!((before.late, after.late), (true, false));
    }

    #[rstest]
    // The week before and the week after the clocks go forward and back.
    #[case("2026-03-27T08:16:00Z", true)]
    #[case("2026-03-30T07:15:00Z", false)]
    #[case("2026-03-30T07:16:00Z", true)]
    #[case("2026-10-23T07:16:00Z", true)]
    #[case("2026-10-26T08:15:00Z", false)]
    #[case("2026-10-26T08:16:00Z", true)]
    fn the_start_follows_daylight_saving(#[case] moment: &str, #[case] late: bool) {
        assert_eq!(berlin().arrival(at(moment)).late, late);
    }

    #[test]
    fn a_start_that_the_clocks_skip_is_an_hour_later() {
        let calendar =
            Calendar { starts: Time::constant(2, 30, 0, 0), workdays: Workdays::parse("mon-sun").unwrap(), ..berlin() };
        assert_eq!(calendar.instant(date(2026, 3, 29), calendar.starts), at("2026-03-29T01:30:00Z"));
        assert_eq!(calendar.instant(date(2026, 10, 25), calendar.starts), at("2026-10-25T00:30:00Z"));
        // The second half past two of the autumn night is an hour after the first.
        assert!(calendar.arrival(at("2026-10-25T01:30:00Z")).late);
    }

    #[test]
    fn nobody_is_expected_on_a_holiday_or_without_workdays() {
        let holidays = Holidays::list("2026-04-03").unwrap();
        let calendar = Calendar { holidays, ..berlin() };
        assert!(calendar.expects(date(2026, 4, 2)) && !calendar.expects(date(2026, 4, 3)));
        assert!(!calendar.arrival(at("2026-04-03T12:00:00Z")).late);
        let idle = Calendar { workdays: Workdays::default(), ..calendar };
        assert!((1..=30).all(|day| !idle.expects(date(2026, 4, day))));
    }

    #[test]
    fn the_ends_of_the_calendar_are_answered() {
        let calendar = berlin();
        assert!(!calendar.arrival(UtcMs(i64::MIN)).late && calendar.date_of(UtcMs(i64::MAX)).year() == 9999);
        assert_eq!(calendar.instant(Date::MAX, Time::midnight()), UtcMs(i64::MAX));
    }
}
