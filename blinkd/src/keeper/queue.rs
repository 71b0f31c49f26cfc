//! The upload queue as the upload thread and `blinkctl sync` see it.

use std::collections::BTreeMap;

use blink_proto::{
    DeviceId, Minute, Problem,
    http::SyncResponse,
    ipc::{SetAside, SetAsideCount},
    problem::code,
    status::Queue,
};

use super::{Keeper, not_signed_in};
use crate::{
    minutes::Owner,
    store::{Aside, KeptBack},
};

/// Shows at most 1,000 set-aside minutes and at most 900 KiB of them, so that the answer fits one IPC frame.
const MOST_SHOWN: usize = 1_000;
const MOST_SHOWN_BYTES: usize = 900 << 10;

#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    pub owner: Owner,
    /// The device that counted all of them.
    pub device_id: DeviceId,
    /// The records as they are sent: adopted minutes carry their owner's id here.
    pub minutes: Vec<Minute>,
}

impl Keeper {
    /// The oldest minutes to send, at most `limit`, of a device that is none of `refused`; `None` when nothing may or
    /// needs to be sent. Fails when the store fails, or while the time of a withdrawal is unknown.
    pub fn next_batch(&mut self, limit: usize, refused: &[DeviceId]) -> Result<Option<Batch>, Problem> {
        let Some(owner) = self.owner().filter(|_| self.person.consent.granted()) else { return Ok(None) };
        if self.withdrawal_undated() {
            let message =
                "Consent was withdrawn on the server, which has not said when: what may be sent is not known.";
            return Err(Problem::new(
                code::WITHDRAWAL_UNDATED,
                message,
                "Wait a little; the server is asked every minute.",
            ));
        }
        let found = self.records.with_store(|store| store.batch(&owner, limit, refused));
        let Some(mut minutes) = found else { return Err(self.records.unusable()) };
        let Some(device_id) = minutes.first().map(|minute| minute.device_id) else { return Ok(None) };
        minutes.iter_mut().for_each(|minute| minute.user_id = Some(owner.user_id));
        Ok(Some(Batch { owner, device_id, minutes }))
    }

    /// Takes the server's answer for `batch`: accepted minutes leave the queue, rejected ones are set aside.
    pub fn acknowledged(&mut self, batch: &Batch, response: &SyncResponse) {
        let rejected: BTreeMap<_, _> =
            response.rejected.iter().map(|r| (r.index, (r.code.clone(), r.detail.clone()))).collect();
        let now = self.deps.clock.now();
        self.records.with_store(|store| store.acknowledge(&batch.owner, &batch.minutes, &rejected, now));
    }

    /// The minutes of the signed-in account that its server rejected, oldest first.
    pub fn set_aside(&mut self) -> Result<Vec<SetAside>, Problem> {
        let owner = self.owner().ok_or_else(not_signed_in)?;
        let found = self
            .records
            .with_store(|store| store.set_aside(&owner, MOST_SHOWN))
            .ok_or_else(|| self.records.unusable())?;
        let shown = found.into_iter().map(|Aside { queued, code, detail, at }| SetAside {
            minute: queued.minute,
            code,
            detail,
            at: Some(at),
        });
        let mut room = MOST_SHOWN_BYTES;
        let mut fits = |item: &SetAside| {
            room = room.saturating_sub(serde_json::to_vec(item).map_or(usize::MAX, |text| text.len()));
            room > 0
        };
        Ok(shown.take_while(|item| fits(item)).collect())
    }

    /// Puts the account's set-aside minutes back into the queue.
    pub fn retry_set_aside(&mut self) -> Result<SetAsideCount, Problem> {
        let owner = self.owner().ok_or_else(not_signed_in)?;
        let minutes =
            self.records.with_store(|store| store.retry_aside(&owner)).ok_or_else(|| self.records.unusable())?;
        if minutes > 0 {
            (self.deps.on_sealed)();
        }
        Ok(SetAsideCount { minutes })
    }

    pub fn drop_set_aside(&mut self) -> Result<SetAsideCount, Problem> {
        let owner = self.owner().ok_or_else(not_signed_in)?;
        let theirs = |aside: &Aside| aside.queued.owner.as_ref() == Some(&owner);
        let minutes =
            self.records.with_store(|store| store.drop_aside(theirs)).ok_or_else(|| self.records.unusable())?;
        Ok(SetAsideCount { minutes })
    }

    #[must_use]
    pub fn pending(&self) -> u64 {
        let (Some(store), Some(owner)) = (&self.records.store, self.owner()) else { return 0 };
        store.pending(Some(&owner))
    }

    /// How many minutes are kept for accounts that are not signed in, and for nobody; 0 when the store is not open.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.kept_back().map_or(0, |kept| kept.held)
    }

    /// What is kept back from upload; `None` when the store is not open.
    #[must_use]
    pub fn kept_back(&self) -> Option<KeptBack> {
        self.records.store.as_ref().map(|store| store.kept_back(self.owner().as_ref()))
    }

    /// Takes the upload thread's report for `status`.
    pub fn upload_news(&mut self, queue: Queue) {
        self.upload = queue;
    }
}
