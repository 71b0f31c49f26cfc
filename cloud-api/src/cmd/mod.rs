//! A file for each command of the program.

pub mod admin;
pub mod archive;
pub mod backup;
pub mod migrate;
pub mod openapi;
pub mod purge;
pub mod restore;
pub mod serve;

use std::path::PathBuf;

use clap::Args;

use crate::config::DatabaseArgs;

#[derive(Debug, Args)]
pub(crate) struct FileArgs {
    /// The backup
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
}
