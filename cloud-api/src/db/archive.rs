//! The archive's bookkeeping: keys, the queue of sealed batches, and the objects that exist.
//!
//! A key's row also holds a lease: whoever has it archives that key's queue, so that two replicas never write the same
//! batches.

use diesel::{QueryableByName, prelude::*, sql_query, sql_types::BigInt};

use super::{
    DbError,
    conn::Conn,
    id::{ArchiveKey, ArchiveObject, Id, QueuedBatch, User},
    schema::{archive_keys, archive_objects, archive_queue},
    types::{SqlId, Utc},
};
use crate::domain::time::UtcMs;

/// The longest lease, and the longest pause before another try, in milliseconds. A time further ahead was stored by a
/// clock that has been put back since, so it counts as over.
pub const LONGEST_WAIT_MS: i64 = 60 * 60_000;

/// Ids per statement: SQLite limits the number of bound values.
const MOST_VALUES: usize = 500;

#[derive(Clone, Queryable, Insertable)]
#[diesel(table_name = archive_keys)]
pub struct KeyRow {
    pub id: Id<ArchiveKey>,
    /// The person whose batches it seals; `None` for the server's own keys, which seal its log.
    pub user_id: Option<Id<User>>,
    /// The key, sealed with the master key.
    pub sealed: Vec<u8>,
    pub created_at: UtcMs,
    /// The end of the current lease.
    pub leased_until: UtcMs,
}

/// A sealed batch that is not archived yet.
#[derive(Clone, Queryable, Insertable)]
#[diesel(table_name = archive_queue)]
pub struct QueuedRow {
    /// The payload is sealed for this id.
    pub id: Id<QueuedBatch>,
    pub key_id: Id<ArchiveKey>,
    pub queued_at: UtcMs,
    pub oldest_at: UtcMs,
    /// The number of minutes.
    pub records: i32,
    pub bytes: i32,
    pub payload: Vec<u8>,
}

#[derive(Clone, Debug, Queryable, Insertable)]
#[diesel(table_name = archive_objects)]
pub struct ObjectRow {
    pub id: Id<ArchiveObject>,
    pub key_id: Id<ArchiveKey>,
    /// `data` or `logs`.
    pub bucket: String,
    pub name: String,
    pub created_at: UtcMs,
    /// The start of its oldest minute, or when a log was archived. The object is removed once this is past retention.
    pub oldest_at: UtcMs,
    pub records: i32,
    pub bytes: i32,
    /// Whether writing the object to the store is known to have succeeded.
    pub written: bool,
}

pub fn key_of(conn: &mut Conn, user: Id<User>) -> Result<Option<KeyRow>, DbError> {
    Ok(archive_keys::table.filter(archive_keys::user_id.eq(Some(user))).first(conn).optional()?)
}

pub fn key(conn: &mut Conn, id: Id<ArchiveKey>) -> Result<Option<KeyRow>, DbError> {
    Ok(archive_keys::table.filter(archive_keys::id.eq(id)).first(conn).optional()?)
}

pub fn keys(conn: &mut Conn) -> Result<Vec<KeyRow>, DbError> {
    Ok(archive_keys::table.order(archive_keys::id).load(conn)?)
}

/// Any key, to test whether the master key is the right one.
pub fn any_key(conn: &mut Conn) -> Result<Option<KeyRow>, DbError> {
    Ok(archive_keys::table.first(conn).optional()?)
}

/// The server's oldest own key made at or after `from`.
pub fn log_key_since(conn: &mut Conn, from: UtcMs) -> Result<Option<KeyRow>, DbError> {
    let own = archive_keys::user_id.is_null().and(archive_keys::created_at.ge(from));
    Ok(archive_keys::table.filter(own).order(archive_keys::created_at).first(conn).optional()?)
}

/// Fails with a unique violation when the person has a key already.
pub fn add_key(conn: &mut Conn, row: &KeyRow) -> Result<(), DbError> {
    diesel::insert_into(archive_keys::table).values(row.clone()).execute(conn)?;
    Ok(())
}

pub fn reseal_key(conn: &mut Conn, id: Id<ArchiveKey>, sealed: Vec<u8>) -> Result<(), DbError> {
    diesel::update(archive_keys::table.filter(archive_keys::id.eq(id)))
        .set(archive_keys::sealed.eq(sealed))
        .execute(conn)?;
    Ok(())
}

