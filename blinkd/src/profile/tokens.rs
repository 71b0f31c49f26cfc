//! What proves the sign-in.

use blink_profile::Owner;
use blink_proto::Secret;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The tokens of an account; [`super::Vault`] keeps them.
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
