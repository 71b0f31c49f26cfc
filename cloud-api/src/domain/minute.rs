//! A minute from the wire becomes a [`CheckedMinute`], or a [`Rejection`] with its code.

use std::collections::BTreeMap;

use blink_proto::{DeviceId, Minute, MinuteId, Quality, UserId, minute::MINUTE_MS};
use jiff::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeOwned},
};
use serde_json::{Number, value::RawValue};

use super::time::UtcMs;

/// More blinks than this in a minute is no person: a blink takes 50 ms at the least, and as long again to the next.
pub const MAX_BLINKS: i64 = 600;

/// No camera of the kind is faster.
const MAX_FPS: f64 = 1_000.0;

/// How far a client's clock may run ahead of ours.
pub const MAX_AHEAD_MS: i64 = 5 * 60_000;

/// Why a minute is not taken, as the word on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// It has not the form of a minute.
    Invalid,
    /// `to_timestamp` is not 60 s after `from_timestamp`.
    BadInterval,
    /// `from_timestamp` is not the start of a UTC minute.
    Unaligned,
    /// A value that cannot be.
    Implausible,
    /// More than five minutes ahead of this server's clock.
    InFuture,
    /// Older than what this server keeps.
    TooOld,
    /// It names another person.
    WrongUser,
}

impl Code {
    /// Every code there is.
    pub const ALL: [Self; 7] = [
        Self::Invalid,
        Self::BadInterval,
        Self::Unaligned,
        Self::Implausible,
        Self::InFuture,
        Self::TooOld,
        Self::WrongUser,
    ];

    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::BadInterval => "bad_interval",
            Self::Unaligned => "unaligned",
            Self::Implausible => "implausible",
            Self::InFuture => "in_future",
            Self::TooOld => "too_old",
            Self::WrongUser => "wrong_user",
        }
    }
}

/// A minute that is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The kind of fault.
    pub code: Code,
    /// The field at fault, where it is one.
    pub field: &'static str,
    /// Which value, and why.
    pub detail: String,
}

impl Rejection {
    fn new(code: Code, field: &'static str, detail: impl Into<String>) -> Self {
        Self { code, field, detail: detail.into() }
    }
}

/// A minute as it arrives. What is optional on the wire may be absent or null.
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
    quality: blink_proto::Quality,
    #[serde(default)]
    mean_blink_ms: Option<f64>,
    #[serde(default)]
    incomplete_share: Option<f64>,
    #[serde(default)]
    perclos: Option<f64>,
}

/// A minute that may be stored.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckedMinute {
    /// Names the record.
    pub id: MinuteId,
    /// Blinks, 0 to [`MAX_BLINKS`].
    pub blink_count: i32,
    /// The start of a UTC minute.
    pub from: UtcMs,
    /// 0 to 60,000.
    pub observed_ms: i32,
    /// Frames per second.
    pub mean_fps: f64,
    /// `good` or `insufficient`.
    pub quality: &'static str,
    /// Mean width of the blinks, milliseconds.
    pub mean_blink_ms: Option<f64>,
    /// 0 to 1.
    pub incomplete_share: Option<f64>,
    /// 0 to 1.
    pub perclos: Option<f64>,
}

impl CheckedMinute {
    /// Its end.
    #[must_use]
    pub fn to(&self) -> UtcMs {
        self.from.plus(i64::from(MINUTE_MS))
    }

    /// The minute in the form in which it is sent.
    #[must_use]
    pub fn wire(&self, user: UserId, device: DeviceId) -> Minute {
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

/// What a minute is checked against.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// The person of the token.
    pub user: UserId,
    /// The device of the request.
    pub device: DeviceId,
    /// This server's time.
    pub now: UtcMs,
    /// Minutes older than this are past retention.
    pub keep_from: UtcMs,
}

impl Rules {
    /// Checks one minute, given as JSON.
    ///
    /// # Errors
    /// With the first fault found, in the order: form, owner, interval, alignment, values, time.
    pub fn check(&self, json: &str) -> Result<CheckedMinute, Rejection> {
        // An array would pass for a struct, field by field.
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
        let from = wire.from_timestamp;
        let minute_ns = i128::from(MINUTE_MS) * 1_000_000;
        if wire.to_timestamp.as_nanosecond() - from.as_nanosecond() != minute_ns {
            return Err(Rejection::new(
                Code::BadInterval,
                "to_timestamp",
                "to_timestamp must be from_timestamp plus 60 s",
            ));
        }
        if from.as_nanosecond().rem_euclid(minute_ns) != 0 {
            return Err(Rejection::new(
                Code::Unaligned,
                "from_timestamp",
                "from_timestamp must be the start of a UTC minute",
            ));
        }
        let minute = wire.plausible()?;
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
    fn plausible(self) -> Result<CheckedMinute, Rejection> {
        let count = |name: &'static str, value: i64, max: i64| match i32::try_from(value) {
            Ok(small) if (0..=max).contains(&value) => Ok(small),
            _ if value < 0 => Err(Rejection::new(Code::Invalid, name, format!("{name} must not be negative"))),
            _ => Err(Rejection::new(Code::Implausible, name, format!("{name} must be at most {max}"))),
        };
        let real = |name: &'static str, value: f64, max: f64| match value {
            v if (0.0..=max).contains(&v) => Ok(v),
            v if v < 0.0 => Err(Rejection::new(Code::Invalid, name, format!("{name} must not be negative"))),
            _ => Err(Rejection::new(Code::Implausible, name, format!("{name} must be at most {max}"))),
        };
        let optional = |name, value: Option<f64>, max| value.map(|v| real(name, v, max)).transpose();
        let blink_count = count("blink_count", self.blink_count, MAX_BLINKS)?;
        let observed_ms = count("observed_ms", self.observed_ms, i64::from(MINUTE_MS))?;
        if blink_count > 0 && observed_ms == 0 {
            let detail = "blink_count must be 0 where nothing was observed";
            return Err(Rejection::new(Code::Implausible, "blink_count", detail));
        }
        Ok(CheckedMinute {
            id: self.id,
            blink_count,
            from: self.from_timestamp.into(),
            observed_ms,
            mean_fps: real("mean_fps", self.mean_fps, MAX_FPS)?,
            quality: match self.quality {
                blink_proto::Quality::Good => "good",
                blink_proto::Quality::Insufficient => "insufficient",
            },
            mean_blink_ms: optional("mean_blink_ms", self.mean_blink_ms, f64::from(MINUTE_MS))?,
            incomplete_share: optional("incomplete_share", self.incomplete_share, 1.0)?,
            perclos: optional("perclos", self.perclos, 1.0)?,
        })
    }
}

/// A whole number however it is written: in JSON 17.0 is 17.
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

/// Whether a value, as JSON, is of the field's kind.
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
    ("quality", fits::<blink_proto::Quality>),
    ("mean_blink_ms", fits::<Option<f64>>),
    ("incomplete_share", fits::<Option<f64>>),
    ("perclos", fits::<Option<f64>>),
];

/// What cannot be read as a minute, with the field: a parser does not say which it was, so each is tried by itself. The
/// values are taken as text, because no value of another field may hide which one is at fault.
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

/// A parser's message without its ` at line 1 column 9`, which counts from the start of the bucket and helps nobody.
fn without_place(e: &serde_json::Error) -> String {
    let text = e.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(message, _)| message.to_owned())
}

#[cfg(test)]
mod tests;