/// Fails with a foreign key violation when the key is gone.
pub fn enqueue(conn: &mut Conn, row: &QueuedRow) -> Result<(), DbError> {
    diesel::insert_into(archive_queue::table).values(row.clone()).execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
struct KeyId {
    #[diesel(sql_type = SqlId)]
    key_id: Id<ArchiveKey>,
}

/// Keys without a lease whose queue is due: its oldest batch came before `before`, it holds `enough_bytes`, or it was
/// filled by a clock that has been put back since. The ones that have waited longest come first.
pub fn due_keys(
    conn: &mut Conn,
    now: UtcMs,
    before: UtcMs,
    enough_bytes: i64,
    limit: i64,
) -> Result<Vec<Id<ArchiveKey>>, DbError> {
    let rows: Vec<KeyId> = sql_query(
        "SELECT q.key_id AS key_id FROM archive_queue q JOIN archive_keys k ON k.id = q.key_id \
         WHERE (k.leased_until <= $1 OR k.leased_until > $2) GROUP BY q.key_id \
         HAVING max(q.queued_at) > $2 OR min(q.queued_at) <= $3 OR sum(q.bytes) >= $4 \
         ORDER BY min(q.queued_at) LIMIT $5",
    )
    .bind::<Utc, _>(now)
    .bind::<Utc, _>(now.plus(LONGEST_WAIT_MS))
    .bind::<Utc, _>(before)
    .bind::<BigInt, _>(enough_bytes)
    .bind::<BigInt, _>(limit)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| row.key_id).collect())
}

/// Takes the lease of a key; false when somebody else has it.
pub fn lease(conn: &mut Conn, id: Id<ArchiveKey>, now: UtcMs, until: UtcMs) -> Result<bool, DbError> {
    let over = archive_keys::leased_until.le(now).or(archive_keys::leased_until.gt(now.plus(LONGEST_WAIT_MS)));
    let free = archive_keys::id.eq(id).and(over);
    let taken =
        diesel::update(archive_keys::table.filter(free)).set(archive_keys::leased_until.eq(until)).execute(conn)?;
    Ok(taken == 1)
}

/// Sets the end of our lease to `until`: gives it back, or delays the next try. False when the lease is no longer ours.
pub fn release(conn: &mut Conn, id: Id<ArchiveKey>, ours: UtcMs, until: UtcMs) -> Result<bool, DbError> {
    let own = archive_keys::id.eq(id).and(archive_keys::leased_until.eq(ours));
    let released =
        diesel::update(archive_keys::table.filter(own)).set(archive_keys::leased_until.eq(until)).execute(conn)?;
    Ok(released == 1)
}

/// Reads the oldest batches of a key: at most `limit`, and only as many as are needed to hold `enough_bytes`.
pub fn queued(conn: &mut Conn, key: Id<ArchiveKey>, limit: i64, enough_bytes: i64) -> Result<Vec<QueuedRow>, DbError> {
    use archive_queue::{bytes, id, key_id, queued_at};
    let sizes: Vec<(Id<QueuedBatch>, i32)> = archive_queue::table
        .filter(key_id.eq(key))
        .order((queued_at, id))
        .limit(limit)
        .select((id, bytes))
        .load(conn)?;
    let mut sum = 0;
    let enough = sizes.into_iter().take_while(|(_, size)| {
        let wanted = sum < enough_bytes;
        sum += i64::from(*size);
        wanted
    });
    let ids: Vec<Id<QueuedBatch>> = enough.map(|(batch, _)| batch).collect();
    let mut rows = Vec::with_capacity(ids.len());
    for part in ids.chunks(MOST_VALUES) {
        let of_part = archive_queue::table.filter(id.eq_any(part.to_vec())).order((queued_at, id));
        rows.append(&mut of_part.load(conn)?);
    }
    Ok(rows)
}

/// Deletes archived batches from the queue.
pub fn dequeue(conn: &mut Conn, ids: &[Id<QueuedBatch>]) -> Result<usize, DbError> {
    let mut gone = 0;
    for part in ids.chunks(MOST_VALUES) {
        gone += diesel::delete(archive_queue::table.filter(archive_queue::id.eq_any(part.to_vec()))).execute(conn)?;
    }
    Ok(gone)
}

/// Registers an object. This must happen before it is written, so that a crash leaves no object that nobody knows of.
pub fn register(conn: &mut Conn, row: &ObjectRow) -> Result<(), DbError> {
    diesel::insert_into(archive_objects::table).values(row.clone()).execute(conn)?;
    Ok(())
}

