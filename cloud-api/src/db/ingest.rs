//! Stores minutes: one for each (person, device, start), the first one wins, with the rollups in the same transaction.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use diesel::{
    PgConnection, SqliteConnection,
    dsl::{exists, select, sql_query},
    prelude::*,
    result::{DatabaseErrorKind, Error as QueryError},
    sql_types::{Array, BigInt, Binary, Double, Integer, Nullable, Text},
    upsert::excluded,
};

use super::{
    Db, DbError,
    archive::{self, QueuedRow},
    conn::Conn,
    id::{Device, Id, Minute, Session, User},
    minute_row::MinuteRow,
    schema::{blink_data, blink_rollups, devices, sessions, users},
    types::{SqlId, Utc},
};
use crate::domain::minute::CheckedMinute;
use crate::domain::time::{DAY_MS, UtcMs};

diesel::define_sql_function! {
    /// The first of the two that is not null.
    fn coalesce(first: Nullable<Text>, second: Nullable<Text>) -> Nullable<Text>;
}

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
    let attempt = |queued: Option<Arc<QueuedRow>>| {
        let batch = batch.clone();
        db.write(move |conn| match conn {
            Conn::Sqlite(conn) => store_sqlite(conn, &batch, queued.as_deref()),
            Conn::Postgres(conn) => store_postgres(conn, &batch, queued.as_deref()),
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

#[derive(Default)]
struct SlotSum {
    blink_count: i64,
    observed_ms: i64,
    minutes: i32,
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

fn store_sqlite(conn: &mut SqliteConnection, batch: &Batch, queued: Option<&QueuedRow>) -> Result<Outcome, DbError> {
    if let Some(refused) = refusal!(conn, batch) {
        return Ok(refused);
    }
    let own = devices::table.filter(devices::user_id.eq(batch.user));
    let others = own.filter(devices::device_id.ne(batch.device)).count().get_result::<i64>(conn)?;
    let slots: BTreeSet<UtcMs> = batch.minutes.iter().map(|m| UtcMs(slot_of(m.from))).collect();
    let full = blink_rollups::table
        .filter(blink_rollups::user_id.eq(batch.user).and(blink_rollups::slot_from.eq_any(slots)))
        .filter(blink_rollups::minutes.gt(MAX_SLOT_MINUTES));
    if others >= i64::from(MAX_DEVICES) || select(exists(full)).get_result(conn)? {
        return Ok(Outcome::TooManyDevices);
    }
    diesel::insert_into(devices::table)
        .values((
            devices::user_id.eq(batch.user),
            devices::device_id.eq(batch.device),
            devices::session_id.eq(Some(batch.session)),
            devices::first_seen_at.eq(batch.received_at),
            devices::last_seen_at.eq(batch.received_at),
            devices::user_agent.eq(&batch.user_agent),
        ))
        .on_conflict((devices::user_id, devices::device_id))
        .do_update()
        .set((
            devices::session_id.eq(excluded(devices::session_id)),
            devices::last_seen_at.eq(excluded(devices::last_seen_at)),
            // A request that names no program leaves the one that is known.
            devices::user_agent.eq(coalesce(excluded(devices::user_agent), devices::user_agent)),
        ))
        .execute(conn)?;
    let mut accepted = 0;
    let mut slots = BTreeMap::<i64, SlotSum>::new();
    for minute in &batch.minutes {
        let new = diesel::insert_into(blink_data::table)
            .values(MinuteRow::of(batch, minute))
            .on_conflict((blink_data::user_id, blink_data::from_timestamp, blink_data::device_id))
            .do_nothing()
            .execute(conn)?;
        if new == 1 {
            accepted += 1;
            let slot = slots.entry(slot_of(minute.from)).or_default();
            slot.blink_count += i64::from(minute.blink_count);
            slot.observed_ms += i64::from(minute.observed_ms);
            slot.minutes += 1;
        }
    }
    roll_up(conn, batch.user, slots)?;
    if let Some(row) = queued
        && accepted > 0
    {
        archive::enqueue(conn, row)?;
    }
    Ok(Outcome::Stored { accepted, duplicates: batch.minutes.len() as u64 - accepted })
}

fn slot_of(from: UtcMs) -> i64 {
    from.0.div_euclid(SLOT_MS) * SLOT_MS
}

fn roll_up(conn: &mut SqliteConnection, user: Id<User>, slots: BTreeMap<i64, SlotSum>) -> Result<(), DbError> {
    for (from, sum) in slots {
        use blink_rollups::{blink_count, minutes, observed_ms, slot_from, user_id};
        diesel::insert_into(blink_rollups::table)
            .values((
                user_id.eq(user),
                slot_from.eq(UtcMs(from)),
                blink_count.eq(sum.blink_count),
                observed_ms.eq(sum.observed_ms),
                minutes.eq(sum.minutes),
            ))
            .on_conflict((user_id, slot_from))
            .do_update()
            .set((
                blink_count.eq(blink_count + excluded(blink_count)),
                observed_ms.eq(observed_ms + excluded(observed_ms)),
                minutes.eq(minutes + excluded(minutes)),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Stores a batch in one round trip. The person's row is locked against withdrawal and erasure, the session's against
/// its end. Slots are updated in key order, so that two batches cannot deadlock. The session gets only the lock that a
/// foreign key takes, so that refreshing it need not wait.
macro_rules! store_postgres {
    ($($queue:literal)?) => {
        concat!(
            "\
WITH owner AS MATERIALIZED (
    SELECT users.id FROM users JOIN sessions ON sessions.user_id = users.id
    WHERE users.id = $1 AND tracking_consent AND sessions.id = $13 AND expires_at > $3
    FOR SHARE OF users FOR KEY SHARE OF sessions
), device AS (
    INSERT INTO devices (user_id, device_id, session_id, first_seen_at, last_seen_at, user_agent)
    SELECT id, $2, $13, $3, $3, $16 FROM owner
    WHERE (SELECT count(*) FROM devices WHERE user_id = $1 AND device_id <> $2) < $14 AND NOT EXISTS (
        SELECT 1 FROM blink_rollups WHERE user_id = $1 AND minutes > $15 AND slot_from = ANY (
            ARRAY(SELECT DISTINCT date_bin('15 minutes', minute, 'epoch') FROM unnest($6) AS minute)
        )
    )
    ON CONFLICT (user_id, device_id) DO UPDATE
        SET session_id = excluded.session_id, last_seen_at = excluded.last_seen_at,
            user_agent = COALESCE(excluded.user_agent, devices.user_agent)
    RETURNING user_id
), fresh AS (
    INSERT INTO blink_data (id, user_id, blink_count, from_timestamp, to_timestamp, device_id, observed_ms, mean_fps,
        quality, mean_blink_ms, incomplete_share, perclos, received_at)
    SELECT m.id, device.user_id, m.blink_count, m.from_timestamp, m.from_timestamp + INTERVAL '60 seconds', $2,
        m.observed_ms, m.mean_fps, m.quality, m.mean_blink_ms, m.incomplete_share, m.perclos, $3
    FROM device, unnest($4, $5, $6, $7, $8, $9, $10, $11, $12) WITH ORDINALITY
        AS m (id, blink_count, from_timestamp, observed_ms, mean_fps, quality, mean_blink_ms, incomplete_share, perclos,
            place)
    ORDER BY m.from_timestamp, m.place
    ON CONFLICT (user_id, from_timestamp, device_id) DO NOTHING
    RETURNING from_timestamp, blink_count, observed_ms
), rolled AS (
    INSERT INTO blink_rollups (user_id, slot_from, blink_count, observed_ms, minutes)
    SELECT $1, date_bin('15 minutes', from_timestamp, 'epoch') AS slot, sum(blink_count), sum(observed_ms), count(*)
    FROM fresh GROUP BY slot ORDER BY slot
    ON CONFLICT (user_id, slot_from) DO UPDATE SET
        blink_count = blink_rollups.blink_count + excluded.blink_count,
        observed_ms = blink_rollups.observed_ms + excluded.observed_ms,
        minutes = blink_rollups.minutes + excluded.minutes
)
",
            $($queue,)?
            "SELECT (SELECT count(*) FROM owner) AS owners, (SELECT count(*) FROM device) AS devices,
    (SELECT count(*) FROM fresh) AS accepted"
        )
    };
}

const STORE_POSTGRES: &str = store_postgres!();

/// The same statement, which also queues the sealed batch for the archive if any of its minutes are new.
const STORE_AND_QUEUE_POSTGRES: &str = store_postgres!(
    ", queued AS (
    INSERT INTO archive_queue (id, key_id, queued_at, oldest_at, records, bytes, payload)
    SELECT $17, $18, $3, $19, $20, $21, $22 FROM owner WHERE EXISTS (SELECT 1 FROM fresh)
)
"
);

#[derive(QueryableByName)]
struct Counts {
    #[diesel(sql_type = BigInt)]
    owners: i64,
    #[diesel(sql_type = BigInt)]
    devices: i64,
    #[diesel(sql_type = BigInt)]
    accepted: i64,
}

fn store_postgres(conn: &mut PgConnection, batch: &Batch, queued: Option<&QueuedRow>) -> Result<Outcome, DbError> {
    fn column<T>(batch: &Batch, of: impl Fn(&CheckedMinute) -> T) -> Vec<T> {
        batch.minutes.iter().map(of).collect()
    }
    let sql = if queued.is_some() { STORE_AND_QUEUE_POSTGRES } else { STORE_POSTGRES };
    let statement = sql_query(sql)
        .bind::<SqlId, _>(batch.user)
        .bind::<SqlId, _>(batch.device)
        .bind::<Utc, _>(batch.received_at)
        .bind::<Array<SqlId>, _>(column(batch, |m| Id::<Minute>::from(m.id)))
        .bind::<Array<Integer>, _>(column(batch, |m| m.blink_count))
        .bind::<Array<Utc>, _>(column(batch, |m| m.from))
        .bind::<Array<Integer>, _>(column(batch, |m| m.observed_ms))
        .bind::<Array<Double>, _>(column(batch, |m| m.mean_fps))
        .bind::<Array<Text>, _>(column(batch, |m| m.quality))
        .bind::<Array<Nullable<Double>>, _>(column(batch, |m| m.mean_blink_ms))
        .bind::<Array<Nullable<Double>>, _>(column(batch, |m| m.incomplete_share))
        .bind::<Array<Nullable<Double>>, _>(column(batch, |m| m.perclos))
        .bind::<SqlId, _>(batch.session)
        .bind::<Integer, _>(MAX_DEVICES)
        .bind::<Integer, _>(MAX_SLOT_MINUTES)
        .bind::<Nullable<Text>, _>(&batch.user_agent);
    let counts: Counts = match queued {
        None => statement.get_result(conn)?,
        Some(row) => statement
            .bind::<SqlId, _>(row.id)
            .bind::<SqlId, _>(row.key_id)
            .bind::<Utc, _>(row.oldest_at)
            .bind::<Integer, _>(row.records)
            .bind::<Integer, _>(row.bytes)
            .bind::<Binary, _>(&row.payload)
            .get_result(conn)?,
    };
    if counts.owners == 0 {
        // If the cause is gone again by now, the session counts as ended: the client then tries anew.
        return Ok(refusal!(conn, batch).unwrap_or(Outcome::SignedOut));
    }
    if counts.devices == 0 {
        return Ok(Outcome::TooManyDevices);
    }
    let accepted = u64::try_from(counts.accepted).unwrap_or_default();
    Ok(Outcome::Stored { accepted, duplicates: (batch.minutes.len() as u64).saturating_sub(accepted) })
}
