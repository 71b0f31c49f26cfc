//! Parses spans and times as a person types them: `30m`, `tomorrow`, `15:30`, `2026-03-02`, `2026-03-02T09:00:00Z`.

use blink_figures::Week;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp, ToSpan, Zoned, civil, tz::TimeZone};

use crate::exit::Failure;

/// The longest pause that is accepted; a longer one is taken for a typing error.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 366);

/// Parses a span such as `30m`, `1h 30m`, `90 minutes` or `2d`.
pub(crate) fn parse_span(text: &str) -> Result<SignedDuration, String> {
    let wrong = || "it is not a span of time; write it like 30m, 1h30m or 2d".to_owned();
    let span: Span = text.parse().map_err(|_| wrong())?;
    // A day is 24 hours here and a week 7 days; `--until` takes dates. A month has no fixed length and is refused.
    let span = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
    if span <= SignedDuration::ZERO {
        return Err("it must be longer than nothing".to_owned());
    }
    if span > LONGEST {
        return Err("it is longer than a year; `blinkctl pause` alone lasts until `blinkctl resume`".to_owned());
    }
    Ok(span)
}

/// A time as typed, before the current day is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// The start of the next local day.
    Tomorrow,
    /// The next time the local clock reads this.
    Clock(civil::Time),
    /// The start of this local day.
    Day(civil::Date),
    Local(civil::DateTime),
    Instant(Timestamp),
}

/// Parses `tomorrow`, `HH:MM`, a local date, a local date and time, or RFC 3339.
pub(crate) fn parse_when(text: &str) -> Result<When, String> {
    if text.eq_ignore_ascii_case("tomorrow") {
        return Ok(When::Tomorrow);
    }
    if let Ok(instant) = text.parse() {
        return Ok(When::Instant(instant));
    }
    // A date and time is tried before a date, whose parser would ignore the time.
    if text.contains(['T', 't', ' ']) {
        if let Ok(local) = text.parse() {
            return Ok(When::Local(local));
        }
    } else if let Ok(day) = text.parse() {
        return Ok(When::Day(day));
    } else if text.contains(':')
        && let Ok(clock) = text.parse()
    {
        return Ok(When::Clock(clock));
    }
    Err("it is not a time; write tomorrow, 15:30, 2026-03-02 or 2026-03-02T09:00:00Z".to_owned())
}

impl When {
    /// The instant meant when the local clock reads `now`; `None` unless it is after `now`.
    pub(crate) fn after(self, now: &Zoned) -> Option<Timestamp> {
        let zone = now.time_zone();
        let at = match self {
            Self::Tomorrow => now.tomorrow().ok()?.start_of_day().ok()?,
            Self::Clock(clock) => {
                let today = now.date().to_datetime(clock).to_zoned(zone.clone()).ok()?;
                if today > *now {
                    today
                } else {
                    now.date().checked_add(1.day()).ok()?.to_datetime(clock).to_zoned(zone.clone()).ok()?
                }
            }
            Self::Day(day) => day.to_zoned(zone.clone()).ok()?,
            Self::Local(local) => local.to_zoned(zone.clone()).ok()?,
            Self::Instant(instant) => instant.to_zoned(zone.clone()),
        };
        (at > *now).then(|| at.timestamp())
    }
}

/// A time that does not depend on now, for the bounds of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment(When);

/// Parses a local date, a local date and time, or RFC 3339.
pub(crate) fn parse_moment(text: &str) -> Result<Moment, String> {
    match parse_when(text) {
        Ok(when @ (When::Day(_) | When::Local(_) | When::Instant(_))) => Ok(Moment(when)),
        _ => Err("it is not a date or time; write 2026-03-02 or 2026-03-02T09:00:00Z".to_owned()),
    }
}

impl Moment {
    /// The instant meant in the time zone `zone`.
    pub(crate) fn instant_in(self, zone: &TimeZone) -> Result<Timestamp, String> {
        let zoned = match self.0 {
            When::Instant(instant) => return Ok(instant),
            When::Day(day) => day.to_zoned(zone.clone()),
            When::Local(local) => local.to_zoned(zone.clone()),
            When::Tomorrow | When::Clock(_) => return Err("it is no moment of its own".to_owned()),
        };
        zoned.map(|zoned| zoned.timestamp()).map_err(|error| error.to_string())
    }
}

/// A week as a person names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    This,
    Last,
    Named(Week),
}

