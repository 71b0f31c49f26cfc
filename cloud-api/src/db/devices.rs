//! The machines a person's minutes came from.

use diesel::prelude::*;

use super::{
    DbError,
    conn::Conn,
    schema::{devices, sessions},
    types::DbId,
};
use crate::domain::time::UtcMs;

#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = devices)]
pub(crate) struct DeviceRow {
    /// The machine's own id.
    pub device_id: DbId,
    /// The session that last brought minutes of it.
    pub session_id: Option<DbId>,
    /// When its first minutes came.
    pub first_seen_at: UtcMs,
    /// When its last minutes came.
    pub last_seen_at: UtcMs,
}

/// A person's machines, the last seen first.
pub(crate) fn of_user(conn: &mut Conn, user: DbId) -> Result<Vec<DeviceRow>, DbError> {
    let own = devices::table.filter(devices::user_id.eq(user)).select(DeviceRow::as_select());
    Ok(own.order((devices::last_seen_at.desc(), devices::device_id)).load(conn)?)
}

/// Forgets a person's machines; their minutes stay.
pub(crate) fn forget_all(conn: &mut Conn, user: DbId) -> Result<(), DbError> {
    diesel::delete(devices::table.filter(devices::user_id.eq(user))).execute(conn)?;
    Ok(())
}

/// Signs a machine out: ends the session that brought its minutes, and takes it off the list. Its minutes stay.
/// False when the person has no such machine.
pub(crate) fn end(conn: &mut Conn, user: DbId, device: DbId) -> Result<bool, DbError> {
    let own = devices::user_id.eq(user).and(devices::device_id.eq(device));
    let session = devices::table.filter(own).select(devices::session_id);
    let Some(session) = session.first::<Option<DbId>>(conn).optional()? else { return Ok(false) };
    if let Some(session) = session {
        let its = sessions::id.eq(session).and(sessions::user_id.eq(user));
        diesel::delete(sessions::table.filter(its)).execute(conn)?;
    }
    diesel::delete(devices::table.filter(own)).execute(conn)?;
    Ok(true)
}
