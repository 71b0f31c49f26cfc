//! How long a mark takes with the real programs. `WAW_TEST_LONG=1` uses the full numbers, and `make bench` prints them from a
//! release build.

use std::time::{Duration, Instant};

use waw_tests::{Profile, clip, long_tier, server::command};

use super::{Desk, FPS, pictures, times};

/// The recording's length.
const SECONDS: u64 = 4;

#[test]
fn a_mark_of_four_seconds_is_decided_within_its_budget() {
    let profile = Profile::new();
    let clip = clip::alive(&profile, 16, 20, 3);
    let pictures = pictures(&clip);
    let mut serve = command(&profile, "127.0.0.1:0");
    serve.env("CLOUD_API_LIVENESS", "blink").env("CLOUD_API_RATE_LIMIT", "off");
    let Some(desk) = Desk::start(&profile, &mut serve) else { return };
    desk.enrol(&pictures[3]);
    let count = if long_tier() { 50 } else { 3 };
    let mut took: Vec<Duration> = (0..count)
        .map(|n| {
            // The clip has 30 pictures a second.
            let frames = usize::try_from(SECONDS * FPS).unwrap();
            let shown = pictures.iter().skip(n * 7 % 350).step_by(2).take(frames);
            let mut form: Vec<(&str, Vec<u8>)> = shown.map(|picture| ("frames[]", picture.clone())).collect();
            assert_eq!(form.len(), frames);
            form.push(("timestamps_ms", times(frames)));
            let began = Instant::now();
            let (status, answer) = desk.send("POST", "/api/attendance/mark-attendance", &form);
            assert_eq!((status, &answer["id"]), (200, &"ada".into()), "{answer}");
            began.elapsed()
        })
        .collect();
    took.sort();
    let [p50, p95] = [50, 95].map(|part| took[(took.len() * part / 100).min(took.len() - 1)]);
    println!("a mark of {SECONDS} s of 640x480 at {FPS} a second: p50 {p50:.2?}, p95 {p95:.2?} of {count}");
    // The budget is that of a release build on a machine that does nothing else.
    if long_tier() && !cfg!(debug_assertions) {
        assert!(p95 < Duration::from_millis(1_500), "{took:?}");
    }
}
