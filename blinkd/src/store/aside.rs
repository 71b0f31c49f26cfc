//! Minutes a server rejected: shown, tried again, or given up.

use super::{Aside, CHUNK, Queued, Store, StoreError, keys, one_less};
use crate::minutes::Owner;

/// So much of a server's words is kept; a thousand of them fit a frame to a client.
const LONGEST_CODE: usize = 40;
const LONGEST_DETAIL: usize = 200;

/// A server's code, cut to what can be one.
pub(super) fn word(code: &str) -> String {
    printable(code, LONGEST_CODE)
}

/// A server's sentence, on one line and not too long.
pub(super) fn sentence(detail: &str) -> String {
    printable(detail, LONGEST_DETAIL)
}

fn printable(text: &str, most: usize) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(most).collect()
}

impl Store {
    /// The minutes of `owner` that were set aside, oldest first, at most `limit`.
    pub fn set_aside(&self, owner: &Owner, limit: usize) -> Result<Vec<Aside>, StoreError> {
        let prefix = [keys::ASIDE, &keys::tag(Some(owner))].concat();
        let found: Vec<(_, Aside)> = self.scan(&prefix, limit)?;
        Ok(found.into_iter().map(|(_, aside)| aside).collect())
    }

    /// Puts the minutes of `owner` that were set aside back into the queue; returns how many.
    ///
    /// Fails when the store failed; it can be called again.
    pub fn retry_aside(&mut self, owner: &Owner) -> Result<u64, StoreError> {
        self.take_aside(|aside| aside.queued.owner.as_ref() == Some(owner), true)
    }

    /// Gives up the minutes set aside for which `gone` holds; returns how many.
    ///
    /// Fails when the store failed; it can be called again.
    pub fn drop_aside(&mut self, gone: impl Fn(&Aside) -> bool) -> Result<u64, StoreError> {
        self.take_aside(gone, false)
    }

    fn take_aside(&mut self, taken: impl Fn(&Aside) -> bool, again: bool) -> Result<u64, StoreError> {
        let found: Vec<(Vec<u8>, Aside)> = self.scan(keys::ASIDE, usize::MAX)?;
        let found: Vec<_> = found.into_iter().filter(|(_, aside)| taken(aside)).collect();
        for chunk in found.chunks(CHUNK) {
            let mut batch = sled::Batch::default();
            for (key, Aside { queued, .. }) in chunk {
                batch.remove(key.as_slice());
                one_less(&mut self.aside, keys::tag(queued.owner.as_ref()));
                if again {
                    self.enqueue(queued, &mut batch)?;
                }
            }
            self.commit(batch)?;
        }
        Ok(found.len() as u64)
    }

    /// `erased` are the accounts that are no more: nothing is queued for them from now on.
    pub fn never_for(&mut self, erased: &[Owner]) {
        self.erased = erased.to_vec();
    }

    /// Everything of `owner` that waits or was set aside goes: the account is no more. Returns how many minutes.
    ///
    /// Fails when the store failed; it can be called again.
    pub fn drop_owner(&mut self, owner: &Owner) -> Result<u64, StoreError> {
        let theirs = |queued: &Queued| queued.owner.as_ref() == Some(owner);
        Ok(self.drop_queued(theirs)? + self.drop_aside(|aside| theirs(&aside.queued))?)
    }
}
