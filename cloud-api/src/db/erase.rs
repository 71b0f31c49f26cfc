//! Erasure: everything about a person, in one transaction, counted.

use diesel::prelude::*;
use serde::Serialize;

use super::{
    DbError, archive_removals,
    conn::Conn,
    schema::{blink_data, blink_rollups, consents, devices, sessions, team_members, users},
    types::DbId,
};
use crate::domain::time::UtcMs;

/// What was removed from the database, in rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Removed {
    pub minutes: usize,
    pub sums: usize,
    pub consents: usize,
    pub sessions: usize,
    pub devices: usize,
    /// One-time links and codes.
    pub links: usize,
    /// Links to a sign-in provider's accounts.
    pub identities: usize,
    pub memberships: usize,
    pub accounts: usize,
}

/// What an erasure took, store by store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Erased {
    /// From the database, in rows.
    pub database: Removed,
    /// From the archive: the key that opens it, what was on its way, and objects, which a job removes.
    pub archive: archive_removals::Removed,
}

/// Removes a person's minutes and nothing else, in the archive too, whose objects a job removes. The caller holds them.
pub(crate) fn minutes(conn: &mut Conn, user: DbId, now: UtcMs) -> Result<(), DbError> {
    archive_removals::erase(conn, user, None, now)?;
    diesel::delete(blink_data::table.filter(blink_data::user_id.eq(user))).execute(conn)?;
    diesel::delete(blink_rollups::table.filter(blink_rollups::user_id.eq(user))).execute(conn)?;
    Ok(())
}

/// Removes a person and all that is kept about them, and destroys the key of what the archive holds. A batch under way
/// waits, and then finds nobody to store it for. The objects' removals bear the id of the `erasure`.
///
/// Fails when the database fails; then nothing is removed.
pub(crate) fn person(conn: &mut Conn, user: DbId, erasure: Option<DbId>, now: UtcMs) -> Result<Erased, DbError> {
    if let Conn::Postgres(conn) = conn {
        // Against ingest, which holds the same row shared while it stores.
        diesel::sql_query("SELECT 1 FROM users WHERE id = $1 FOR UPDATE")
            .bind::<super::types::Id, _>(user)
            .execute(conn)?;
    }
    let archive = archive_removals::erase(conn, user, erasure, now)?;
    let database = Removed {
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
