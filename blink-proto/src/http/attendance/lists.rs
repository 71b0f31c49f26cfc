//! Attendance as lists and figures.

use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::RecordCorrection;

/// `GET /api/attendance/get-attendance`: the newest days first, and of a day the latest marks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AttendanceList {
    /// The days.
    pub items: Vec<AttendanceItem>,
    /// Names the next page; null on the last.
    #[cfg_attr(feature = "schema", schema(required))]
    pub next_cursor: Option<String>,
}

/// One day of one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AttendanceItem {
    /// The record, by which it is corrected; null for an absence or an unknown day that nobody recorded.
    #[cfg_attr(feature = "schema", schema(required))]
    pub record_id: Option<Uuid>,
    /// The person's id at the desk.
    pub id: String,
    /// What they are called.
    pub name: String,
    /// The day in the organisation's time zone.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = "date", example = "2026-03-10"))]
    pub date: Date,
    /// When they were marked, by the organisation's clocks; null where they were not.
    #[cfg_attr(feature = "schema", schema(required, value_type = Option<String>, example = "09:15:00"))]
    pub time: Option<Time>,
    /// How the day went.
    pub status: AttendanceStatus,
    /// How sure the recognition was, 0 to 100; null where no face was recognised.
    #[cfg_attr(feature = "schema", schema(required, maximum = 100))]
    pub confidence: Option<u8>,
    /// Whether the face was proved to be alive.
    pub liveness_verified: bool,
    /// The session in which the person was marked.
    #[cfg_attr(feature = "schema", schema(required))]
    pub session_id: Option<Uuid>,
    /// How it came about; null for what nobody recorded.
    #[cfg_attr(feature = "schema", schema(required))]
    pub source: Option<AttendanceSource>,
    /// What managers changed, oldest first.
    pub corrections: Vec<RecordCorrection>,
}

/// How a day went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum AttendanceStatus {
    /// There, and in time.
    Present,
    /// There, after the start of work and its grace.
    Late,
    /// Not there on a day on which they were expected.
    Absent,
    /// Nobody can say: the desk was unavailable, or the person was refused and no manager has decided.
    Unknown,
}

/// How a record came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum AttendanceSource {
    /// A recognised face.
    Face,
    /// A PIN.
    Pin,
    /// A signed code.
    Qr,
    /// A manager's word.
    Manager,
    /// A CSV file.
    Import,
}

/// `GET /api/attendance/get-analytics`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AttendanceAnalytics {
    /// The first day that these figures are over.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = "date", example = "2026-03-01"))]
    pub date_from: Date,
    /// The last day.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = "date", example = "2026-03-31"))]
    pub date_to: Date,
    /// How many people they are over.
    pub people: u32,
    /// Whose badges and streaks these are; null where the caller is nobody at the desk and named nobody.
    #[cfg_attr(feature = "schema", schema(required))]
    pub subject: Option<AttendanceSubject>,
    /// By day; a day without anything has no item.
    pub daily: Vec<AttendancePeriod>,
    /// By week, from Monday.
    pub weekly: Vec<AttendancePeriod>,
    /// By month.
    pub monthly: Vec<AttendancePeriod>,
    /// How late people came: bars of five minutes from the start of work, the last one from two hours on.
    pub late_distribution: Vec<AttendanceLateBar>,
    /// The weeks of the first 50 people by name.
    pub trends: Vec<AttendanceTrend>,
    /// What the subject earned.
    pub badges: Vec<AttendanceBadge>,
    /// The subject's.
    pub streaks: AttendanceStreaks,
    /// The first 100; members see those who opted in.
    pub leaderboard: Vec<AttendancePlace>,
    /// The newest 2,000 arrivals, oldest first.
    pub timeline: Vec<AttendanceArrival>,
}

/// Whom figures are about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AttendanceSubject {
    /// The person's id at the desk.
    pub id: String,
    /// What they are called.
    pub name: String,
    /// Whether they let other people see them on the leaderboard.
    pub leaderboard: bool,
}

/// A day, week or month.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AttendancePeriod {
    /// Its first day.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = "date", example = "2026-03-02"))]
    pub from: Date,
    /// Marks in time.
    pub present: u32,
    /// Late marks.
    pub late: u32,
    /// Expected days that are over and were not attended.
    pub absent: u32,
    /// Expected days of which nobody can say.
    pub unknown: u32,
    /// Attended of the expected days that are decided, per cent; null where there are none.
    #[cfg_attr(feature = "schema", schema(required, minimum = 0, maximum = 100))]
    pub pct: Option<f64>,
}

/// A bar of the distribution of lateness.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AttendanceLateBar {
    /// From so many minutes after the start of work on.
    pub minutes_from: u16,
    /// So many marks.
    pub count: u32,
}

/// A person's weeks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AttendanceTrend {
    /// The person's id at the desk.
    pub id: String,
    /// What they are called.
    pub name: String,
    /// The weeks, oldest first.
    pub points: Vec<AttendancePeriod>,
}

/// Something earned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AttendanceBadge {
    /// `gold`, `silver`, `bronze`, `streak_5`, `streak_20`, `streak_60`, `early_bird`, `late_comer` or `quality_master`.
    pub id: String,
    /// Its name.
    pub label: String,
    /// Its picture.
    pub emoji: String,
    /// The figures that earned it.
    pub reason: String,
}

/// Expected days attended in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AttendanceStreaks {
    /// Up to now.
    pub current: u32,
    /// The longest in the range.
    pub best: u32,
}

/// A place on the leaderboard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AttendancePlace {
    /// The person's id at the desk.
    pub id: String,
    /// What they are called.
    pub name: String,
    /// Attended of the expected days that are decided, per cent.
    pub pct: f64,
    /// Their current streak.
    pub streak: u32,
}

/// An arrival.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AttendanceArrival {
    /// The person's id at the desk.
    pub id: String,
    /// What they are called.
    pub name: String,
    /// The day.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = "date", example = "2026-03-10"))]
    pub date: Date,
    /// When, by the organisation's clocks, to the minute.
    #[cfg_attr(feature = "schema", schema(value_type = String, example = "09:15:00"))]
    pub arrival_time: Time,
    /// Minutes since 9:00, negative before.
    pub minutes_since_9am: i32,
}

/// `POST /api/attendance/import`: what was taken, and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AttendanceImport {
    /// New days.
    pub imported: u64,
    /// Days that had this very record already.
    pub duplicates: u64,
    /// People who were not known and are now, without a face.
    pub people_added: u64,
    /// The first 1,000 lines that were not taken.
    pub rejected: Vec<AttendanceLine>,
    /// How many more lines were not taken.
    #[serde(default)]
    pub rejected_more: u64,
    /// What was not taken of lines that were: the first 1,000.
    pub notes: Vec<AttendanceLine>,
    /// How many more notes there are.
    #[serde(default)]
    pub notes_more: u64,
}

/// A line of a CSV file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AttendanceLine {
    /// From 1, which is the first line of the file.
    pub line: u64,
    /// A stable word for programs.
    pub code: String,
    /// What is wrong.
    pub detail: String,
}

/// `PUT /api/attendance/leaderboard`: whether other people see the caller there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LeaderboardChoice {
    /// True to be seen.
    pub leaderboard: bool,
}
