//! Minutes that a server rejected: listing, retrying, dropping.

use super::{Aside, CHUNK, Queued, Store, StoreError, keys, one_less};
use crate::minutes::Owner;

/// A server's words are cut to these lengths in characters, so that a thousand rejections fit one IPC frame.
const LONGEST_CODE: usize = 40;
const LONGEST_DETAIL: usize = 200;

pub(super) fn word(code: &str) -> String {
    printable(code, LONGEST_CODE)
}

pub(super) fn sentence(detail: &str) -> String {
    printable(detail, LONGEST_DETAIL)
}

fn printable(text: &str, most: usize) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(most).collect()
}

impl Store {
    pub fn set_aside(&self, owner: &Owner, limit: usize) -> Result<Vec<Aside>, StoreError> {
        let prefix = [keys::ASIDE, &keys::tag(Some(owner))].concat();
        let found: Vec<(_, Aside)> = self.scan(&prefix, limit)?;
        Ok(found.into_iter().map(|(_, aside)| aside).collect())
    }

    /// Puts the set-aside minutes of `owner` back into the queue; returns how many. It can be repeated after a failure.
    pub fn retry_aside(&mut self, owner: &Owner) -> Result<u64, StoreError> {
        self.take_aside(|aside| aside.queued.owner.as_ref() == Some(owner), true)
    }

    /// Drops the set-aside minutes for which `gone` holds; returns how many. It can be repeated after a failure.
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

    /// Takes the accounts that were erased: nothing is queued for them from now on.
    pub fn never_for(&mut self, erased: &[Owner]) {
        self.erased = erased.to_vec();
    }

    /// Drops all queued and set-aside minutes of `owner`, whose account was erased; returns how many. It can be
    /// repeated after a failure.
    pub fn drop_owner(&mut self, owner: &Owner) -> Result<u64, StoreError> {
        let theirs = |queued: &Queued| queued.owner.as_ref() == Some(owner);
        Ok(self.drop_queued(theirs)? + self.drop_aside(|aside| theirs(&aside.queued))?)
    }
}
