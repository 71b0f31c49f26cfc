//! Stores a batch on PostgreSQL, in statements of which each is about one person's rows of one kind: where minutes and sums
//! are distributed by person (Citus), such a statement is one task on the worker that has them. A list of rows is
//! therefore `VALUES (unnest($1), ..)`: from `SELECT .. FROM unnest($1)` a coordinator would pull and spread them.

use diesel::{
    PgConnection,
    dsl::sql_query,
    prelude::*,
    sql_types::{Array, BigInt, Bool, Double, Integer, Nullable, Text},
};

use super::{
    super::{
        DbError,
        id::{Id, Minute},
        prepared::Prepared,
        schema::{sessions, users},
        types::{SqlId, Utc},
    },
    Batch, IfLocked, MAX_DEVICES, MAX_SLOT_MINUTES, Outcome, SlotSums, refusal, slot_of, stored,
};
use crate::domain::{minute::CheckedMinute, time::UtcMs};

/// Whether a slot of the batch has its most minutes.
const FULL: &str = "\
SELECT EXISTS (SELECT 1 FROM blink_rollups WHERE user_id = $1 AND minutes > $2 AND slot_from = ANY ($3)) AS full";

/// The person's row is locked against withdrawal and erasure, the session's against its end: with only the lock that a
/// foreign key takes, so that refreshing it need not wait.
macro_rules! owner_and_device {
    ($if_locked:literal) => {
        concat!(
            "\
WITH owner AS MATERIALIZED (
    SELECT users.id FROM users JOIN sessions ON sessions.user_id = users.id
    WHERE users.id = $1 AND tracking_consent AND sessions.id = $2 AND expires_at > $4
    FOR SHARE OF users ",
            $if_locked,
            " FOR KEY SHARE OF sessions ",
            $if_locked,
            "
), device AS (
    INSERT INTO devices (user_id, device_id, session_id, first_seen_at, last_seen_at, user_agent)
    SELECT id, $3, $2, $4, $4, $5 FROM owner
    WHERE NOT $7 AND (SELECT count(*) FROM devices WHERE user_id = $1 AND device_id <> $3) < $6
    ON CONFLICT (user_id, device_id) DO UPDATE
        SET session_id = excluded.session_id, last_seen_at = excluded.last_seen_at,
            user_agent = COALESCE(excluded.user_agent, devices.user_agent)
    RETURNING user_id
)
SELECT (SELECT count(*) FROM owner) AS owners, (SELECT count(*) FROM device) AS devices"
        )
    };
}

impl IfLocked {
    fn owner_and_device(self) -> &'static str {
        match self {
            Self::Wait => owner_and_device!(""),
            Self::Skip => owner_and_device!("SKIP LOCKED"),
        }
    }
}

/// `to_timestamp` has an array of its own: an expression that is not immutable would be evaluated at a coordinator.
const MINUTES: &str = "\
INSERT INTO blink_data (id, user_id, blink_count, from_timestamp, to_timestamp, device_id, observed_ms, mean_fps,
    quality, mean_blink_ms, incomplete_share, perclos, received_at)
VALUES (unnest($4), $1, unnest($5), unnest($6), unnest($7), $2, unnest($8), unnest($9), unnest($10), unnest($11),
    unnest($12), unnest($13), $3)
ON CONFLICT (user_id, from_timestamp, device_id) DO NOTHING
RETURNING from_timestamp, blink_count, observed_ms";

const SUMS: &str = "\
INSERT INTO blink_rollups (user_id, slot_from, blink_count, observed_ms, minutes)
VALUES ($1, unnest($2), unnest($3), unnest($4), unnest($5))
ON CONFLICT (user_id, slot_from) DO UPDATE SET
    blink_count = blink_rollups.blink_count + excluded.blink_count,
    observed_ms = blink_rollups.observed_ms + excluded.observed_ms,
    minutes = blink_rollups.minutes + excluded.minutes";

#[derive(QueryableByName)]
struct Full {
    #[diesel(sql_type = Bool)]
    full: bool,
}

#[derive(QueryableByName)]
struct Counts {
    #[diesel(sql_type = BigInt)]
    owners: i64,
    #[diesel(sql_type = BigInt)]
    devices: i64,
}

#[derive(QueryableByName)]
struct Fresh {
    #[diesel(sql_type = Utc)]
    from_timestamp: UtcMs,
    #[diesel(sql_type = Integer)]
    blink_count: i32,
    #[diesel(sql_type = Integer)]
    observed_ms: i32,
}

