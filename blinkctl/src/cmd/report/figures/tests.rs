//! Tests of days and hours across clock changes, and of the sums.

use blink_proto::{MinuteStart, Quality, example};
use jiff::{Timestamp, civil::Weekday};
use rstest::rstest;

use super::*;

fn minute(at: &str, blinks: u32, observed_ms: u32) -> Minute {
    let at: Timestamp = at.parse().unwrap();
    Minute {
        blink_count: blinks,
        observed_ms,
        quality: Quality::of_observed(observed_ms.into()),
        ..example::minute(MinuteStart::containing(at).number())
    }
}

fn days(now: &Zoned, days: u32) -> Figures {
    Figures::empty(now, Period::ending(now.date(), days))
}

/// Two weeks of office hours in Berlin with a weekend, a day off and an evening. On the last day the clocks go forward.
pub(crate) fn fortnight() -> Figures {
    let now: Zoned = "2026-03-29T16:30:00+02:00[Europe/Berlin]".parse().unwrap();
    let mut figures = days(&now, 14);
    let begin = figures.range.from.unwrap().as_second() / 60;
    for number in begin..now.timestamp().as_second() / 60 {
        let at = MinuteStart::from_number(number).unwrap().start();
        let local = at.to_zoned(now.time_zone().clone());
        let works =
            (9..17).contains(&local.hour()) && local.hour() != 12 && local.weekday().to_monday_zero_offset() < 5;
        let evening = local.weekday() == Weekday::Wednesday && (20..22).contains(&local.hour());
        let sunday = local.date() == now.date() && (14..16).contains(&local.hour());
        if local.day() == 20 || !(works || evening || sunday) {
            continue;
        }
        let tired = u32::try_from((local.hour() - 9).max(0)).unwrap() / 2;
        let wave = u32::try_from(number.rem_euclid(7)).unwrap();
        let blinks = 18 - tired + wave - u32::try_from(local.day().rem_euclid(5)).unwrap();
        let observed = if number % 5 == 0 { 31_000 } else { 55_000 };
        figures.add(&Minute {
            blink_count: blinks * observed / 60_000,
            observed_ms: observed,
            ..example::minute(number)
        });
    }
    figures
}

#[test]
fn minutes_go_to_the_day_of_the_persons_clock() {
    let now = "2026-03-02T12:00:00+05:45[Asia/Kathmandu]".parse().unwrap();
    let mut figures = days(&now, 2);
    figures.add(&minute("2026-02-28T18:14:00Z", 1, 60_000)); // 23:59 the day before the first
    figures.add(&minute("2026-02-28T18:15:00Z", 2, 60_000)); // midnight
    figures.add(&minute("2026-03-01T18:14:00Z", 4, 60_000));
    figures.add(&minute("2026-03-01T18:15:00Z", 8, 60_000));
    figures.add(&minute("2026-03-09T18:15:00Z", 16, 60_000)); // after today
    let blinks: Vec<_> = figures.days().iter().map(|(_, sum)| sum.blinks).collect();
    assert_eq!(blinks, [6, 8]);
    assert_eq!(figures.total().blinks, 14);
}

#[test]
fn too_little_observed_is_no_rate_and_none_is_no_coverage() {
    let now = "2026-03-02T12:00:00Z[UTC]".parse().unwrap();
    let mut figures = days(&now, 3);
    figures.add(&minute("2026-03-01T10:00:00Z", 2, 9_000));
    let [before, short, _] = figures.days()[..] else { panic!() };
    assert_eq!((before.1.rate(), before.1.coverage()), (None, None));
    assert!(short.1.rate().is_none() && short.1.coverage().is_some());
}

#[test]
fn means_are_weighted_by_what_they_are_over() {
    let now = "2026-03-02T12:00:00Z[UTC]".parse().unwrap();
    let mut figures = days(&now, 1);
    let minute = |n: i64, blink_count, mean_blink_ms, perclos, observed_ms| Minute {
        blink_count,
        mean_blink_ms,
        perclos,
        observed_ms,
        ..example::minute(29_540_200 + n)
    };
    figures.add(&minute(0, 30, Some(100.0), Some(0.1), 60_000));
    figures.add(&minute(1, 10, Some(200.0), Some(0.4), 30_000));
    figures.add(&minute(2, 0, None, None, 0));
    assert_eq!((figures.mean_blink_ms(), figures.perclos()), (Some(125.0), Some(0.2)));
}

#[rstest]
#[case(31, Unit::Day, 31)]
#[case(90, Unit::Week, 14)]
#[case(730, Unit::Month, 25)]
fn many_days_are_joined(#[case] days: u32, #[case] unit: Unit, #[case] bars: usize) {
    let now = "2026-03-02T12:00:00Z[UTC]".parse().unwrap();
    let figures = self::days(&now, days);
    assert_eq!((figures.unit(), figures.bars().len()), (unit, bars));
    let days: usize = figures.bars().iter().map(|bar| bar.period.days().count()).sum();
    assert_eq!(days, figures.days().len());
}

#[test]
fn what_is_to_know_of_the_minutes_is_told_only_where_there_is_something() {
    let now = "2026-03-02T12:00:00Z[UTC]".parse().unwrap();
    let mut figures = days(&now, 2);
    let (own, other) = (minute("2026-03-02T10:00:00Z", 15, 60_000), minute("2026-03-02T10:01:00Z", 9, 60_000));
    let id = "01990000-0000-7000-8000-0000deadbeef".parse().unwrap();
    figures.this_machine = Some(own.device_id);
    figures.add(&own);
    assert_eq!(figures.remarks(), Vec::<String>::new());
    figures.add(&Minute { device_id: DeviceId(id), ..other });
    figures.skipped = 1;
    let machines =
        "The figures are from 2 machines: …deadbeef 1 min at 9.0 blinks/min; this one 1 min at 15.0 blinks/min.";
    assert_eq!(figures.remarks(), [machines, "1 damaged line of the history was left out."]);
    figures.skipped = 1_200;
    assert_eq!(figures.remarks()[1], "1,200 damaged lines of the history were left out.");
}

#[test]
fn the_json_form() {
    let now = "2026-03-02T12:00:00Z[UTC]".parse().unwrap();
    let mut figures = days(&now, 2);
    figures.add(&minute("2026-03-02T10:00:00Z", 15, 60_000));
    insta::assert_snapshot!(serde_json::to_string_pretty(&figures.json()).unwrap());
}

#[rstest]
#[case(0, "0")]
#[case(999, "999")]
#[case(1_000, "1,000")]
#[case(12_345_678, "12,345,678")]
fn thousands_are_kept_apart(#[case] n: u64, #[case] text: &str) {
    assert_eq!(grouped(n), text);
}
