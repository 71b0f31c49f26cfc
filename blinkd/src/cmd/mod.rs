//! A file for each command: `Args`, and `run(Args) -> Result<(), Failure>`.

pub mod run;
// analyze, synthesize, models, cameras and bench stand here, each with its own `Args` and `run`.
