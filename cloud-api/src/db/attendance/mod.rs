//! The attendance desk's tables.
//!
//! - [`records`]: one record for each person and day; [`rollups`]: their counts

pub mod records;
pub mod rollups;
pub mod schema;
