//! `blinkctl report`.

use std::fs;

use blink_proto::{Minute, MinuteStart};
use jiff::{Timestamp, ToSpan};
use rstest::rstest;

use crate::{fake::minute, run::Profile};

/// Writes two hours of yesterday morning, at 20 and 10 blinks a minute.
pub(crate) fn yesterday(profile: &Profile) -> String {
    let day = (Timestamp::now() - 24.hours()).strftime("%Y-%m-%d").to_string();
    let start: Timestamp = format!("{day}T09:00:00Z").parse().unwrap();
    let first = MinuteStart::containing(start).number();
    let lines: String = (0..120)
        .map(|n| {
            let blink_count = if n < 60 { 20 } else { 10 };
            let minute = Minute { blink_count, observed_ms: 60_000, ..minute(first + n) };
            serde_json::to_string(&minute).unwrap() + "\n"
        })
        .collect();
    profile.day(&day, &(lines + "torn\n"));
    day
}

#[test]
fn the_terminal_shows_rate_and_coverage() {
    let profile = Profile::new();
    yesterday(&profile);
    let ran = profile.run(&["report", "--days", "3"]);
    assert_eq!(ran.exit, Some(0), "{}", ran.transcript());
    for part in [" 15.0 ", "2 h 00 min", " 100 %", "1,800 blinks", "1 damaged line", "Hours of the week"] {
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
    assert!(!ran.stdout.contains('\u{1b}'));
}

#[test]
fn for_programs_it_is_one_object() {
    let profile = Profile::new();
    let day = yesterday(&profile);
    let ran = profile.run(&["report", "--days", "3", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["total"]["blink_count"], 1_800);
    assert_eq!(report["total"]["rate_per_minute"], 15.0);
    assert_eq!(report["days"].as_array().unwrap().len(), 3);
    assert_eq!(report["days"][1]["date"], day);
    assert_eq!(report["days"][0]["rate_per_minute"], serde_json::Value::Null);
    assert_eq!(report["hours_of_week"].as_array().unwrap().len(), 2);
    assert_eq!(report["skipped"], 1);
}

#[rstest]
#[case("report_png", "--png", "r.png", b"\x89PNG")]
#[case("report_html", "--html", "r.html", b"<!DO")]
fn a_file_is_written(#[case] name: &str, #[case] flag: &str, #[case] file: &str, #[case] begins: &[u8]) {
    let profile = Profile::new();
    yesterday(&profile);
    let path = profile.path(file);
    let args = ["report", flag, path.to_str().unwrap()];
    insta::assert_snapshot!(name, profile.run(&args).redacted(&profile));
    assert!(fs::read(&path).unwrap().starts_with(begins));
    let again = profile.run(&[&args[..], &["--json"]].concat());
    insta::assert_snapshot!(format!("{name}_json"), again.redacted(&profile));
}

#[rstest]
#[case("report_both", &["report", "--png", "a.png", "--html", "a.html"])]
#[case("report_no_days", &["report", "--days", "0"])]
fn wrong_usage_is_refused(#[case] name: &str, #[case] args: &[&str]) {
    let ran = Profile::new().run(args);
    ran.assert_fails(2);
    insta::assert_snapshot!(name, ran.transcript());
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let ran = Profile::new().run(&["report", "--html", "/none/report.html"]);
    ran.assert_fails(1);
    insta::assert_snapshot!(ran.transcript());
}

#[test]
fn without_a_history_there_is_a_word_and_no_chart() {
    let ran = Profile::new().run(&["report"]);
    assert_eq!(ran.exit, Some(0));
    assert!(ran.stdout.contains("Nothing was observed"), "{}", ran.stdout);
}
