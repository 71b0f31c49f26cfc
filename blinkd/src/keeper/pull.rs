//! The minutes of the account's other machines, brought here to be read. They are no part of today's figures, of
//! reminders or of the queue.

use blink_profile::{contents, pulled};
use blink_proto::{
    DeviceId, Problem,
    http::{DeviceMinutes, OwnMinutes},
    ipc::Pulled as Brought,
};
use jiff::{Timestamp, civil::Date};

use super::{Keeper, not_signed_in};
use crate::{
    minutes::Owner,
    store::{
        StoreError,
        pull_place::{Place, Step},
        pulled::{Pulled, start_of},
    },
};

/// A page to ask the server for.
#[derive(Clone, Debug)]
pub(crate) struct PullPage {
    owner: Owner,
    /// The first start that is wanted.
    from: Timestamp,
    pub(crate) step: Step,
    /// This machine, whose minutes are in the history.
    pub(crate) device_id: DeviceId,
    place: Place,
}

fn unsaved(error: impl Into<StoreError>) -> Problem {
    let fix = "Make room on the disk or check the data folder's permissions, then run `blinkctl sync --pull` again.";
    Problem { fix: fix.to_owned(), ..error.into().problem() }
}

impl Keeper {
    /// The next page of a pull of the minutes from `from` on, or of all that the history keeps.
    pub(crate) fn next_pull(&self, from: Option<Timestamp>) -> Result<PullPage, Problem> {
        let owner = self.owner().ok_or_else(not_signed_in)?;
        let kept = self.first_kept_day(self.deps.clock.now()).map_or(Timestamp::MIN, start_of);
        let from = from.unwrap_or(kept).max(kept);
        let mut place = self.pulled(&owner).place(&owner.server).map_err(unsaved)?;
        place.keep_from(kept);
        Ok(PullPage { step: place.next(from), owner, from, device_id: self.device.id, place })
    }

    /// Takes the server's answer to a page. One that is no longer the next, because another call took it or the minutes
    /// were erased meanwhile, is dropped: the pull goes on from where it is.
    pub(crate) fn take_pulled(&mut self, page: PullPage, answer: OwnMinutes) -> Result<Brought, Problem> {
        let now = self.next_pull(Some(page.from))?;
        let mut brought = Brought { machines: Vec::new(), left_out: 0, from: page.from, done: false };
        if now.owner != page.owner || now.place != page.place {
            return Ok(brought);
        }
        let PullPage { owner, step, mut place, device_id, .. } = page;
        let mut minutes = answer.items;
        let count = minutes.len();
        minutes.retain(|minute| {
            minute.check().is_ok() && minute.user_id == Some(owner.user_id) && minute.device_id != device_id
        });
        brought.left_out = (count - minutes.len()) as u64;
        minutes.retain(|minute| minute.from_timestamp >= step.from);
        let folder = self.pulled(&owner);
        let added = folder.add(&minutes, &self.records.history).map_err(unsaved)?;
        brought.machines = added.into_iter().map(|(device_id, minutes)| DeviceMinutes { device_id, minutes }).collect();
        brought.done = place.advance(&step, answer.as_of, answer.next_cursor);
        folder.set_place(&place).map_err(unsaved)?;
        tracing::info!(count, left_out = brought.left_out, done = brought.done, "minutes of other machines came");
        Ok(brought)
    }

    fn pulled(&self, owner: &Owner) -> Pulled {
        Pulled::at(&self.deps.paths.pulled_of(owner.user_id))
    }

    /// Removes every account's pulled minutes before `first_kept`, as those of the history.
    pub(super) fn prune_pulled(&self, first_kept: Date) {
        for folder in pulled::folders(&self.deps.paths).unwrap_or_default() {
            if let Err(error) = Pulled::at(&folder).prune(first_kept) {
                tracing::warn!(why = error.why(), "old days of pulled minutes cannot be removed");
            }
        }
    }

    /// Removes what was pulled for an account that is erased: nobody can sign in to read it.
    pub(super) fn forget_pulled(&self, owner: &Owner) {
        for left in contents::remove_pulled(&self.deps.paths, owner.user_id) {
            tracing::warn!(why = left.source.kind().to_string(), "pulled minutes of an erased account are left");
        }
    }
}

#[cfg(test)]
mod tests;
