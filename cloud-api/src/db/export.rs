//! A person's minutes as they were sent, in pages, for the export.

use diesel::prelude::*;

use super::{
    DbError,
    conn::Conn,
    minute_row::{MinuteRow, Place},
    schema::blink_data,
    types::DbId,
};

/// Up to `limit` of a person's minutes after `after`, in the order of time.
pub(crate) fn minutes_after(conn: &mut Conn, user: DbId, after: Place, limit: i64) -> Result<Vec<MinuteRow>, DbError> {
    use blink_data::{device_id, from_timestamp, user_id};
    let later = from_timestamp.gt(after.0).or(from_timestamp.eq(after.0).and(device_id.gt(after.1)));
    let own = blink_data::table.filter(user_id.eq(user).and(from_timestamp.ge(after.0)).and(later));
    Ok(own.order((from_timestamp, device_id)).limit(limit).load(conn)?)
}
