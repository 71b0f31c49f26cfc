//! The minutes on disk: the history, and the store beside it. When the store fails it is closed and opened again later.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use blink_profile::day_files::Identity;
use blink_proto::{MinuteStart, Problem, problem::code};
use jiff::civil::Date;

use crate::{
    clock::Clock,
    store::{History, Line, Store, StoreError, database::drop_quietly},
};

/// How long after a failure the store or the disk is tried again.
const MEND_EVERY: Duration = Duration::from_secs(5);

pub(super) struct Records {
    clock: Arc<dyn Clock>,
    pub(super) history: History,
    pub(super) store: Option<Store>,
    /// Why the store or the history could not be used last time.
    pub(super) problem: Option<Problem>,
    mend_at: Duration,
    /// When to append to the history again after a failure.
    append_at: Duration,
    /// The minute in which this process began, until what the last process left open was taken up: the store may hold
    /// the first half of it.
    pub(super) begun_in: Option<MinuteStart>,
    /// What was sealed without the store, which learns of it when it is opened.
    pub(super) sealed_meanwhile: BTreeSet<Identity>,
    /// Days of the history whose sealed minutes are known in memory.
    pub(super) known_days: BTreeSet<Date>,
    /// The day on which the history was last pruned.
    pub(super) pruned: Option<Date>,
}

impl Records {
    /// Starts with the store closed.
    pub(super) fn new(history: History, clock: Arc<dyn Clock>) -> Self {
        Self {
            mend_at: clock.mono(),
            append_at: clock.mono(),
            begun_in: Some(MinuteStart::containing(clock.now())),
            sealed_meanwhile: BTreeSet::new(),
            clock,
            history,
            store: None,
            problem: None,
            known_days: BTreeSet::new(),
            pruned: None,
        }
    }

    /// Uses the store; `None` when it is closed or fails, in which case it is opened again later.
    pub(super) fn with_store<T>(&mut self, f: impl FnOnce(&mut Store) -> Result<T, StoreError>) -> Option<T> {
        match f(self.store.as_mut()?) {
            Ok(value) => Some(value),
            Err(error) => {
                self.failed(error);
                None
            }
        }
    }

    /// Notes a failure: the store is closed, and opened again after a while.
    pub(super) fn failed(&mut self, error: impl Into<StoreError>) {
        let error = error.into();
        let problem = error.problem();
        if self.problem.is_none() {
            tracing::error!(code = problem.code, why = error.why(), "saving fails");
        }
        self.problem = Some(problem);
        self.close();
        self.mend_at = self.clock.mono() + MEND_EVERY;
    }

    pub(super) fn close(&mut self) {
        drop_quietly(self.store.take());
    }

    pub(super) fn is_mending_due(&self, mono: Duration) -> bool {
        self.store.is_none() && mono >= self.mend_at
    }

    /// Appends a sealed minute to the history. After a failure, which is noted, it is too early to retry for a while.
    pub(super) fn append(&mut self, line: &Line) -> Option<(Date, u64)> {
        match self.history.append(line) {
            Ok(at) => Some(at),
            Err(error) => {
                self.failed(error);
                self.append_at = self.mend_at;
                None
            }
        }
    }

    /// Whether it is too early to append to the history again.
    pub(super) fn must_rest(&self, mono: Duration) -> bool {
        mono < self.append_at
    }

    pub(super) fn unusable(&self) -> Problem {
        let unread = || Problem::new(code::STORE_FAILED, "The store cannot be read.", "It is tried again by itself.");
        self.problem.clone().unwrap_or_else(unread)
    }

    /// The lines of a day; empty when it cannot be read, which is noted as a failure.
    pub(super) fn lines_of(&mut self, day: Date) -> Vec<Line> {
        self.history.read(day, 0).unwrap_or_else(|error| {
            self.failed(error);
            Vec::new()
        })
    }
}
