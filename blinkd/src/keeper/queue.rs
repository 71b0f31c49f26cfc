//! What the upload thread takes from the keeper and gives back.

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

/// Shows at most 1,000 set-aside minutes, and no more bytes than fit a frame beside the rest of the answer.
const MOST_SHOWN: usize = 1_000;
const MOST_SHOWN_BYTES: usize = 900 << 10;

/// Minutes to be sent together.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    pub owner: Owner,
    /// The machine all of them come from.
    pub device_id: DeviceId,
    /// The records, as they go out: nobody's that were adopted carry their owner now.
    pub minutes: Vec<Minute>,
}

impl Keeper {
    /// The oldest minutes to be sent, at most `limit`; `None` when nothing may or needs to be sent.
    ///
    /// Fails when the store failed, or it is not known which minutes may be sent.
    pub fn next_batch(&mut self, limit: usize) -> Result<Option<Batch>, Problem> {
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
        let found = self.records.with_store(|store| store.batch(&owner, limit));
        let Some(mut minutes) = found else { return Err(self.records.unusable()) };
        let Some(device_id) = minutes.first().map(|minute| minute.device_id) else { return Ok(None) };
        minutes.iter_mut().for_each(|minute| minute.user_id = Some(owner.user_id));
        Ok(Some(Batch { owner, device_id, minutes }))
    }

    /// The server has answered for `batch`: what it took leaves the queue, what it rejected is set aside.
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

    /// Puts them back into the queue.
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

    /// How many minutes of the signed-in account wait.
    #[must_use]
    pub fn pending(&self) -> u64 {
        let (Some(store), Some(owner)) = (&self.records.store, self.owner()) else { return 0 };
        store.pending(Some(&owner))
    }

    /// How many minutes are kept for accounts that are not signed in, and for nobody.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.kept_back().map_or(0, |kept| kept.held)
    }

    /// What is kept back; `None` where the store cannot be asked.
    #[must_use]
    pub fn kept_back(&self) -> Option<KeptBack> {
        self.records.store.as_ref().map(|store| store.kept_back(self.owner().as_ref()))
    }

    /// How the uploads go, for `status`.
    pub fn upload_news(&mut self, queue: Queue) {
        self.upload = queue;
    }
}
