//! The rules of the attendance desk, pure: no framework, no database, no files, no child process.
//!
//! - [`record`]: a mark of one person on one day, and what it can say
//! - [`person`]: ids and names
//! - [`magic`], [`times`]: what was sent
//! - [`gallery`]: whom a face belongs to
//! - [`challenge`], [`liveness`]: whether a recording shows a living person
//! - [`decide`]: the decision on one try
//! - [`mod@pin`]: what a PIN must be
//! - [`calendar`], [`holidays`]: which days count, and when an arrival is late
//! - [`month`]: what stands for a person's days, packed; [`course`]: a walk through them
//! - [`analytics`], [`badges`], [`leaderboard`], [`timeline`]: figures
//! - [`records_csv`]: records as CSV

pub mod analytics;
pub mod badges;
pub mod calendar;
pub mod challenge;
pub mod course;
pub mod decide;
pub mod gallery;
pub mod holidays;
pub mod leaderboard;
pub mod liveness;
pub mod magic;
pub mod month;
pub mod person;
pub mod pin;
pub mod record;
pub mod records_csv;
pub mod timeline;
pub mod times;
