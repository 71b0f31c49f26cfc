//! What was deleted leaves SQLite's log of recent writes too. A checkpoint that empties the log waits for whoever reads,
//! a backup say, so it is tried again by a job until it is done; meanwhile receipts say so. PostgreSQL has its own ways.

use std::sync::{Mutex, PoisonError};

use diesel::{QueryableByName, RunQueryDsl as _, connection::SimpleConnection as _, sql_query, sql_types::Integer};
use tokio::sync::Notify;

use super::{Db, DbError, conn::Conn, target::BUSY_TIMEOUT_MS};
use crate::domain::time::UtcMs;

/// Others want the one writer that this holds: it waits no longer for readers.
const PATIENCE_MS: u32 = 250;

/// What is still in the log.
#[derive(Default)]
pub(super) struct Unscrubbed {
    state: Mutex<State>,
    wanted: Notify,
}

#[derive(Clone, Copy, Default)]
struct State {
    /// Since when something was deleted that may still be there.
    since: Option<UtcMs>,
    /// Grows with each deletion, so that a checkpoint ends only what was before it.
    deletions: u64,
}

#[derive(QueryableByName)]
struct Checkpoint {
    #[diesel(sql_type = Integer)]
    busy: i32,
}

impl Unscrubbed {
    /// After a start nobody knows what an earlier process left.
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
    /// Something was deleted for good at `at`: tries at once to take it out of the log, and leaves the rest to the job.
    pub async fn scrub(&self, at: UtcMs) {
        self.unscrubbed.deleted(at);
        self.scrub_once().await;
    }

    /// Whether what was deleted by `at` is out of the log.
    #[must_use]
    pub fn is_scrubbed(&self, at: UtcMs) -> bool {
        self.unscrubbed.state(|state| state.since.is_none_or(|since| since > at))
    }

    /// Completes when there is something to take out of the log.
    pub async fn scrub_wanted(&self) {
        self.unscrubbed.wanted.notified().await;
    }

    /// Empties the log for the last time, so that a process that has ended leaves nothing in it.
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

/// Whether the log is empty now.
fn empty_log(conn: &mut Conn) -> Result<bool, DbError> {
    let Conn::Sqlite(conn) = conn else { return Ok(true) };
    conn.batch_execute(&format!("PRAGMA busy_timeout = {PATIENCE_MS}"))?;
    // That somebody reads is no error of the pragma, but a word in its row.
    let done = sql_query("PRAGMA wal_checkpoint(TRUNCATE)").get_result::<Checkpoint>(conn);
    conn.batch_execute(&format!("PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}"))?;
    Ok(done?.busy == 0)
}