/// Marks an object as written; false when it was given up meanwhile.
pub fn mark_written(conn: &mut Conn, id: Id<ArchiveObject>, bytes: i32) -> Result<bool, DbError> {
    let own = archive_objects::table.filter(archive_objects::id.eq(id));
    let written = (archive_objects::written.eq(true), archive_objects::bytes.eq(bytes));
    Ok(diesel::update(own).set(written).execute(conn)? == 1)
}

/// Objects that were registered with this key but not marked as written.
pub fn unfinished(conn: &mut Conn, key: Id<ArchiveKey>) -> Result<Vec<ObjectRow>, DbError> {
    let own = archive_objects::key_id.eq(key).and(archive_objects::written.eq(false));
    Ok(archive_objects::table.filter(own).load(conn)?)
}

/// A page of objects, of one key or of all, ordered by id and after `after`.
pub fn objects(
    conn: &mut Conn,
    key: Option<Id<ArchiveKey>>,
    after: Option<Id<ArchiveObject>>,
    limit: i64,
) -> Result<Vec<ObjectRow>, DbError> {
    let later = archive_objects::table
        .filter(archive_objects::id.gt(after.unwrap_or(Id::NIL)))
        .order(archive_objects::id)
        .limit(limit);
    Ok(match key {
        Some(key) => later.filter(archive_objects::key_id.eq(key)).load(conn)?,
        None => later.load(conn)?,
    })
}

pub fn object(conn: &mut Conn, name: &str) -> Result<Option<ObjectRow>, DbError> {
    Ok(archive_objects::table.filter(archive_objects::name.eq(name)).first(conn).optional()?)
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueState {
    pub batches: i64,
    /// The sum of the payloads, in bytes.
    pub bytes: i64,
    pub oldest_at: Option<UtcMs>,
    pub removals: i64,
    /// Objects that are being written, or whose writer crashed.
    pub unfinished: i64,
}

#[derive(QueryableByName)]
struct StateRow {
    #[diesel(sql_type = BigInt)]
    batches: i64,
    #[diesel(sql_type = BigInt)]
    bytes: i64,
    #[diesel(sql_type = diesel::sql_types::Nullable<Utc>)]
    oldest_at: Option<UtcMs>,
    #[diesel(sql_type = BigInt)]
    removals: i64,
    #[diesel(sql_type = BigInt)]
    unfinished: i64,
}

pub fn queue_state(conn: &mut Conn) -> Result<QueueState, DbError> {
    let row: StateRow = sql_query(
        "SELECT count(*) AS batches, coalesce(sum(bytes), 0) AS bytes, min(queued_at) AS oldest_at, \
         (SELECT count(*) FROM archive_removals) AS removals, \
         (SELECT count(*) FROM archive_objects WHERE NOT written) AS unfinished FROM archive_queue",
    )
    .get_result(conn)?;
    let StateRow { batches, bytes, oldest_at, removals, unfinished } = row;
    Ok(QueueState { batches, bytes, oldest_at, removals, unfinished })
}

/// What the archive holds of a person, for their export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ArchiveTotals {
    pub objects: i64,
    /// The size of the objects, in bytes.
    pub bytes: i64,
    pub minutes: i64,
    pub oldest_at: Option<UtcMs>,
    /// Batches that are not archived yet.
    pub queued: i64,
}

#[derive(QueryableByName)]
struct ArchiveTotalsRow {
    #[diesel(sql_type = BigInt)]
    objects: i64,
    #[diesel(sql_type = BigInt)]
    bytes: i64,
    #[diesel(sql_type = BigInt)]
    minutes: i64,
    #[diesel(sql_type = diesel::sql_types::Nullable<Utc>)]
    oldest_at: Option<UtcMs>,
    #[diesel(sql_type = BigInt)]
    queued: i64,
}

pub fn held(conn: &mut Conn, user: Id<User>) -> Result<ArchiveTotals, DbError> {
    let Some(key) = key_of(conn, user)? else { return Ok(ArchiveTotals::default()) };
    let row: ArchiveTotalsRow = sql_query(
        "SELECT count(*) AS objects, coalesce(sum(bytes), 0) AS bytes, coalesce(sum(records), 0) AS minutes, \
         min(oldest_at) AS oldest_at, (SELECT count(*) FROM archive_queue WHERE key_id = $1) AS queued \
         FROM archive_objects WHERE key_id = $1",
    )
    .bind::<SqlId, _>(key.id)
    .get_result(conn)?;
    let ArchiveTotalsRow { objects, bytes, minutes, oldest_at, queued } = row;
    Ok(ArchiveTotals { objects, bytes, minutes, oldest_at, queued })
}
