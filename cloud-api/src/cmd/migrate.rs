//! `cloud-api migrate` brings the database's schema up to date.

use crate::{
    config::DatabaseArgs,
    db::migrate,
    failure::{Failure, chain},
    open,
};

pub(crate) fn run(args: &DatabaseArgs) -> Result<(), Failure> {
    let config = args.resolve()?;
    open::prepare_folder(&config.target)?;
    let mut conn = open::connect(&config.target)?;
    let done = migrate::run_saying(&mut conn, &config.target, super::say).map_err(|e| {
        Failure::failed(
            "migration_failed",
            chain(&e),
            "Nothing of the failed migration was kept; restore a backup or report it.",
        )
    })?;
    super::print(format!("{done} migrations applied\n"))
}
