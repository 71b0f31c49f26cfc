//! Erasure (GDPR, article 17) while the daemon runs.

use blink_proto::{Problem, problem::code, receipt::LocalErasure};

use super::Keeper;
use crate::{
    minutes::Owner,
    store::erase::{self, EraseError},
};

fn left(error: &EraseError) -> Problem {
    let fix = "Check the folder's permissions and the disk, then try again; blinkd also tries at its next start.";
    Problem::new(code::NOT_ERASED, format!("Not everything could be erased: {error}."), fix)
}

impl Keeper {
    /// Counts for the receipt. An unreadable store is counted from the history alone, since it is erased all the same.
    fn count_for_receipt(&mut self) -> LocalErasure {
        if self.records.store.is_none() {
            self.open_store();
        }
        let count =
            |store| erase::count(&self.deps.paths, store, &self.records.history, self.counting.minutes.open_minutes());
        count(self.records.store.as_ref()).or_else(|_| count(None)).unwrap_or_default()
    }

    /// Erases all minutes of this machine, the open one too, and goes on with an empty history.
    ///
    /// Fails when nothing was erased because the note of the erasure could not be written, or when something is left,
    /// which the next start erases.
    pub fn erase_minutes(&mut self) -> Result<LocalErasure, Problem> {
        let counted = self.count_for_receipt();
        erase::begin(&self.deps.paths, false)?;
        self.records.close();
        let erased = erase::minutes(&self.deps.paths);
        self.counting.forget(self.device.id);
        self.records.known_days.clear();
        self.records.problem = None;
        self.notice = None;
        self.open_store();
        self.tick();
        tracing::info!("the minutes were erased");
        erased.map(|()| counted).map_err(|error| left(&error))
    }

    /// Erases everything that blinkd made in this profile but the models. Nothing is written afterwards: the daemon is
    /// to stop.
    ///
    /// Fails when nothing was erased because the note of the erasure could not be written, and the daemon goes on; or
    /// when something is left, which the next start erases.
    pub fn erase_everything(&mut self) -> Result<LocalErasure, Problem> {
        let counted = self.count_for_receipt();
        erase::begin(&self.deps.paths, true)?;
        self.finished = true;
        self.deps.control.stop();
        self.records.close();
        erase::everything(&self.deps.paths).map_err(|error| left(&error))?;
        Ok(LocalErasure { everything: true, ..counted })
    }

    /// Notes that the account of `owner` was erased on its server: signs it out, drops its queued minutes, now and
    /// later, and removes what was pulled for it.
    pub fn account_erased(&mut self, owner: &Owner) -> Result<(), Problem> {
        if !self.person.account.erased.contains(owner) {
            self.person.account.erased.push(owner.clone());
        }
        self.person.account.undated.retain(|undated| undated.owner != *owner);
        let erased = self.person.account.erased.clone();
        let dropped = self.records.with_store(|store| {
            store.never_for(&erased);
            store.drop_owner(owner)
        });
        self.forget_pulled(owner);
        tracing::info!(?dropped, "the account was erased; what waited for it is kept in the local history alone");
        self.sign_out()
    }
}

#[cfg(test)]
mod tests;
