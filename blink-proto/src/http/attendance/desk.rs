//! Enrolment, challenge and mark, people, records and their corrections.

use jiff::{
    Timestamp,
    civil::{Date, Time},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// `POST /api/attendance/register-user`: the person who was enrolled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RegisteredPerson {
    /// What the person is called.
    pub name: String,
    /// Their id at the desk.
    pub id: String,
    /// When they were registered first.
    pub registered_at: Timestamp,
    /// Where their photo is, for a few minutes: a path on this server, signed.
    pub image_path: String,
    /// How many numbers an encoding has.
    pub embedding_dim: u32,
}

/// `POST /api/attendance/challenge`: when to blink.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ChallengeResponse {
    /// Names the challenge in the mark. It is good for one mark, by this session.
    pub challenge_id: Uuid,
    /// How many blinks are asked for.
    pub blinks: u32,
    /// How long to record.
    pub seconds: u32,
    /// When each is asked for, in milliseconds from the start of the recording.
    pub cues_ms: Vec<u32>,
}

/// `POST /api/attendance/mark-attendance`, `POST /api/attendance/mark-pin`: the decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MarkResponse {
    /// Who was marked; null where nobody was.
    #[cfg_attr(feature = "schema", schema(required))]
    pub name: Option<String>,
    /// Their id; null where nobody was marked.
    #[cfg_attr(feature = "schema", schema(required))]
    pub id: Option<String>,
    /// The day.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = "date", example = "2026-03-10"))]
    pub date: Date,
    /// The time; where somebody was marked before, the first time.
    #[cfg_attr(feature = "schema", schema(value_type = String, example = "09:15:00"))]
    pub time: Time,
    /// `present`, `late`, `already_marked`, `unknown` or `liveness_failed`.
    pub status: String,
    /// How sure the recognition is, 0 to 100; null without one.
    #[cfg_attr(feature = "schema", schema(required, maximum = 100))]
    pub confidence: Option<u8>,
    /// Whether the recording was found to show a living person.
    pub liveness_verified: bool,
    /// The session that the caller gave.
    #[cfg_attr(feature = "schema", schema(required))]
    pub session_id: Option<Uuid>,
    /// A sentence for people.
    pub message: String,
    /// Why nobody was marked; null where somebody was.
    #[cfg_attr(feature = "schema", schema(required))]
    pub reason: Option<String>,
    /// Other ways that are open to this caller, of `pin`, `qr` and `manager`.
    pub alternatives: Vec<String>,
}

/// `POST /api/attendance/mark-pin`: either id and PIN, or a code.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PinMark {
    /// The person's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Their PIN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<String>,
    /// The text of the code that their account page shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qr: Option<String>,
    /// A session of the caller's choice, kept with the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<Uuid>,
}

/// `PUT /api/attendance/pin` and `PUT /api/attendance/people/{id}/pin`: a new PIN.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NewPin {
    /// 6 to 12 digits; null removes it.
    #[cfg_attr(feature = "schema", schema(required))]
    pub pin: Option<String>,
}

/// `GET /api/attendance/code`: a code that marks its person, to be shown to the desk's camera.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DeskCode {
    /// What the code says.
    pub code: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A person of the desk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DeskPerson {
    /// Their id at the desk.
    pub id: String,
    /// What they are called.
    pub name: String,
    /// Their account; null without one.
    #[cfg_attr(feature = "schema", schema(required))]
    pub user_id: Option<Uuid>,
    /// From when on they are expected.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = "date", example = "2026-03-10"))]
    pub enrolled_on: Date,
    /// Whether their face is enrolled.
    pub has_biometrics: bool,
    /// Whether they have a PIN.
    pub has_pin: bool,
    /// Where their photo is, for a few minutes; null without one.
    #[cfg_attr(feature = "schema", schema(required))]
    pub image_path: Option<String>,
}

/// `POST /api/attendance/people`: a person without a face.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NewDeskPerson {
    /// What they are called.
    pub name: String,
    /// Their id at the desk; made from the name if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The address of an account to link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// `GET /api/attendance/people`: a page of people, by id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DeskPeople {
    /// The people.
    pub items: Vec<DeskPerson>,
    /// Where the next page begins; null at the end.
    #[cfg_attr(feature = "schema", schema(required))]
    pub next_cursor: Option<String>,
}

