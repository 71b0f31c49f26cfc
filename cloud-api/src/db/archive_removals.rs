//! Archived objects that must be removed: those of erased people, past retention, or given up while being written. A
//! row stays until its object is gone from the store.

use diesel::prelude::*;
use serde::Serialize;

use super::{
    DbError,
    archive::{LONGEST_WAIT_MS, ObjectRow},
    conn::Conn,
    id::{ArchiveKey, ArchiveObject, Erasure, Id, User},
    schema::{archive_keys, archive_objects, archive_queue, archive_removals, erasures},
    types::SqlId,
};
use crate::domain::time::UtcMs;

/// An object that was given up while being written may still reach the store, so its removal waits this long.
pub const SETTLE_MS: i64 = 60_000;

#[derive(Clone, Debug, Queryable, Insertable)]
#[diesel(table_name = archive_removals)]
pub struct RemovalRow {
    /// The object's id.
    pub id: Id<ArchiveObject>,
    /// `data` or `logs`.
    pub bucket: String,
    pub name: String,
    /// The time of the next try.
    pub due_at: UtcMs,
    /// The number of failed tries.
    pub attempts: i32,
    /// The erasure that it belongs to, if any.
    pub erasure_id: Option<Id<Erasure>>,
}

/// The receipt of an erasure. It names no person.
#[derive(Clone, Debug, Queryable, Insertable)]
#[diesel(table_name = erasures)]
pub struct ReceiptRow {
    pub id: Id<Erasure>,
    pub erased_at: UtcMs,
    /// What was removed from each store, as JSON.
    pub stores: String,
}

/// What an erasure removed from the archive, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Removed {
    /// Destroyed keys. What they sealed is unreadable from then on.
    pub keys: usize,
    /// Batches that were not archived yet.
    pub batches: usize,
    /// Objects that a job removes later.
    pub objects: usize,
}

/// Destroys a person's key and queue, and marks their objects for removal.
pub fn erase(conn: &mut Conn, user: Id<User>, erasure: Option<Id<Erasure>>, now: UtcMs) -> Result<Removed, DbError> {
    if let Conn::Postgres(conn) = conn {
        // A transaction that registers an object holds this row. The lock waits for it, so its object is seen below.
        diesel::sql_query("SELECT 1 FROM archive_keys WHERE user_id = $1 FOR UPDATE")
            .bind::<SqlId, _>(user)
            .execute(conn)?;
    }
    let keys: Vec<Id<ArchiveKey>> =
        archive_keys::table.filter(archive_keys::user_id.eq(Some(user))).select(archive_keys::id).load(conn)?;
    let mut removed = Removed::default();
    for key in keys {
        let objects = archive_objects::table.filter(archive_objects::key_id.eq(key)).load(conn)?;
        removed.objects += give_up(conn, objects, erasure, now)?;
        removed.objects += adopt(conn, key, erasure)?;
        removed.batches += diesel::delete(archive_queue::table.filter(archive_queue::key_id.eq(key))).execute(conn)?;
        removed.keys += diesel::delete(archive_keys::table.filter(archive_keys::id.eq(key))).execute(conn)?;
    }
    Ok(removed)
}

/// Assigns removals of the key's objects that were due before to this erasure, which is not complete until they are
/// gone too. Returns how many there were.
fn adopt(conn: &mut Conn, key: Id<ArchiveKey>, erasure: Option<Id<Erasure>>) -> Result<usize, DbError> {
    use archive_removals::{erasure_id, name};
    let own = archive_removals::table.filter(name.like(format!("{}/%", key.0)).and(erasure_id.is_null()));
    Ok(diesel::update(own).set(erasure_id.eq(erasure)).execute(conn)?)
}

/// Turns objects into removals and returns how many.
pub fn give_up(
    conn: &mut Conn,
    objects: Vec<ObjectRow>,
    erasure_id: Option<Id<Erasure>>,
    now: UtcMs,
) -> Result<usize, DbError> {
    let mut count = 0;
    for ObjectRow { id, bucket, name, written, .. } in objects {
        // If two transactions give up the same object, only the one that deletes its row adds the removal.
        if diesel::delete(archive_objects::table.filter(archive_objects::id.eq(id))).execute(conn)? == 1 {
            let due_at = if written { now } else { now.plus(SETTLE_MS) };
            let row = RemovalRow { id, bucket, name, due_at, attempts: 0, erasure_id };
            diesel::insert_into(archive_removals::table).values(row).execute(conn)?;
            count += 1;
        }
    }
    Ok(count)
}

