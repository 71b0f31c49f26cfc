//! Stores minutes: one for each (person, device, start), the first one wins, with the rollups in the same transaction.

pub(in crate::db) mod group;
mod postgres;
mod sqlite;

use std::{collections::BTreeMap, sync::Arc};

use diesel::{
    dsl::sql_query,
    prelude::*,
    result::{DatabaseErrorKind, Error as QueryError},
    sql_types::Array,
};

use super::{
    Db, DbError,
    archive::{self, QueuedRow},
    conn::Conn,
    id::{Device, Id, Session, User},
    types::Utc,
};
use crate::domain::minute::CheckedMinute;
use crate::domain::time::{DAY_MS, UtcMs};

/// The length of a rollup slot: a quarter of an hour, in milliseconds.
pub(crate) const SLOT_MS: i64 = 15 * 60_000;

/// Most devices of one person. Each may fill the whole retention period, so without a limit one account could fill the
/// database.
pub(crate) const MAX_DEVICES: i32 = 100;

/// The most minutes of one person in a slot, but for the batch that reaches it. A machine that is taken off the list
/// leaves its minutes, so a bound on machines alone would bound nothing.
const MAX_SLOT_MINUTES: i32 = 15 * MAX_DEVICES;

pub(crate) struct Batch {
    pub user: Id<User>,
    pub device: Id<Device>,
    /// The session that uploaded them.
    pub session: Id<Session>,
    /// The program that uploaded them, and its version.
    pub user_agent: Option<String>,
    pub received_at: UtcMs,
    pub minutes: Vec<CheckedMinute>,
}

/// All but `Stored` mean that nothing was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Stored {
        accepted: u64,
        duplicates: u64,
    },
    NotConsented,
    /// The session has ended or the person was erased.
    SignedOut,
    /// The person has [`MAX_DEVICES`] other devices, or minutes of as many in a slot of the batch.
    TooManyDevices,
}

/// Stores a batch durably. If any of its minutes are new, its sealed form is queued for the archive in the same
/// transaction. Fails with a foreign key violation when the key that sealed it was destroyed meanwhile.
pub(crate) async fn store(db: &Db, batch: Arc<Batch>, queued: Option<QueuedRow>) -> Result<Outcome, DbError> {
    let queued = queued.map(Arc::new);
    if let Some(done) = group::store(db, &batch, queued.as_ref()).await {
        return done;
    }
    let attempt = |queued: Option<Arc<QueuedRow>>| {
        let batch = batch.clone();
        db.write(move |conn| {
            let outcome = store_once(conn, &batch, queued.as_deref(), IfLocked::Wait)?;
            // If the cause of a refusal is gone again by now, the session counts as ended: the client then tries anew.
            Ok(outcome.unwrap_or(Outcome::SignedOut))
        })
    };
    match attempt(queued.clone()).await {
        // PostgreSQL reports a row without a partition as a check violation.
        Err(DbError::Query(QueryError::DatabaseError(DatabaseErrorKind::CheckViolation, _))) => {
            make_partitions(db, &batch).await?;
            attempt(queued).await
        }
        done => done,
    }
}

async fn make_partitions(db: &Db, batch: &Batch) -> Result<(), DbError> {
    let mut days: Vec<i64> = batch.minutes.iter().map(|m| m.from.0.div_euclid(DAY_MS)).collect();
    days.sort_unstable();
    days.dedup();
    db.write(move |conn| {
        if let Conn::Postgres(conn) = conn {
            super::purge::wait_briefly_for_locks(conn)?;
            sql_query("SELECT ensure_blink_partition(day) FROM unnest($1) AS day")
                .bind::<Array<Utc>, _>(days.iter().map(|day| UtcMs(day * DAY_MS)).collect::<Vec<_>>())
                .execute(conn)?;
        }
        Ok(())
    })
    .await
}

/// What to do while somebody else has locked the person's or the session's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum IfLocked {
    Wait,
    Skip,
}

/// `None`: nothing was stored, because a row is locked or without a cause that still shows.
fn store_once(
    conn: &mut Conn,
    batch: &Batch,
    queued: Option<&QueuedRow>,
    if_locked: IfLocked,
) -> Result<Option<Outcome>, DbError> {
    let outcome = match conn {
        // It has one writer at a time, so nothing is locked.
        Conn::Sqlite(conn) => Some(sqlite::store(conn, batch)?),
        Conn::Postgres(conn) => postgres::store(conn, batch, if_locked)?,
    };
    if let (Some(Outcome::Stored { accepted: 1.., .. }), Some(row)) = (outcome, queued) {
        archive::enqueue(conn, row)?;
    }
    Ok(outcome)
}

/// What new minutes add to the sums of a slot.
#[derive(Default)]
struct SlotSum {
    blink_count: i64,
    observed_ms: i64,
    minutes: i32,
}

/// The sums of new minutes by the start of their slot, in its order, so that two batches cannot deadlock.
#[derive(Default)]
struct SlotSums(BTreeMap<UtcMs, SlotSum>);

impl SlotSums {
    fn add(&mut self, from: UtcMs, blink_count: i32, observed_ms: i32) {
        let slot = self.0.entry(slot_of(from)).or_default();
        slot.blink_count += i64::from(blink_count);
        slot.observed_ms += i64::from(observed_ms);
        slot.minutes += 1;
    }

    fn accepted(&self) -> u64 {
        self.0.values().map(|slot| u64::from(slot.minutes.unsigned_abs())).sum()
    }
}

fn slot_of(from: UtcMs) -> UtcMs {
    UtcMs(from.0.div_euclid(SLOT_MS) * SLOT_MS)
}

fn stored(batch: &Batch, accepted: u64) -> Outcome {
    Outcome::Stored { accepted, duplicates: (batch.minutes.len() as u64).saturating_sub(accepted) }
}

/// Why the batch may not be stored any more, if so. The role is not checked: a kiosk's requests do not get this far.
macro_rules! refusal {
    ($conn:expr, $batch:expr) => {{
        let live = sessions::id.eq($batch.session).and(sessions::expires_at.gt($batch.received_at));
        let own = sessions::table.inner_join(users::table).filter(live.and(sessions::user_id.eq($batch.user)));
        match own.select(users::tracking_consent).first($conn).optional()? {
            None => Some(Outcome::SignedOut),
            Some(false) => Some(Outcome::NotConsented),
            Some(true) => None,
        }
    }};
}

use refusal;
