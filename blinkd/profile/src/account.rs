//! Who is signed in, and who was.

use std::path::PathBuf;

use blink_proto::{UserId, consent::ConsentRecord};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Paths,
    files::{self, FileError},
};

/// An account on a server, as whose a minute counts. It is fixed when the minute begins.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Owner {
    /// The server's base URL.
    pub server: String,
    pub user_id: UserId,
}

/// `account.json`. It holds no secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountFile {
    /// The account that is signed in.
    pub current: Option<SignedInAccount>,
    /// The first account this profile ever had: the only one that may adopt nobody's minutes.
    pub first: Option<FirstAccount>,
    /// A consent or withdrawal that the server has not heard of yet.
    #[serde(default)]
    pub consent_to_tell: Option<ConsentRecord>,
    /// Accounts that are no more: nothing waits for them. Whoever registers again gets another id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub erased: Vec<Owner>,
    /// Withdrawals on a server of which it has not said yet when they were made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undated: Vec<Undated>,
}

impl AccountFile {
    /// The profile's file; `None` where nobody ever signed in.
    pub fn load(paths: &Paths) -> Result<Option<Self>, FileError> {
        files::load(&paths.account_file())
    }

    /// Replaces the profile's file.
    pub fn save(&self, paths: &Paths) -> Result<(), FileError> {
        files::save(&paths.account_file(), self)
    }

    /// Where a damaged file is kept, so that it is not replaced in silence.
    #[must_use]
    pub fn set_aside(paths: &Paths) -> PathBuf {
        paths.data.join("account.json.damaged")
    }
}

/// A withdrawal whose time is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undated {
    /// The account whose consent it was.
    pub owner: Owner,
    /// When it was heard of and the source was closed.
    pub heard: Timestamp,
}

/// An account on a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedInAccount {
    /// The server's base URL.
    pub server: String,
    pub user_id: UserId,
    pub email: String,
    /// Whether the server has ended the session: there are no tokens any more, wherever they were kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub session_ended: bool,
}

impl SignedInAccount {
    /// Whose the minutes are that begin while it is signed in.
    #[must_use]
    pub fn owner(&self) -> Owner {
        Owner { server: self.server.clone(), user_id: self.user_id }
    }
}

/// The profile's first account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstAccount {
    pub owner: Owner,
    /// Whether it adopted the minutes from before it.
    pub adopted: bool,
    /// When it signed in.
    pub at: Timestamp,
}
