//! `blinkctl letter`.

use std::fs;

use blink_proto::{Minute, MinuteStart};
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use rstest::rstest;
use serde_json::Value;

use crate::{fake::minute, run::Profile};

/// Five weeks that end with 8 March 2026: two hours each workday at 16 blinks a minute, at 12 in the last week.
fn five_weeks(profile: &Profile) {
    let first: Date = "2026-02-02".parse().unwrap();
    for day in (0..35).filter(|day| day % 7 < 5) {
        let date = first + day.days();
        let start: Timestamp = date.at(9, 0, 0, 0).to_zoned(TimeZone::UTC).unwrap().timestamp();
        let number = MinuteStart::containing(start).number();
        let blinks = if day < 28 { 16 } else { 12 };
        let blink_count = blinks + u32::try_from(day % 2).unwrap();
        let lines = (0..120).map(|n| {
            serde_json::to_string(&Minute { blink_count, observed_ms: 60_000, ..minute(number + n) }).unwrap() + "\n"
        });
        profile.day(&date.to_string(), &lines.collect::<String>());
    }
}

#[test]
fn a_week_is_told_in_the_terminal() {
    let profile = Profile::new();
    five_weeks(&profile);
    let ran = profile.run(&["letter", "--week", "2026-W10"]);
    insta::assert_snapshot!("letter", ran.transcript());
    let json = profile.run(&["letter", "--week", "2026-W10", "--json"]);
    let letter: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((&letter["comparison"]["verdict"], &letter["total"]["coverage"]), (&"down".into(), &1.0.into()));
}

#[rstest]
#[case("letter.html", "<!DOCTYPE html>")]
#[case("letter.md", "# Your week, 2 to 8 March 2026\n")]
fn a_file_is_written(#[case] file: &str, #[case] begins: &str) {
    let profile = Profile::new();
    five_weeks(&profile);
    let path = profile.path(file);
    let ran = profile.run(&["letter", "--week", "2026-W10", "-o", path.to_str().unwrap()]);
    assert_eq!(ran.exit, Some(0), "{}", ran.transcript());
    assert!(fs::read_to_string(&path).unwrap().starts_with(begins));
}

#[rstest]
#[case("letter_bad_week", &["letter", "--week", "2026-10"])]
#[case("letter_bad_format", &["letter", "-o", "letter.pdf"])]
fn wrong_usage_is_refused(#[case] name: &str, #[case] args: &[&str]) {
    let ran = Profile::new().run(args);
    ran.assert_fails(2);
    insta::assert_snapshot!(name, ran.transcript());
}

#[test]
fn a_week_that_has_not_begun_is_refused() {
    let ran = Profile::new().run(&["letter", "--week", "9998-W10"]);
    ran.assert_fails(2);
    assert!(ran.stderr.contains("9998-W10 has not begun"), "{}", ran.stderr);
}
