//! What the person asks for, and the server on their behalf: consent, pause, signing in and out.

use std::ops::RangeInclusive;

use blink_proto::{
    Problem,
    consent::{ConsentRecord, TRACKING_TEXT, TRACKING_VERSION},
    ipc::{ConsentShown, PauseSpan, SignedIn},
    problem::code,
};
use jiff::Timestamp;

use super::Keeper;
use crate::{
    minutes::Owner,
    profile::{AccountFile, FirstAccount, SignedInAccount, account::Undated, files::FileError},
};

fn unwritable(error: &FileError) -> Problem {
    let fix = "Check the data folder's disk and permissions, then try again.";
    Problem::new(code::STORE_FAILED, format!("{error}."), fix)
}

/// What every command that needs an account says without one.
#[must_use]
pub fn not_signed_in() -> Problem {
    Problem::new(code::NOT_SIGNED_IN, "Nobody is signed in.", "Run `blinkctl login` or `blinkctl register`.")
}

impl Keeper {
    /// Whose the minutes are that begin now.
    #[must_use]
    pub fn owner(&self) -> Option<Owner> {
        self.person.owner()
    }

    /// The account that is signed in.
    #[must_use]
    pub fn account(&self) -> Option<&SignedInAccount> {
        self.person.account.current.as_ref()
    }

    /// Who is signed in, and who was first.
    #[must_use]
    pub fn account_file(&self) -> &AccountFile {
        &self.person.account
    }

    /// Whether tracking is consented to here.
    #[must_use]
    pub fn consented(&self) -> bool {
        self.person.consent.granted()
    }

    /// The consent text and the record.
    #[must_use]
    pub fn show_consent(&self) -> ConsentShown {
        ConsentShown {
            version: TRACKING_VERSION.to_owned(),
            text: TRACKING_TEXT.to_owned(),
            record: self.person.consent.record().cloned(),
        }
    }

    /// Records consent to the text of `version`.
    ///
    /// Fails when another version was shown, or it cannot be written.
    pub fn grant(&mut self, version: &str) -> Result<(), Problem> {
        if version != TRACKING_VERSION {
            return Err(Problem::new(
                code::CONSENT_VERSION,
                format!("The consent text is version {TRACKING_VERSION} now, not {version}."),
                "Read it with `blinkctl consent show`, then grant it.",
            ));
        }
        let record = ConsentRecord::granted(self.deps.clock.now());
        self.person.consent.set(record.clone()).map_err(|error| unwritable(&error))?;
        tracing::info!("consent granted");
        self.person.tell_server(record);
        self.tick();
        Ok(())
    }

    /// Withdraws it: no source may be open any more when this returns.
    ///
    /// Fails when it cannot be written; it holds until the daemon stops all the same.
    pub fn withdraw(&mut self) -> Result<(), Problem> {
        let record = ConsentRecord::withdrawn(self.deps.clock.now());
        let written = self.person.consent.set(record.clone());
        self.obey();
        tracing::info!("consent withdrawn");
        self.person.tell_server(record);
        self.tick();
        written.map_err(|error| unwritable(&error))
    }

    /// The server says that consent to `owner`'s account was withdrawn, at `at` if it says when. The source is closed,
    /// and the account's minutes begun since are deleted unsent, at the latest when the server has said when.
    pub fn withdrawn_by_server(&mut self, owner: &Owner, at: Option<Timestamp>) {
        if self.owner().as_ref() != Some(owner) {
            return;
        }
        let now = self.deps.clock.now();
        tracing::info!("the account's consent was withdrawn on the server");
        if self.person.consent.granted()
            && let Err(error) = self.person.consent.set(ConsentRecord::withdrawn(at.unwrap_or(now).min(now)))
        {
            tracing::error!(why = error.why(), "the withdrawal holds but cannot be written");
        }
        self.obey();
        self.person.account.consent_to_tell = None;
        self.person.account.undated.retain(|undated| undated.owner != *owner);
        self.person.account.undated.push(Undated { owner: owner.clone(), heard: now });
        self.person.save_account();
        if at.is_some() {
            self.withdrawal_dated(owner, at);
        }
        self.tick();
    }

    /// Whether consent to the signed-in account was withdrawn on its server at a time that is not known yet: until it
    /// is, nobody can say which minutes may be sent.
    #[must_use]
    pub fn withdrawal_undated(&self) -> bool {
        let owner = self.owner();
        self.person.account.undated.iter().any(|undated| Some(&undated.owner) == owner.as_ref())
    }

    /// The withdrawal of consent to `owner`'s account was made at `at`: what was begun from then on is deleted unsent.
    /// `None`: the server will never say.
    pub fn withdrawal_dated(&mut self, owner: &Owner, at: Option<Timestamp>) {
        let Some(place) = self.person.account.undated.iter().position(|undated| undated.owner == *owner) else {
            return;
        };
        let heard = self.person.account.undated[place].heard;
        if let Some(since) = at
            && !self.delete_begun(owner, &(since..=heard))
        {
            return;
        }
        // Forgotten last: whatever cuts this off, it is done again.
        self.person.account.undated.remove(place);
        self.person.save_account();
    }

