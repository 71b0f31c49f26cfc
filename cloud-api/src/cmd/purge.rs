//! `cloud-api purge`: removes what is past its retention.

use crate::{
    clock::Clock,
    config::DatabaseArgs,
    db::{purge, transaction},
    domain::time::UtcMs,
    failure::{Failure, chain},
    open,
};

#[expect(clippy::print_stdout, reason = "the command's output")]
pub(crate) fn run(args: &DatabaseArgs) -> Result<(), Failure> {
    let config = args.resolve()?;
    let mut conn = open::connect(&config.target)?;
    let now = Clock::System.now();
    let keep_from = UtcMs((now.0.div_euclid(86_400_000) - i64::from(config.retention_days)) * 86_400_000);
    let purged = transaction(&mut conn, |conn| purge::run(conn, keep_from, now)).map_err(|e| {
        Failure::failed("database_failed", chain(&e), "Run `cloud-api migrate`, and check DATABASE_URL.")
    })?;
    println!("{} minutes, {} sessions, {} links removed", purged.minutes, purged.sessions, purged.links);
    if purged.objects > 0 {
        println!(
            "{} objects of the archive marked; the server, or `cloud-api archive check`, removes them",
            purged.objects
        );
    }
    Ok(())
}
