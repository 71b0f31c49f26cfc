//! Who is signed in, and the tokens that prove it.

use blink_proto::{Secret, UserId, consent::ConsentRecord};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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
    /// Accounts that are no more: nothing waits for them. Whoever registers again gets another id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub erased: Vec<Owner>,
    /// Withdrawals on a server of which it has not said yet when they were made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undated: Vec<Undated>,
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
    /// The account there.
    pub user_id: UserId,
    /// Its address.
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
    /// Who it was.
    pub owner: Owner,
    /// Whether it adopted the minutes from before it.
    pub adopted: bool,
    /// When it signed in.
    pub at: Timestamp,
}

/// What proves the sign-in; [`super::Vault`] keeps it.
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
