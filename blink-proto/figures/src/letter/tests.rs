//! Letters of a normal week, an empty one, a first one, one with a new camera and one in which the clocks change.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use rstest::rstest;

use super::*;
use crate::{Piece, Setup, page};

/// Five weeks of office days in Berlin that end with `week`; `works` says on which days, counted from the first.
fn history(week: Week, works: impl Fn(i64) -> bool, camera_from: i64) -> (Hours, Setups) {
    let mut setups = Setups::default();
    let old = Setup { machine: "a".to_owned(), camera: Some("old".to_owned()), ..Setup::default() };
    let numbers = [setups.number(&old), setups.number(&Setup { camera: Some("new".to_owned()), ..old.clone() })];
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let span = Letter::span(week);
    let end = span.last.tomorrow().unwrap().to_zoned(zone.clone()).unwrap().timestamp();
    let mut hours = Hours::new(zone.clone(), end);
    for (number, date) in (0..).zip(span.days()).filter(|(number, _)| works(*number)) {
        let nine: Timestamp = date.at(9, 0, 0, 0).to_zoned(zone.clone()).unwrap().timestamp();
        for quarter in (0..32).filter(|quarter| !(12..16).contains(quarter)) {
            let tired = u64::try_from(quarter / 8).unwrap();
            let blinks = 160 - 8 * tired + u64::try_from(number * 7 % 5).unwrap() * 4;
            let blinks = if number >= 28 { blinks - 30 } else { blinks };
            let setup = numbers[usize::from(number >= camera_from)];
            hours.add(Piece {
                at: nine + SignedDuration::from_mins(15 * quarter),
                blinks,
                observed_ms: 600_000,
                setup,
            });
        }
    }
    (hours, setups)
}

fn workday(day: i64) -> bool {
    day % 7 < 5
}

#[rstest]
#[case::normal("2026-W10", workday, 99)]
#[case::empty("2026-W10", |day| day < 28 && workday(day), 99)]
#[case::first("2026-W10", |day| day >= 28 && workday(day), 99)]
#[case::new_camera("2026-W10", workday, 29)]
#[case::daylight_saving("2026-W13", |day| workday(day) || day == 34, 99)]
#[case::over_the_new_year("2026-W53", workday, 99)]
fn a_letter(#[case] week: &str, #[case] works: fn(i64) -> bool, #[case] camera_from: i64) {
    let week: Week = week.parse().unwrap();
    let (hours, setups) = history(week, works, camera_from);
    let letter = Letter::new(&hours, &setups, week);
    let name = std::thread::current().name().unwrap_or_default().rsplit("::").next().unwrap_or_default().to_owned();
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_suffix(name);
    settings.bind(|| {
        insta::assert_snapshot!("text", page::text(&letter));
        insta::assert_snapshot!("markdown", page::markdown(&letter));
        insta::assert_snapshot!("html", page::html(&letter));
        insta::assert_json_snapshot!("json", letter);
    });
}

#[test]
fn a_week_that_is_not_over_says_so() {
    let week: Week = "2026-W10".parse().unwrap();
    let (whole, setups) = history(week, workday, 99);
    let mut hours = Hours::new(whole.zone().clone(), "2026-03-04T12:00:00+01:00".parse().unwrap());
    hours.add(Piece { at: "2026-03-04T09:00:00Z".parse().unwrap(), blinks: 140, observed_ms: 600_000, setup: 0 });
    let letter = Letter::new(&hours, &setups, week);
    assert!(!letter.complete && letter.text[0].contains("so far"), "{:?}", letter.text);
}
