//! Retention: deletes what is past its time in short steps, each its own transaction, so that uploads get their turn in
//! between. On PostgreSQL a whole month goes with its partition.

use diesel::{
    QueryableByName, RunQueryDsl as _,
    connection::SimpleConnection as _,
    prelude::*,
    sql_query,
    sql_types::{Bool, Text},
};
use serde::Serialize;

use super::{
    DbError, archive_removals,
    attempts::WINDOW_MS,
    attendance::{records, rollups, trail},
    conn::Conn,
    schema::{blink_data, blink_rollups, device_codes, oidc_logins, one_time_tokens, sessions},
    transaction,
    types::Utc,
};
use jiff::tz::TimeZone;

use crate::{
    attendance::{month::MonthNumber, record::Day},
    domain::time::{DAY_MS, UtcMs},
};

/// SQLite deletes this many minutes in a step, which takes about 50 ms.
const STEP_ROWS: i64 = 5_000;

/// Records of the attendance desk that are deleted in a step: each also changes its counts.
const STEP_RECORDS: i64 = 500;

/// A change of partitions waits this long for those who use the table and then gives up: others would queue behind it.
const SET_SHORT_LOCK: &str = "SET lock_timeout = '1s'";

/// The usual limit, which [`super::target`] sets.
const SET_USUAL_LOCK: &str = "SET lock_timeout = '10s'";

/// Removed rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Purged {
    /// Partitions that were dropped whole. Their minutes are not counted: that would read all of them.
    pub months: usize,
    /// Minutes that were deleted one by one.
    pub minutes: usize,
    pub sums: usize,
    /// Expired sessions.
    pub sessions: usize,
    /// Expired one-time links.
    pub links: usize,
    /// Expired device codes and pending sign-ins through a provider.
    pub codes: usize,
    /// Archived objects that were marked for removal.
    pub objects: usize,
    /// Days of the attendance desk.
    pub records: usize,
}

/// Minutes before this are past retention. It is the start of a UTC day, so that a rollup is never deleted in part.
#[must_use]
pub fn keep_from(now: UtcMs, retention_days: u32) -> UtcMs {
    UtcMs((now.0.div_euclid(DAY_MS) - i64::from(retention_days)) * DAY_MS)
}

/// Deletes everything older than `keep_from`, and what had expired by `now`. The connection must be outside any
/// transaction. A failure keeps the steps that are done.
pub fn run(conn: &mut Conn, keep_from: UtcMs, now: UtcMs) -> Result<Purged, DbError> {
    let (mut months, mut minutes) = (0, 0);
    while partition_step(conn, keep_from)? {
        months += 1;
    }
    loop {
        match transaction(conn, |conn| minutes_step(conn, keep_from))? {
            0 => break,
            some => minutes += some,
        }
    }
    let mut records = 0;
    loop {
        match transaction(conn, |conn| records_step(conn, keep_from))? {
            0 => break,
            some => records += some,
        }
    }
    let rest = transaction(conn, |conn| rest(conn, keep_from, now))?;
    Ok(Purged { months, minutes, records, ..rest })
}

/// Deletes one step of old records of the attendance desk, with their counts, and returns how many; 0 when none are left.
pub fn records_step(conn: &mut Conn, keep_from: UtcMs) -> Result<usize, DbError> {
    records::purge(conn, Day::of(keep_from, &TimeZone::UTC), STEP_RECORDS)
}

/// Deletes one step of old minutes and returns how many; 0 when none are left.
pub fn minutes_step(conn: &mut Conn, keep_from: UtcMs) -> Result<usize, DbError> {
    use blink_data::{from_timestamp, table};
    match conn {
        Conn::Sqlite(conn) => Ok(sql_query(
            "DELETE FROM blink_data WHERE (user_id, from_timestamp, device_id) IN (SELECT user_id, from_timestamp, \
             device_id FROM blink_data WHERE from_timestamp < $1 ORDER BY from_timestamp LIMIT $2)",
        )
        .bind::<Utc, _>(keep_from)
        .bind::<diesel::sql_types::BigInt, _>(STEP_ROWS)
        .execute(conn)?),
        Conn::Postgres(conn) => {
            // One day is a step: there is no index by time alone, and a partition holds a month.
            let oldest: Option<UtcMs> = table
                .filter(from_timestamp.lt(keep_from))
                .select(from_timestamp)
                .order(from_timestamp)
                .first(conn)
                .optional()?;
            let Some(oldest) = oldest else { return Ok(0) };
            let until = UtcMs((oldest.0.div_euclid(DAY_MS) + 1) * DAY_MS).min(keep_from);
            Ok(diesel::delete(table.filter(from_timestamp.lt(until))).execute(conn)?)
        }
    }
}

