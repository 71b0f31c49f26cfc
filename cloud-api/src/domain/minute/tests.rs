//! Tests which minutes are accepted.

use blink_proto::example;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;

fn rules() -> Rules {
    let now: Timestamp = "2026-03-10T12:00:30Z".parse().unwrap();
    Rules {
        user: UserId(Uuid::from_u128(1)),
        device: DeviceId(Uuid::from_u128(2)),
        now: now.into(),
        keep_from: UtcMs::from("2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap()),
    }
}

fn sound() -> Value {
    json!({
        "id": Uuid::from_u128(9), "user_id": null, "blink_count": 17,
        "from_timestamp": "2026-03-10T11:00:00Z", "to_timestamp": "2026-03-10T11:01:00Z",
        "device_id": Uuid::from_u128(2), "observed_ms": 58_200, "mean_fps": 29.9, "quality": "good",
        "mean_blink_ms": 180.0, "incomplete_share": 0.1, "perclos": 0.02,
    })
}

fn check(change: &Value) -> Result<CheckedMinute, Rejection> {
    let mut minute = sound();
    if let (Value::Object(minute), Value::Object(change)) = (&mut minute, change) {
        for (key, value) in change {
            if value == "absent" {
                minute.remove(key);
            } else {
                minute.insert(key.clone(), value.clone());
            }
        }
    }
    rules().check(&minute.to_string())
}

#[rstest]
#[case(json!({}))]
#[case(json!({"user_id": Uuid::from_u128(1)}))]
#[case(json!({"user_id": "absent", "device_id": "absent", "mean_blink_ms": "absent", "perclos": null}))]
#[case(json!({"from_timestamp": "2026-03-10T12:05:00Z", "to_timestamp": "2026-03-10T12:06:00Z"}))]
#[case(json!({"from_timestamp": "2026-03-10T12:00:00+01:00", "to_timestamp": "2026-03-10T11:01:00Z"}))]
#[case(json!({"blink_count": 0, "observed_ms": 0, "quality": "insufficient"}))]
#[case(json!({"blink_count": 17.0, "observed_ms": 58_200.0}))]
#[case(json!({"new_field_of_a_later_client": [1]}))]
fn taken(#[case] change: Value) {
    check(&change).unwrap();
}

#[rstest]
#[case(json!({"id": "absent"}), Code::Invalid)]
#[case(json!({"id": "not-a-uuid"}), Code::Invalid)]
#[case(json!({"blink_count": "17"}), Code::Invalid)]
#[case(json!({"blink_count": 1.5}), Code::Invalid)]
#[case(json!({"blink_count": -1}), Code::Invalid)]
#[case(json!({"blink_count": null}), Code::Invalid)]
#[case(json!({"blink_count": 1e30}), Code::Invalid)]
#[case(json!({"from_timestamp": 5}), Code::Invalid)]
#[case(json!({"from_timestamp": "yesterday"}), Code::Invalid)]
#[case(json!({"observed_ms": "absent"}), Code::Invalid)]
#[case(json!({"mean_fps": "absent"}), Code::Invalid)]
#[case(json!({"mean_fps": -1.0}), Code::Invalid)]
#[case(json!({"quality": "superb"}), Code::Invalid)]
#[case(json!({"device_id": Uuid::from_u128(3)}), Code::Invalid)]
#[case(json!({"user_id": Uuid::from_u128(7)}), Code::WrongUser)]
#[case(json!({"to_timestamp": "2026-03-10T11:02:00Z"}), Code::BadInterval)]
#[case(json!({"to_timestamp": "2026-03-10T11:00:00Z"}), Code::BadInterval)]
#[case(json!({"from_timestamp": "2026-03-10T11:00:30Z", "to_timestamp": "2026-03-10T11:01:30Z"}), Code::Unaligned)]
#[case(json!({"from_timestamp": "2026-03-10T11:00:00.001Z", "to_timestamp": "2026-03-10T11:01:00.001Z"}), Code::Unaligned)]
#[case(json!({"blink_count": 601}), Code::Implausible)]
#[case(json!({"blink_count": 5_000_000_000_i64}), Code::Implausible)]
#[case(json!({"observed_ms": 60_001}), Code::Implausible)]
#[case(json!({"blink_count": 1, "observed_ms": 0}), Code::Implausible)]
#[case(json!({"quality": "insufficient"}), Code::Implausible)]
#[case(json!({"observed_ms": 9_999}), Code::Implausible)]
#[case(json!({"mean_fps": 1e9}), Code::Implausible)]
#[case(json!({"perclos": 1.1}), Code::Implausible)]
#[case(json!({"incomplete_share": 2}), Code::Implausible)]
#[case(json!({"from_timestamp": "2026-03-10T12:06:00Z", "to_timestamp": "2026-03-10T12:07:00Z"}), Code::InFuture)]
#[case(json!({"from_timestamp": "2025-12-31T23:59:00Z", "to_timestamp": "2026-01-01T00:00:00Z"}), Code::TooOld)]
fn refused(#[case] change: Value, #[case] code: Code) {
    assert_eq!(check(&change).unwrap_err().code, code);
}

#[rstest]
#[case(json!({"id": "absent"}), "id", "id is required")]
#[case(json!({"quality": "absent", "perclos": "much"}), "quality", "quality is required")]
#[case(json!({"id": "not-a-uuid"}), "id", "id: ")]
#[case(json!({"user_id": 5}), "user_id", "user_id: ")]
#[case(json!({"from_timestamp": "yesterday"}), "from_timestamp", "from_timestamp: ")]
#[case(json!({"perclos": "much"}), "perclos", "perclos: ")]
#[case(json!({"mean_fps": -1}), "mean_fps", "mean_fps must")]
#[case(json!({"perclos": 2}), "perclos", "perclos must")]
#[case(json!({"blink_count": 1, "observed_ms": 0}), "blink_count", "blink_count must")]
#[case(json!({"to_timestamp": "2026-03-10T11:02:00Z"}), "to_timestamp", "to_timestamp must")]
#[case(json!({"device_id": Uuid::from_u128(3)}), "device_id", "device_id differs")]
fn the_field_at_fault_is_named(#[case] change: Value, #[case] field: &str, #[case] detail: &str) {
    let refused = check(&change).unwrap_err();
    assert!(refused.field == field && refused.detail.starts_with(detail), "{refused:?}");
}

#[test]
fn a_field_that_stands_twice_is_named() {
    let twice = sound().to_string().replacen('{', "{\"perclos\": 0.1, ", 1);
    assert_eq!(rules().check(&twice).unwrap_err().detail, "duplicate field `perclos`");
}

#[test]
fn an_array_is_no_minute() {
    let fields = sound().as_object().unwrap().values().cloned().collect::<Vec<_>>();
    assert_eq!(rules().check(&Value::Array(fields).to_string()).unwrap_err().code, Code::Invalid);
}

#[test]
fn a_client_minute_is_taken_as_it_is() {
    let minute = blink_proto::Minute {
        user_id: Some(rules().user),
        device_id: rules().device,
        mean_blink_ms: None,
        incomplete_share: None,
        perclos: None,
        ..example::minute(29_552_340) // 2026-03-10T11:00:00Z
    };
    rules().check(&serde_json::to_string(&minute).unwrap()).unwrap();
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,200}") {
        let _ = rules().check(&text);
    }
}

#[rstest]
#[case(r#""mean_fps": 1e400"#, "mean_fps")]
#[case(r#""perclos": 1e400"#, "perclos")]
#[case(r#""blink_count": 1e400"#, "blink_count")]
#[case(r#""quality": "best", "other": 1e400"#, "quality")]
fn the_field_at_fault_is_named_whatever_stands_beside_it(#[case] change: &str, #[case] field: &str) {
    let name = change.split('"').nth(1).unwrap();
    let mut minute = sound();
    minute.as_object_mut().unwrap().remove(name);
    let text = minute.to_string().replacen('{', &format!("{{{change}, "), 1);
    assert_eq!(rules().check(&text).unwrap_err().field, field, "{text}");
    let deep = format!("{{\"other\": {}{}, ", "[".repeat(200), "]".repeat(200));
    assert_eq!(rules().check(&text.replacen('{', &deep, 1)).unwrap_err().field, field);
}
