//! Who is signed in, and the tokens that prove it.

use std::path::Path;

use blink_proto::{Secret, UserId, consent::ConsentRecord};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::files::{self, FileError};
use crate::minutes::Owner;

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
}

/// An account on a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedInAccount {
    /// The server's base URL.
    pub server: String,
    /// The account there.
    pub user_id: UserId,
    /// Its address.
    pub email: String,
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
    /// Who it was.
    pub owner: Owner,
    /// Whether it adopted the minutes from before it.
    pub adopted: bool,
    /// When it signed in.
    pub at: Timestamp,
}

/// `tokens.json`, readable by its owner alone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tokens {
    /// The account they are of, so that they are never sent for another.
    pub owner: Owner,
    /// For the `Authorization` header.
    pub access: Secret,
    /// For `/api/auth/refresh`.
    pub refresh: Secret,
    /// When `access` ends, by our clock.
    pub access_until: Timestamp,
}

impl Tokens {
    /// The kept tokens of `owner`; none when they are of another account, or damaged.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn load(data: &Path, owner: &Owner) -> Result<Option<Self>, FileError> {
        match files::load::<Self>(&data.join("tokens.json")) {
            Ok(tokens) => Ok(tokens.filter(|tokens| tokens.owner == *owner)),
            Err(FileError::Damaged { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps them.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn save(&self, data: &Path) -> Result<(), FileError> {
        files::save(&data.join("tokens.json"), self)
    }

    /// Forgets all tokens.
    ///
    /// # Errors
    ///
    /// The file cannot be removed.
    pub fn forget(data: &Path) -> Result<(), FileError> {
        files::remove(&data.join("tokens.json"))
    }
}
