//! A person's consents, sessions and devices.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::DeviceId;

/// What can be consented to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum ConsentKind {
    /// Minutes are stored.
    Tracking,
    /// A team's weekly figure counts the person in.
    Team,
    /// The attendance desk recognises the person's face.
    Biometric,
}

impl ConsentKind {
    /// The kind's name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tracking => "tracking",
            Self::Team => "team",
            Self::Biometric => "biometric",
        }
    }
}

/// `GET /api/consents`: the texts a person can agree to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ConsentTexts {
    /// To be counted.
    pub tracking: ConsentText,
    /// To be part of a team's figure.
    pub team: ConsentText,
    /// To be recognised.
    pub biometric: ConsentText,
}

/// A text with its version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ConsentText {
    /// A consent is recorded with the version that was shown.
    pub version: String,
    /// The text.
    pub text: String,
}

/// `GET` and `PUT /api/user/me/consents`: the history, oldest first; the last of a kind counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Consents {
    /// Consents and withdrawals.
    pub items: Vec<Consent>,
}

impl Consents {
    /// The latest decision about `kind`; `None` where there is none.
    #[must_use]
    pub fn last(&self, kind: ConsentKind) -> Option<&Consent> {
        self.items.iter().rev().find(|consent| consent.kind == kind)
    }
}

/// A consent or withdrawal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Consent {
    /// To what.
    pub kind: ConsentKind,
    /// Whether it was given or withdrawn.
    pub granted: bool,
    /// The version of the text that was shown.
    pub version: String,
    /// When.
    pub at: Timestamp,
}

/// `PUT /api/user/me/consents`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ConsentChange {
    /// To what.
    pub kind: ConsentKind,
    /// Whether it is given or withdrawn.
    pub granted: bool,
    /// The version of the text at `/api/consents`; needed to grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(max_length = 50, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"))]
    pub version: Option<String>,
    /// Whether minutes from before the address was proved are the person's own; needed with the first consent to tracking
    /// of an account that was handed over with some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier_minutes: Option<EarlierMinutes>,
}

/// What becomes of minutes that an account held before its person proved that its address is theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum EarlierMinutes {
    /// They are the person's own.
    Keep,
    /// They are somebody else's, and go.
    Remove,
}

/// `GET /api/user/me/sessions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Sessions {
    /// Where the person is signed in, newest first.
    pub items: Vec<Session>,
}

/// A sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Session {
    /// Names it.
    pub id: Uuid,
    /// What the client called itself, or null.
    #[cfg_attr(feature = "schema", schema(required))]
    pub user_agent: Option<String>,
    /// When the person proved who they are.
    pub signed_in_at: Timestamp,
    /// When tokens were last handed out.
    pub last_used_at: Timestamp,
    /// When it ends unless it is used.
    pub expires_at: Timestamp,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// `GET /api/user/me/devices`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Devices {
    /// Machines the person's minutes came from.
    pub items: Vec<Device>,
}

/// A machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Device {
    /// Names it.
    pub device_id: DeviceId,
    /// When its first minute came.
    pub first_seen_at: Timestamp,
    /// When its last one did.
    pub last_seen_at: Timestamp,
    /// The session it uploads with, or null once that is over.
    #[cfg_attr(feature = "schema", schema(required))]
    pub session_id: Option<Uuid>,
    /// The program that last sent its minutes, with its version, such as `blinkd/0.1.0`; null where none did say.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(required))]
    pub user_agent: Option<String>,
}
