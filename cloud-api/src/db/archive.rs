//! The archive's bookkeeping: keys, the queue, and which objects there are.
//!
//! A key's row is also the lease of whoever archives its person's queue, so that several replicas never write the same
//! batches twice.

use diesel::{QueryableByName, prelude::*, sql_query, sql_types::BigInt};

use super::{
    DbError,
    conn::Conn,
    schema::{archive_keys, archive_objects, archive_queue},
    types::{DbId, Id, Utc},
};
use crate::domain::time::UtcMs;

/// SQLite bounds how many values a statement may have.
const MOST_VALUES: usize = 500;

/// A key, sealed with the master key.
#[derive(Clone, Queryable, Insertable)]
#[diesel(table_name = archive_keys)]
pub struct KeyRow {
    /// The key's own name.
    pub id: DbId,
    /// Whose; `None` is the server's own, for its log.
    pub user_id: Option<DbId>,
    /// The key itself, sealed.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created_at: UtcMs,
    /// Until when somebody is archiving with it.
    pub leased_until: UtcMs,
}

/// A batch on its way.
#[derive(Clone, Queryable, Insertable)]
#[diesel(table_name = archive_queue)]
pub struct QueuedRow {
    /// Its name, which its payload is bound to.
    pub id: DbId,
    /// The key that sealed it.
    pub key_id: DbId,
    /// When it came.
    pub queued_at: UtcMs,
    pub oldest_at: UtcMs,
    /// How many minutes it holds.
    pub records: i32,
    /// The length of the payload.
    pub bytes: i32,
    pub payload: Vec<u8>,
}

/// An object of the archive.
#[derive(Clone, Debug, Queryable, Insertable)]
#[diesel(table_name = archive_objects)]
pub struct ObjectRow {
    pub id: DbId,
    /// The key that sealed it.
    pub key_id: DbId,
    /// `data` or `logs`.
    pub bucket: String,
    /// Its name in the bucket.
    pub name: String,
    /// When it was made.
    pub created_at: UtcMs,
    /// The oldest of what it holds: it goes when this is past retention.
    pub oldest_at: UtcMs,
    pub records: i32,
    pub bytes: i32,
    /// Whether the object is known to be there.
    pub written: bool,
}

/// The key of a person.
pub fn key_of(conn: &mut Conn, user: DbId) -> Result<Option<KeyRow>, DbError> {
    Ok(archive_keys::table.filter(archive_keys::user_id.eq(Some(user))).first(conn).optional()?)
}

/// The key of this id.
pub fn key(conn: &mut Conn, id: DbId) -> Result<Option<KeyRow>, DbError> {
    Ok(archive_keys::table.filter(archive_keys::id.eq(id)).first(conn).optional()?)
}

/// Every key, for a change of the master key.
pub fn keys(conn: &mut Conn) -> Result<Vec<KeyRow>, DbError> {
    Ok(archive_keys::table.order(archive_keys::id).load(conn)?)
}

/// Any key, to see whether the master key is the right one.
pub fn any_key(conn: &mut Conn) -> Result<Option<KeyRow>, DbError> {
    Ok(archive_keys::table.first(conn).optional()?)
}

/// The server's own key since `from`.
pub fn log_key_since(conn: &mut Conn, from: UtcMs) -> Result<Option<KeyRow>, DbError> {
    let own = archive_keys::user_id.is_null().and(archive_keys::created_at.ge(from));
    Ok(archive_keys::table.filter(own).order(archive_keys::created_at).first(conn).optional()?)
}

/// Adds a key. A person who has one already is a unique violation.
///
/// Fails when there is one already, or the database fails.
pub fn add_key(conn: &mut Conn, row: &KeyRow) -> Result<(), DbError> {
    diesel::insert_into(archive_keys::table).values(row.clone()).execute(conn)?;
    Ok(())
}

/// Puts another sealed form in a key's place.
pub fn reseal_key(conn: &mut Conn, id: DbId, sealed: Vec<u8>) -> Result<(), DbError> {
    diesel::update(archive_keys::table.filter(archive_keys::id.eq(id)))
        .set(archive_keys::sealed.eq(sealed))
        .execute(conn)?;
    Ok(())
}

/// Adds a batch to the queue.
///
/// Fails when the key is gone, or the database fails.
pub fn enqueue(conn: &mut diesel::SqliteConnection, row: &QueuedRow) -> Result<(), DbError> {
    diesel::insert_into(archive_queue::table).values(row.clone()).execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
struct KeyId {
    #[diesel(sql_type = Id)]
    key_id: DbId,
}

/// Keys that nobody is archiving with and whose queue is due: its oldest batch came before `before`, or it holds
/// `enough_bytes`. Those that wait longest first.
pub fn due_keys(
    conn: &mut Conn,
    now: UtcMs,
    before: UtcMs,
    enough_bytes: i64,
    limit: i64,
) -> Result<Vec<DbId>, DbError> {
    let rows: Vec<KeyId> = sql_query(
        "SELECT q.key_id AS key_id FROM archive_queue q JOIN archive_keys k ON k.id = q.key_id \
         WHERE k.leased_until <= $1 GROUP BY q.key_id \
         HAVING min(q.queued_at) <= $2 OR sum(q.bytes) >= $3 ORDER BY min(q.queued_at) LIMIT $4",
    )
    .bind::<Utc, _>(now)
    .bind::<Utc, _>(before)
    .bind::<BigInt, _>(enough_bytes)
    .bind::<BigInt, _>(limit)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| row.key_id).collect())
}