/// Deletes everything old or expired but minutes and records of the attendance desk, of which none may be left; must run in
/// a transaction.
pub fn rest(conn: &mut Conn, keep_from: UtcMs, now: UtcMs) -> Result<Purged, DbError> {
    let sums = diesel::delete(blink_rollups::table.filter(blink_rollups::slot_from.lt(keep_from))).execute(conn)?;
    let sessions = diesel::delete(sessions::table.filter(sessions::expires_at.le(now))).execute(conn)?;
    let links = diesel::delete(one_time_tokens::table.filter(one_time_tokens::expires_at.le(now))).execute(conn)?;
    let mut codes = diesel::delete(device_codes::table.filter(device_codes::expires_at.le(now))).execute(conn)?;
    codes += diesel::delete(oidc_logins::table.filter(oidc_logins::expires_at.le(now))).execute(conn)?;
    sql_query("DELETE FROM sign_in_attempts WHERE window_from <= $1")
        .bind::<Utc, _>(now.plus(-WINDOW_MS))
        .execute(conn)?;
    let before = Day::of(keep_from, &TimeZone::UTC);
    trail::purge(conn, before)?;
    rollups::purge(conn, MonthNumber::of(before.0))?;
    let objects = archive_removals::retire(conn, keep_from, now)?;
    Ok(Purged { months: 0, minutes: 0, sums, sessions, links, codes, objects, records: 0 })
}

#[derive(QueryableByName)]
struct Partition {
    #[diesel(sql_type = Text)]
    name: String,
    /// Whether it is still attached to the table.
    #[diesel(sql_type = Bool)]
    attached: bool,
    /// Whether an earlier detaching was interrupted.
    #[diesel(sql_type = Bool)]
    pending: bool,
}

/// Drops the partition of one month that is wholly past retention. Returns whether there was such a month.
/// The connection must be outside any transaction. Detaching fails when somebody reads the table for
/// longer than the lock time-out, so that nobody queues behind it; the next run tries again.
pub fn partition_step(conn: &mut Conn, keep_from: UtcMs) -> Result<bool, DbError> {
    let Conn::Postgres(conn) = conn else { return Ok(false) };
    let Some(partition) = old_partition(conn, keep_from)? else { return Ok(false) };
    conn.batch_execute(SET_SHORT_LOCK)?;
    let dropped = drop_partition(conn, &partition);
    conn.batch_execute(SET_USUAL_LOCK)?;
    dropped.map(|()| true)
}

fn old_partition(conn: &mut PgConnection, keep_from: UtcMs) -> Result<Option<Partition>, DbError> {
    // A partition's name contains its month. It may go when the next month begins at or before `keep_from`.
    Ok(sql_query(
        "SELECT c.relname::text AS name, i.inhrelid IS NOT NULL AS attached, \
             coalesce(i.inhdetachpending, FALSE) AS pending \
         FROM pg_class c LEFT JOIN pg_inherits i ON c.oid = i.inhrelid AND i.inhparent = 'blink_data'::regclass \
         WHERE c.relkind = 'r' AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'blink_data'::regclass) \
           AND c.relname ~ '^blink_data_[0-9]{4,}_[0-9]{2}$' \
           AND date_trunc('month', (replace(substr(c.relname, 12), '_', '-') || '-01 00:00:00+00')::timestamptz \
               + INTERVAL '32 days', 'UTC') <= $1 ORDER BY pending DESC, name LIMIT 1",
    )
    .bind::<Utc, _>(keep_from)
    .get_result(conn)
    .optional()?)
}

fn drop_partition(conn: &mut PgConnection, partition: &Partition) -> Result<(), DbError> {
    let Partition { name, attached, pending } = partition;
    if *attached {
        let how = if *pending { "FINALIZE" } else { "CONCURRENTLY" };
        conn.batch_execute(&format!("ALTER TABLE blink_data DETACH PARTITION {name} {how}"))?;
    }
    Ok(conn.batch_execute(&format!("DROP TABLE {name}"))?)
}

/// Makes the partitions of this month and the next two, so that ingest finds them; must run in a transaction.
pub fn partitions_ahead(conn: &mut Conn, now: UtcMs) -> Result<(), DbError> {
    if let Conn::Postgres(conn) = conn {
        wait_briefly_for_locks(conn)?;
        for months in 0..3 {
            sql_query(format!("SELECT ensure_blink_partition($1 + INTERVAL '{months} months')"))
                .bind::<Utc, _>(now)
                .execute(conn)?;
        }
    }
    Ok(())
}

pub fn wait_briefly_for_locks(conn: &mut PgConnection) -> Result<(), DbError> {
    Ok(conn.batch_execute("SET LOCAL lock_timeout = '1s'")?)
}