/// Marks for removal objects that were registered before `before` and never written: their writer has crashed. Returns
/// how many there were.
pub fn clear_up(conn: &mut Conn, before: UtcMs, now: UtcMs) -> Result<usize, DbError> {
    use archive_objects::{created_at, written};
    let old = created_at.lt(before).or(created_at.gt(now.plus(LONGEST_WAIT_MS)));
    let abandoned = archive_objects::table.filter(written.eq(false).and(old)).load(conn)?;
    give_up(conn, abandoned, None, now)
}

/// Marks for removal objects that are past retention or whose key is gone, and returns how many. Drops queued batches
/// past retention and those of the server's own keys that nothing needs any more.
pub fn retire(conn: &mut Conn, keep_from: UtcMs, now: UtcMs) -> Result<usize, DbError> {
    use archive_objects::{key_id, oldest_at};
    const DAY_MS: i64 = 86_400_000;
    let old = archive_objects::table.filter(oldest_at.lt(keep_from)).load(conn)?;
    let mut count = give_up(conn, old, None, now)?;
    let keyless =
        archive_objects::table.filter(key_id.ne_all(archive_keys::table.select(archive_keys::id))).load(conn)?;
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

/// Takes due removals, of one erasure or all, for `lease_ms`: meanwhile nobody else tries them.
pub fn take_due(
    conn: &mut Conn,
    erasure: Option<Id<Erasure>>,
    now: UtcMs,
    lease_ms: i64,
    limit: i64,
) -> Result<Vec<RemovalRow>, DbError> {
    use archive_removals::{due_at, erasure_id, id};
    let over = due_at.le(now).or(due_at.gt(now.plus(LONGEST_WAIT_MS)));
    let due = archive_removals::table.filter(over).order(due_at).limit(limit);
    let rows: Vec<RemovalRow> = match erasure {
        Some(erasure) => due.filter(erasure_id.eq(Some(erasure))).load(conn)?,
        None => due.load(conn)?,
    };
    let mut taken = Vec::with_capacity(rows.len());
    for row in rows {
        // If two replicas read the same row, only the first one's update still finds the old time.
        let still = archive_removals::table.filter(id.eq(row.id).and(due_at.eq(row.due_at)));
        if diesel::update(still).set(due_at.eq(now.plus(lease_ms))).execute(conn)? == 1 {
            taken.push(row);
        }
    }
    Ok(taken)
}

/// Records that an object is gone.
pub fn done(conn: &mut Conn, id: Id<ArchiveObject>) -> Result<(), DbError> {
    diesel::delete(archive_removals::table.filter(archive_removals::id.eq(id))).execute(conn)?;
    Ok(())
}

/// Records that removing an object failed; the next try is at `due`.
pub fn failed(conn: &mut Conn, row: &RemovalRow, due: UtcMs) -> Result<(), DbError> {
    diesel::update(archive_removals::table.filter(archive_removals::id.eq(row.id)))
        .set((archive_removals::due_at.eq(due), archive_removals::attempts.eq(row.attempts.saturating_add(1))))
        .execute(conn)?;
    Ok(())
}

/// The number of an erasure's objects that are not gone yet.
pub fn pending(conn: &mut Conn, erasure: Id<Erasure>) -> Result<i64, DbError> {
    let own = archive_removals::table.filter(archive_removals::erasure_id.eq(Some(erasure)));
    Ok(own.count().get_result(conn)?)
}

pub fn record(conn: &mut Conn, receipt: &ReceiptRow) -> Result<(), DbError> {
    diesel::insert_into(erasures::table).values(receipt.clone()).execute(conn)?;
    Ok(())
}

pub fn receipt(conn: &mut Conn, id: Id<Erasure>) -> Result<Option<ReceiptRow>, DbError> {
    Ok(erasures::table.filter(erasures::id.eq(id)).first(conn).optional()?)
}

pub fn names(conn: &mut Conn) -> Result<std::collections::HashSet<String>, DbError> {
    let names: Vec<String> = archive_removals::table.select(archive_removals::name).load(conn)?;
    Ok(names.into_iter().collect())
}
