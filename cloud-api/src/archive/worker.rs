//! Writes queued batches into objects, one person at a time, under a lease.
//!
//! An object is registered before it is written, and its batches leave the queue in the transaction that marks it as
//! written. A crash in between leaves a registered object that is not marked; the next holder of the lease turns it
//! into a removal and archives the same batches under a new name. So each batch is in exactly one marked object, and
//! the database knows every object.

use super::{
    Archive,
    codec::{CodecError, Holds},
    keys::KeyError,
    store::{Bucket, StoreError},
};
use crate::{
    clock::Clock,
    db::{
        Db, DbError,
        archive::{self, KeyRow, ObjectRow, QueuedRow},
        archive_removals,
        id::{ArchiveKey, Id},
    },
    domain::time::UtcMs,
    failure::chain,
    metrics,
};

/// Longer than writing an object may take, but shorter than the delay before an object given up is removed.
const LEASE_MS: i64 = 30_000;

/// An object that is not marked as written by this age belongs to a crashed process.
const ABANDONED_MS: i64 = 2 * 60_000;

/// A key whose batches cannot be opened is tried again after this time.
const SET_ASIDE_MS: i64 = archive::LONGEST_WAIT_MS;

/// The size of sealed batches at which an object is full, and at which a queue is archived without waiting longer.
const ENOUGH_BYTES: i64 = 2 << 20;

/// Most batches in one object.
const MOST_BATCHES: i64 = 2_000;

/// Keys read at once.
const PAGE: i64 = 50;

