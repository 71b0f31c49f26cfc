//! Objects that must go: of erased people, past retention, or given up half way. A row stays until its object is gone.

use diesel::prelude::*;
use serde::Serialize;

use super::{
    DbError,
    conn::Conn,
    schema::{archive_keys, archive_objects, archive_queue, archive_removals, erasures},
    types::DbId,
};
use crate::domain::time::UtcMs;

/// An object being written when it is given up may still arrive; its removal waits this long.
pub const SETTLE_MS: i64 = 60_000;

/// An object that must go.
#[derive(Clone, Debug, Queryable, Insertable)]
#[diesel(table_name = archive_removals)]
pub struct RemovalRow {
    pub id: DbId,
    /// `data` or `logs`.
    pub bucket: String,
    /// Its name in the bucket.
    pub name: String,
    /// When to try.
    pub due_at: UtcMs,
    /// How often it failed.
    pub attempts: i32,
    /// The erasure that asked for it.
    pub erasure_id: Option<DbId>,
}

/// What an erasure took from the archive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Removed {
    /// The person's key: what it sealed is unreadable from here on.
    pub keys: usize,
    /// Batches that were on their way.
    pub batches: usize,
    /// Objects, which the job removes.
    pub objects: usize,
}

/// Destroys a person's key and their queue, and marks their objects for removal.
pub fn erase(conn: &mut Conn, user: DbId, erasure: Option<DbId>, now: UtcMs) -> Result<Removed, DbError> {
    if let Conn::Postgres(conn) = conn {
        // Whoever is registering an object holds the row: wait for them, then see it.
        diesel::sql_query("SELECT 1 FROM archive_keys WHERE user_id = $1 FOR UPDATE")
            .bind::<super::types::Id, _>(user)
            .execute(conn)?;
    }
    let keys: Vec<DbId> =
        archive_keys::table.filter(archive_keys::user_id.eq(Some(user))).select(archive_keys::id).load(conn)?;
    let mut removed = Removed::default();
    for key in keys {
        let objects = objects_of(conn, key)?;
        removed.objects += give_up(conn, objects, erasure, now)?;
        removed.objects += adopt(conn, key, erasure)?;
        removed.batches += diesel::delete(archive_queue::table.filter(archive_queue::key_id.eq(key))).execute(conn)?;
        removed.keys += diesel::delete(archive_keys::table.filter(archive_keys::id.eq(key))).execute(conn)?;
    }
    Ok(removed)
}

/// Puts the name of an erasure on those of a key's objects that were to go before it, and returns how many: it is not
/// done before they are gone.
fn adopt(conn: &mut Conn, key: DbId, erasure: Option<DbId>) -> Result<usize, DbError> {
    use archive_removals::{erasure_id, name};
    let own = archive_removals::table.filter(name.like(format!("{}/%", key.0)).and(erasure_id.is_null()));
    Ok(diesel::update(own).set(erasure_id.eq(erasure)).execute(conn)?)
}

type ObjectName = (DbId, String, String, bool);

fn objects_of(conn: &mut Conn, key: DbId) -> Result<Vec<ObjectName>, DbError> {
    use archive_objects::{bucket, id, key_id, name, written};
    Ok(archive_objects::table.filter(key_id.eq(key)).select((id, bucket, name, written)).load(conn)?)
}

/// Turns objects into removals, and returns how many.
pub fn give_up(
    conn: &mut Conn,
    objects: Vec<ObjectName>,
    erasure_id: Option<DbId>,
    now: UtcMs,
) -> Result<usize, DbError> {
    let mut count = 0;
    for (id, bucket, name, written) in objects {
        // Of two that give up the same object, the one whose deletion counts says so.
        if diesel::delete(archive_objects::table.filter(archive_objects::id.eq(id))).execute(conn)? == 1 {
            let due_at = if written { now } else { now.plus(SETTLE_MS) };
            let row = RemovalRow { id, bucket, name, due_at, attempts: 0, erasure_id };
            diesel::insert_into(archive_removals::table).values(row).execute(conn)?;
            count += 1;
        }
    }
    Ok(count)
}

/// Marks for removal what was registered before `before` and never written: whoever was writing it has died. Returns how
/// many objects go.
pub fn clear_up(conn: &mut Conn, before: UtcMs, now: UtcMs) -> Result<usize, DbError> {
    use archive_objects::{bucket, created_at, id, name, written};
    let abandoned: Vec<ObjectName> = archive_objects::table
        .filter(written.eq(false).and(created_at.lt(before)))
        .select((id, bucket, name, written))
        .load(conn)?;
    give_up(conn, abandoned, None, now)
}

