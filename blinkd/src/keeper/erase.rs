//! Erasing (GDPR, article 17), while the daemon runs.

use blink_proto::{Problem, problem::code, receipt::LocalErasure};

use super::Keeper;
use crate::{
    minutes::{Book, Owner},
    store::{
        database::drop_quietly,
        erase::{self, EraseError},
    },
};

fn left(error: &EraseError) -> Problem {
    let fix = "Check the folder's permissions and the disk, then try again; blinkd also tries at its next start.";
    Problem::new(code::NOT_ERASED, format!("Not everything could be erased: {error}."), fix)
}

impl Keeper {
    /// What cannot be counted is erased all the same.
    fn count_for_receipt(&mut self) -> LocalErasure {
        if self.store.is_none() {
            self.open_store();
        }
        let count = |store| erase::count(store, &self.history, self.book.open_minutes());
        count(self.store.as_ref()).or_else(|_| count(None)).unwrap_or_default()
    }

    /// Erases all minutes of this machine, the open one too, and goes on with an empty history.
    ///
    /// # Errors
    ///
    /// Nothing is erased, for want of room to begin; or something is left, which the next start erases.
    pub fn erase_minutes(&mut self) -> Result<LocalErasure, Problem> {
        let counted = self.count_for_receipt();
        erase::begin(&self.setup.paths, false)?;
        drop_quietly(self.store.take());
        let erased = erase::minutes(&self.setup.paths);
        self.book = Book::new(self.device.id, []);
        self.figures.forget();
        self.known_days.clear();
        self.store_problem = None;
        self.notice = None;
        self.settled_to = None;
        self.open_store();
        self.tick();
        tracing::info!("the minutes were erased");
        erased.map(|()| counted).map_err(|error| left(&error))
    }

    /// Erases everything this profile keeps but the models, and writes nothing any more: the daemon is to stop.
    ///
    /// # Errors
    ///
    /// Nothing is erased, for want of room to begin, and all goes on; or something is left, which the next start erases.
    pub fn erase_everything(&mut self) -> Result<LocalErasure, Problem> {
        let counted = self.count_for_receipt();
        erase::begin(&self.setup.paths, true)?;
        self.finished = true;
        self.setup.gate.stop();
        drop_quietly(self.store.take());
        erase::everything(&self.setup.paths).map_err(|error| left(&error))?;
        Ok(LocalErasure { everything: true, ..counted })
    }

    /// The account of `owner` is no more: signed out, and what waits for it, or would, has nowhere to go.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn account_erased(&mut self, owner: &Owner) -> Result<(), Problem> {
        if !self.account.erased.contains(owner) {
            self.account.erased.push(owner.clone());
        }
        self.account.undated.retain(|undated| undated.owner != *owner);
        let erased = self.account.erased.clone();
        let dropped = self.with_store(|store| {
            store.never_for(&erased);
            store.drop_owner(owner)
        });
        tracing::info!(?dropped, "the account was erased; what waited for it is kept in the local history alone");
        self.sign_out()
    }
}

#[cfg(test)]
mod tests;
