//! Signing a device in through a browser (RFC 8628).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Secret;

/// `POST /api/auth/device`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DeviceRequest {
    /// What the device is called where it is confirmed; may be absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(schema_with = super::name::optional))]
    pub device_name: Option<String>,
}

/// Its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DeviceCodes {
    /// What the device asks for its tokens with.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub device_code: Secret,
    /// What the person types.
    pub user_code: String,
    /// Where they type it.
    pub verification_uri: String,
    /// The same with the code in it.
    pub verification_uri_complete: String,
    /// Seconds until both codes end.
    pub expires_in: u64,
    /// Seconds between two questions of the device.
    pub interval: u64,
}

/// `POST /api/auth/device/token`; answered with [`TokenResponse`](super::TokenResponse) or [`OAuthError`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DeviceTokenRequest {
    /// `urn:ietf:params:oauth:grant-type:device_code`.
    #[cfg_attr(feature = "schema", schema(pattern = "^urn:ietf:params:oauth:grant-type:device_code$"))]
    pub grant_type: String,
    /// The device's code.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub device_code: Secret,
}

/// The refusals of `/api/auth/device/token`, in the form of RFC 6749, 5.2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct OAuthError {
    /// `authorization_pending`, `slow_down`, `access_denied`, `expired_token`, `invalid_grant`, `invalid_request` or
    /// `unsupported_grant_type`.
    pub error: String,
    /// A sentence for people; may be absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub error_description: Option<String>,
}

/// `POST /api/auth/device/approve`: without `approve` the device is looked at alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DeviceApproval {
    /// As the device shows it; case, spaces and dashes do not matter.
    pub user_code: String,
    /// Whether the device may sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = bool))]
    pub approve: Option<bool>,
}

/// Where a device's sign-in stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum DeviceStatus {
    /// It waits for a decision.
    Waiting,
    /// It may sign in.
    Approved,
    /// It may not.
    Denied,
}

/// The answer of `/api/auth/device/approve`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DeviceDecision {
    /// Where it stands now.
    pub status: DeviceStatus,
    /// What the device calls itself.
    pub device_name: String,
    /// The network address it asked from.
    pub address: String,
    /// When its code ends; absent once it is decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Timestamp))]
    pub expires_at: Option<Timestamp>,
}
