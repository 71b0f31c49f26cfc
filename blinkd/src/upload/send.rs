//! Sending what waits, and talking about consent.

use blink_proto::{
    Problem,
    http::{Rejected, SyncRequest, SyncResponse},
    ipc::SyncDone,
};

use super::{NetError, ServerConsent, Uploader, account::RETAKE_AFTER, chance};
use crate::keeper::{Batch, Gone, not_signed_in};

/// The most minutes in a batch.
pub(super) const LARGEST_BATCH: usize = 1_000;

impl Uploader {
    /// Uploads until the queue is empty, for somebody who waits.
    pub(super) fn sync(&mut self) -> Result<Result<SyncDone, Problem>, Gone> {
        let (known, consented) = self.setup.keeper.call(|keeper| (keeper.account().is_some(), keeper.consented()))?;
        if !known {
            return Ok(Err(not_signed_in()));
        }
        if !consented {
            return Ok(Err(Problem::new(
                "no_consent",
                "Nothing is sent without consent.",
                "Read the text and consent with `blinkctl consent grant`.",
            )));
        }
        if self.link.is_none() {
            self.retake_after = RETAKE_AFTER;
            self.take_up()?;
        }
        if self.link.is_none() {
            return Ok(Err(self.last_error.clone().unwrap_or_else(not_signed_in)));
        }
        self.upload()
    }

    /// Uploads until the queue is empty, and plans what comes next.
    pub(super) fn upload(&mut self) -> Result<Result<SyncDone, Problem>, Gone> {
        let mut done = SyncDone::default();
        loop {
            let limit = self.limit;
            let batch = match self.setup.keeper.call(move |keeper| keeper.next_batch(limit))? {
                Ok(Some(batch)) => batch,
                Ok(None) => {
                    self.schedule.done();
                    return Ok(Ok(done));
                }
                Err(problem) => {
                    self.schedule.failed(self.setup.clock.mono(), false, None, chance());
                    return Ok(Err(problem));
                }
            };
            match self.send(&batch) {
                Ok(response) => {
                    let sent = batch.minutes.len() as u64;
                    let set_aside = response.rejected.len() as u64;
                    done.uploaded += sent - set_aside;
                    done.set_aside += set_aside;
                    tracing::info!(sent, set_aside, "minutes uploaded");
                    self.setup.keeper.call(move |keeper| keeper.acknowledged(&batch, &response))?;
                    self.limit = (self.limit * 2).min(LARGEST_BATCH);
                    self.last_success = Some(self.setup.clock.now());
                    self.last_error = None;
                    self.schedule.succeeded();
                }
                Err(NetError::Status { status: 413, .. }) if batch.minutes.len() > 1 => {
                    self.limit = batch.minutes.len() / 2;
                    tracing::info!(limit = self.limit, "the server takes less at once");
                }
                Err(error) => {
                    let problem = self.failed(&error)?;
                    return Ok(Err(problem));
                }
            }
        }
    }

    /// Sends one batch. The answer accounts for every minute, or it is no acknowledgement.
    fn send(&mut self, batch: &Batch) -> Result<SyncResponse, NetError> {
        let request = SyncRequest { device_id: batch.device_id, buckets: batch.minutes.clone() };
        let sent = batch.minutes.len();
        let response = match self.authorised(|server, access| server.sync(access, &request)) {
            // One minute that is too much for the server on its own will never be taken.
            Err(NetError::Status { status: 413, detail, .. }) if sent == 1 => {
                let detail = detail.map_or_else(|| "too large".to_owned(), |detail| detail.message);
                let rejected = vec![Rejected { index: 0, code: "too_large".into(), detail }];
                SyncResponse { rejected, ..SyncResponse::default() }
            }
            other => other?,
        };
        let mut indices: Vec<_> = response.rejected.iter().map(|rejected| rejected.index).collect();
        indices.sort_unstable();
        indices.dedup();
        let accounted = response.accepted + response.duplicates + response.rejected.len() as u64;
        let sound = indices.len() == response.rejected.len() && indices.last().is_none_or(|last| *last < sent);
        if !sound || accounted != sent as u64 {
            return Err(NetError::Protocol("it does not account for every minute".to_owned()));
        }
        Ok(response)
    }

