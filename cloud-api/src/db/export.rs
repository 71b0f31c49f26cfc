//! Reads a person's minutes page by page, for their export.

use diesel::prelude::*;

use super::{
    DbError,
    conn::Conn,
    id::{Id, User},
    minute_row::{MinuteKey, MinuteRow},
    schema::blink_data,
};

/// Up to `limit` minutes after `after`, in order of time.
pub(crate) fn minutes_after(
    conn: &mut Conn,
    user: Id<User>,
    after: MinuteKey,
    limit: i64,
) -> Result<Vec<MinuteRow>, DbError> {
    use blink_data::{device_id, from_timestamp, user_id};
    let later = from_timestamp.gt(after.from).or(from_timestamp.eq(after.from).and(device_id.gt(after.device)));
    let own = blink_data::table.filter(user_id.eq(user).and(from_timestamp.ge(after.from)).and(later));
    Ok(own.order((from_timestamp, device_id)).limit(limit).load(conn)?)
}
