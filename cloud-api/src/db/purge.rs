//! Retention: what is past its time is removed; on PostgreSQL whole months go with their partition.

use diesel::{QueryableByName, RunQueryDsl as _, prelude::*, sql_query, sql_types::Text};
use serde::Serialize;

use super::{
    DbError, archive_removals,
    attempts::WINDOW_MS,
    conn::Conn,
    schema::{blink_data, blink_rollups, one_time_tokens, sessions},
    types::Utc,
};
use crate::domain::time::UtcMs;

/// What was removed, in rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Purged {
    /// Minutes past retention.
    pub minutes: usize,
    /// Their quarter-hour sums.
    pub sums: usize,
    /// Sessions that had ended.
    pub sessions: usize,
    /// Links that had ended.
    pub links: usize,
    /// Objects of the archive that are marked for removal.
    pub objects: usize,
}

/// Removes what is older than `keep_from`, the start of a UTC day, and what had ended by `now`.
///
/// # Errors
/// When the database fails; then nothing is removed.
pub fn run(conn: &mut Conn, keep_from: UtcMs, now: UtcMs) -> Result<Purged, DbError> {
    let old = blink_data::table.filter(blink_data::from_timestamp.lt(keep_from));
    let minutes = match conn {
        Conn::Sqlite(conn) => diesel::delete(old).execute(conn)?,
        Conn::Postgres(conn) => {
            let count: i64 = old.count().get_result(conn)?;
            drop_partitions(conn, keep_from)?;
            diesel::delete(old).execute(conn)?;
            usize::try_from(count).unwrap_or(usize::MAX)
        }
    };
    let sums = diesel::delete(blink_rollups::table.filter(blink_rollups::slot_from.lt(keep_from))).execute(conn)?;
    let sessions = diesel::delete(sessions::table.filter(sessions::expires_at.le(now))).execute(conn)?;
    let links = diesel::delete(one_time_tokens::table.filter(one_time_tokens::expires_at.le(now))).execute(conn)?;
    sql_query("DELETE FROM sign_in_attempts WHERE window_from <= $1")
        .bind::<Utc, _>(now.plus(-WINDOW_MS))
        .execute(conn)?;
    let objects = archive_removals::retire(conn, keep_from, now)?;
    Ok(Purged { minutes, sums, sessions, links, objects })
}

#[derive(QueryableByName)]
struct Partition {
    #[diesel(sql_type = Text)]
    name: String,
}

fn drop_partitions(conn: &mut PgConnection, keep_from: UtcMs) -> Result<(), DbError> {
    // A partition's name says its month; it goes when the month after it has begun no later than what is kept.
    let old: Vec<Partition> = sql_query(
        "SELECT c.relname::text AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid \
         WHERE i.inhparent = 'blink_data'::regclass AND c.relname ~ '^blink_data_[0-9]{4,}_[0-9]{2}$' \
           AND date_trunc('month', (replace(substr(c.relname, 12), '_', '-') || '-01 00:00:00+00')::timestamptz \
               + INTERVAL '32 days', 'UTC') <= $1",
    )
    .bind::<Utc, _>(keep_from)
    .load(conn)?;
    for Partition { name } in old {
        sql_query(format!("DROP TABLE {name}")).execute(conn)?;
    }
    Ok(())
}

/// Makes the partitions of this month and the next two, so that ingest finds them.
///
/// # Errors
/// When the database fails.
pub fn partitions_ahead(conn: &mut Conn, now: UtcMs) -> Result<(), DbError> {
    if let Conn::Postgres(conn) = conn {
        for months in 0..3 {
            sql_query(format!("SELECT ensure_blink_partition($1 + INTERVAL '{months} months')"))
                .bind::<Utc, _>(now)
                .execute(conn)?;
        }
    }
    Ok(())
}
