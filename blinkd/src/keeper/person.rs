//! The person's decisions, as their files hold them: consent, pause, account.

use std::time::Duration;

use blink_profile::Paths;
use blink_proto::consent::ConsentRecord;
use jiff::Timestamp;

use crate::{
    minutes::Owner,
    profile::{AccountFile, Consent, Pause, SignedInAccount, files::FileError},
};

#[derive(Debug)]
pub(super) struct Person {
    paths: Paths,
    pub(super) consent: Consent,
    pub(super) pause: Pause,
    pub(super) account: AccountFile,
}

impl Person {
    /// Reads the files. A damaged account file reads as nobody signed in; it is set aside, so that it is not silently
    /// replaced.
    pub(super) fn open(paths: &Paths, now: Timestamp, mono: Duration) -> Result<Self, FileError> {
        Ok(Self {
            consent: Consent::open(&paths.consent_file()),
            pause: Pause::open(paths, now, mono),
            account: read_account(paths)?,
            paths: paths.clone(),
        })
    }

    /// Whether consent is given and no pause holds.
    pub(super) fn allows(&self, now: Timestamp, mono: Duration) -> bool {
        self.consent.granted() && !self.pause.holds(now, mono)
    }

    /// The account that minutes beginning now belong to.
    pub(super) fn owner(&self) -> Option<Owner> {
        self.account.current.as_ref().map(SignedInAccount::owner)
    }

    /// Notes `record` for the server, when somebody is signed in.
    pub(super) fn tell_server(&mut self, record: ConsentRecord) {
        if self.account.current.is_some() {
            self.account.consent_to_tell = Some(record);
            self.save_account();
        }
    }

    pub(super) fn write_account(&self) -> Result<(), FileError> {
        self.account.save(&self.paths)
    }

    /// Writes the account file; a failure is only logged, because what it says holds in memory all the same.
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
