//! The tokens of a sign-in.

use blink_profile::Owner;
use blink_proto::Secret;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The tokens of an account, stored by [`super::Vault`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tokens {
    /// The account they belong to, so that they are never sent for another.
    pub owner: Owner,
    /// The access token, for the `Authorization` header.
    pub access: Secret,
    /// The refresh token, for `/api/auth/refresh`.
    pub refresh: Secret,
    /// When `access` expires, by our clock.
    pub access_until: Timestamp,
}
