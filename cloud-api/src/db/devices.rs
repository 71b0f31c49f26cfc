//! The devices that a person's minutes came from.

use diesel::prelude::*;

use super::{
    DbError,
    conn::Conn,
    id::{Device, Id, Session, User},
    schema::{devices, sessions},
};
use crate::domain::time::UtcMs;

#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = devices)]
pub(crate) struct DeviceRow {
    /// The id that the device gave itself.
    pub device_id: Id<Device>,
    /// The session that last uploaded its minutes.
    pub session_id: Option<Id<Session>>,
    /// When its first minutes arrived.
    pub first_seen_at: UtcMs,
    /// When its last minutes arrived.
    pub last_seen_at: UtcMs,
    /// The program that sent them, and its version.
    pub user_agent: Option<String>,
}

/// A person's devices, the last seen first.
pub(crate) fn of_user(conn: &mut Conn, user: Id<User>) -> Result<Vec<DeviceRow>, DbError> {
    let own = devices::table.filter(devices::user_id.eq(user)).select(DeviceRow::as_select());
    Ok(own.order((devices::last_seen_at.desc(), devices::device_id)).load(conn)?)
}

/// Deletes a person's list of devices; their minutes stay.
pub(crate) fn forget_all(conn: &mut Conn, user: Id<User>) -> Result<(), DbError> {
    diesel::delete(devices::table.filter(devices::user_id.eq(user))).execute(conn)?;
    Ok(())
}

/// Signs a device out: ends the session that uploaded its minutes and removes it from the list. Its minutes stay.
/// False when the person has no such device.
pub(crate) fn end(conn: &mut Conn, user: Id<User>, device: Id<Device>) -> Result<bool, DbError> {
    let own = devices::user_id.eq(user).and(devices::device_id.eq(device));
    let session = devices::table.filter(own).select(devices::session_id);
    let Some(session) = session.first::<Option<Id<Session>>>(conn).optional()? else { return Ok(false) };
    if let Some(session) = session {
        let its = sessions::id.eq(session).and(sessions::user_id.eq(user));
        diesel::delete(sessions::table.filter(its)).execute(conn)?;
    }
    diesel::delete(devices::table.filter(own)).execute(conn)?;
    Ok(true)
}
