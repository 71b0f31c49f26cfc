//! The account file: who is signed in, and which accounts there were.

use std::path::PathBuf;

use blink_proto::{UserId, consent::ConsentRecord};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Paths,
    files::{self, FileError},
};

/// The account on a server that a minute counts for. It is fixed when the minute begins.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Owner {
    /// The server's base URL.
    pub server: String,
    pub user_id: UserId,
}

/// The content of `account.json`, which holds no secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountFile {
    pub current: Option<SignedInAccount>,
    /// The profile's first account, the only one that may adopt minutes of nobody.
    pub first: Option<FirstAccount>,
    /// A consent or withdrawal that the server has not been told yet.
    #[serde(default)]
    pub consent_to_tell: Option<ConsentRecord>,
    /// Erased accounts, for which nothing is queued. Whoever registers again gets another id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub erased: Vec<Owner>,
    /// Withdrawals on a server that has not said yet when they were made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undated: Vec<Undated>,
}

impl AccountFile {
    /// Reads the profile's file; `None` where nobody ever signed in.
    pub fn load(paths: &Paths) -> Result<Option<Self>, FileError> {
        files::load(&paths.account_file())
    }

    pub fn save(&self, paths: &Paths) -> Result<(), FileError> {
        files::save(&paths.account_file(), self)
    }

    /// Where a damaged file is kept, so that it is not silently replaced.
    #[must_use]
    pub fn set_aside(paths: &Paths) -> PathBuf {
        paths.data.join("account.json.damaged")
    }
}

/// A withdrawal whose time is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undated {
    pub owner: Owner,
    /// When we learnt of it and closed the source.
    pub heard: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedInAccount {
    /// The server's base URL.
    pub server: String,
    pub user_id: UserId,
    pub email: String,
    /// Whether the server has ended the session, so that there are no tokens any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub session_ended: bool,
}

impl SignedInAccount {
    /// The owner of minutes that begin while it is signed in.
    #[must_use]
    pub fn owner(&self) -> Owner {
        Owner { server: self.server.clone(), user_id: self.user_id }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstAccount {
    pub owner: Owner,
    /// Whether it adopted the minutes from before its sign-in.
    pub adopted: bool,
    pub at: Timestamp,
}
