//! Checks an uploaded minute: it becomes a [`CheckedMinute`], or a [`Rejection`] with its code.

use std::collections::BTreeMap;

use blink_proto::{
    DeviceId, Minute, MinuteId, Quality, UserId,
    http::RejectionCode as Code,
    minute::{Fault, FaultKind, MINUTE_MS},
};
use jiff::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeOwned},
};
use serde_json::{Number, value::RawValue};

use super::time::UtcMs;

/// How far a client's clock may be ahead of the server's, in milliseconds.
pub(crate) const MAX_AHEAD_MS: i64 = 5 * 60_000;

/// Why a minute is not stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rejection {
    pub code: Code,
    pub field: &'static str,
    /// The value and the reason.
    pub detail: String,
}

impl Rejection {
    fn new(code: Code, field: &'static str, detail: impl Into<String>) -> Self {
        Self { code, field, detail: detail.into() }
    }
}

/// A minute as it arrives. Optional fields may be absent or null.
#[derive(Debug, Deserialize)]
struct Wire {
    id: MinuteId,
    #[serde(default)]
    user_id: Option<UserId>,
    #[serde(deserialize_with = "whole")]
    blink_count: i64,
    from_timestamp: Timestamp,
    to_timestamp: Timestamp,
    #[serde(default)]
    device_id: Option<DeviceId>,
    #[serde(deserialize_with = "whole")]
    observed_ms: i64,
    mean_fps: f64,
    quality: Quality,
    #[serde(default)]
    mean_blink_ms: Option<f64>,
    #[serde(default)]
    incomplete_share: Option<f64>,
    #[serde(default)]
    perclos: Option<f64>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CheckedMinute {
    pub id: MinuteId,
    pub blink_count: i32,
    /// The start of a UTC minute.
    pub from: UtcMs,
    /// Observed milliseconds, 0 to 60,000.
    pub observed_ms: i32,
    pub mean_fps: f64,
    /// `good` or `insufficient`, which follows from `observed_ms`.
    pub quality: &'static str,
    /// Mean duration of the blinks, in milliseconds.
    pub mean_blink_ms: Option<f64>,
    /// 0 to 1.
    pub incomplete_share: Option<f64>,
    /// 0 to 1.
    pub perclos: Option<f64>,
}

impl CheckedMinute {
    #[must_use]
    pub(crate) fn to(&self) -> UtcMs {
        self.from.plus(i64::from(MINUTE_MS))
    }