/// Marks for removal what is past retention and what has lost its key; drops what is queued and past retention, and the server's own keys that nothing needs. Returns how many objects go.
pub fn retire(conn: &mut Conn, keep_from: UtcMs, now: UtcMs) -> Result<usize, DbError> {
    use archive_objects::{bucket, id, key_id, name, oldest_at, written};
    const DAY_MS: i64 = 86_400_000;
    let old: Vec<ObjectName> =
        archive_objects::table.filter(oldest_at.lt(keep_from)).select((id, bucket, name, written)).load(conn)?;
    let mut count = give_up(conn, old, None, now)?;
    let keyless: Vec<ObjectName> = archive_objects::table
        .filter(key_id.ne_all(archive_keys::table.select(archive_keys::id)))
        .select((id, bucket, name, written))
        .load(conn)?;
    count += give_up(conn, keyless, None, now)?;
    diesel::delete(archive_queue::table.filter(archive_queue::oldest_at.lt(keep_from))).execute(conn)?;
    let unused = archive_keys::user_id
        .is_null()
        .and(archive_keys::created_at.lt(now.plus(-32 * DAY_MS)))
        .and(archive_keys::id.ne_all(archive_objects::table.select(key_id)));
    diesel::delete(archive_keys::table.filter(unused)).execute(conn)?;
    diesel::delete(erasures::table.filter(erasures::erased_at.lt(now.plus(-366 * DAY_MS)))).execute(conn)?;
    Ok(count)
}

/// Removals that are due, of one erasure or all, taken for `lease_ms`: nobody else tries them meanwhile.
pub fn take_due(
    conn: &mut Conn,
    erasure: Option<DbId>,
    now: UtcMs,
    lease_ms: i64,
    limit: i64,
) -> Result<Vec<RemovalRow>, DbError> {
    use archive_removals::{due_at, erasure_id, id};
    let due = archive_removals::table.filter(due_at.le(now)).order(due_at).limit(limit);
    let rows: Vec<RemovalRow> = match erasure {
        Some(erasure) => due.filter(erasure_id.eq(Some(erasure))).load(conn)?,
        None => due.load(conn)?,
    };
    let mut taken = Vec::with_capacity(rows.len());
    for row in rows {
        // Of two that read the same row one changes it first; the other then finds it changed.
        let still = archive_removals::table.filter(id.eq(row.id).and(due_at.eq(row.due_at)));
        if diesel::update(still).set(due_at.eq(now.plus(lease_ms))).execute(conn)? == 1 {
            taken.push(row);
        }
    }
    Ok(taken)
}

/// An object is gone.
pub fn done(conn: &mut Conn, id: DbId) -> Result<(), DbError> {
    diesel::delete(archive_removals::table.filter(archive_removals::id.eq(id))).execute(conn)?;
    Ok(())
}

/// An object could not be removed; it is tried again at `due`.
pub fn failed(conn: &mut Conn, row: &RemovalRow, due: UtcMs) -> Result<(), DbError> {
    diesel::update(archive_removals::table.filter(archive_removals::id.eq(row.id)))
        .set((archive_removals::due_at.eq(due), archive_removals::attempts.eq(row.attempts.saturating_add(1))))
        .execute(conn)?;
    Ok(())
}

/// How many objects of an erasure are still to go.
pub fn pending(conn: &mut Conn, erasure: DbId) -> Result<i64, DbError> {
    let own = archive_removals::table.filter(archive_removals::erasure_id.eq(Some(erasure)));
    Ok(own.count().get_result(conn)?)
}

/// Keeps a receipt: when, and the stores as JSON. It names nobody.
pub fn record(conn: &mut Conn, id: DbId, at: UtcMs, stores: &str) -> Result<(), DbError> {
    diesel::insert_into(erasures::table)
        .values((erasures::id.eq(id), erasures::erased_at.eq(at), erasures::stores.eq(stores)))
        .execute(conn)?;
    Ok(())
}

/// A receipt: when, and the stores as JSON.
pub fn receipt(conn: &mut Conn, id: DbId) -> Result<Option<(UtcMs, String)>, DbError> {
    let own = erasures::table.filter(erasures::id.eq(id));
    Ok(own.select((erasures::erased_at, erasures::stores)).first(conn).optional()?)
}

/// The names of all objects that wait for their removal.
pub fn names(conn: &mut Conn) -> Result<std::collections::HashSet<String>, DbError> {
    let names: Vec<String> = archive_removals::table.select(archive_removals::name).load(conn)?;
    Ok(names.into_iter().collect())
}
