//! People and roles.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Role, User};

/// `GET /api/admin/users`: a page of people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Users {
    /// The people.
    pub items: Vec<User>,
    /// Names the next page; null on the last.
    #[cfg_attr(feature = "schema", schema(required))]
    pub next_cursor: Option<Uuid>,
}

/// `PATCH /api/admin/users/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RoleChange {
    /// What the person may do from now on.
    pub role: Role,
}
