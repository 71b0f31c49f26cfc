//! ISO weeks and periods of days.

use std::{fmt, str::FromStr};

use jiff::{
    ToSpan as _,
    civil::{Date, ISOWeekDate, Weekday},
};

/// Days from `first` to `last`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first day.
    pub first: Date,
    /// The last day.
    pub last: Date,
}

impl Period {
    /// The `days` days that end with `last`.
    #[must_use]
    pub fn ending(last: Date, days: u32) -> Self {
        Self { first: last.saturating_sub(i64::from(days.saturating_sub(1)).days()), last }
    }

    /// The `days` days before the first of this period.
    #[must_use]
    pub fn before(self, days: u32) -> Self {
        Self::ending(self.first.saturating_sub(1.day()), days)
    }

    /// Each of its days.
    pub fn days(self) -> impl Iterator<Item = Date> {
        self.first.series(1.day()).take_while(move |date| *date <= self.last)
    }

    /// Whether `date` is one of its days.
    #[must_use]
    pub fn holds(self, date: Date) -> bool {
        (self.first..=self.last).contains(&date)
    }
}

/// An ISO week, Monday to Sunday, written `2026-W10`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Week(Date);

impl Week {
    /// The week that `date` is in.
    #[must_use]
    pub fn of(date: Date) -> Self {
        Self(date.saturating_sub(i64::from(date.weekday().to_monday_zero_offset()).days()))
    }

    /// The week before this one.
    #[must_use]
    pub fn previous(self) -> Self {
        Self(self.0.saturating_sub(1.week()))
    }

    /// Its seven days.
    #[must_use]
    pub fn period(self) -> Period {
        Period { first: self.0, last: self.0.saturating_add(6.days()) }
    }
}

impl fmt::Display for Week {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let iso = self.0.iso_week_date();
        f.pad(&format!("{:04}-W{:02}", iso.year(), iso.week()))
    }
}

impl FromStr for Week {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "it is not a week; write it like 2026-W10".to_owned();
        let (year, week) = text.split_once("-W").ok_or_else(wrong)?;
        if year.len() != 4 || week.len() != 2 {
            return Err(wrong());
        }
        let (year, week) = (year.parse().map_err(|_| wrong())?, week.parse().map_err(|_| wrong())?);
        let monday = ISOWeekDate::new(year, week, Weekday::Monday).map_err(|_| format!("{year} has no week {week}"))?;
        Ok(Self(monday.date()))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("2026-03-02", "2026-W10", "2026-03-02", "2026-03-08")]
    #[case("2026-03-08", "2026-W10", "2026-03-02", "2026-03-08")]
    #[case("2027-01-03", "2026-W53", "2026-12-28", "2027-01-03")]
    fn a_week_is_iso_8601s(#[case] date: Date, #[case] name: &str, #[case] first: Date, #[case] last: Date) {
        let week = Week::of(date);
        assert_eq!((week.to_string(), week.period()), (name.to_owned(), Period { first, last }));
        assert_eq!(name.parse(), Ok(week));
        assert_eq!(week.previous().period(), week.period().before(7));
        assert_eq!(week.period().days().count(), 7);
    }

    #[rstest]
    #[case("2026")]
    #[case("2026-W1")]
    #[case("2026-W54")]
    #[case("2025-W53")]
    #[case("W10")]
    #[case("26-W10")]
    #[case("2026-W-1")]
    fn what_is_no_week_is_refused(#[case] text: &str) {
        assert!(text.parse::<Week>().is_err());
    }
}