/// Takes the lease of a key, unless somebody has it; true when it is ours.
pub fn lease(conn: &mut Conn, id: DbId, now: UtcMs, until: UtcMs) -> Result<bool, DbError> {
    let free = archive_keys::id.eq(id).and(archive_keys::leased_until.le(now));
    let taken =
        diesel::update(archive_keys::table.filter(free)).set(archive_keys::leased_until.eq(until)).execute(conn)?;
    Ok(taken == 1)
}

/// Gives a lease back, or puts it off: nobody takes it before `until`. False when it is not ours any more.
pub fn release(conn: &mut Conn, id: DbId, ours: UtcMs, until: UtcMs) -> Result<bool, DbError> {
    let own = archive_keys::id.eq(id).and(archive_keys::leased_until.eq(ours));
    let released =
        diesel::update(archive_keys::table.filter(own)).set(archive_keys::leased_until.eq(until)).execute(conn)?;
    Ok(released == 1)
}

/// The oldest batches of a key, up to `limit` of them, and no more than it takes to hold `enough_bytes`: only those are
/// read.
pub fn queued(conn: &mut Conn, key: DbId, limit: i64, enough_bytes: i64) -> Result<Vec<QueuedRow>, DbError> {
    use archive_queue::{bytes, id, key_id, queued_at};
    let sizes: Vec<(DbId, i32)> = archive_queue::table
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
    let ids: Vec<DbId> = enough.map(|(batch, _)| batch).collect();
    let mut rows = Vec::with_capacity(ids.len());
    for part in ids.chunks(MOST_VALUES) {
        let of_part = archive_queue::table.filter(id.eq_any(part.to_vec())).order((queued_at, id));
        rows.append(&mut of_part.load(conn)?);
    }
    Ok(rows)
}

/// Takes batches out of the queue: they are archived.
pub fn dequeue(conn: &mut Conn, ids: &[DbId]) -> Result<usize, DbError> {
    let mut gone = 0;
    for part in ids.chunks(MOST_VALUES) {
        gone += diesel::delete(archive_queue::table.filter(archive_queue::id.eq_any(part.to_vec()))).execute(conn)?;
    }
    Ok(gone)
}

/// Registers an object before it is written.
pub fn register(conn: &mut Conn, row: &ObjectRow) -> Result<(), DbError> {
    diesel::insert_into(archive_objects::table).values(row.clone()).execute(conn)?;
    Ok(())
}

/// Says that an object is there; false when it was given up meanwhile.
pub fn mark_written(conn: &mut Conn, id: DbId, bytes: i32) -> Result<bool, DbError> {
    let own = archive_objects::table.filter(archive_objects::id.eq(id));
    let written = (archive_objects::written.eq(true), archive_objects::bytes.eq(bytes));
    Ok(diesel::update(own).set(written).execute(conn)? == 1)
}

/// Objects that were registered with this key and never finished.
pub fn unfinished(conn: &mut Conn, key: DbId) -> Result<Vec<ObjectRow>, DbError> {
    let own = archive_objects::key_id.eq(key).and(archive_objects::written.eq(false));
    Ok(archive_objects::table.filter(own).load(conn)?)
}

/// Objects in the order of their ids after `after`: of one key, or all.
pub fn objects(conn: &mut Conn, key: Option<DbId>, after: Option<DbId>, limit: i64) -> Result<Vec<ObjectRow>, DbError> {
    let later = archive_objects::table
        .filter(archive_objects::id.gt(after.unwrap_or(DbId(uuid::Uuid::nil()))))
        .order(archive_objects::id)
        .limit(limit);
    Ok(match key {
        Some(key) => later.filter(archive_objects::key_id.eq(key)).load(conn)?,
        None => later.load(conn)?,
    })
}

/// The object of this name.
pub fn object(conn: &mut Conn, name: &str) -> Result<Option<ObjectRow>, DbError> {
    Ok(archive_objects::table.filter(archive_objects::name.eq(name)).first(conn).optional()?)
}

/// How full the queue is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueState {
    pub batches: i64,
    /// Their payloads' bytes.
    pub bytes: i64,
    /// When the oldest came.
    pub oldest_at: Option<UtcMs>,
    /// Objects that wait for their removal.
    pub removals: i64,
    /// Objects that are being written, or were when somebody died.
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

/// How full the queue is.
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
pub struct Held {
    pub objects: i64,
    /// Their bytes.
    pub bytes: i64,
    pub minutes: i64,
    pub oldest_at: Option<UtcMs>,
    /// Batches still on their way.
    pub queued: i64,
}

#[derive(QueryableByName)]
struct HeldRow {
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

/// What the archive holds of a person.
pub fn held(conn: &mut Conn, user: DbId) -> Result<Held, DbError> {
    let Some(key) = key_of(conn, user)? else { return Ok(Held::default()) };
    let row: HeldRow = sql_query(
        "SELECT count(*) AS objects, coalesce(sum(bytes), 0) AS bytes, coalesce(sum(records), 0) AS minutes, \
         min(oldest_at) AS oldest_at, (SELECT count(*) FROM archive_queue WHERE key_id = $1) AS queued \
         FROM archive_objects WHERE key_id = $1",
    )
    .bind::<Id, _>(key.id)
    .get_result(conn)?;
    let HeldRow { objects, bytes, minutes, oldest_at, queued } = row;
    Ok(Held { objects, bytes, minutes, oldest_at, queued })
}
