//! The attendance desk's tables.
//!
//! - [`records`]: one record for each person and day; [`rollups`]: their months, packed
//! - [`lists`]: records and people as lists; [`import`]: rows of a CSV file
//! - [`trail`]: corrections, refused tries, times without a desk
//! - [`people`]: people, their biometrics and the number of the last change to them
//! - [`challenges`]: challenges that were given out

pub(crate) mod challenges;
pub mod import;
pub mod lists;
pub(crate) mod people;
pub mod records;
pub mod rollups;
pub mod schema;
pub(crate) mod trail;
