//! Sealing and saving minutes, and what to do when the disk fails.

use std::time::Duration;

use blink_profile::day_files::identity;
use blink_proto::{MinuteStart, problem::code};
use jiff::Timestamp;

use super::Keeper;
use crate::{
    minutes::OpenMinute,
    store::{DayNote, Line, Queued, Store, StoreError, open::Opening, ownership::MinuteOwnership},
};

impl Keeper {
    /// Opens the store, or notes why it cannot be opened and when to try again.
    pub(super) fn open_store(&mut self) {
        let ownership = MinuteOwnership {
            device_id: self.device.id,
            first: self.person.account.first.as_ref(),
            erased: &self.person.account.erased,
        };
        let folder = self.deps.paths.store();
        let meanwhile = &self.records.sealed_meanwhile;
        match Store::open(&folder, &self.records.history, ownership, meanwhile, self.deps.clock.now()) {
            Ok((store, opening)) => {
                self.records.store = Some(store);
                self.records.sealed_meanwhile.clear();
                self.records.problem = None;
                if let Opening::Rebuilt { .. } = opening {
                    self.notice = Some(blink_proto::Problem::new(
                        code::STORE_REBUILT,
                        "The store was damaged: it was set aside and rebuilt from the history.",
                        "Nothing needs doing; check the disk if it happens again.",
                    ));
                }
                self.settle_inheritance();
                self.take_up_open();
            }
            Err(error) => self.records.failed(error),
        }
    }

    /// Completes an adoption or an account's erasure that was interrupted.
    ///
    /// Minutes that an account counted on another machine stay queued under that machine's device id. So a profile that
    /// moved loses nothing, and of a copied one the server keeps each minute once, since both copies send the same
    /// record.
    fn settle_inheritance(&mut self) {
        if let Some(first) = self.person.account.first.clone().filter(|first| first.adopted) {
            let foreign = self.device.foreign.clone();
            self.records.with_store(|store| store.adopt(&first.owner, first.at, &foreign));
        }
        for owner in self.person.account.erased.clone() {
            self.records.with_store(|store| store.drop_owner(&owner));
            self.forget_pulled(&owner);
        }
    }

    /// On a new day the figures begin anew and old history is pruned. The day's sealed minutes are read, since a clock
    /// set far back comes to days not known in memory.
    pub(super) fn turn_day(&mut self, now: Timestamp) {
        let today = crate::store::history::day_of(MinuteStart::containing(now));
        if !self.records.known_days.contains(&today) {
            self.learn(today);
            self.forget_other_days(now);
        }
        if self.counting.figures.local_date(now) != self.counting.figures.date {
            self.recount(now);
        }
        if self.records.pruned != Some(today)
            && let Some(first) = self.first_kept_day(now)
            && self.clock_is_believed(first, today)
        {
            self.records.pruned = Some(today);
            self.prune_pulled(first);
            match self.records.history.prune(first) {
                Ok(0) => {}
                Ok(days) => tracing::info!(days, "old days of the history were removed"),
                Err(error) => {
                    let why = StoreError::from(error).why();
                    tracing::warn!(why, "old days of the history cannot be removed");
                }
            }
        }
    }

    /// Seals the minutes that are due, whether or not the store is open. One that cannot be written stays open and is
    /// tried again.
    pub(super) fn seal(&mut self, now: Timestamp, mono: Duration) {
        if self.records.must_rest(mono) || !self.clocks.settled() {
            return;
        }
        for open in self.counting.minutes.due(now, self.counting.settled_to) {
            if self.records.begun_in == Some(open.from) {
                continue;
            }
            if !self.seal_one(&open) {
                return;
            }
        }
    }

    fn seal_one(&mut self, open: &OpenMinute) -> bool {
        let Some(minute) = open.record() else {
            self.counting.minutes.sealed(open, false);
            self.records.with_store(|store| store.forget_open(open));
            return true;
        };
        let server = open.owner.as_ref().map(|owner| owner.server.clone());
        let Some(at) = self.records.append(&Line::sealed(minute.clone(), server)) else { return false };
        self.counting.minutes.sealed(open, true);
        self.counting.figures.sealed(&minute);
        // A log can outlive deleted minutes, so it holds none of their figures.
        tracing::info!(fps = minute.mean_fps, quality = ?minute.quality, "a minute is sealed");
        let sealed = identity(&minute);
        let queued = Queued::sealed(minute, open.owner.clone());
        if self.records.with_store(|store| store.sealed(&queued, at)).is_none() {
            self.records.sealed_meanwhile.insert(sealed);
        }
        (self.deps.on_sealed)();
        true
    }

    pub(super) fn save(&mut self) {
        let unpaused_ms = u64::try_from(self.counting.figures.unpaused.as_millis()).unwrap_or(u64::MAX);
        let note = DayNote { date: self.counting.figures.date, unpaused_ms };
        let Some(store) = self.records.store.as_mut() else { return };
        if let Err(error) = store.save_open(self.counting.minutes.open_minutes(), note) {
            self.records.failed(error);
        }
    }
}

#[cfg(test)]
mod tests;