    /// The minute in the form in which clients send it.
    #[must_use]
    pub(crate) fn wire(&self, user: UserId, device: DeviceId) -> Minute {
        Minute {
            id: self.id,
            user_id: Some(user),
            blink_count: self.blink_count.unsigned_abs(),
            from_timestamp: self.from.timestamp(),
            to_timestamp: self.to().timestamp(),
            device_id: device,
            observed_ms: self.observed_ms.unsigned_abs(),
            mean_fps: self.mean_fps,
            quality: if self.quality == "good" { Quality::Good } else { Quality::Insufficient },
            mean_blink_ms: self.mean_blink_ms,
            incomplete_share: self.incomplete_share,
            perclos: self.perclos,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub user: UserId,
    pub device: DeviceId,
    pub now: UtcMs,
    /// Minutes that start before this are past retention.
    pub keep_from: UtcMs,
}

impl Rules {
    /// Returns the first fault, in the order: form, owner, interval, alignment, values, time.
    pub(crate) fn check(&self, json: &str) -> Result<CheckedMinute, Rejection> {
        // serde would read a struct from an array too, but a minute must be an object.
        if !json.trim_start().starts_with('{') {
            return Err(Rejection::new(Code::Invalid, "minute", "a minute must be a JSON object"));
        }
        let wire: Wire = serde_json::from_str(json).map_err(|e| unread(json, &e))?;
        if wire.user_id.is_some_and(|user| user != self.user) {
            return Err(Rejection::new(Code::WrongUser, "user_id", "user_id is not the signed-in account's"));
        }
        if wire.device_id.is_some_and(|device| device != self.device) {
            return Err(Rejection::new(Code::Invalid, "device_id", "device_id differs from the request's"));
        }
        let minute = wire.minute(self.device)?;
        minute.check()?;
        let minute = CheckedMinute::from(minute);
        if minute.from > self.now.plus(MAX_AHEAD_MS) {
            let detail = "from_timestamp is more than 5 minutes ahead of the server";
            return Err(Rejection::new(Code::InFuture, "from_timestamp", detail));
        }
        if minute.from < self.keep_from {
            let detail =
                format!("from_timestamp is before {}, which is as far back as is kept", self.keep_from.timestamp());
            return Err(Rejection::new(Code::TooOld, "from_timestamp", detail));
        }
        Ok(minute)
    }
}

impl Wire {
    fn minute(self, device_id: DeviceId) -> Result<Minute, Rejection> {
        let count = |name: &'static str, value: i64| {
            let fault = |code, must: &str| Rejection::new(code, name, format!("{name} {must}"));
            u32::try_from(value).map_err(|_| match value {
                ..0 => fault(Code::Invalid, "must not be negative"),
                _ => fault(Code::Implausible, "is too large"),
            })
        };
        Ok(Minute {
            id: self.id,
            user_id: self.user_id,
            blink_count: count("blink_count", self.blink_count)?,
            from_timestamp: self.from_timestamp,
            to_timestamp: self.to_timestamp,
            device_id,
            observed_ms: count("observed_ms", self.observed_ms)?,
            mean_fps: self.mean_fps,
            quality: self.quality,
            mean_blink_ms: self.mean_blink_ms,
            incomplete_share: self.incomplete_share,
            perclos: self.perclos,
        })
    }
}

impl From<Fault> for Rejection {
    fn from(fault: Fault) -> Self {
        let code = match fault.kind {
            FaultKind::BadInterval => Code::BadInterval,
            FaultKind::Unaligned => Code::Unaligned,
            FaultKind::Negative => Code::Invalid,
            FaultKind::Implausible => Code::Implausible,
        };
        Self::new(code, fault.field, fault.to_string())
    }
}

impl From<Minute> for CheckedMinute {
    /// The minute must have passed [`Minute::check`], which bounds its counts.
    fn from(minute: Minute) -> Self {
        let small = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
        Self {
            id: minute.id,
            blink_count: small(minute.blink_count),
            from: minute.from_timestamp.into(),
            observed_ms: small(minute.observed_ms),
            mean_fps: minute.mean_fps,
            quality: match minute.quality {
                Quality::Good => "good",
                Quality::Insufficient => "insufficient",
            },
            mean_blink_ms: minute.mean_blink_ms,
            incomplete_share: minute.incomplete_share,
            perclos: minute.perclos,
        }
    }
}

/// Reads a whole number in any notation: in JSON, 17.0 is 17.
fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let number = Number::deserialize(deserializer)?;
    let real = number.as_f64().filter(|real| real.fract() == 0.0 && real.abs() < 9e15);
    #[expect(clippy::cast_possible_truncation, reason = "it is whole, and a double holds such numbers exactly")]
    let whole = number.as_i64().or(real.map(|real| real as i64));
    whole.ok_or_else(|| de::Error::custom("must be a whole number"))
}

fn fits<T: DeserializeOwned>(json: &str) -> bool {
    serde_json::from_str::<T>(json).is_ok()
}

fn fits_whole(json: &str) -> bool {
    whole(&mut serde_json::Deserializer::from_str(json)).is_ok()
}

/// Whether a JSON value has the field's type.
type Fits = fn(&str) -> bool;

const FIELDS: [(&str, Fits); 12] = [
    ("id", fits::<MinuteId>),
    ("user_id", fits::<Option<UserId>>),
    ("blink_count", fits_whole),
    ("from_timestamp", fits::<Timestamp>),
    ("to_timestamp", fits::<Timestamp>),
    ("device_id", fits::<Option<DeviceId>>),
    ("observed_ms", fits_whole),
    ("mean_fps", fits::<f64>),
    ("quality", fits::<Quality>),
    ("mean_blink_ms", fits::<Option<f64>>),
    ("incomplete_share", fits::<Option<f64>>),
    ("perclos", fits::<Option<f64>>),
];

/// Finds the field at fault by trying each by itself, because the parser does not name it. The values are taken as raw
/// text, so that an unreadable value of one field does not hide another's.
fn unread(json: &str, e: &serde_json::Error) -> Rejection {
    let values: BTreeMap<String, &RawValue> = serde_json::from_str(json).unwrap_or_default();
    let message = without_place(e);
    let given = |name: &str| values.get(name).map_or("null", |value| value.get());
    match FIELDS.iter().find(|(name, fits)| !fits(given(name))) {
        Some((name, _)) if !values.is_empty() && !values.contains_key(*name) => {
            Rejection::new(Code::Invalid, name, format!("{name} is required"))
        }
        Some((name, _)) if !values.is_empty() => Rejection::new(Code::Invalid, name, format!("{name}: {message}")),
        _ => Rejection::new(Code::Invalid, "minute", message),
    }
}

/// Cuts ` at line 1 column 9` off a parser's message: it counts from the start of the bucket, which helps nobody.
fn without_place(e: &serde_json::Error) -> String {
    let text = e.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(message, _)| message.to_owned())
}

#[cfg(test)]
mod tests;
