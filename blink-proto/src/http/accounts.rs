//! Registration, sign-in, and the account itself.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Secret, UserId};

/// What a person may do, in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Role {
    /// A machine at the door: may challenge and mark, and nothing else.
    Kiosk,
    /// A person.
    Member,
    /// Runs attendance and teams.
    Manager,
    /// Runs the server.
    Admin,
}

impl Role {
    /// The role's name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kiosk => "kiosk",
            Self::Member => "member",
            Self::Manager => "manager",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The error for a name that is no role.
#[derive(Debug, thiserror::Error)]
#[error("must be member, kiosk, manager or admin")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(word: &str) -> Result<Self, UnknownRole> {
        [Self::Kiosk, Self::Member, Self::Manager, Self::Admin]
            .into_iter()
            .find(|role| role.as_str() == word)
            .ok_or(UnknownRole)
    }
}

/// Consent sent with a registration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RegisterConsent {
    /// Must be true.
    #[cfg_attr(feature = "schema", schema(schema_with = always_true))]
    pub tracking: bool,
    /// The version of the text that was shown, [`TRACKING_VERSION`](crate::consent::TRACKING_VERSION).
    #[cfg_attr(feature = "schema", schema(pattern = "^1$"))]
    pub version: String,
}

#[cfg(feature = "schema")]
fn always_true() -> utoipa::openapi::schema::Schema {
    utoipa::openapi::ObjectBuilder::new()
        .schema_type(utoipa::openapi::schema::Type::Boolean)
        .enum_values(Some([true]))
        .into()
}

/// `POST /api/auth/register`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RegisterRequest {
    /// The account's address.
    #[cfg_attr(feature = "schema", schema(format = Email, max_length = 254))]
    pub email: String,
    /// 12 to 128 characters.
    #[cfg_attr(feature = "schema", schema(value_type = String, min_length = 12, max_length = 128))]
    pub password: Secret,
    /// What the person is called; may be absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(schema_with = super::name::optional))]
    pub name: Option<String>,
    /// An IANA time zone name; UTC if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(format = "time-zone", example = "Europe/Berlin"))]
    pub timezone: Option<String>,
    /// Without it there is no account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = RegisterConsent, required = true))]
    pub consent: Option<RegisterConsent>,
}

/// `POST /api/auth/login`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LoginRequest {
    /// The account's address.
    pub email: String,
    /// Its password.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub password: Secret,
}

/// `POST /api/auth/refresh`; absent for a page, whose token is a cookie.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RefreshRequest {
    /// The newest refresh token received.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub refresh_token: Secret,
}

/// `POST /api/auth/reset`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ResetRequest {
    /// What stands behind the `#` of the operator's link.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub token: Secret,
    /// The new password, 12 to 128 characters.
    #[cfg_attr(feature = "schema", schema(value_type = String, min_length = 12, max_length = 128))]
    pub password: Secret,
}

/// A person as `/api/user/me`, the sign-in answers and the list of people show them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct User {
    /// The account.
    pub id: UserId,
    /// Its address.
    #[cfg_attr(feature = "schema", schema(max_length = 254))]
    pub email: String,
    /// What the person is called, or null.
    #[cfg_attr(feature = "schema", schema(required))]
    pub name: Option<String>,
    /// Their IANA time zone.
    #[cfg_attr(feature = "schema", schema(example = "Europe/Berlin"))]
    pub timezone: String,
    /// What they may do.
    pub role: Role,
    /// When the account was made.
    pub created_at: Timestamp,
}

/// `PATCH /api/user/me`: what is absent stays. A name of null is none.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct UserChange {
    /// What the person is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(schema_with = super::name::optional))]
    pub name: Option<String>,
    /// An IANA time zone name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(format = "time-zone", example = "Europe/Berlin"))]
    pub timezone: Option<String>,
    /// A new address; needs `current_password` of whoever has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(format = Email, max_length = 254))]
    pub email: Option<String>,
    /// A new password, 12 to 128 characters; needs `current_password` of whoever has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, min_length = 12, max_length = 128))]
    pub password: Option<Secret>,
    /// The password as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub current_password: Option<Secret>,
}

/// The answer of register, login, refresh and `/api/auth/device/token`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TokenResponse {
    /// Who signed in.
    pub user: User,
    /// A JWT for the `Authorization: Bearer` header.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub access_token: Secret,
    /// Exchanged at `/api/auth/refresh`, once; absent for a page, which gets it as a cookie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub refresh_token: Option<Secret>,
    /// `Bearer`.
    #[cfg_attr(feature = "schema", schema(pattern = "^Bearer$"))]
    pub token_type: String,
    /// Seconds until `access_token` ends.
    pub expires_in: u64,
}
