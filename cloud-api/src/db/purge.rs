//! Retention: what is past its time is removed, in steps that are each a transaction of their own and short, so that
//! uploads get their turn in between; on PostgreSQL whole months go with their partition.

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
    conn::Conn,
    schema::{blink_data, blink_rollups, device_codes, oidc_logins, one_time_tokens, sessions},
    transaction,
    types::Utc,
};
use crate::domain::time::{DAY_MS, UtcMs};

/// SQLite removes this many minutes in a step, which takes some 50 ms.
const STEP_ROWS: i64 = 5_000;

/// Who changes the partitions waits this long for those who use the table, and no longer: others would wait behind it.
const SET_SHORT_LOCK: &str = "SET lock_timeout = '1s'";

/// Of [`super::target`], for everything else.
const SET_USUAL_LOCK: &str = "SET lock_timeout = '10s'";

/// What was removed, in rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Purged {
    pub minutes: usize,
    pub sums: usize,
    /// Sessions that had ended.
    pub sessions: usize,
    /// Links that had ended.
    pub links: usize,
    /// Device codes and sign-ins through a provider that had ended.
    pub codes: usize,
    /// Objects of the archive that are marked for removal.
    pub objects: usize,
}

/// Minutes before this are past retention: the start of a UTC day, so that sums never lose a part of themselves.
#[must_use]
pub fn keep_from(now: UtcMs, retention_days: u32) -> UtcMs {
    UtcMs((now.0.div_euclid(DAY_MS) - i64::from(retention_days)) * DAY_MS)
}

/// Removes everything that is older than `keep_from`, and what had ended by `now`, on a connection outside any
/// transaction.
///
/// Fails when the database fails; the steps before are kept.
pub fn run(conn: &mut Conn, keep_from: UtcMs, now: UtcMs) -> Result<Purged, DbError> {
    let mut minutes = 0;
    while let Some(some) = partition_step(conn, keep_from)? {
        minutes += some;
    }
    loop {
        match transaction(conn, |conn| minutes_step(conn, keep_from))? {
            0 => break,
            some => minutes += some,
        }
    }
    let rest = transaction(conn, |conn| rest(conn, keep_from, now))?;
    Ok(Purged { minutes, ..rest })
}

/// Removes a step's worth of old minutes, and returns how many; none when none is left.
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
            // A day at a time: there is no index by time, and a partition holds a month.
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

/// Removes what is old or had ended besides minutes; call it in a transaction.
///
/// Fails when the database fails; then nothing is removed.
pub fn rest(conn: &mut Conn, keep_from: UtcMs, now: UtcMs) -> Result<Purged, DbError> {
    let sums = diesel::delete(blink_rollups::table.filter(blink_rollups::slot_from.lt(keep_from))).execute(conn)?;
    let sessions = diesel::delete(sessions::table.filter(sessions::expires_at.le(now))).execute(conn)?;
    let links = diesel::delete(one_time_tokens::table.filter(one_time_tokens::expires_at.le(now))).execute(conn)?;
    let mut codes = diesel::delete(device_codes::table.filter(device_codes::expires_at.le(now))).execute(conn)?;
    codes += diesel::delete(oidc_logins::table.filter(oidc_logins::expires_at.le(now))).execute(conn)?;
    sql_query("DELETE FROM sign_in_attempts WHERE window_from <= $1")
        .bind::<Utc, _>(now.plus(-WINDOW_MS))
        .execute(conn)?;
    let objects = archive_removals::retire(conn, keep_from, now)?;
    Ok(Purged { minutes: 0, sums, sessions, links, codes, objects })
}

#[derive(QueryableByName)]
struct Partition {
    #[diesel(sql_type = Text)]
    name: String,
    /// Whether queries still see it.
    #[diesel(sql_type = Bool)]
    attached: bool,
    /// Whether an earlier detaching was cut short.
    #[diesel(sql_type = Bool)]
    pending: bool,
}

/// Drops the partition of a whole month that is past retention, and returns how many minutes that were, or `None` when
/// there is no such month; on a connection outside any transaction. Nobody else waits for those who read the table.
///
/// Fails when the database fails, or somebody reads for longer than is waited; the next run goes on.
pub fn partition_step(conn: &mut Conn, keep_from: UtcMs) -> Result<Option<usize>, DbError> {
    let Conn::Postgres(conn) = conn else { return Ok(None) };
    let Some(partition) = old_partition(conn, keep_from)? else { return Ok(None) };
    conn.batch_execute(SET_SHORT_LOCK)?;
    let dropped = drop_partition(conn, &partition);
    conn.batch_execute(SET_USUAL_LOCK)?;
    dropped.map(Some)
}

fn old_partition(conn: &mut PgConnection, keep_from: UtcMs) -> Result<Option<Partition>, DbError> {
    // A partition's name says its month; it goes when the month after it has begun no later than what is kept.
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

fn drop_partition(conn: &mut PgConnection, partition: &Partition) -> Result<usize, DbError> {
    let Partition { name, attached, pending } = partition;
    let count: Count = sql_query(format!("SELECT count(*) AS n FROM {name}")).get_result(conn)?;
    if *attached {
        let how = if *pending { "FINALIZE" } else { "CONCURRENTLY" };
        conn.batch_execute(&format!("ALTER TABLE blink_data DETACH PARTITION {name} {how}"))?;
    }
    conn.batch_execute(&format!("DROP TABLE {name}"))?;
    Ok(usize::try_from(count.n).unwrap_or(usize::MAX))
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    n: i64,
}

/// Makes the partitions of this month and the next two, so that ingest finds them; call it in a transaction.
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

/// For the rest of a transaction that makes partitions.
pub fn wait_briefly_for_locks(conn: &mut PgConnection) -> Result<(), DbError> {
    Ok(conn.batch_execute("SET LOCAL lock_timeout = '1s'")?)
}