#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// A failure of the store stops the pass.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A failure of the database stops the pass.
    #[error("the queue cannot be read or changed")]
    Database(#[from] DbError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("what waits in the queue cannot be opened")]
    Codec(#[from] CodecError),
}

/// Archives every due queue and returns the number of objects. A pass may take minutes, so leases and removals take
/// the current time from `clock`. Batches that were not archived stay queued.
pub async fn gather(archive: &Archive, db: &Db, clock: &Clock) -> Result<usize, WorkError> {
    let mut written = 0;
    // Batches queued from now on wait for the next pass; otherwise this one might never end.
    let before = clock.now().plus(-archive.gather_ms);
    loop {
        let now = clock.now();
        let due = db.read(move |conn| archive::due_keys(conn, now, before, ENOUGH_BYTES, PAGE)).await?;
        let last = (due.len() as i64) < PAGE;
        for key in due {
            match one(archive, db, key, clock).await {
                Ok(done) => written += usize::from(done),
                Err(e @ (WorkError::Store(_) | WorkError::Database(_))) => return Err(e),
                Err(e) => {
                    // This key's next try was delayed; the other keys go on.
                    tracing::error!(key = %key.0, cause = chain(&e), "a person's batches cannot be archived");
                    metrics::archive_failed("key");
                }
            }
        }
        if last {
            return Ok(written);
        }
    }
}

/// What a worker holds under a lease: the batches, and the object they are to become.
struct Claim {
    key: KeyRow,
    rows: Vec<QueuedRow>,
    object: ObjectRow,
    lease: UtcMs,
}

async fn one(archive: &Archive, db: &Db, key: Id<ArchiveKey>, clock: &Clock) -> Result<bool, WorkError> {
    let time = clock.clone();
    let Some(claim) = db.write(move |conn| claim(conn, key, time.now())).await? else { return Ok(false) };
    let Claim { key, rows, mut object, lease } = claim;
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    let sealed = match seal(archive, &key, rows, &object.name).await {
        Ok(sealed) => sealed,
        Err(e) => {
            give_up(db, key.id, &object, lease, clock.now(), SET_ASIDE_MS).await?;
            return Err(e);
        }
    };
    object.bytes = i32::try_from(sealed.len()).unwrap_or(i32::MAX);
    let size = sealed.len();
    if let Err(e) = archive.stores.put(Bucket::Data, &object.name, sealed).await {
        give_up(db, key.id, &object, lease, clock.now(), 0).await?;
        return Err(e.into());
    }
    let (bytes, now) = (object.bytes, clock.now());
    let finished = db
        .write(move |conn| -> Result<bool, DbError> {
            // Without the lease another replica has these batches; without the object's row the person was erased.
            if !archive::release(conn, key.id, lease, now)? || !archive::mark_written(conn, object.id, bytes)? {
                return Ok(false);
            }
            archive::dequeue(conn, &ids)?;
            Ok(true)
        })
        .await?;
    if finished {
        metrics::archived("data", size);
    }
    Ok(finished)
}

fn claim(conn: &mut crate::db::conn::Conn, key: Id<ArchiveKey>, now: UtcMs) -> Result<Option<Claim>, DbError> {
    let lease = now.plus(LEASE_MS);
    if !archive::lease(conn, key, now, lease)? {
        return Ok(None);
    }
    let left = archive::unfinished(conn, key)?;
    archive_removals::give_up(conn, left, None, now)?;
    let Some(key) = archive::key(conn, key)? else { return Ok(None) };
    let rows = archive::queued(conn, key.id, MOST_BATCHES, ENOUGH_BYTES)?;
    let Some(oldest_at) = rows.iter().map(|row| row.oldest_at).min() else {
        archive::release(conn, key.id, lease, now)?;
        return Ok(None);
    };
    let id = Id::fresh();
    let name = format!("{}/{}/{}", key.id.0, oldest_at.timestamp().strftime("%Y-%m"), id.0);
    let records = rows.iter().map(|row| row.records).fold(0, i32::saturating_add);
    let object = ObjectRow {
        id,
        key_id: key.id,
        bucket: Bucket::Data.as_str().to_owned(),
        name,
        created_at: now,
        oldest_at,
        records,
        bytes: 0,
        written: false,
    };
    archive::register(conn, &object)?;
    Ok(Some(Claim { key, rows, object, lease }))
}

async fn seal(archive: &Archive, key: &KeyRow, rows: Vec<QueuedRow>, name: &str) -> Result<Vec<u8>, WorkError> {
    let key = archive.keys.open(key)?;
    let name = name.to_owned();
    let sealed = actix_web::web::block(move || {
        let mut lines = Vec::new();
        for row in rows {
            lines.extend(key.open(Holds::Waiting, &row.id.0.to_string(), &row.payload)?);
        }
        key.seal(Holds::Minutes, &name, &lines)
    });
    Ok(sealed.await.map_err(|_| DbError::Cancelled)??)
}

/// Gives up an object that may or may not exist, and delays the key's next try until `aside_ms` after `now`.
async fn give_up(
    db: &Db,
    key: Id<ArchiveKey>,
    object: &ObjectRow,
    lease: UtcMs,
    now: UtcMs,
    aside_ms: i64,
) -> Result<(), DbError> {
    let object = object.clone();
    db.write(move |conn| -> Result<(), DbError> {
        // If another replica has the lease by now, it has given up this object already.
        if archive::release(conn, key, lease, now.plus(aside_ms))? {
            archive_removals::give_up(conn, vec![object.clone()], None, now)?;
        }
        Ok(())
    })
    .await
}

/// Measures the queue for the metrics, checks it against its limit, and gives up objects of crashed processes.
pub async fn look(archive: &Archive, db: &Db, now: UtcMs) -> Result<(), DbError> {
    let state = db.read(archive::queue_state).await?;
    metrics::archive_queue(&state, now);
    let full = state.bytes >= archive.queue_max_bytes;
    if archive.set_full(full) != full {
        if full {
            tracing::error!(
                batches = state.batches,
                "the archive's queue is full: uploads go on and are not archived until it is shorter"
            );
        } else {
            tracing::info!("the archive's queue is shorter again: uploads are archived");
        }
    }
    archive.keys.forget_old();
    if state.unfinished > 0 {
        db.write(move |conn| archive_removals::clear_up(conn, now.plus(-ABANDONED_MS), now)).await?;
    }
    Ok(())
}
