//! Removes deleted data from SQLite's write-ahead log too. The checkpoint that empties the log must wait for readers,
//! such as a backup, so a job repeats it until it succeeds; meanwhile receipts say so. PostgreSQL manages its log
//! itself.

use std::sync::{Mutex, PoisonError};

use diesel::{QueryableByName, RunQueryDsl as _, connection::SimpleConnection as _, sql_query, sql_types::Integer};
use tokio::sync::Notify;

use super::{Db, DbError, conn::Conn, target::BUSY_TIMEOUT_MS};
use crate::domain::time::UtcMs;

/// How long a checkpoint waits for readers, in milliseconds: it holds the only writer, which others need.
const PATIENCE_MS: u32 = 250;

/// Deletions that may still be in the log.
#[derive(Default)]
pub(super) struct Unscrubbed {
    state: Mutex<State>,
    wanted: Notify,
}

#[derive(Clone, Copy, Default)]
struct State {
    /// The time of the last deletion that may still be in the log.
    since: Option<UtcMs>,
    /// Counts deletions, so that a checkpoint clears only those before it.
    deletions: u64,
}

#[derive(QueryableByName)]
struct Checkpoint {
    #[diesel(sql_type = Integer)]
    busy: i32,
}

impl Unscrubbed {
    /// After a start the log may hold deletions of an earlier process.
    pub(super) fn unknown() -> Self {
        let this = Self::default();
        this.deleted(UtcMs(i64::MIN));
        this
    }

    fn state<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        f(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn deleted(&self, at: UtcMs) {
        self.state(|state| {
            state.deletions += 1;
            state.since = Some(state.since.map_or(at, |since| since.min(at)));
        });
        self.wanted.notify_one();
    }
}

impl Db {
    /// Call after an erasure at `at`: tries once to empty the log and leaves the rest to the job.
    pub async fn scrub(&self, at: UtcMs) {
        self.unscrubbed.deleted(at);
        self.scrub_once().await;
    }

    /// Whether everything deleted by `at` is out of the log.
    #[must_use]
    pub fn is_scrubbed(&self, at: UtcMs) -> bool {
        self.unscrubbed.state(|state| state.since.is_none_or(|since| since > at))
    }

    pub async fn scrub_wanted(&self) {
        self.unscrubbed.wanted.notified().await;
    }

    /// Empties the log at shutdown, so that a stopped server leaves no deleted data in it.
    pub async fn close(&self) {
        match self.with_writer(empty_log).await {
            Ok(true) => {}
            Ok(false) => tracing::info!("somebody reads the database; the next start empties its log"),
            Err(e) => tracing::warn!(error = %e, "the write-ahead log could not be emptied"),
        }
    }

    /// Tries once; true when nothing is left to do.
    pub async fn scrub_once(&self) -> bool {
        let before = self.unscrubbed.state(|state| *state);
        if before.since.is_none() {
            return true;
        }
        match self.with_writer(empty_log).await {
            Ok(true) => self.unscrubbed.state(|state| {
                if state.deletions == before.deletions {
                    state.since = None;
                }
                state.since.is_none()
            }),
            Ok(false) => false,
            Err(e) => {
                tracing::warn!(error = %e, "the write-ahead log could not be emptied; it is tried again");
                false
            }
        }
    }
}

/// Tries to empty the log and returns whether it is empty.
fn empty_log(conn: &mut Conn) -> Result<bool, DbError> {
    let Conn::Sqlite(conn) = conn else { return Ok(true) };
    conn.batch_execute(&format!("PRAGMA busy_timeout = {PATIENCE_MS}"))?;
    // The pragma reports waiting readers in its result row, not as an error.
    let done = sql_query("PRAGMA wal_checkpoint(TRUNCATE)").get_result::<Checkpoint>(conn);
    conn.batch_execute(&format!("PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}"))?;
    Ok(done?.busy == 0)
}
