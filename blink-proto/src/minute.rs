//! The record of one minute of one person at one machine, and the definition of every rate.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{DeviceId, MinuteId, UserId};

/// Milliseconds in a minute.
pub const MINUTE_MS: u32 = 60_000;

/// Below this much observed time a rate is meaningless, and therefore null.
pub const MIN_OBSERVED_FOR_RATE_MS: u64 = 10_000;

/// The most blinks in a minute: ten per second, more than anybody makes.
pub const MAX_BLINKS: u32 = 600;

/// The highest frame rate that is accepted, in frames per second.
pub const MAX_FPS: f64 = 1_000.0;

/// Whether enough of a minute was seen to speak of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Quality {
    /// At least ten seconds were observed.
    Good,
    /// A face was there, but less than ten seconds could be observed.
    Insufficient,
}

impl Quality {
    /// The quality of a time span of which `observed_ms` milliseconds were observed.
    #[must_use]
    pub fn of_observed(observed_ms: u64) -> Self {
        if observed_ms >= MIN_OBSERVED_FOR_RATE_MS { Self::Good } else { Self::Insufficient }
    }
}

/// A minute record, in the order of its JSON fields. It is made by blinkd when a minute is sealed, and never changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Minute {
    /// Names this record; any UUID.
    pub id: MinuteId,
    /// The owner, or null while the minute belongs to nobody's account.
    pub user_id: Option<UserId>,
    /// Blinks that ended in this minute.
    #[cfg_attr(feature = "schema", schema(maximum = 600))]
    pub blink_count: u32,
    /// The UTC minute's start, inclusive.
    pub from_timestamp: Timestamp,
    /// Its end, exclusive: always `from_timestamp` plus 60 s.
    pub to_timestamp: Timestamp,
    /// The machine that saw it.
    pub device_id: DeviceId,
    /// Milliseconds with exactly one followed face, measurable eyes and enough frames: 0 to 60,000.
    #[cfg_attr(feature = "schema", schema(maximum = 60_000))]
    pub observed_ms: u32,
    /// Mean frames per second while the source was open, 0 where no frame came.
    #[cfg_attr(feature = "schema", schema(minimum = 0, maximum = 1_000))]
    pub mean_fps: f64,
    /// Whether a rate may be formed from it.
    pub quality: Quality,
    /// Mean width at half depth of the blinks, milliseconds; null without blinks.
    #[cfg_attr(feature = "schema", schema(minimum = 0, maximum = 60_000))]
    pub mean_blink_ms: Option<f64>,
    /// Share of blinks in which the lid did not close fully, 0 to 1 (experimental); null without blinks.
    #[cfg_attr(feature = "schema", schema(minimum = 0, maximum = 1))]
    pub incomplete_share: Option<f64>,
    /// PERCLOS P80: the share of observed time with the eyes at least 80 % closed, 0 to 1 (Wierwille et al. 1994);
    /// null where nothing was observed.
    #[cfg_attr(feature = "schema", schema(minimum = 0, maximum = 1))]
    pub perclos: Option<f64>,
}

/// The first fault of a minute that another program made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {must}")]
pub struct Fault {
    /// The name of the faulty field.
    pub field: &'static str,
    /// The kind of fault.
    pub kind: FaultKind,
    must: String,
}

/// The kind of a minute's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// `to_timestamp` is not 60 s after `from_timestamp`.
    BadInterval,
    /// `from_timestamp` is not the start of a UTC minute.
    Unaligned,
    /// A number that cannot be negative is negative.
    Negative,
    /// A value is impossible or contradicts another.
    Implausible,
}

impl Fault {
    fn new(field: &'static str, kind: FaultKind, must: impl Into<String>) -> Self {
        Self { field, kind, must: must.into() }
    }

    /// Checks that `value` is from 0 to `most`.
    fn in_range(field: &'static str, value: f64, most: f64) -> Result<(), Self> {
        match value {
            value if (0.0..=most).contains(&value) => Ok(()),
            value if value < 0.0 => Err(Self::new(field, FaultKind::Negative, "must not be negative")),
            _ => Err(Self::new(field, FaultKind::Implausible, format!("must be at most {most}"))),
        }
    }
}

