//! Request bodies for tests.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

/// A valid minute that begins at `from`.
pub(crate) fn minute(from: Timestamp, blink_count: u32) -> Value {
    json!({
        "id": Uuid::now_v7(), "user_id": null, "blink_count": blink_count,
        "from_timestamp": from, "to_timestamp": from + jiff::SignedDuration::from_secs(60),
        "observed_ms": 60_000, "mean_fps": 30.0, "quality": "good",
        "mean_blink_ms": 180.0, "incomplete_share": 0.1, "perclos": 0.02,
    })
}

/// `count` consecutive minutes from `from`, each with `blink_count` blinks.
pub(crate) fn minutes(from: &str, count: i64, blink_count: u32) -> Vec<Value> {
    let from: Timestamp = from.parse().unwrap();
    (0..count).map(|n| minute(from + jiff::SignedDuration::from_secs(60 * n), blink_count)).collect()
}

/// `base` with some fields changed.
pub(crate) fn changed(mut base: Value, change: &Value) -> Value {
    for (name, value) in change.as_object().unwrap() {
        base[name] = value.clone();
    }
    base
}

pub(crate) fn gzip(plain: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}
