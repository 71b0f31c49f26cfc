//! Reading minutes, and insights from them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{DeviceId, Minute, Quality};

/// `GET /api/user/{id}/blinks`: intervals with data, oldest first; where nothing was recorded there is no item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct History {
    /// The intervals.
    pub items: Vec<HistoryItem>,
    /// Names the next page; null on the last.
    #[cfg_attr(feature = "schema", schema(required))]
    pub next_cursor: Option<String>,
}

/// One interval's figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct HistoryItem {
    /// Its start, inclusive.
    pub from_timestamp: Timestamp,
    /// Its end, exclusive.
    pub to_timestamp: Timestamp,
    /// Blinks.
    pub blink_count: u64,
    /// Observed milliseconds.
    pub observed_ms: u64,
    /// Blinks per minute of observed time; null under 10 s observed.
    #[cfg_attr(feature = "schema", schema(required))]
    pub blinks_per_minute: Option<f64>,
    /// Observed time over the interval's length, as far as it has passed, 0 to 1.
    #[cfg_attr(feature = "schema", schema(minimum = 0, maximum = 1))]
    pub coverage: f64,
    /// Whether a rate may be formed from it.
    pub quality: Quality,
}

/// `GET /api/user/me/minutes`: whole minutes by time, then by device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct OwnMinutes {
    /// The minutes.
    pub items: Vec<Minute>,
    /// Names the next page; null on the last.
    #[cfg_attr(feature = "schema", schema(required))]
    pub next_cursor: Option<String>,
    /// The server's time when it read them.
    pub as_of: Timestamp,
}

/// `GET /api/user/me/minutes/devices`: how many minutes each machine counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MinutesByDevice {
    /// The machines that have minutes there.
    pub items: Vec<DeviceMinutes>,
}

/// One machine's minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DeviceMinutes {
    /// The machine.
    pub device_id: DeviceId,
    /// How many minutes it counted.
    pub minutes: u64,
}

/// `GET /api/user/me/insights`: the last seven days against the 28 before them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Insights {
    /// The last seven days' rate; null under ten seconds observed.
    #[cfg_attr(feature = "schema", schema(required))]
    pub blinks_per_minute: Option<f64>,
    /// The rate of the 28 days before them.
    #[cfg_attr(feature = "schema", schema(required))]
    pub baseline_blinks_per_minute: Option<f64>,
    /// The change against the baseline, per cent; null where either had under half an hour observed.
    #[cfg_attr(feature = "schema", schema(required))]
    pub change_percent: Option<f64>,
    /// Which way it went.
    pub direction: Direction,
    /// Observed in the last seven days, milliseconds.
    pub observed_ms: u64,
    /// Share of the hours with any data in which the eyes could be observed, 0 to 1.
    #[cfg_attr(feature = "schema", schema(required, minimum = 0, maximum = 1))]
    pub coverage: Option<f64>,
    /// The hour with the most blinks a minute; null where there is nothing to compare.
    #[cfg_attr(feature = "schema", schema(required))]
    pub best_hour: Option<Hour>,
    /// The hour with the fewest.
    #[cfg_attr(feature = "schema", schema(required))]
    pub worst_hour: Option<Hour>,
    /// Every hour with enough to say.
    pub hours: Vec<Hour>,
    /// The same in sentences.
    pub text: Vec<String>,
}

/// One hour of the day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Hour {
    /// 0 to 23, in the person's time zone.
    #[cfg_attr(feature = "schema", schema(maximum = 23))]
    pub hour: u8,
    /// Their rate in it.
    pub blinks_per_minute: f64,
    /// How long they were observed in it, milliseconds.
    pub observed_ms: u64,
}

/// Which way the rate went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Direction {
    /// More blinks than before.
    Up,
    /// Fewer blinks than before.
    Down,
    /// As before.
    Steady,
    /// Too little was observed to say.
    Unknown,
}

/// `POST /api/user/me/ask`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Question {
    /// 1 to 1,000 characters.
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 1_000, pattern = "\\S"))]
    pub question: String,
}

/// Its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AnswerToQuestion {
    /// The model's words.
    pub answer: String,
    /// Which model said them.
    pub model: String,
    /// The numbers in the answer that are not in the figures given, which it has struck out (`~~17~~`); absent without any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stricken: Vec<String>,
}