impl Which {
    /// Parses `this`, `last` or an ISO week such as `2026-W10`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match text {
            "this" => Ok(Self::This),
            "last" => Ok(Self::Last),
            text => text.parse().map(Self::Named).map_err(|why| format!("{why}, this or last")),
        }
    }

    /// The week that is meant on `today`; one that has not begun is refused.
    pub(crate) fn named(self, today: civil::Date) -> Result<Week, Failure> {
        let this = Week::of(today);
        match self {
            Self::This => Ok(this),
            Self::Last => Ok(this.previous()),
            Self::Named(week) if week <= this => Ok(week),
            Self::Named(week) => {
                Err(Failure::usage("bad_week", format!("{week} has not begun"), format!("This week is {this}.")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("30m", 1_800)]
    #[case("1h30m", 5_400)]
    #[case("90 minutes", 5_400)]
    #[case("45s", 45)]
    #[case("2d", 172_800)]
    #[case("1w 1h", 608_400)]
    fn spans_are_read(#[case] text: &str, #[case] seconds: i64) {
        assert_eq!(parse_span(text), Ok(SignedDuration::from_secs(seconds)));
    }

    #[rstest]
    #[case("30")]
    #[case("")]
    #[case("-5m")]
    #[case("0s")]
    #[case("soon")]
    #[case("9000h")]
    #[case("400d")]
    #[case("1mo")]
    fn other_spans_are_refused(#[case] text: &str) {
        assert!(parse_span(text).is_err());
    }

    // On 29 March 2026 Berlin's clocks go from 02:00 to 03:00.
    #[rstest]
    #[case("tomorrow", "2026-03-28T22:15:00+01:00[Europe/Berlin]", "2026-03-28T23:00:00Z")]
    #[case("tomorrow", "2026-03-29T12:00:00+02:00[Europe/Berlin]", "2026-03-29T22:00:00Z")]
    #[case("23:30", "2026-03-28T22:15:00+01:00[Europe/Berlin]", "2026-03-28T22:30:00Z")]
    #[case("09:00", "2026-03-28T22:15:00+01:00[Europe/Berlin]", "2026-03-29T07:00:00Z")]
    #[case("02:30", "2026-03-28T22:15:00+01:00[Europe/Berlin]", "2026-03-29T01:30:00Z")]
    #[case("2026-04-01", "2026-03-28T22:15:00+01:00[Europe/Berlin]", "2026-03-31T22:00:00Z")]
    #[case("2026-04-01T08:00", "2026-03-28T22:15:00+01:00[Europe/Berlin]", "2026-04-01T06:00:00Z")]
    #[case("2026-04-01T08:00:00Z", "2026-03-28T22:15:00+01:00[Europe/Berlin]", "2026-04-01T08:00:00Z")]
    #[case("2026-04-01T08:00:00+05:30", "2026-03-28T22:15:00+01:00[Europe/Berlin]", "2026-04-01T02:30:00Z")]
    fn times_mean_the_persons_own_clock(#[case] text: &str, #[case] now: Zoned, #[case] at: Timestamp) {
        assert_eq!(parse_when(text).unwrap().after(&now), Some(at));
    }

    #[rstest]
    #[case("2026-03-28")]
    #[case("2026-03-28T08:00")]
    #[case("2020-01-01T00:00:00Z")]
    fn the_past_is_no_time_to_wait_for(#[case] text: &str) {
        let now: Zoned = "2026-03-28T22:15:00+01:00[Europe/Berlin]".parse().unwrap();
        assert_eq!(parse_when(text).unwrap().after(&now), None);
    }

    #[rstest]
    #[case("2026-03-29", "2026-03-28T23:00:00Z")]
    #[case("2026-03-29T12:00", "2026-03-29T10:00:00Z")]
    #[case("2026-03-29T12:00:00Z", "2026-03-29T12:00:00Z")]
    #[case("1969-07-20T20:17:00Z", "1969-07-20T20:17:00Z")]
    fn a_moment_may_be_long_ago(#[case] text: &str, #[case] at: Timestamp) {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        assert_eq!(parse_moment(text).unwrap().instant_in(&berlin), Ok(at));
    }

    #[rstest]
    #[case("tomorrow")]
    #[case("15:30")]
    #[case("yesterday")]
    fn words_and_hours_are_no_moment(#[case] text: &str) {
        assert!(parse_moment(text).is_err());
    }

    #[rstest]
    #[case("later")]
    #[case("25:00")]
    #[case("2026-02-30")]
    #[case("15")]
    #[case("")]
    fn other_times_are_refused(#[case] text: &str) {
        assert!(parse_when(text).is_err(), "{:?}", parse_when(text));
    }

    #[rstest]
    #[case("this", Ok("2026-W11"))]
    #[case("last", Ok("2026-W10"))]
    #[case("2025-W01", Ok("2025-W01"))]
    #[case("2026-W12", Err("bad_week"))]
    fn a_week_is_named(#[case] text: &str, #[case] week: Result<&str, &str>) {
        let named = Which::parse(text).unwrap().named("2026-03-10".parse().unwrap());
        assert_eq!(
            named.map(|week| week.to_string()).map_err(|e| e.problem.code),
            week.map(str::to_owned).map_err(str::to_owned)
        );
    }

    #[rstest]
    #[case("2026-10")]
    #[case("next")]
    #[case("")]
    fn other_weeks_are_refused(#[case] text: &str) {
        assert!(Which::parse(text).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_a_time_ahead_or_none(text in "[0-9a-zT:+ .-]{0,30}|.{0,20}") {
            let now: Zoned = "2026-03-28T22:15:00+01:00[Europe/Berlin]".parse().unwrap();
            if let Some(at) = parse_when(&text).ok().and_then(|when| when.after(&now)) {
                prop_assert!(at > now.timestamp());
            }
            if let Ok(span) = parse_span(&text) {
                prop_assert!(span > SignedDuration::ZERO && span <= LONGEST);
            }
        }
    }
}