/// `DELETE /api/attendance/people/{id}` and its biometrics: how much was removed, by kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DeskRemoval {
    /// The numbers of what was removed.
    pub removed: std::collections::BTreeMap<String, u64>,
}

/// A record of a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AttendanceRecord {
    /// Names the record.
    pub record_id: Uuid,
    /// The person's id.
    pub id: String,
    /// What they are called.
    pub name: String,
    /// The day.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = "date", example = "2026-03-10"))]
    pub date: Date,
    /// When they were marked.
    #[cfg_attr(feature = "schema", schema(value_type = String, example = "09:15:00"))]
    pub time: Time,
    /// `present`, `late`, `absent` or `unknown`.
    pub status: String,
    /// How sure the recognition was, 0 to 100; null without one.
    #[cfg_attr(feature = "schema", schema(required, maximum = 100))]
    pub confidence: Option<u8>,
    /// Whether a recording was found to show a living person.
    pub liveness_verified: bool,
    /// The session in which they were marked.
    #[cfg_attr(feature = "schema", schema(required))]
    pub session_id: Option<Uuid>,
    /// `face`, `pin`, `qr`, `manager` or `import`.
    pub source: String,
    /// What managers changed, oldest first.
    pub corrections: Vec<RecordCorrection>,
}

/// What a manager changed, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RecordCorrection {
    /// When.
    pub at: Timestamp,
    /// Who; null once their account is gone.
    #[cfg_attr(feature = "schema", schema(required))]
    pub made_by: Option<Uuid>,
    /// The status before; null where there was no record.
    #[cfg_attr(feature = "schema", schema(required))]
    pub status_before: Option<String>,
    /// The time before.
    #[cfg_attr(feature = "schema", schema(required, value_type = Option<String>, example = "09:15:00"))]
    pub time_before: Option<Time>,
    /// The status afterwards; null where the record was removed.
    #[cfg_attr(feature = "schema", schema(required))]
    pub status_after: Option<String>,
    /// The time afterwards.
    #[cfg_attr(feature = "schema", schema(required, value_type = Option<String>, example = "09:15:00"))]
    pub time_after: Option<Time>,
    /// Why.
    pub reason: String,
}

/// `POST /api/attendance/records`: a manager's record of a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NewRecord {
    /// The person's id.
    pub id: String,
    /// The day; today if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// The time; now, or on another day the start of work, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// `present`, `late`, `absent` or `unknown`; by the time if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Why the manager records it.
    pub reason: String,
}

/// `PATCH /api/attendance/records/{id}`: a manager's correction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RecordChange {
    /// The status, if it changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The time, if it changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// Why.
    pub reason: String,
}

/// What the desk holds of a person, in their export. Encodings never leave the server: they are counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ExportedAttendance {
    /// Who they are at the desk.
    pub person: DeskPerson,
    /// How many encodings of their face there are.
    pub encodings: u64,
    /// Consents to biometrics and their withdrawals, oldest first.
    pub consents: Vec<ExportedDeskConsent>,
    /// Every day that has a record, oldest first.
    pub records: Vec<AttendanceRecord>,
    /// Days on which they tried and were refused.
    pub refusals: Vec<ExportedRefusal>,
}

/// A consent to biometrics that was taken at the desk, or its withdrawal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ExportedDeskConsent {
    /// Whether it was given.
    pub granted: bool,
    /// The version of the text.
    pub version: String,
    /// When.
    pub at: Timestamp,
    /// The account of who took it down; null once it is gone.
    #[cfg_attr(feature = "schema", schema(required))]
    pub taken_by: Option<Uuid>,
}

/// A day with refused tries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ExportedRefusal {
    /// The day.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = "date", example = "2026-03-10"))]
    pub date: Date,
    /// How many tries.
    pub tries: u32,
    /// Why the last one was refused.
    pub last_reason: String,
    /// When it was.
    pub last_at: Timestamp,
}
