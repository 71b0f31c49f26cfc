//! The bodies of cloud-api's HTTP API: one type for both sides, from which the server's OpenAPI document is made
//! (feature `schema`).
//!
//! - [`accounts`]: registration, sign-in, the account itself
//! - [`device`]: signing a device in through a browser (RFC 8628)
//! - [`minutes`]: uploading minutes; [`history`]: reading them, and insights
//! - [`name`]: what a person, a team or a device may be called
//! - [`own`]: consents, sessions, devices; [`erasure`]: receipts; [`export`]: everything stored about a person
//! - [`team`], [`admin`]: teams, people and roles
//! - [`attendance`]: the attendance desk
//! - [`health`]: liveness and readiness
//!
//! Times are RFC 3339 in UTC. A nullable field is always present; a field that may be absent says so.

pub mod accounts;
pub mod admin;
pub mod attendance;
pub mod device;
pub mod erasure;
pub mod export;
pub mod health;
pub mod history;
pub mod minutes;
pub mod name;
pub mod own;
pub mod team;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use accounts::{
    LoginRequest, RefreshRequest, RegisterConsent, RegisterRequest, ResetRequest, Role, TokenResponse, UnknownRole,
    User, UserChange,
};
pub use admin::{RoleChange, Users};
pub use attendance::{
    AttendanceAnalytics, AttendanceArrival, AttendanceBadge, AttendanceImport, AttendanceItem, AttendanceLateBar,
    AttendanceLine, AttendanceList, AttendancePeriod, AttendancePlace, AttendanceRecord, AttendanceSource,
    AttendanceStatus, AttendanceStreaks, AttendanceSubject, AttendanceTrend, ChallengeResponse, DeskCode, DeskPeople,
    DeskPerson, DeskRemoval, ExportedAttendance, ExportedDeskConsent, ExportedRefusal, LeaderboardChoice, MarkResponse,
    NewDeskPerson, NewPin, NewRecord, PinMark, RecordChange, RecordCorrection, RegisteredPerson,
};
pub use device::{
    DeviceApproval, DeviceCodes, DeviceDecision, DeviceRequest, DeviceStatus, DeviceTokenRequest, OAuthError,
};
pub use erasure::{Erase, ErasureReceipt, ErasureStatus, StoreErasure};
pub use export::{ArchiveSummary, Export, ExportedDevice, ExportedSession, ExportedTeam, Identity};
pub use health::{ExportsReadiness, Health, Ready, Retention, Versions};
pub use history::{AnswerToQuestion, DeviceMinutes, History, HistoryItem, MinutesByDevice, OwnMinutes, Question};
pub use minutes::{MAX_SYNC_BUCKETS, Rejected, RejectionCode, SyncRequest, SyncResponse};
pub use own::{
    Consent, ConsentChange, ConsentKind, ConsentText, ConsentTexts, Consents, Device, Devices, EarlierMinutes, Session,
    Sessions,
};
pub use team::{
    MembershipStatus, Team, TeamAcceptance, TeamManager, TeamMember, TeamMembership, TeamRequest, TeamWeek, TeamWeeks,
    Teams,
};

/// The error envelope of every failed answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ErrorEnvelope {
    /// What went wrong.
    pub error: ErrorDetail,
}

/// The inside of [`ErrorEnvelope`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ErrorDetail {
    /// A stable word for programs.
    pub code: String,
    /// A sentence for people.
    pub message: String,
    /// Which fields were at fault, and why; absent where none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = BTreeMap<String, String>))]
    pub fields: Option<BTreeMap<String, String>>,
    /// Names this request in the server's log.
    pub request_id: String,
}
