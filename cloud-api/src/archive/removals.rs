//! Removes objects from the store, and tries again until they are gone.

use futures_util::{StreamExt as _, stream};

use super::{
    Archive,
    store::{Bucket, StoreError},
    worker::WorkError,
};
use crate::{
    clock::Clock,
    db::{
        Db, DbError,
        archive::LONGEST_WAIT_MS,
        archive_removals::{self, RemovalRow},
        conn::Conn,
        id::{Erasure, Id},
    },
    domain::time::UtcMs,
    failure::chain,
    metrics,
};

/// Removals that a replica has taken are left to it for this long.
const LEASE_MS: i64 = 5 * 60_000;

/// Removals taken at once.
const PAGE: i64 = 200;

/// Concurrent requests to the store.
const AT_ONCE: usize = 8;

/// Takes due removals, of one erasure or all, for the caller to [`remove`]. Nobody else tries them meanwhile.
pub(crate) fn take(conn: &mut Conn, erasure: Option<Id<Erasure>>, now: UtcMs) -> Result<Vec<RemovalRow>, DbError> {
    archive_removals::take_due(conn, erasure, now, LEASE_MS, PAGE)
}

/// Removes all due objects, and returns how many are gone. Fails with the last failure of the store; failed removals are
/// tried again later.
pub(crate) async fn remove_due(archive: &Archive, db: &Db, clock: &Clock) -> Result<usize, WorkError> {
    let taken = take_more(db, None, clock).await?;
    remove(archive, db, None, taken, clock).await
}

/// Removes the objects of removals that the caller has taken, then what else is due, of the same erasure or of all.
/// Returns and fails as [`remove_due`].
pub(crate) async fn remove(
    archive: &Archive,
    db: &Db,
    erasure: Option<Id<Erasure>>,
    mut taken: Vec<RemovalRow>,
    clock: &Clock,
) -> Result<usize, WorkError> {
    let mut gone = 0;
    loop {
        let last = (taken.len() as i64) < PAGE;
        gone += remove_page(archive, db, taken, clock).await?;
        if last {
            return Ok(gone);
        }
        taken = take_more(db, erasure, clock).await?;
    }
}

async fn take_more(db: &Db, erasure: Option<Id<Erasure>>, clock: &Clock) -> Result<Vec<RemovalRow>, DbError> {
    let time = clock.clone();
    db.write(move |conn| take(conn, erasure, time.now())).await
}

async fn remove_page(archive: &Archive, db: &Db, taken: Vec<RemovalRow>, clock: &Clock) -> Result<usize, WorkError> {
    let removals = stream::iter(taken).map(|row| async move {
        let removed = archive.stores.delete(Bucket::of(&row.bucket), &row.name).await;
        (row, removed)
    });
    let done: Vec<(RemovalRow, Result<(), StoreError>)> = removals.buffer_unordered(AT_ONCE).collect().await;
    let (mut gone, mut failure) = (0, None);
    for (row, removed) in done {
        match removed {
            Ok(()) => {
                gone += 1;
                let id = row.id;
                db.write(move |conn| archive_removals::done(conn, id)).await?;
            }
            Err(e) => {
                tracing::warn!(object = row.name, cause = chain(&e), "an object could not be removed yet");
                metrics::archive_failed("removal");
                failure = Some(e);
                put_off(db, row, clock).await?;
            }
        }
    }
    failure.map_or(Ok(gone), |failure| Err(failure.into()))
}

async fn put_off(db: &Db, row: RemovalRow, clock: &Clock) -> Result<(), DbError> {
    let due = clock.now().plus(pause_ms(row.attempts));
    db.write(move |conn| archive_removals::failed(conn, &row, due)).await
}

/// Exponential backoff from 5 s to an hour. The pause is random between half of that and all of it, so that replicas
/// and rows do not retry at the same moment.
fn pause_ms(attempts: i32) -> i64 {
    let whole = 5_000_i64.checked_shl(attempts.clamp(0, 20).unsigned_abs()).unwrap_or(i64::MAX).min(LONGEST_WAIT_MS);
    whole / 2 + rand::random_range(0..=whole / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_waits_longer_each_time_and_never_more_than_an_hour() {
        for (attempts, most) in [(0, 5_000), (1, 10_000), (9, 2_560_000), (10, 3_600_000), (i32::MAX, 3_600_000)] {
            for _ in 0..50 {
                let pause = pause_ms(attempts);
                assert!((most / 2..=most).contains(&pause), "{attempts}: {pause}");
            }
        }
    }
}
