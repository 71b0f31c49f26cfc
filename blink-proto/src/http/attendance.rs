//! The attendance desk.
//!
//! - [`desk`]: enrolment, challenge and mark, people, records and their corrections
//! - [`lists`]: attendance as lists and figures
//!
//! A day is `YYYY-MM-DD` and a time `HH:MM:SS`, both on the clock of the organisation's time zone.

pub mod desk;
pub mod lists;

pub use desk::{
    AttendanceRecord, ChallengeResponse, DeskCode, DeskPeople, DeskPerson, DeskRemoval, ExportedAttendance,
    ExportedDeskConsent, ExportedRefusal, MarkResponse, NewDeskPerson, NewPin, NewRecord, PinMark, RecordChange,
    RecordCorrection, RegisteredPerson,
};
pub use lists::{
    AttendanceAnalytics, AttendanceArrival, AttendanceBadge, AttendanceImport, AttendanceItem, AttendanceLateBar,
    AttendanceLine, AttendanceList, AttendancePeriod, AttendancePlace, AttendanceSource, AttendanceStatus,
    AttendanceStreaks, AttendanceSubject, AttendanceTrend, LeaderboardChoice,
};
