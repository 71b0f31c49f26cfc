//! Reads a person's minutes page by page, whole, for their export and for their other machines.

use diesel::{dsl::count_star, prelude::*};
use jiff::Timestamp;

use super::{
    DbError,
    conn::Conn,
    id::{Device, Id, User},
    minute_row::{MinuteKey, MinuteRow},
    schema::blink_data,
};
use crate::domain::time::UtcMs;

/// Which of a person's minutes are meant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Selection {
    pub user: Id<User>,
    /// The first start, inclusive.
    pub from: UtcMs,
    /// Exclusive.
    pub to: UtcMs,
    /// A device whose minutes are left out.
    pub not_device: Option<Id<Device>>,
    /// When the server received them, at the earliest.
    pub received_from: Option<UtcMs>,
}

impl Selection {
    /// Every minute of a person.
    pub(crate) fn all(user: Id<User>) -> Self {
        Self { user, from: UtcMs(0), to: Timestamp::MAX.into(), not_device: None, received_from: None }
    }

    /// Where the first page begins.
    pub(crate) fn start(&self) -> MinuteKey {
        MinuteKey { from: self.from, device: Id::NIL }
    }
}

/// Up to `limit` minutes of the selection after `after`, in order of time.
pub(crate) fn page(conn: &mut Conn, of: Selection, after: MinuteKey, limit: i64) -> Result<Vec<MinuteRow>, DbError> {
    use blink_data::{device_id, from_timestamp, received_at, user_id};
    let later = from_timestamp.gt(after.from).or(from_timestamp.eq(after.from).and(device_id.gt(after.device)));
    let first = after.from.max(of.from);
    let mut own = blink_data::table
        .filter(user_id.eq(of.user).and(from_timestamp.ge(first)).and(from_timestamp.lt(of.to)).and(later))
        .into_boxed();
    if let Some(device) = of.not_device {
        own = own.filter(device_id.ne(device));
    }
    if let Some(received_from) = of.received_from {
        own = own.filter(received_at.ge(received_from));
    }
    Ok(own.order((from_timestamp, device_id)).limit(limit).load(conn)?)
}

/// The number of minutes of the selection by device.
pub(crate) fn by_device(conn: &mut Conn, of: Selection) -> Result<Vec<(Id<Device>, i64)>, DbError> {
    use blink_data::{device_id, from_timestamp, received_at, user_id};
    let own = user_id.eq(of.user).and(from_timestamp.ge(of.from)).and(from_timestamp.lt(of.to));
    let mut own = blink_data::table.filter(own).group_by(device_id).select((device_id, count_star())).into_boxed();
    if let Some(device) = of.not_device {
        own = own.filter(device_id.ne(device));
    }
    if let Some(received_from) = of.received_from {
        own = own.filter(received_at.ge(received_from));
    }
    Ok(own.order(device_id).load(conn)?)
}
