//! `blinkd synthesize` and `blinkd analyze`: in a clip with known blinks, exactly those are found.

use serde_json::Value;
use waw_tests::{Profile, clip};

fn analyze(profile: &Profile, path: &std::path::Path) -> Value {
    let ended = profile.blinkd(&["analyze", path.to_str().unwrap(), "--json"]);
    assert_eq!(ended.stderr, "", "nothing but the result");
    serde_json::from_str(&ended.success()).unwrap()
}

#[test]
fn every_blink_of_the_synthetic_face_is_found_and_no_other() {
    let profile = Profile::new();
    let clip = clip::synthesize(&profile, 60, 20, 7);
    assert!(clip.blinks.len() >= 18, "60 s at 20 a minute hold about 20 blinks: {:?}", clip.blinks);
    let found = clip::intervals(&analyze(&profile, &clip.path));
    let unseen: Vec<_> = clip.blinks.iter().filter(|truth| !found.iter().any(|blink| overlap(blink, truth))).collect();
    let invented: Vec<_> =
        found.iter().filter(|blink| !clip.blinks.iter().any(|truth| overlap(blink, truth))).collect();
    assert_eq!((unseen.len(), invented.len()), (0, 0), "not seen: {unseen:?}, invented: {invented:?}");
    assert_eq!(found.len(), clip.blinks.len());
}

/// Whether two inclusive frame intervals share a frame.
fn overlap(a: &(u64, u64), b: &(u64, u64)) -> bool {
    a.0 <= b.1 && b.0 <= a.1
}

#[test]
fn the_result_has_the_promised_fields() {
    let profile = Profile::new();
    let clip = clip::synthesize(&profile, 10, 30, 3);
    let result = analyze(&profile, &clip.path);
    let keys: Vec<_> = result.as_object().unwrap().keys().map(String::as_str).collect();
    let promised = [
        "input",
        "frames",
        "fps",
        "duration_s",
        "observed_s",
        "blink_count",
        "blinks_per_minute",
        "quality",
        "truncated",
        "blinks",
        "winks",
        "cost",
    ];
    let mut sorted = promised.to_vec();
    sorted.sort_unstable();
    assert_eq!(keys, sorted);
    assert_eq!(result["frames"], 300);
    assert_eq!(result["truncated"], false);
    assert_eq!(result["blink_count"].as_u64().unwrap() as usize, result["blinks"].as_array().unwrap().len());
    for blink in result["blinks"].as_array().unwrap() {
        let (start, end) = (blink["start_frame"].as_u64().unwrap(), blink["end_frame"].as_u64().unwrap());
        assert!(start <= end && end < 300, "{blink}");
        assert!((0.0..=1.0).contains(&blink["depth"].as_f64().unwrap()), "{blink}");
        assert!((50.0..=500.0).contains(&blink["duration_ms"].as_f64().unwrap()), "{blink}");
        assert!(blink["complete"].is_boolean());
    }
    for figure in ["decode_ms", "process_ms", "cpu_ms_per_frame", "peak_rss_bytes"] {
        assert!(result["cost"][figure].as_f64().unwrap() > 0.0, "{figure}: {}", result["cost"]);
    }
}

#[test]
fn a_clip_cut_short_gives_what_was_read_and_says_so() {
    let profile = Profile::new();
    let clip = clip::synthesize(&profile, 20, 20, 7);
    let whole = analyze(&profile, &clip.path);
    let bytes = std::fs::read(&clip.path).unwrap();
    let cut = profile.path().join("cut.avi");
    std::fs::write(&cut, &bytes[..bytes.len() * 6 / 10]).unwrap();
    let result = analyze(&profile, &cut);
    assert_eq!(result["truncated"], true, "{result}");
    let (frames, all) = (result["frames"].as_u64().unwrap(), whole["frames"].as_u64().unwrap());
    assert!(frames > all / 3 && frames < all, "{frames} of {all} frames");
    let early: Vec<_> = clip::intervals(&whole).into_iter().filter(|blink| blink.1 + 30 < frames).collect();
    assert!(!early.is_empty() && clip::intervals(&result).starts_with(&early), "{result}");
}
