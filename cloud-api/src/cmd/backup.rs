//! `cloud-api backup`: writes everything to a file.

use super::FileArgs;
use crate::{
    backup,
    clock::Clock,
    failure::{Failure, chain},
    open,
};

#[expect(clippy::print_stdout, reason = "the command's output")]
pub(crate) fn run(args: &FileArgs) -> Result<(), Failure> {
    let mut conn = open::connect(&args.database.resolve()?.target)?;
    let rows = backup::write(&mut conn, &args.file, Clock::System.now().timestamp()).map_err(|e| {
        Failure::failed("backup_failed", chain(&e), "Check DATABASE_URL, and that the folder can be written.")
    })?;
    println!("{rows} rows in {}", args.file.display());
    Ok(())
}
