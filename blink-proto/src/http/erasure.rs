//! The receipt of an account's erasure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Secret, UserId};

/// `DELETE /api/user/me`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Erase {
    /// The account's password; without one the sign-in must be under five minutes old.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub password: Option<Secret>,
}

/// The answer to an erasure, and `GET /api/erasures/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ErasureReceipt {
    /// Names the receipt.
    pub receipt_id: Uuid,
    /// When the account was erased.
    pub erased_at: Timestamp,
    /// Whose it was; in the answer to the erasure alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = UserId))]
    pub user_id: Option<UserId>,
    /// What was removed, from where.
    pub stores: Vec<StoreErasure>,
}

/// What was removed from one store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StoreErasure {
    /// `database` or `archive`.
    pub store: String,
    /// Whether all of it is gone.
    pub status: ErasureStatus,
    /// How many of what.
    pub removed: BTreeMap<String, u64>,
    /// Objects still to go; absent once all are gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = u64, minimum = 1))]
    pub objects_pending: Option<u64>,
}

/// How far an erasure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum ErasureStatus {
    /// All of it is gone.
    Done,
    /// A job goes on until it is.
    Pending,
}
