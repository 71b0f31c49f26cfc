//! What the outside says, parsed into what the inside may rely on. Nothing here does I/O.
//!
//! - [`fields`]: reads a JSON body field by field and names every one that is wrong
//! - [`account`]: roles, passwords, names; [`email`]: addresses; [`zone`]: time zones
//! - [`minute`]: a minute from the wire becomes a checked minute or a rejection code
//! - [`interval`]: hours, days and weeks in a person's time zone
//! - [`insights`]: what the figures say
//! - [`team`]: the one figure a team has
//! - [`time`]: UTC times in milliseconds
//! - [`cursor`]: where the next page starts

pub(crate) mod account;
pub mod cursor;
pub(crate) mod email;
pub(crate) mod fields;
pub(crate) mod insights;
pub mod interval;
pub(crate) mod minute;
pub(crate) mod team;
pub mod time;
pub(crate) mod zone;