pub(super) fn store(conn: &mut PgConnection, batch: &Batch, if_locked: IfLocked) -> Result<Option<Outcome>, DbError> {
    // In the order of their key, so that two batches cannot deadlock.
    let mut minutes: Vec<&CheckedMinute> = batch.minutes.iter().collect();
    minutes.sort_by_key(|minute| minute.from);
    let full = is_full(conn, batch, &minutes)?;
    let counts = own(conn, batch, full, if_locked)?;
    if counts.owners == 0 {
        return Ok(refusal!(conn, batch));
    }
    if counts.devices == 0 {
        return Ok(Some(Outcome::TooManyDevices));
    }
    let sums = insert(conn, batch, &minutes)?;
    let accepted = sums.accepted();
    if accepted > 0 {
        roll_up(conn, batch, &sums)?;
    }
    Ok(Some(stored(batch, accepted)))
}

fn is_full(conn: &mut PgConnection, batch: &Batch, minutes: &[&CheckedMinute]) -> Result<bool, DbError> {
    let mut slots: Vec<UtcMs> = minutes.iter().map(|minute| slot_of(minute.from)).collect();
    slots.dedup();
    let query = sql_query(FULL).bind::<SqlId, _>(batch.user).bind::<Integer, _>(MAX_SLOT_MINUTES);
    Ok(Prepared(query.bind::<Array<Utc>, _>(slots)).get_result::<Full>(conn)?.full)
}

fn own(conn: &mut PgConnection, batch: &Batch, full: bool, if_locked: IfLocked) -> Result<Counts, DbError> {
    let query = sql_query(if_locked.owner_and_device())
        .bind::<SqlId, _>(batch.user)
        .bind::<SqlId, _>(batch.session)
        .bind::<SqlId, _>(batch.device)
        .bind::<Utc, _>(batch.received_at)
        .bind::<Nullable<Text>, _>(&batch.user_agent)
        .bind::<Integer, _>(MAX_DEVICES)
        .bind::<Bool, _>(full);
    Ok(Prepared(query).get_result(conn)?)
}

/// Inserts the minutes that are not there yet, and sums them.
fn insert(conn: &mut PgConnection, batch: &Batch, minutes: &[&CheckedMinute]) -> Result<SlotSums, DbError> {
    fn column<T>(minutes: &[&CheckedMinute], of: impl Fn(&CheckedMinute) -> T) -> Vec<T> {
        minutes.iter().map(|minute| of(minute)).collect()
    }
    let query = sql_query(MINUTES)
        .bind::<SqlId, _>(batch.user)
        .bind::<SqlId, _>(batch.device)
        .bind::<Utc, _>(batch.received_at)
        .bind::<Array<SqlId>, _>(column(minutes, |m| Id::<Minute>::from(m.id)))
        .bind::<Array<Integer>, _>(column(minutes, |m| m.blink_count))
        .bind::<Array<Utc>, _>(column(minutes, |m| m.from))
        .bind::<Array<Utc>, _>(column(minutes, |m| m.to()))
        .bind::<Array<Integer>, _>(column(minutes, |m| m.observed_ms))
        .bind::<Array<Double>, _>(column(minutes, |m| m.mean_fps))
        .bind::<Array<Text>, _>(column(minutes, |m| m.quality))
        .bind::<Array<Nullable<Double>>, _>(column(minutes, |m| m.mean_blink_ms))
        .bind::<Array<Nullable<Double>>, _>(column(minutes, |m| m.incomplete_share))
        .bind::<Array<Nullable<Double>>, _>(column(minutes, |m| m.perclos));
    let mut sums = SlotSums::default();
    for Fresh { from_timestamp, blink_count, observed_ms } in Prepared(query).load(conn)? {
        sums.add(from_timestamp, blink_count, observed_ms);
    }
    Ok(sums)
}

fn roll_up(conn: &mut PgConnection, batch: &Batch, SlotSums(slots): &SlotSums) -> Result<(), DbError> {
    let query = sql_query(SUMS)
        .bind::<SqlId, _>(batch.user)
        .bind::<Array<Utc>, _>(slots.keys().copied().collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(slots.values().map(|slot| slot.blink_count).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(slots.values().map(|slot| slot.observed_ms).collect::<Vec<_>>())
        .bind::<Array<Integer>, _>(slots.values().map(|slot| slot.minutes).collect::<Vec<_>>());
    Ok(Prepared(query).run(conn)?)
}
