//! Erasure: removes everything about a person in one transaction and counts it for the receipt.

use diesel::prelude::*;
use serde::Serialize;

use super::{
    DbError, archive_removals,
    attendance::people as desk,
    conn::Conn,
    id::{Erasure, Id, User},
    schema::{blink_data, blink_rollups, consents, devices, sessions, team_members, users},
    types::SqlId,
};
use crate::domain::time::UtcMs;

/// Removed rows of the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Removed {
    pub minutes: usize,
    pub sums: usize,
    pub consents: usize,
    pub sessions: usize,
    pub devices: usize,
    /// One-time links and device codes.
    pub links: usize,
    pub identities: usize,
    pub memberships: usize,
    pub accounts: usize,
    /// What the attendance desk held.
    #[serde(flatten)]
    pub desk: desk::Removed,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Erased {
    pub database: Removed,
    pub archive: archive_removals::Removed,
}

/// Removes only a person's minutes, in the archive too, whose objects a job removes. The caller has locked the person.
pub(crate) fn minutes(conn: &mut Conn, user: Id<User>, now: UtcMs) -> Result<(), DbError> {
    archive_removals::erase(conn, user, None, now)?;
    diesel::delete(blink_data::table.filter(blink_data::user_id.eq(user))).execute(conn)?;
    diesel::delete(blink_rollups::table.filter(blink_rollups::user_id.eq(user))).execute(conn)?;
    Ok(())
}

/// Removes a person and everything about them, and destroys the key of their archived objects. An upload in progress
/// waits for the lock and then finds no person. The removals of objects carry the id of the `erasure`.
pub(crate) fn person(
    conn: &mut Conn,
    user: Id<User>,
    erasure: Option<Id<Erasure>>,
    now: UtcMs,
) -> Result<Erased, DbError> {
    if let Conn::Postgres(conn) = conn {
        // Ingest holds the same row shared while it stores.
        diesel::sql_query("SELECT 1 FROM users WHERE id = $1 FOR UPDATE").bind::<SqlId, _>(user).execute(conn)?;
    }
    let archive = archive_removals::erase(conn, user, erasure, now)?;
    let desk = match desk::by_user(conn, user)? {
        Some(person) => desk::erase(conn, &person.id)?,
        None => desk::Removed::default(),
    };
    let database = Removed {
        desk,
        minutes: diesel::delete(blink_data::table.filter(blink_data::user_id.eq(user))).execute(conn)?,
        sums: diesel::delete(blink_rollups::table.filter(blink_rollups::user_id.eq(user))).execute(conn)?,
        consents: diesel::delete(consents::table.filter(consents::user_id.eq(user))).execute(conn)?,
        sessions: diesel::delete(sessions::table.filter(sessions::user_id.eq(user))).execute(conn)?,
        devices: diesel::delete(devices::table.filter(devices::user_id.eq(user))).execute(conn)?,
        links: super::one_time::forget_all(conn, user)? + super::device_codes::forget_approved(conn, user)?,
        identities: super::oidc::unlink_all(conn, user)?,
        memberships: diesel::delete(team_members::table.filter(team_members::user_id.eq(user))).execute(conn)?,
        accounts: diesel::delete(users::table.filter(users::id.eq(user))).execute(conn)?,
    };
    Ok(Erased { database, archive })
}
