//! A person's copy of their minutes: exported, erased, imported, and exported again byte for byte the same.

use std::{fs, time::Duration};

use blink_proto::{Minute, MinuteStart, Quality, example, status::State};
use jiff::{SignedDuration, Timestamp};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::Value;
use waw_tests::{Daemon, Profile};

/// Writes `count` minutes, the last a quarter of an hour ago, into the history, with figures of every length.
fn fill_history(profile: &Profile, count: i64) {
    let mut random = StdRng::seed_from_u64(11);
    let last = MinuteStart::containing(Timestamp::now() - SignedDuration::from_mins(15)).number();
    for number in last - count + 1..=last {
        let observed_ms = random.random_range(0..=60_000);
        let blinks = observed_ms >= 10_000;
        profile.add_to_history(&Minute {
            blink_count: if blinks { random.random_range(1..40) } else { 0 },
            observed_ms,
            mean_fps: random.random_range(15.0..60.0),
            quality: Quality::of_observed(observed_ms.into()),
            mean_blink_ms: blinks.then(|| random.random_range(50.0..500.0)),
            incomplete_share: blinks.then(|| random.random_range(0.0..=1.0)),
            perclos: (observed_ms > 0).then(|| random.random_range(0.0..=1.0)),
            ..example::minute(number)
        });
    }
}

#[test]
fn what_was_exported_can_be_erased_and_taken_back() {
    let profile = Profile::new();
    fill_history(&profile, 2_500);
    let _daemon = Daemon::start(&profile, "synthetic:bpm=60");
    profile.ctl(&["consent", "grant"]).success();
    profile.status_when("a minute that is open", Duration::from_secs(60), |status| status.minute.blink_count > 0);
    // From here on no minute is sealed between the two exports.
    profile.ctl(&["pause"]).success();
    profile.status_when("the pause", Duration::from_secs(10), |status| status.state == State::Paused);

    let until = (Timestamp::now() - SignedDuration::from_mins(5)).to_string();
    let file = |name: &str| profile.path().join(name).to_str().unwrap().to_owned();
    let export = |name: &str, format: &str| {
        profile.ctl(&["export", "--format", format, "--to", &until, "-o", &file(name)]).success();
        fs::read(file(name)).unwrap()
    };
    let formats = ["json", "ndjson", "csv", "parquet"];
    let before: Vec<_> = formats.iter().map(|format| export(&format!("before.{format}"), format)).collect();
    let minutes: Vec<Value> = serde_json::from_slice(&before[0]).unwrap();
    assert_eq!(minutes.len(), 2_500);

    let receipt = profile.ctl(&["delete", "--local", "--yes", "--json"]).success();
    let receipt: Value = serde_json::from_str(&receipt).unwrap();
    let erased = receipt["local"]["minutes"].as_u64().unwrap();
    assert!((2_501..=2_502).contains(&erased), "those and the open ones: {receipt}");
    assert_eq!(receipt["left"], serde_json::json!([]), "{receipt}");
    assert_eq!(profile.ctl(&["export", "--format", "json"]).success().trim(), "[]");
    assert_eq!(profile.status().today.blink_count, 0);

    let taken = profile.ctl(&["import", &file("before.json"), "--json"]).success();
    let taken: Value = serde_json::from_str(&taken).unwrap();
    assert_eq!(taken["imported"], 2_500, "{taken}");
    let again: Value =
        serde_json::from_str(&profile.ctl(&["import", &file("before.ndjson"), "--json"]).success()).unwrap();
    assert_eq!((&again["imported"], &again["duplicates"]), (&0.into(), &2_500.into()), "{again}");
    for (format, before) in formats.iter().zip(before) {
        assert!(export(&format!("after.{format}"), format) == before, "the {format} export has changed");
    }
    assert_eq!(profile.status().queue.pending, 0, "nobody asked for an upload");
}
