//! Commands of the person, and of the server on their behalf: consent, pause, signing in and out.

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

/// The answer of every command that needs an account when nobody is signed in.
#[must_use]
pub fn not_signed_in() -> Problem {
    Problem::new(code::NOT_SIGNED_IN, "Nobody is signed in.", "Run `blinkctl login` or `blinkctl register`.")
}

impl Keeper {
    /// The account that minutes beginning now belong to; `None` when nobody is signed in.
    #[must_use]
    pub fn owner(&self) -> Option<Owner> {
        self.person.owner()
    }

    #[must_use]
    pub fn account(&self) -> Option<&SignedInAccount> {
        self.person.account.current.as_ref()
    }

    /// The account file: who is signed in, and which account was this profile's first.
    #[must_use]
    pub fn account_file(&self) -> &AccountFile {
        &self.person.account
    }

    #[must_use]
    pub fn consented(&self) -> bool {
        self.person.consent.granted()
    }

    #[must_use]
    pub fn show_consent(&self) -> ConsentShown {
        ConsentShown {
            version: TRACKING_VERSION.to_owned(),
            text: TRACKING_TEXT.to_owned(),
            record: self.person.consent.record().cloned(),
        }
    }

    /// Records consent to the text of `version`. Fails unless `version` is the current one.
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

    /// Withdraws consent: no source is open any more when this returns. When it cannot be written, it still holds until
    /// the daemon stops.
    pub fn withdraw(&mut self) -> Result<(), Problem> {
        let record = ConsentRecord::withdrawn(self.deps.clock.now());
        let written = self.person.consent.set(record.clone());
        self.obey();
        tracing::info!("consent withdrawn");
        self.person.tell_server(record);
        self.tick();
        written.map_err(|error| unwritable(&error))
    }

    /// Handles a withdrawal of consent to `owner`'s account on the server; `at` is its time, where the server gave it.
    /// The source is closed, and the account's minutes that began since then are deleted unsent, at the latest when the
    /// time is known.
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
    /// is, no minute may be sent.
    #[must_use]
    pub fn withdrawal_undated(&self) -> bool {
        let owner = self.owner();
        self.person.account.undated.iter().any(|undated| Some(&undated.owner) == owner.as_ref())
    }

    /// Takes the time of the withdrawal of consent to `owner`'s account, and deletes the unsent minutes that began
    /// since. `None`: the server will never give a time.
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
        // The note is removed last, so that an interruption before here repeats the deletion.
        self.person.account.undated.remove(place);
        self.person.save_account();
    }

    /// Deletes `owner`'s unsent minutes that began within `span`. Returns whether all are gone, from the store and from
    /// the history, out of which the store may be rebuilt.
    fn delete_begun(&mut self, owner: &Owner, span: &RangeInclusive<Timestamp>) -> bool {
        for minute in self.counting.minutes.drop_begun(owner, span) {
            self.records.with_store(|store| store.forget_open(&minute));
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

    /// A consent or withdrawal that the server has not been told yet.
    #[must_use]
    pub fn consent_to_tell(&self) -> Option<ConsentRecord> {
        self.person.account.consent_to_tell.clone()
    }

    /// Notes that the server has ended the account's session: it stays signed in here, but without tokens.
    pub fn session_ended(&mut self) {
        if let Some(account) = &mut self.person.account.current {
            account.session_ended = true;
            self.person.save_account();
        }
    }

    pub fn consent_told(&mut self, record: &ConsentRecord) {
        if self.person.account.consent_to_tell.as_ref() == Some(record) {
            self.person.account.consent_to_tell = None;
            self.person.save_account();
        }
    }

    /// Stops tracking. Fails when the end lies in the past. When the pause cannot be written, it still holds until the
    /// daemon stops.
    pub fn pause(&mut self, span: PauseSpan) -> Result<(), Problem> {
        if span.until.is_some_and(|until| until <= self.deps.clock.now()) {
            return Err(Problem::new(code::PAUSE_OVER, "That time is over already.", "Name a time to come."));
        }
        let written = self.person.pause.begin(span.until, self.deps.clock.now(), self.deps.clock.mono());
        tracing::info!("paused");
        self.tick();
        written.map_err(|error| unwritable(&error))
    }

    /// Resumes: ends a pause and a yield. Fails when the pause file cannot be removed, since it would hold again after
    /// a restart.
    pub fn resume(&mut self) -> Result<(), Problem> {
        let written = self.person.pause.end();
        self.camera_users.handover = None;
        self.somebody_is_there();
        tracing::info!("resumed");
        self.tick();
        written.map_err(|error| unwritable(&error))
    }

    /// Signs in. With `adopt`, the profile's first account takes over the minutes counted while nobody was signed in;
    /// `consent` also records consent here.
    pub fn sign_in(&mut self, account: SignedInAccount, adopt: bool, consent: bool) -> Result<SignedIn, Problem> {
        let owner = account.owner();
        let now = self.deps.clock.now();
        if consent && !self.person.consent.granted() {
            self.person.consent.set(ConsentRecord::granted(now)).map_err(|error| unwritable(&error))?;
        }
        // The account has just let somebody in, so it exists even if it was noted as erased.
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

    pub fn whoami(&self) -> Result<SignedIn, Problem> {
        self.account().map(|account| self.signed_in(account, 0)).ok_or_else(not_signed_in)
    }

    /// Signs out. The account's unsent minutes are held until it signs in again.
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
