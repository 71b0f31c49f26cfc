//! What the person has decided, as their files say: consent, pause, account.

use std::time::Duration;

use blink_profile::Paths;
use blink_proto::consent::ConsentRecord;
use jiff::Timestamp;

use crate::{
    minutes::Owner,
    profile::{AccountFile, Consent, Pause, SignedInAccount, files::FileError},
};

/// Consent, pause and account of one profile.
#[derive(Debug)]
pub(super) struct Person {
    paths: Paths,
    pub(super) consent: Consent,
    pub(super) pause: Pause,
    pub(super) account: AccountFile,
}

impl Person {
    /// Reads them. A damaged account file is nobody signed in; it is set aside, so that it is not silently replaced.
    pub(super) fn open(paths: &Paths, now: Timestamp, mono: Duration) -> Result<Self, FileError> {
        Ok(Self {
            consent: Consent::open(&paths.consent_file()),
            pause: Pause::open(paths, now, mono),
            account: read_account(paths)?,
            paths: paths.clone(),
        })
    }

    /// Whether the person wants to be seen now.
    pub(super) fn allows(&self, now: Timestamp, mono: Duration) -> bool {
        self.consent.granted() && !self.pause.holds(now, mono)
    }

    /// Whose the minutes are that begin now.
    pub(super) fn owner(&self) -> Option<Owner> {
        self.account.current.as_ref().map(SignedInAccount::owner)
    }

    /// The server is to hear of `record`, where there is one.
    pub(super) fn tell_server(&mut self, record: ConsentRecord) {
        if self.account.current.is_some() {
            self.account.consent_to_tell = Some(record);
            self.save_account();
        }
    }

    pub(super) fn write_account(&self) -> Result<(), FileError> {
        self.account.save(&self.paths)
    }

    /// For what holds in memory even where it cannot be written.
    pub(super) fn save_account(&self) {
        if let Err(error) = self.write_account() {
            tracing::error!(why = error.why(), "the account file cannot be written");
        }
    }
}

fn read_account(paths: &Paths) -> Result<AccountFile, FileError> {
    match AccountFile::load(paths) {
        Ok(account) => Ok(account.unwrap_or_default()),
        Err(error @ FileError::Damaged { .. }) => {
            tracing::error!(why = error.why(), "the account file is damaged: set aside, signed out");
            if let Err(error) = std::fs::rename(paths.account_file(), AccountFile::set_aside(paths)) {
                tracing::error!(why = error.kind().to_string(), "the damaged account file cannot be set aside");
            }
            Ok(AccountFile::default())
        }
        Err(error) => Err(error),
    }
}
