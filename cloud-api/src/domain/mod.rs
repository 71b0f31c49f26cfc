//! Parses input into types that the rest may rely on, and computes figures. Nothing here does I/O.
//!
//! - [`fields`]: reads a JSON body field by field and names every one that is wrong
//! - [`account`]: passwords, names; [`email`]: addresses; [`zone`]: time zones
//! - [`minute`]: checks an uploaded minute
//! - [`interval`]: hours, days and weeks in a person's time zone
//! - [`team`]: a team's weekly figure
//! - [`time`]: UTC times in milliseconds
//! - [`cursor`]: the start of the next page

pub(crate) mod account;
pub mod cursor;
pub(crate) mod email;
pub(crate) mod fields;
pub mod interval;
pub(crate) mod minute;
pub(crate) mod team;
pub mod time;
pub(crate) mod zone;
