//! Runs retention, and makes the partitions of the coming months, unless the clock is doubted.

use crate::{
    db::{
        DbError,
        housekeeping::{self, ClockTrust},
        purge,
    },
    domain::time::UtcMs,
    failure::chain,
    metrics,
    state::State,
};

/// False while `now` is doubted; then nothing was deleted.
pub(super) async fn run(state: &State, now: UtcMs) -> bool {
    let said =
        |what: &str, e: &DbError| tracing::error!(cause = chain(e), "{what} failed; it is tried again in an hour");
    match state.db.write(move |conn| housekeeping::begin_run(conn, now, false)).await {
        Ok(ClockTrust::Trusted { .. }) => metrics::retention_held(false),
        Ok(ClockTrust::Doubted { last_run }) => {
            metrics::retention_held(true);
            let last_run = last_run.map(|at| at.timestamp().to_string());
            tracing::error!(
                now = %now.timestamp(),
                last_run,
                "the clock leapt: nothing is deleted for its age until it is confirmed; set the clock, or run `cloud-api purge --trust-clock`"
            );
            return false;
        }
        Err(e) => {
            said("looking at the clock", &e);
            return false;
        }
    }
    if let Err(e) = state.db.write(move |conn| purge::partitions_ahead(conn, now)).await {
        said("making partitions", &e);
    }
    match purge(state, now).await {
        Ok(purged) => {
            tracing::info!(
                months = purged.months,
                minutes = purged.minutes,
                sessions = purged.sessions,
                objects = purged.objects,
                records = purged.records,
                "retention"
            );
            if purged != purge::Purged::default() {
                state.db.scrub(now).await;
            }
        }
        Err(e) => said("retention", &e),
    }
    true
}

/// Deletes what is past at `now`, the moment that was judged: the clock may have leapt since. Each step is its own
/// transaction, so that uploads can run in between.
async fn purge(state: &State, now: UtcMs) -> Result<purge::Purged, DbError> {
    let keep_from = state.keep_from(now);
    let (mut months, mut minutes) = (0, 0);
    while state.db.read(move |conn| purge::partition_step(conn, keep_from)).await? {
        months += 1;
    }
    loop {
        match state.db.write(move |conn| purge::minutes_step(conn, keep_from)).await? {
            0 => break,
            some => minutes += some,
        }
    }
    let mut records = 0;
    loop {
        match state.db.write(move |conn| purge::records_step(conn, keep_from)).await? {
            0 => break,
            some => records += some,
        }
    }
    let rest = state.db.write(move |conn| purge::rest(conn, keep_from, now)).await?;
    Ok(purge::Purged { months, minutes, records, ..rest })
}
