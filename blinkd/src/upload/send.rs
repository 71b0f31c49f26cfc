//! Sending queued minutes, and keeping consent in step with the server.

use std::time::Duration;

use blink_proto::{
    DeviceId, Problem,
    consent::ConsentRecord,
    http::{SyncRequest, SyncResponse},
    ipc::SyncDone,
    problem::code,
};

use super::{NetError, ServerConsent, Uploader, account::RESUME_AFTER, chance, error::UploadError};
use crate::keeper::{Batch, Gone, not_signed_in};

pub(super) const LARGEST_BATCH: usize = 1_000;

/// A refused device is tried again at the first upload after this long, or when the person asks.
const REFUSED_FOR: Duration = Duration::from_secs(3_600);

/// A device whose minutes the server refuses, because the account has too many devices. Others' minutes go on.
pub(super) struct Refused {
    device_id: DeviceId,
    until: Duration,
    problem: Problem,
}

impl Uploader {
    /// Uploads until the queue is empty, because the person asked.
    pub(super) fn sync(&mut self) -> Result<SyncDone, UploadError> {
        let (known, consented) = self.deps.keeper.call(|keeper| (keeper.account().is_some(), keeper.consented()))?;
        if !known {
            return Err(not_signed_in().into());
        }
        if !consented {
            let fix = "Read the text and consent with `blinkctl consent grant`.";
            return Err(Problem::new(code::NO_CONSENT, "Nothing is sent without consent.", fix).into());
        }
        if self.link.is_none() {
            self.resume_after = RESUME_AFTER;
            self.resume_account()?;
        }
        if self.link.is_none() {
            return Err(self.last_error.clone().unwrap_or_else(not_signed_in).into());
        }
        self.refused.clear();
        self.upload()
    }

    /// Uploads until the queue is empty, and plans the next upload.
    pub(super) fn upload(&mut self) -> Result<SyncDone, UploadError> {
        let mut done = SyncDone::default();
        let now = self.deps.clock.mono();
        self.refused.retain(|refused| refused.until > now);
        loop {
            let limit = self.limit;
            let refused: Vec<_> = self.refused.iter().map(|refused| refused.device_id).collect();
            let batch = match self.deps.keeper.call(move |keeper| keeper.next_batch(limit, &refused))? {
                Ok(Some(batch)) => batch,
                Ok(None) => {
                    self.schedule.done();
                    if let Some(refused) = self.refused.first() {
                        self.last_error = Some(refused.problem.clone());
                        return Err(refused.problem.clone().into());
                    }
                    done.held = self.deps.keeper.call(|keeper| keeper.held())?;
                    return Ok(done);
                }
                Err(problem) => {
                    self.schedule.failed(self.deps.clock.mono(), false, None, chance());
                    return Err(problem.into());
                }
            };
            match self.send(&batch) {
                Ok(response) => {
                    let sent = batch.minutes.len() as u64;
                    let set_aside = response.rejected.len() as u64;
                    done.uploaded += sent - set_aside;
                    done.set_aside += set_aside;
                    tracing::info!(sent, set_aside, "minutes uploaded");
                    let between = response.send_every_s.map(|seconds| Duration::from_secs(seconds.into()));
                    self.schedule.sent(self.deps.clock.mono(), between);
                    self.deps.keeper.call(move |keeper| keeper.acknowledged(&batch, &response))?;
                    self.limit = (self.limit * 2).min(LARGEST_BATCH);
                    self.last_success = Some(self.deps.clock.now());
                    self.last_error = None;
                    self.schedule.succeeded();
                }
                Err(NetError::Status { status: 413, .. }) if batch.minutes.len() > 1 => {
                    self.limit = batch.minutes.len() / 2;
                    tracing::info!(limit = self.limit, "the server takes less at once");
                }
                Err(error) if error.code() == Some(code::TOO_MANY_DEVICES) => {
                    let (problem, until) = (error.problem(), self.deps.clock.mono() + REFUSED_FOR);
                    tracing::warn!(code = problem.code, "the server refuses a device");
                    self.refused.push(Refused { device_id: batch.device_id, until, problem });
                }
                Err(error) => return Err(self.failed(&error)?.into()),
            }
        }
    }

    /// Sends one batch. Only an answer that accounts for every minute is an acknowledgement.
    fn send(&mut self, batch: &Batch) -> Result<SyncResponse, NetError> {
        let request = SyncRequest { device_id: batch.device_id, buckets: batch.minutes.clone() };
        let sent = batch.minutes.len();
        let response = match self.authorised(|server, access| server.sync(access, &request)) {
            // All minutes have about the same size, so the cause is not this one: something refuses any.
            Err(NetError::Status { status: 413, .. }) if sent == 1 => return Err(NetError::TakesNothing),
            other => other?,
        };
        let mut indices: Vec<_> = response.rejected.iter().map(|rejected| rejected.index).collect();
        indices.sort_unstable();
        indices.dedup();
        let taken = response.accepted.checked_add(response.duplicates);
        let accounted = taken.and_then(|taken| taken.checked_add(response.rejected.len() as u64));
        let sound = indices.len() == response.rejected.len() && indices.last().is_none_or(|last| *last < sent);
        if !sound || accounted != Some(sent as u64) {
            return Err(NetError::Protocol("it does not account for every minute".to_owned()));
        }
        Ok(response)
    }

