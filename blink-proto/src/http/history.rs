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
