//! The rules of the attendance desk, pure: no framework, no database, no files, no child process.
//!
//! - [`record`]: a mark of one person on one day, and what it can say
//! - [`person`]: ids and names
//! - [`magic`], [`times`]: what was sent
//! - [`gallery`]: whom a face belongs to
//! - [`challenge`], [`liveness`]: whether a recording shows a living person
//! - [`decide`]: the decision on one try
//! - [`pin`]: PINs

pub mod challenge;
pub mod decide;
pub mod gallery;
pub mod liveness;
pub mod magic;
pub mod person;
pub mod pin;
pub mod record;
pub mod times;
