//! The attendance desk.
//!
//! - [`desk`]: enrolment, challenge and mark, people, records and their corrections
//!
//! A day is `YYYY-MM-DD` and a time `HH:MM:SS`, both on the clock of the organisation's time zone.

pub mod desk;

pub use desk::{
    AttendanceRecord, ChallengeResponse, DeskCode, DeskPeople, DeskPerson, DeskRemoval, ExportedAttendance,
    ExportedDeskConsent, ExportedRefusal, MarkResponse, NewDeskPerson, NewPin, NewRecord, PinMark, RecordChange,
    RecordCorrection, RegisteredPerson,
};
