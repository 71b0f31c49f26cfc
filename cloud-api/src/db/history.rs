//! Reads a person's minutes and their quarter-hour sums (rollups).

use blink_figures::{Hours, Period, Piece, Setup, Setups};
use diesel::{dsl::sum, prelude::*, sql_query, sql_types::BigInt};
use jiff::{Timestamp, civil::Date};

use super::{
    DbError,
    conn::Conn,
    id::{Device, Id, User},
    ingest::SLOT_MS,
    schema::{blink_data, blink_rollups},
    types::{SqlId, Utc},
};
use crate::domain::time::UtcMs;

/// The sums of an interval that starts at `at`, over all of a person's devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sum {
    pub at: UtcMs,
    pub blink_count: u64,
    pub observed_ms: u64,
}

/// Where an edge of the range cuts through a slot, up to 14 minutes of it are read, so the limit there is never less.
const EDGE_MINUTES: i64 = SLOT_MS / 60_000;

/// At most `limit` minutes in `from <= t < to`, oldest first.
pub(crate) fn minutes(
    conn: &mut Conn,
    user: Id<User>,
    from: UtcMs,
    to: UtcMs,
    limit: i64,
) -> Result<Vec<Sum>, DbError> {
    use blink_data::{blink_count, from_timestamp, observed_ms, user_id};
    let rows: Vec<(UtcMs, Option<i64>, Option<i64>)> = blink_data::table
        .filter(user_id.eq(user).and(from_timestamp.ge(from)).and(from_timestamp.lt(to)))
        .group_by(from_timestamp)
        .select((from_timestamp, sum(blink_count), sum(observed_ms)))
        .order(from_timestamp)
        .limit(limit)
        .load(conn)?;
    Ok(rows.into_iter().map(|(at, blinks, observed)| to_sum(at, blinks.unwrap_or(0), observed.unwrap_or(0))).collect())
}

/// Sums that cover `from <= t < to` exactly, oldest first: whole quarter hours from the rollups, and single minutes
/// where an edge cuts through one. At most `limit` whole slots; fewer mean that there are no more.
pub(crate) fn slots(conn: &mut Conn, user: Id<User>, from: UtcMs, to: UtcMs, limit: i64) -> Result<Vec<Sum>, DbError> {
    use blink_rollups::{blink_count, observed_ms, slot_from, user_id};
    let first = UtcMs(from.0.saturating_add(SLOT_MS - 1).div_euclid(SLOT_MS) * SLOT_MS);
    let last = UtcMs(to.0.div_euclid(SLOT_MS) * SLOT_MS);
    let edge = limit.max(EDGE_MINUTES);
    if first > last {
        return minutes(conn, user, from, to, edge);
    }
    let mut sums = if from < first { minutes(conn, user, from, first, edge)? } else { Vec::new() };
    let rows: Vec<(UtcMs, i64, i64)> = blink_rollups::table
        .filter(user_id.eq(user).and(slot_from.ge(first)).and(slot_from.lt(last)))
        .select((slot_from, blink_count, observed_ms))
        .order(slot_from)
        .limit(limit)
        .load(conn)?;
    let complete = (rows.len() as i64) < limit;
    sums.extend(rows.into_iter().map(|(at, blinks, observed)| to_sum(at, blinks, observed)));
    if complete && last < to {
        sums.extend(minutes(conn, user, last, to, edge)?);
    }
    Ok(sums)
}

/// A machine's sums over a quarter of an hour.
#[derive(QueryableByName)]
struct Quarter {
    #[diesel(sql_type = Utc)]
    at: UtcMs,
    #[diesel(sql_type = SqlId)]
    device_id: Id<Device>,
    #[diesel(sql_type = BigInt)]
    blinks: i64,
    #[diesel(sql_type = BigInt)]
    observed: i64,
}

/// Adds the local days of `period` to `hours`, by quarters of an hour: their starts are whole minutes past an hour in every
/// time zone. Which camera measured is known on the person's machines alone, so here machines are told apart.
pub(crate) fn hours(conn: &mut Conn, user: Id<User>, period: Period, hours: &mut Hours) -> Result<Setups, DbError> {
    // No minute is from before 1970, and none from after the last day that there is.
    let start = |date: Date| date.to_zoned(hours.zone().clone()).map(|zoned| zoned.timestamp());
    let from = start(period.first).unwrap_or(Timestamp::UNIX_EPOCH).max(Timestamp::UNIX_EPOCH);
    let to = period.last.tomorrow().and_then(start).unwrap_or(Timestamp::MAX).max(Timestamp::UNIX_EPOCH);
    let quarter = match conn {
        Conn::Postgres(_) => "to_timestamp(floor(extract(epoch FROM from_timestamp) / 900) * 900)",
        Conn::Sqlite(_) => "from_timestamp / 900000 * 900000",
    };
    let rows: Vec<Quarter> = sql_query(format!(
        "SELECT {quarter} AS at, device_id, sum(blink_count) AS blinks, sum(observed_ms) AS observed FROM blink_data \
         WHERE user_id = $1 AND from_timestamp >= $2 AND from_timestamp < $3 GROUP BY 1, device_id ORDER BY 1, device_id"
    ))
    .bind::<SqlId, _>(user)
    .bind::<Utc, _>(UtcMs::from(from))
    .bind::<Utc, _>(UtcMs::from(to))
    .load(conn)?;
    let mut setups = Setups::default();
    for Quarter { at, device_id, blinks, observed } in rows {
        let sum = to_sum(at, blinks, observed);
        let setup = setups.number(&Setup { machine: device_id.0.to_string(), ..Setup::default() });
        hours.add(Piece { at: at.timestamp(), blinks: sum.blink_count, observed_ms: sum.observed_ms, setup });
    }
    Ok(setups)
}

fn to_sum(at: UtcMs, blinks: i64, observed: i64) -> Sum {
    Sum { at, blink_count: u64::try_from(blinks).unwrap_or(0), observed_ms: u64::try_from(observed).unwrap_or(0) }
}
