//! A file for each command: `Args`, and `run(Args) -> Result<(), Failure>`.

pub mod analyze;
pub mod bench;
pub mod cameras;
pub mod models;
pub mod run;
pub mod synthesize;
