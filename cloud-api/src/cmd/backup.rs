//! `cloud-api backup` writes everything to a file or to standard output.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::{
    backup::{BackupError, file},
    clock::Clock,
    config::DatabaseArgs,
    failure::{Failure, chain},
    open,
};

#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// The backup; - is standard output
    file: PathBuf,
    /// Replace the file that is there
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

pub(crate) fn run(args: &BackupArgs) -> Result<(), Failure> {
    let mut conn = open::existing(&args.database.resolve()?.target)?;
    let rows = file::write(&mut conn, &args.file, args.force, Clock::System.now().timestamp());
    let rows = rows.map_err(|e| {
        let fix = match e {
            BackupError::NoPlainFile(_) => "Give a file, or - for standard output.",
            BackupError::Nowhere => "Lead it to a file: cloud-api backup - > FILE.",
            BackupError::Exists(_) => "Choose another name, or replace it with --force.",
            _ => "Check DATABASE_URL, and that the folder can be written.",
        };
        Failure::failed("backup_failed", chain(&e), fix)
    })?;
    if args.file == Path::new(file::PIPE) {
        return Ok(());
    }
    super::print(format!("{rows} rows in {}\n", args.file.display()))
}