    /// An upload failed: plans the next, and obeys a withdrawal.
    fn failed(&mut self, error: &NetError) -> Result<Problem, Gone> {
        let away = match error {
            NetError::Unreachable(_) | NetError::TimedOut | NetError::WebPage | NetError::Redirected(_) => true,
            NetError::Status { status, .. } => *status >= 500,
            _ => false,
        };
        let retry_after = error.retry_after();
        // A server that answers 5xx may be healthy all the same; only asking tells.
        let gone = away && error.status().is_none();
        self.schedule.failed(self.setup.clock.mono(), gone, retry_after, chance());
        let problem = error.problem();
        tracing::warn!(code = problem.code, away, "the upload failed");
        self.last_error = Some(problem.clone());
        if error.code() == Some("consent_withdrawn") {
            let newer = self.setup.keeper.call(|keeper| keeper.consent_to_tell())?;
            if newer.is_some_and(|record| record.granted) {
                // The server speaks of what was before: it has not heard yet that consent was given again.
                self.schedule.consent_now(self.setup.clock.mono());
            } else {
                self.obey_withdrawal()?;
            }
        }
        Ok(problem)
    }

    /// Tells the server of a consent or withdrawal made here, or asks whether one was made there.
    pub(super) fn consent(&mut self) -> Result<(), Gone> {
        self.schedule.consent_asked(self.setup.clock.mono());
        let (to_tell, consented, undated) = self
            .setup
            .keeper
            .call(|keeper| (keeper.consent_to_tell(), keeper.consented(), keeper.withdrawal_undated()))?;
        if undated && !self.date_withdrawal(to_tell.is_some())? {
            return Ok(());
        }
        if let Some(record) = to_tell {
            if record.granted
                && let Ok(Some(ServerConsent { granted: false, at })) =
                    self.authorised(|server, access| server.consent(access))
                && at.is_some_and(|at| at > record.at)
            {
                // The person has changed their mind since, on the server.
                return self.withdrawn(at);
            }
            let told = self.authorised(|server, access| server.put_consent(access, record.granted, &record.version));
            match told {
                Ok(()) => {
                    if record.granted {
                        // Nothing but this held the minutes up.
                        self.schedule.at_once(self.setup.clock.mono());
                    }
                    self.setup.keeper.call(move |keeper| keeper.consent_told(&record))?;
                }
                Err(error) => {
                    let code = error.problem().code;
                    tracing::warn!(code, "the server has not heard of the consent yet");
                }
            }
            return Ok(());
        }
        if !consented {
            return Ok(());
        }
        match self.authorised(|server, access| server.consent(access)) {
            Ok(Some(consent)) if !consent.granted => self.withdrawn(consent.at),
            Ok(_) => Ok(()),
            Err(error) => {
                tracing::debug!(code = error.problem().code, "consent could not be asked about");
                if error.code() == Some("consent_withdrawn") {
                    return self.withdrawn(None);
                }
                if error == NetError::SessionEnded {
                    self.last_error = Some(error.problem());
                }
                Ok(())
            }
        }
    }

    /// Asks when consent was withdrawn, before anything newer is told, which would hide it. Returns whether to go on.
    fn date_withdrawal(&mut self, newer: bool) -> Result<bool, Gone> {
        let at = match self.authorised(|server, access| server.consent(access)) {
            Ok(Some(ServerConsent { granted: false, at: Some(at) })) => Some(at),
            // It was given again there, or is about to be told again: this server will not say any more.
            Ok(Some(ServerConsent { granted: true, .. })) => None,
            Ok(_) if newer => None,
            Ok(_) => return Ok(false),
            Err(error) => {
                tracing::debug!(code = error.problem().code, "the withdrawal's time could not be asked for");
                if error == NetError::SessionEnded {
                    self.last_error = Some(error.problem());
                }
                return Ok(false);
            }
        };
        let Some(owner) = self.link.as_ref().map(|link| link.owner.clone()) else { return Ok(false) };
        self.setup.keeper.call(move |keeper| keeper.withdrawal_dated(&owner, at))?;
        Ok(true)
    }

    /// The server refuses minutes because consent was withdrawn there: asks when, and obeys.
    fn obey_withdrawal(&mut self) -> Result<(), Gone> {
        let at = match self.authorised(|server, access| server.consent(access)) {
            Ok(Some(consent)) if !consent.granted => consent.at,
            _ => None,
        };
        self.withdrawn(at)
    }

    fn withdrawn(&mut self, at: Option<jiff::Timestamp>) -> Result<(), Gone> {
        let Some(owner) = self.link.as_ref().map(|link| link.owner.clone()) else { return Ok(()) };
        self.setup.keeper.call(move |keeper| keeper.withdrawn_by_server(&owner, at))
    }
}