    /// Returns whether all are gone, in the store and in the history from which it may be rebuilt.
    fn delete_begun(&mut self, owner: &Owner, span: &RangeInclusive<Timestamp>) -> bool {
        for from in self.counting.minutes.drop_begun(owner, span) {
            self.records.with_store(|store| store.forget_open(from));
        }
        let theirs = |queued: &crate::store::Queued| {
            queued.owner.as_ref() == Some(owner) && span.contains(&queued.minute.from_timestamp)
        };
        let dropped = self.records.with_store(|store| store.drop_queued(theirs));
        let unsent = |line: &crate::store::Line| {
            line.minute.user_id == Some(owner.user_id)
                && line.server.as_ref() == Some(&owner.server)
                && span.contains(&line.minute.from_timestamp)
        };
        let removed = match self.records.history.remove(unsent).and_then(|()| self.records.history.days()) {
            Ok(days) => self.records.with_store(|store| store.note_days(days)).is_some(),
            Err(error) => {
                self.records.failed(error);
                false
            }
        };
        tracing::info!(dropped, removed, "minutes begun since the withdrawal were deleted unsent");
        dropped.is_some() && removed
    }

    /// A consent or withdrawal the server has not heard of.
    #[must_use]
    pub fn consent_to_tell(&self) -> Option<ConsentRecord> {
        self.person.account.consent_to_tell.clone()
    }

    /// The server has ended the session of the account: it stays signed in here, without tokens.
    pub fn session_ended(&mut self) {
        if let Some(account) = &mut self.person.account.current {
            account.session_ended = true;
            self.person.save_account();
        }
    }

    /// The server has heard of `record`.
    pub fn consent_told(&mut self, record: &ConsentRecord) {
        if self.person.account.consent_to_tell.as_ref() == Some(record) {
            self.person.account.consent_to_tell = None;
            self.person.save_account();
        }
    }

    /// Stops tracking.
    ///
    /// Fails when the end lies in the past, or the pause cannot be written: it holds until the daemon stops all the same.
    pub fn pause(&mut self, span: PauseSpan) -> Result<(), Problem> {
        if span.until.is_some_and(|until| until <= self.deps.clock.now()) {
            return Err(Problem::new(code::PAUSE_OVER, "That time is over already.", "Name a time to come."));
        }
        let written = self.person.pause.begin(span.until, self.deps.clock.now(), self.deps.clock.mono());
        tracing::info!("paused");
        self.tick();
        written.map_err(|error| unwritable(&error))
    }

    /// Goes on: ends a pause and a yield.
    ///
    /// Fails when the pause file cannot be removed: it would hold again after a restart.
    pub fn resume(&mut self) -> Result<(), Problem> {
        let written = self.person.pause.end();
        self.camera_users.handover = None;
        self.somebody_is_there();
        tracing::info!("resumed");
        self.tick();
        written.map_err(|error| unwritable(&error))
    }

    /// Signs in. The profile's first account adopts nobody's minutes if `adopt`; `consent` also records consent here.
    pub fn sign_in(&mut self, account: SignedInAccount, adopt: bool, consent: bool) -> Result<SignedIn, Problem> {
        let owner = account.owner();
        let now = self.deps.clock.now();
        if consent && !self.person.consent.granted() {
            self.person.consent.set(ConsentRecord::granted(now)).map_err(|error| unwritable(&error))?;
        }
        // An account that lets somebody in is there, whatever it looked like.
        self.person.account.erased.retain(|erased| *erased != owner);
        if let Some(store) = &mut self.records.store {
            store.never_for(&self.person.account.erased);
        }
        let first = self.person.account.first.is_none();
        if first {
            self.person.account.first = Some(FirstAccount { owner: owner.clone(), adopted: adopt, at: now });
        }
        let signed_in = self.signed_in(&account, 0);
        self.person.account.current = Some(account);
        self.person.account.consent_to_tell = None;
        self.person.write_account().map_err(|error| unwritable(&error))?;
        let mut adopted = 0;
        if first && adopt {
            let foreign = self.device.foreign.clone();
            adopted = self.records.with_store(|store| store.adopt(&owner, now, &foreign)).unwrap_or(0);
            self.counting.minutes.adopt(&owner, now);
            self.save();
        }
        tracing::info!(adopted, "signed in");
        self.tick();
        if adopted > 0 {
            (self.deps.on_sealed)();
        }
        Ok(SignedIn { adopted, consent: self.person.consent.granted(), ..signed_in })
    }

    fn signed_in(&self, account: &SignedInAccount, adopted: u64) -> SignedIn {
        SignedIn {
            user_id: account.user_id,
            email: account.email.clone(),
            server: account.server.clone(),
            adopted,
            consent: self.person.consent.granted(),
        }
    }

    /// Who is signed in.
    pub fn whoami(&self) -> Result<SignedIn, Problem> {
        self.account().map(|account| self.signed_in(account, 0)).ok_or_else(not_signed_in)
    }

    /// Signs out: the account's unsent minutes are held for its return.
    pub fn sign_out(&mut self) -> Result<(), Problem> {
        self.person.account.current = None;
        self.person.account.consent_to_tell = None;
        self.upload = blink_proto::status::Queue::default();
        self.person.write_account().map_err(|error| unwritable(&error))?;
        tracing::info!("signed out");
        self.tick();
        Ok(())
    }
}