    /// Handles a failed upload: plans the next, and obeys a withdrawal.
    fn failed(&mut self, error: &NetError) -> Result<Problem, Gone> {
        // A server that answers 5xx may still be healthy, so only a missing answer counts as away.
        let away = error.is_transient() && error.status().is_none();
        self.schedule.failed(self.deps.clock.mono(), away, error.retry_after(), chance());
        let problem = error.problem();
        tracing::warn!(code = problem.code, away, "the upload failed");
        self.last_error = Some(problem.clone());
        if error.code() == Some(code::CONSENT_WITHDRAWN) {
            let newer = self.deps.keeper.call(|keeper| keeper.consent_to_tell())?;
            if newer.is_some_and(|record| record.granted) {
                // The server does not know yet that consent was given again.
                self.schedule.consent_now(self.deps.clock.mono());
            } else {
                self.obey_withdrawal()?;
            }
        }
        Ok(problem)
    }

    /// Asks the server about consent, where that matters, and tells it the decision made here. The newer decision
    /// holds.
    pub(super) fn consent(&mut self) -> Result<(), Gone> {
        self.schedule.consent_asked(self.deps.clock.mono());
        let (to_tell, consented, undated) = self
            .deps
            .keeper
            .call(|keeper| (keeper.consent_to_tell(), keeper.consented(), keeper.withdrawal_undated()))?;
        let asks = undated || to_tell.as_ref().map_or(consented, |record| record.granted);
        let theirs = if asks { self.authorised(|server, access| server.consent(access)) } else { Ok(None) };
        let theirs = match theirs {
            Ok(theirs) => theirs,
            Err(error) => return self.consent_unknown(&error, to_tell.is_none() && consented),
        };
        if undated && !self.date_withdrawal(theirs, to_tell.is_some())? {
            return Ok(());
        }
        match (to_tell, theirs) {
            (Some(ours), Some(ServerConsent { granted: false, at: Some(at) })) if ours.granted && at > ours.at => {
                self.withdrawn(Some(at))
            }
            (Some(ours), _) => self.tell_consent(ours),
            (None, Some(ServerConsent { granted: false, at })) if consented => self.withdrawn(at),
            (None, _) => Ok(()),
        }
    }

    fn tell_consent(&mut self, record: ConsentRecord) -> Result<(), Gone> {
        if let Err(error) =
            self.authorised(|server, access| server.put_consent(access, record.granted, &record.version))
        {
            tracing::warn!(code = error.problem().code, "the server has not heard of the consent yet");
            return Ok(());
        }
        if record.granted {
            // Only the missing consent held the minutes up.
            self.schedule.at_once(self.deps.clock.mono());
        }
        self.deps.keeper.call(move |keeper| keeper.consent_told(&record))
    }

    /// Handles a failed question about consent. `held`: consent is given here, and the server knew of it.
    fn consent_unknown(&mut self, error: &NetError, held: bool) -> Result<(), Gone> {
        let problem = error.problem();
        tracing::debug!(code = problem.code, "consent could not be asked about");
        if *error == NetError::SessionEnded {
            self.last_error = Some(problem);
        }
        if held && error.code() == Some(code::CONSENT_WITHDRAWN) {
            return self.withdrawn(None);
        }
        Ok(())
    }

    /// Takes from the server's answer when consent was withdrawn, before a newer decision is sent, which would replace
    /// that answer. Returns whether to go on.
    fn date_withdrawal(&mut self, theirs: Option<ServerConsent>, newer: bool) -> Result<bool, Gone> {
        let at = match theirs {
            Some(ServerConsent { granted: false, at: Some(at) }) => Some(at),
            // Consent was given again there, or is about to be: this server will not give the time any more.
            Some(ServerConsent { granted: true, .. }) => None,
            _ if newer => None,
            _ => return Ok(false),
        };
        let Some(owner) = self.link.as_ref().map(|link| link.owner.clone()) else { return Ok(false) };
        self.deps.keeper.call(move |keeper| keeper.withdrawal_dated(&owner, at))?;
        Ok(true)
    }

    /// The server refuses minutes because consent was withdrawn there: asks for the time, and obeys.
    fn obey_withdrawal(&mut self) -> Result<(), Gone> {
        let at = match self.authorised(|server, access| server.consent(access)) {
            Ok(Some(consent)) if !consent.granted => consent.at,
            _ => None,
        };
        self.withdrawn(at)
    }

    fn withdrawn(&mut self, at: Option<jiff::Timestamp>) -> Result<(), Gone> {
        let Some(owner) = self.link.as_ref().map(|link| link.owner.clone()) else { return Ok(()) };
        self.deps.keeper.call(move |keeper| keeper.withdrawn_by_server(&owner, at))
    }
}
