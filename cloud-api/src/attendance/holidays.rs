//! Holidays, from a list of dates or from an iCalendar file (RFC 5545) such as countries and companies publish.
//!
//! Each event of the file is a holiday on every day it touches, repeated events with their exceptions. Cancelled events
//! are none. Times of day count for nothing but their date as written.

use std::{collections::BTreeSet, str::FromStr as _};

use icalendar::{Calendar, CalendarComponent, Component as _, DatePerhapsTime, Event};
use jiff::{ToSpan as _, civil::Date};
use rrule::RRuleSet;

/// The most days of one event, repeated or long: three centuries of a yearly one. It bounds what a file can cost.
const MAX_DAYS: u16 = 400;

/// Repetition is followed to the end of this year.
const LAST_YEAR: i16 = 2199;

/// The days on which nobody is expected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holidays(BTreeSet<Date>);

impl Holidays {
    /// Reads dates that are separated by commas or white space, such as `2026-12-24, 2026-12-31`.
    pub fn list(text: &str) -> Result<Self, String> {
        let words = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty());
        let day = |word: &str| word.parse().map_err(|_| format!("{word:?} is no date such as 2026-12-24"));
        words.map(day).collect::<Result<_, _>>().map(Self)
    }

    /// Reads an iCalendar file. The error names the event that cannot be read.
    pub fn ics(text: &str) -> Result<Self, String> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if !text.trim_start().get(..15).is_some_and(|head| head.eq_ignore_ascii_case("BEGIN:VCALENDAR")) {
            return Err("it is no iCalendar file: it does not begin with BEGIN:VCALENDAR".to_owned());
        }
        let calendar: Calendar =
            text.parse().map_err(|e: String| format!("it is no iCalendar file: {}", first_line(&e)))?;
        let mut days = BTreeSet::new();
        for component in &calendar.components {
            let CalendarComponent::Event(event) = component else { continue };
            if event.property_value("STATUS").is_some_and(|status| status.eq_ignore_ascii_case("CANCELLED")) {
                continue;
            }
            let name = event.get_summary().unwrap_or_default();
            days.extend(days_of(event).map_err(|why| format!("the event {name:?} {why}"))?);
        }
        Ok(Self(days))
    }

    #[must_use]
    pub fn contains(&self, date: Date) -> bool {
        self.0.contains(&date)
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn days_of(event: &Event) -> Result<Vec<Date>, String> {
    let start = event.get_start().as_ref().and_then(date_of).ok_or("has no day on which it starts")?;
    let length = length(event, start)?;
    let starts = match event.property_value("RRULE") {
        None => vec![start],
        Some(rule) => repeated(start, rule)?,
    };
    let mut starts = [starts, dates(event, "RDATE")?].concat();
    let without = dates(event, "EXDATE")?;
    starts.retain(|day| !without.contains(day));
    if starts.len() * usize::from(length) > usize::from(MAX_DAYS) {
        return Err(format!("has more than {MAX_DAYS} days"));
    }
    let days = starts.iter().flat_map(|start| (0..i64::from(length)).filter_map(|n| start.checked_add(n.days()).ok()));
    Ok(days.collect())
}

/// How many days an event touches. Its end does not belong to it.
fn length(event: &Event, start: Date) -> Result<u16, String> {
    let days_until = |end: Date| i64::from((end - start).get_days());
    let days = match (event.get_end(), event.property_value("DURATION")) {
        (Some(DatePerhapsTime::Date(end)), _) => days_until(civil(end).ok_or("ends on no day")?),
        (Some(end @ DatePerhapsTime::DateTime(_)), _) => {
            let at_midnight = event.property_value("DTEND").is_some_and(|end| end.contains("T000000"));
            days_until(date_of(&end).ok_or("ends on no day")?) + i64::from(!at_midnight)
        }
        (None, Some(duration)) => {
            let span = jiff::Span::from_str(duration).map_err(|_| "has a duration that cannot be read")?;
            let hours = span.total((jiff::Unit::Hour, start)).map_err(|_| "has a duration that cannot be read")?;
            #[expect(clippy::cast_possible_truncation, reason = "a number of days, checked below")]
            let days = (hours / 24.0).ceil() as i64;
            days
        }
        (None, None) => 1,
    };
    match u16::try_from(days.max(1)) {
        Ok(days @ ..=MAX_DAYS) if days >= 1 => Ok(days),
        _ => Err(format!("has more than {MAX_DAYS} days")),
    }
}

/// The days on which a rule has the event start. Days are reckoned in UTC, so that no change of clocks moves them.
fn repeated(start: Date, rule: &str) -> Result<Vec<Date>, String> {
    let unreadable = |e: rrule::RRuleError| format!("has a rule that cannot be read: {}", first_line(&e.to_string()));
    let rule = until_as_time(rule);
    let set = RRuleSet::from_str(&format!("DTSTART:{}T000000Z\nRRULE:{rule}", start.strftime("%Y%m%d")))
        .map_err(unreadable)?;
    let last = format!("{LAST_YEAR}1231T000000Z");
    let last = RRuleSet::from_str(&format!("DTSTART:{last}\nRRULE:FREQ=DAILY;COUNT=1")).map_err(unreadable)?;
    let found = set.before(*last.get_dt_start()).all(MAX_DAYS);
    if found.limited {
        return Err(format!("has more than {MAX_DAYS} days"));
    }
    Ok(found.dates.iter().filter_map(|day| civil(day.date_naive())).collect())
}

/// An end that is a date must be a time here, because the start is one.
fn until_as_time(rule: &str) -> String {
    let part = |part: &str| match part.split_once('=') {
        Some((key, end)) if key.eq_ignore_ascii_case("UNTIL") => {
            format!("UNTIL={}T235959Z", end.get(..8).unwrap_or(end))
        }
        _ => part.to_owned(),
    };
    rule.split(';').map(part).collect::<Vec<_>>().join(";")
}

/// The dates of a property that may stand several times and hold several.
fn dates(event: &Event, name: &str) -> Result<Vec<Date>, String> {
    let single = event.properties().get(name).into_iter();
    let several = event.multi_properties().get(name).into_iter().flatten();
    let words = single.chain(several).flat_map(|property| property.value().split(','));
    let day = |word: &str| {
        let digits = word.trim().get(..8).unwrap_or_default();
        Date::strptime("%Y%m%d", digits).map_err(|_| format!("has an {name} that is no date"))
    };
    words.map(day).collect()
}

fn date_of(moment: &DatePerhapsTime) -> Option<Date> {
    civil(moment.date_naive())
}

fn civil(date: chrono::NaiveDate) -> Option<Date> {
    use chrono::Datelike as _;
    Date::new(date.year().try_into().ok()?, date.month().try_into().ok()?, date.day().try_into().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use rstest::rstest;

    use super::*;

    fn ics(events: &str) -> Result<Vec<String>, String> {
        let text = format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n{events}END:VCALENDAR\r\n");
        Ok(Holidays::ics(&text)?.0.iter().map(Date::to_string).collect())
    }

    fn event(lines: &[&str]) -> String {
        format!("BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:A day\r\n{}\r\nEND:VEVENT\r\n", lines.join("\r\n"))
    }

    #[test]
    fn a_list_of_dates() {
        let holidays = Holidays::list("2026-12-24, 2026-12-25\n2027-01-01,").unwrap();
        assert_eq!(holidays.len(), 3);
        assert!(holidays.contains(date(2027, 1, 1)) && !holidays.contains(date(2026, 12, 26)));
        assert!(Holidays::list("").unwrap().is_empty());
        assert_eq!(Holidays::list("2026-02-30").unwrap_err(), "\"2026-02-30\" is no date such as 2026-12-24");
    }

    #[rstest]
    #[case::one_day(&["DTSTART;VALUE=DATE:20260403", "DTEND;VALUE=DATE:20260404"], &["2026-04-03"])]
    #[case::without_an_end(&["DTSTART;VALUE=DATE:20260403"], &["2026-04-03"])]
    #[case::several_days(&["DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20261227"], &["2026-12-24", "2026-12-25", "2026-12-26"])]
    #[case::duration(&["DTSTART;VALUE=DATE:20261224", "DURATION:P2D"], &["2026-12-24", "2026-12-25"])]
    #[case::times_of_day(&["DTSTART:20261224T120000Z", "DTEND:20261225T000000Z"], &["2026-12-24"])]
    #[case::over_midnight(&["DTSTART:20261224T220000", "DTEND:20261225T010000"], &["2026-12-24", "2026-12-25"])]
    #[case::its_zone(&["DTSTART;TZID=Europe/Berlin:20261231T230000", "DTEND;TZID=Europe/Berlin:20270101T000000"], &["2026-12-31"])]
    #[case::counted(&["DTSTART;VALUE=DATE:20260501", "RRULE:FREQ=YEARLY;COUNT=2"], &["2026-05-01", "2027-05-01"])]
    #[case::until(&["DTSTART;VALUE=DATE:20260501", "RRULE:FREQ=YEARLY;UNTIL=20280501"], &["2026-05-01", "2027-05-01", "2028-05-01"])]
    #[case::a_weekday(&["DTSTART;VALUE=DATE:20261126", "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;COUNT=2"], &["2026-11-26", "2027-11-25"])]
    #[case::exceptions(&["DTSTART;VALUE=DATE:20260501", "RRULE:FREQ=YEARLY;COUNT=3", "EXDATE;VALUE=DATE:20270501"], &["2026-05-01", "2028-05-01"])]
    #[case::additions(&["DTSTART;VALUE=DATE:20260501", "RDATE;VALUE=DATE:20260601,20260701"], &["2026-05-01", "2026-06-01", "2026-07-01"])]
    #[case::cancelled(&["DTSTART;VALUE=DATE:20260501", "STATUS:CANCELLED"], &[])]
    fn events(#[case] lines: &[&str], #[case] days: &[&str]) {
        assert_eq!(ics(&event(lines)).unwrap(), days);
    }

    #[test]
    fn a_yearly_day_goes_on() {
        let days = ics(&event(&["DTSTART;VALUE=DATE:20260501", "RRULE:FREQ=YEARLY"])).unwrap();
        assert_eq!((days.len(), days.last().unwrap().as_str()), (174, "2199-05-01"));
    }

    #[rstest]
    #[case::no_file("hello", "BEGIN:VCALENDAR")]
    #[case::no_start(&event(&["DESCRIPTION:x"]), "no day on which it starts")]
    #[case::every_day(&event(&["DTSTART;VALUE=DATE:20260501", "RRULE:FREQ=DAILY"]), "more than 400 days")]
    #[case::a_long_one(&event(&["DTSTART;VALUE=DATE:20260501", "DTEND;VALUE=DATE:20290501"]), "more than 400 days")]
    #[case::no_rule(&event(&["DTSTART;VALUE=DATE:20260501", "RRULE:FREQ=SOMETIMES"]), "a rule that cannot be read")]
    fn what_cannot_be_read_is_named(#[case] text: &str, #[case] why: &str) {
        let said = if text == "hello" { Holidays::ics(text).unwrap_err() } else { ics(text).unwrap_err() };
        assert!(said.contains(why) && said.lines().count() == 1, "{said}");
    }

    #[test]
    fn a_byte_order_mark_is_passed_over() {
        let text = format!("\u{feff}BEGIN:VCALENDAR\n{}END:VCALENDAR\n", event(&["DTSTART;VALUE=DATE:20260501"]));
        assert!(Holidays::ics(&text).unwrap().contains(date(2026, 5, 1)));
    }
}
