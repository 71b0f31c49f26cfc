//! Teams: their members, and one figure for each closed week.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::UserId;

/// `POST /api/team`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TeamRequest {
    /// What the team is called.
    #[cfg_attr(feature = "schema", schema(schema_with = super::name::required))]
    pub name: String,
    /// An IANA time zone name; the manager's own if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(format = "time-zone", example = "Europe/Berlin"))]
    pub timezone: Option<String>,
}

/// `GET /api/team`: teams that I manage, am in, or am invited to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Teams {
    /// The teams.
    pub items: Vec<Team>,
}

/// A team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Team {
    /// Names it.
    pub id: Uuid,
    /// What it is called.
    pub name: String,
    /// The IANA time zone of its weeks.
    #[cfg_attr(feature = "schema", schema(example = "Europe/Berlin"))]
    pub timezone: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Whose it is, or null.
    #[cfg_attr(feature = "schema", schema(required))]
    pub manager: Option<TeamManager>,
    /// When I accepted; null while I am invited, absent in a team that I manage.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "nullable")]
    pub accepted_at: Option<Option<Timestamp>>,
    /// Who is in it; for its manager alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Vec<TeamMember>))]
    pub members: Option<Vec<TeamMember>>,
}

/// Serializes null and absence differently.
mod nullable {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, clippy::option_option, reason = "serde gives it so")]
    pub(super) fn serialize<T: Serialize, S: Serializer>(value: &Option<Option<T>>, to: S) -> Result<S::Ok, S::Error> {
        value.as_ref().and_then(Option::as_ref).serialize(to)
    }

    #[expect(clippy::option_option, reason = "absent, null and there are three things")]
    pub(super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Option<T>>, D::Error> {
        Option::deserialize(from).map(Some)
    }
}

/// Whose a team is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TeamManager {
    /// The person.
    pub id: UserId,
    /// What they are called, or null.
    #[cfg_attr(feature = "schema", schema(required))]
    pub name: Option<String>,
    /// Their address.
    pub email: String,
}

/// Somebody in a team, or invited to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TeamMember {
    /// The person; null until somebody who was invited by address accepts.
    #[cfg_attr(feature = "schema", schema(required))]
    pub user_id: Option<UserId>,
    /// What they are called, or null.
    #[cfg_attr(feature = "schema", schema(required))]
    pub name: Option<String>,
    /// Of a member; before, the address that the manager typed.
    #[cfg_attr(feature = "schema", schema(required))]
    pub email: Option<String>,
    /// When they were invited.
    pub invited_at: Timestamp,
    /// When they accepted; null until then.
    #[cfg_attr(feature = "schema", schema(required))]
    pub accepted_at: Option<Timestamp>,
}

/// `PUT /api/team/{id}/members/me`: accepting an invitation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TeamAcceptance {
    /// The version of the team text that was shown; may be absent where a manager invites.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(pattern = "^1$"))]
    pub version: Option<String>,
}

/// Its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TeamMembership {
    /// Where the membership stands.
    pub status: MembershipStatus,
}

/// Where a membership stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum MembershipStatus {
    /// The person has not answered yet.
    Invited,
    /// The person counts.
    Accepted,
}

/// `GET /api/team/{id}/blinks`: closed calendar weeks, each computed once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TeamWeeks {
    /// The weeks, oldest first.
    pub items: Vec<TeamWeek>,
}

/// A closed week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TeamWeek {
    /// Its Monday, inclusive.
    pub from_timestamp: Timestamp,
    /// The next Monday.
    pub to_timestamp: Timestamp,
    /// Whether too few people would stand behind a figure.
    pub suppressed: bool,
    /// The rounded mean of the members' means; absent where it is suppressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = u32))]
    pub blinks_per_minute: Option<i32>,
}