impl Minute {
    /// Checks a record from another program for what blinkd guarantees: interval, alignment, values.
    ///
    /// # Errors
    /// The first fault.
    pub fn check(&self) -> Result<(), Fault> {
        let interval = self.to_timestamp.as_nanosecond() - self.from_timestamp.as_nanosecond();
        if interval != i128::from(MINUTE_MS) * 1_000_000 {
            return Err(Fault::new("to_timestamp", FaultKind::BadInterval, "must be from_timestamp plus 60 s"));
        }
        if MinuteStart::try_from(self.from_timestamp).is_err() {
            return Err(Fault::new("from_timestamp", FaultKind::Unaligned, "must be the start of a UTC minute"));
        }
        Fault::in_range("blink_count", self.blink_count.into(), MAX_BLINKS.into())?;
        Fault::in_range("observed_ms", self.observed_ms.into(), MINUTE_MS.into())?;
        if self.blink_count > 0 && self.observed_ms == 0 {
            return Err(Fault::new("blink_count", FaultKind::Implausible, "must be 0 where nothing was observed"));
        }
        if self.quality != Quality::of_observed(self.observed_ms.into()) {
            return Err(Fault::new("quality", FaultKind::Implausible, "must fit observed_ms: good from 10 s on"));
        }
        Fault::in_range("mean_fps", self.mean_fps, MAX_FPS)?;
        let optional = [
            ("mean_blink_ms", self.mean_blink_ms, f64::from(MINUTE_MS)),
            ("incomplete_share", self.incomplete_share, 1.0),
            ("perclos", self.perclos, 1.0),
        ];
        for (field, value, most) in optional {
            value.map_or(Ok(()), |value| Fault::in_range(field, value, most))?;
        }
        Ok(())
    }
}

/// The start of a UTC minute. Leap seconds do not exist here, because Unix time has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Timestamp", into = "Timestamp")]
pub struct MinuteStart(Timestamp);

impl MinuteStart {
    /// The minute that contains `t`.
    #[must_use]
    pub fn containing(t: Timestamp) -> Self {
        let second = t.as_second() - i64::from(t.subsec_nanosecond() < 0);
        let aligned = second - second.rem_euclid(60);
        // Only the first minute of jiff's range, 11,000 years ago, has no whole start.
        Self(Timestamp::from_second(aligned).unwrap_or(Timestamp::MIN))
    }

    /// The first instant of the minute.
    #[must_use]
    pub fn start(self) -> Timestamp {
        self.0
    }

    /// The first instant after the minute.
    #[must_use]
    pub fn end(self) -> Timestamp {
        self.0.saturating_add(SignedDuration::from_secs(60)).unwrap_or(Timestamp::MAX)
    }

    /// The minute after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.end())
    }

    /// The number of the minute since 1970, by which minutes are keyed in the store.
    #[must_use]
    pub fn number(self) -> i64 {
        self.0.as_second().div_euclid(60)
    }

    /// The inverse of [`Self::number`]; `None` outside the range of times.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        Timestamp::from_second(number.checked_mul(60)?).ok().map(Self)
    }
}

/// The error for a time that is not the start of a UTC minute.
#[derive(Debug, thiserror::Error)]
#[error("{0} is not the start of a UTC minute")]
pub struct Unaligned(Timestamp);

impl TryFrom<Timestamp> for MinuteStart {
    type Error = Unaligned;
    fn try_from(t: Timestamp) -> Result<Self, Unaligned> {
        let minute = Self::containing(t);
        if minute.0 == t { Ok(minute) } else { Err(Unaligned(t)) }
    }
}

impl From<MinuteStart> for Timestamp {
    fn from(minute: MinuteStart) -> Self {
        minute.0
    }
}

