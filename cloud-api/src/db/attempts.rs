//! Counts failed sign-ins and other guesses in the database, so that all replicas share one count.

use diesel::{
    OptionalExtension as _, QueryableByName, RunQueryDsl as _, sql_query,
    sql_types::{Binary, Integer},
};

use super::{DbError, conn::Conn, types::Utc};
use crate::domain::time::{CLOCKS_DIFFER_MS, UtcMs};

/// The length of a counting window, in milliseconds. It begins with the first attempt. A window that begins in the
/// future is over: a clock that was ahead must shut nobody out until then.
pub(crate) const WINDOW_MS: i64 = 15 * 60_000;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Utc)]
    window_from: UtcMs,
    #[diesel(sql_type = Integer)]
    attempts: i32,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted {
    pub attempts: i32,
    pub until: UtcMs,
}

impl From<Row> for Counted {
    fn from(row: Row) -> Self {
        Self { attempts: row.attempts, until: row.window_from.plus(WINDOW_MS) }
    }
}

/// Whether a window that ends at `until` has begun and is not over.
pub(crate) fn is_under_way(until: UtcMs, now: UtcMs) -> bool {
    until > now && until.plus(-WINDOW_MS) <= now.plus(CLOCKS_DIFFER_MS)
}

/// The count in the current window, if there is one.
pub(crate) fn standing(conn: &mut Conn, key: &[u8], now: UtcMs) -> Result<Option<Counted>, DbError> {
    let row = sql_query(
        "SELECT window_from, attempts FROM sign_in_attempts WHERE key = $1 AND window_from > $2 AND window_from <= $3",
    )
    .bind::<Binary, _>(key)
    .bind::<Utc, _>(now.plus(-WINDOW_MS))
    .bind::<Utc, _>(now.plus(CLOCKS_DIFFER_MS))
    .get_result::<Row>(conn)
    .optional()?;
    Ok(row.map(Counted::from))
}

/// Counts an attempt and returns the new count of its window.
pub(crate) fn count(conn: &mut Conn, key: &[u8], now: UtcMs) -> Result<Counted, DbError> {
    let row: Row = sql_query(
        "INSERT INTO sign_in_attempts (key, window_from, attempts) VALUES ($1, $2, 1) \
         ON CONFLICT (key) DO UPDATE SET \
             attempts = CASE WHEN sign_in_attempts.window_from > $3 AND sign_in_attempts.window_from <= $4 \
                 THEN sign_in_attempts.attempts + 1 ELSE 1 END, \
             window_from = CASE WHEN sign_in_attempts.window_from > $3 AND sign_in_attempts.window_from <= $4 \
                 THEN sign_in_attempts.window_from ELSE excluded.window_from END \
         RETURNING window_from, attempts",
    )
    .bind::<Binary, _>(key)
    .bind::<Utc, _>(now)
    .bind::<Utc, _>(now.plus(-WINDOW_MS))
    .bind::<Utc, _>(now.plus(CLOCKS_DIFFER_MS))
    .get_result(conn)?;
    Ok(row.into())
}

pub(crate) fn forget(conn: &mut Conn, key: &[u8]) -> Result<(), DbError> {
    sql_query("DELETE FROM sign_in_attempts WHERE key = $1").bind::<Binary, _>(key).execute(conn)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_of_the_future_is_over() {
        let now = UtcMs(1_773_144_000_000);
        let ends = |ms| is_under_way(now.plus(ms), now);
        assert!(!ends(0) && ends(1) && ends(WINDOW_MS) && ends(WINDOW_MS + CLOCKS_DIFFER_MS));
        assert!(!ends(WINDOW_MS + CLOCKS_DIFFER_MS + 1) && !ends(30 * 86_400_000));
    }
}
