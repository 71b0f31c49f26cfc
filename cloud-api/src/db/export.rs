//! A person's minutes as they were sent, in pages, for the export.

use blink_proto::{Minute, Quality};
use diesel::prelude::*;

use super::{DbError, conn::Conn, schema::blink_data, types::DbId};
use crate::domain::time::UtcMs;

/// A stored minute.
#[derive(Clone, Debug, Queryable)]
pub struct MinuteRow {
    id: DbId,
    user_id: DbId,
    blink_count: i32,
    from_timestamp: UtcMs,
    to_timestamp: UtcMs,
    device_id: DbId,
    observed_ms: i32,
    mean_fps: f64,
    quality: String,
    mean_blink_ms: Option<f64>,
    incomplete_share: Option<f64>,
    perclos: Option<f64>,
    _received_at: UtcMs,
}

/// The place of a minute among a person's.
pub type Place = (UtcMs, DbId);

impl MinuteRow {
    /// Its place.
    #[must_use]
    pub fn place(&self) -> Place {
        (self.from_timestamp, self.device_id)
    }

    /// The minute in the form in which it was sent.
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

/// Up to `limit` of a person's minutes after `after`, in the order of time.
///
/// # Errors
/// When the database fails.
pub fn minutes_after(conn: &mut Conn, user: DbId, after: Place, limit: i64) -> Result<Vec<MinuteRow>, DbError> {
    use blink_data::{device_id, from_timestamp, user_id};
    let later = from_timestamp.gt(after.0).or(from_timestamp.eq(after.0).and(device_id.gt(after.1)));
    let own = blink_data::table.filter(user_id.eq(user).and(from_timestamp.ge(after.0)).and(later));
    Ok(own.order((from_timestamp, device_id)).limit(limit).load(conn)?)
}