impl fmt::Display for MinuteStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Blinks per minute of observed time: 60,000 x sum(blink_count) / sum(observed_ms), or `None` under 10 s observed.
///
/// Every rate in the product is computed by this function.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts and milliseconds of a lifetime fit a double exactly")]
pub fn rate_per_minute(blink_count: u64, observed_ms: u64) -> Option<f64> {
    (observed_ms >= MIN_OBSERVED_FOR_RATE_MS).then(|| 60_000.0 * blink_count as f64 / observed_ms as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::example;

    #[rstest]
    #[case("2026-03-01T10:00:00Z", "2026-03-01T10:00:00Z")]
    #[case("2026-03-01T10:00:59.999999999Z", "2026-03-01T10:00:00Z")]
    #[case("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:00Z")]
    fn a_time_falls_in_its_minute(#[case] t: Timestamp, #[case] start: Timestamp) {
        assert_eq!(MinuteStart::containing(t).start(), start);
    }

    #[test]
    fn a_rate_needs_ten_observed_seconds() {
        assert_eq!(rate_per_minute(3, 9_999), None);
        assert_eq!(rate_per_minute(3, 10_000), Some(18.0));
        assert_eq!(rate_per_minute(0, 60_000), Some(0.0));
    }

    fn minute() -> Minute {
        Minute { incomplete_share: Some(0.0), ..example::minute(29_539_320) }
    }

    #[test]
    fn the_record_keeps_its_field_order() {
        insta::assert_snapshot!(serde_json::to_string(&minute()).unwrap());
    }

    #[rstest]
    #[case(|_: &mut Minute| (), None)]
    #[case(|m: &mut Minute| m.from_timestamp += SignedDuration::from_secs(1), Some("to_timestamp"))]
    #[case(
        |m: &mut Minute| {
            m.from_timestamp += SignedDuration::from_secs(1);
            m.to_timestamp += SignedDuration::from_secs(1);
        },
        Some("from_timestamp")
    )]
    #[case(|m: &mut Minute| m.to_timestamp += SignedDuration::from_secs(60), Some("to_timestamp"))]
    #[case(|m: &mut Minute| m.blink_count = MAX_BLINKS + 1, Some("blink_count"))]
    #[case(|m: &mut Minute| m.observed_ms = MINUTE_MS + 1, Some("observed_ms"))]
    #[case(|m: &mut Minute| { m.observed_ms = 0; m.quality = Quality::Insufficient }, Some("blink_count"))]
    #[case(|m: &mut Minute| m.observed_ms = 9_999, Some("quality"))]
    #[case(|m: &mut Minute| m.mean_fps = f64::NAN, Some("mean_fps"))]
    #[case(|m: &mut Minute| m.mean_blink_ms = Some(-1.0), Some("mean_blink_ms"))]
    #[case(|m: &mut Minute| m.incomplete_share = Some(1.1), Some("incomplete_share"))]
    #[case(|m: &mut Minute| m.perclos = Some(f64::INFINITY), Some("perclos"))]
    fn a_record_of_somebody_else_is_looked_at(#[case] change: fn(&mut Minute), #[case] field: Option<&str>) {
        let mut minute = minute();
        change(&mut minute);
        let fault = minute.check().err();
        assert_eq!(fault.as_ref().map(|fault| fault.field), field, "{fault:?}");
    }

    /// Any bytes are a minute or an error; one that passes the checks is written and read as it is.
    #[test]
    fn fuzz_minutes() {
        let line = serde_json::to_vec(&minute()).unwrap();
        bolero::check!().for_each(|bytes: &[u8]| {
            for text in [bytes, &example::spliced(&line, bytes)] {
                let Ok(read) = serde_json::from_slice::<Minute>(text) else { continue };
                if read.check().is_ok() {
                    let again: Minute = serde_json::from_str(&serde_json::to_string(&read).unwrap()).unwrap();
                    assert_eq!(again, read);
                }
            }
        });
    }

    proptest! {
        #[test]
        fn a_minute_holds_its_instants(second in -62_000_000_000i64..250_000_000_000, nano in 0i32..1_000_000_000) {
            let t = Timestamp::new(second, nano).unwrap();
            let minute = MinuteStart::containing(t);
            prop_assert!(minute.start() <= t && t < minute.end());
            prop_assert_eq!(minute.start().as_second().rem_euclid(60), 0);
            prop_assert_eq!(MinuteStart::from_number(minute.number()), Some(minute));
        }
    }
}
