//! The database row of a minute, and its conversion from a checked minute and to the form that clients send.

use blink_proto::{Minute, Quality};
use diesel::prelude::*;

use super::{
    id::{self, Device, Id, User},
    ingest::Batch,
    schema::blink_data,
};
use crate::domain::{minute::CheckedMinute, time::UtcMs};

#[derive(Clone, Debug, Queryable, Insertable)]
#[diesel(table_name = blink_data)]
pub struct MinuteRow {
    id: Id<id::Minute>,
    user_id: Id<User>,
    blink_count: i32,
    from_timestamp: UtcMs,
    to_timestamp: UtcMs,
    device_id: Id<Device>,
    observed_ms: i32,
    mean_fps: f64,
    quality: String,
    mean_blink_ms: Option<f64>,
    incomplete_share: Option<f64>,
    perclos: Option<f64>,
    received_at: UtcMs,
}

/// Identifies a minute among a person's. Exports are ordered by it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MinuteKey {
    pub from: UtcMs,
    pub device: Id<Device>,
}

impl MinuteRow {
    pub(super) fn of(batch: &Batch, minute: &CheckedMinute) -> Self {
        Self {
            id: minute.id.into(),
            user_id: batch.user,
            blink_count: minute.blink_count,
            from_timestamp: minute.from,
            to_timestamp: minute.to(),
            device_id: batch.device,
            observed_ms: minute.observed_ms,
            mean_fps: minute.mean_fps,
            quality: minute.quality.to_owned(),
            mean_blink_ms: minute.mean_blink_ms,
            incomplete_share: minute.incomplete_share,
            perclos: minute.perclos,
            received_at: batch.received_at,
        }
    }

    #[must_use]
    pub(crate) fn key(&self) -> MinuteKey {
        MinuteKey { from: self.from_timestamp, device: self.device_id }
    }

    /// The minute in the form in which clients send it.
    #[must_use]
    pub fn into_minute(self) -> Minute {
        Minute {
            id: self.id.into(),
            user_id: Some(self.user_id.into()),
            blink_count: self.blink_count.unsigned_abs(),
            from_timestamp: self.from_timestamp.timestamp(),
            to_timestamp: self.to_timestamp.timestamp(),
            device_id: self.device_id.into(),
            observed_ms: self.observed_ms.unsigned_abs(),
            mean_fps: self.mean_fps,
            quality: if self.quality == "good" { Quality::Good } else { Quality::Insufficient },
            mean_blink_ms: self.mean_blink_ms,
            incomplete_share: self.incomplete_share,
            perclos: self.perclos,
        }
    }
}
