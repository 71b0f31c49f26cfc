//! What runs beside the requests: once an hour, retention and the partitions of the months to come.

use std::time::Duration;

use crate::{
    db::{Db, DbError, purge},
    failure::chain,
    limits::Limits,
    routes::State,
};

const EVERY: Duration = Duration::from_secs(60 * 60);

/// Runs until it is dropped. Replicas may do the same work at the same time: it only finds less to do.
pub async fn run(state: State) {
    let mut due = tokio::time::interval(EVERY);
    loop {
        due.tick().await;
        housekeeping(&state.db, &state).await;
        Limits::forget_idle(&state.limits);
    }
}

async fn housekeeping(db: &Db, state: &State) {
    let (keep_from, now) = (state.keep_from(), state.clock.now());
    let ahead = db.write(move |conn| purge::partitions_ahead(conn, now)).await;
    let purged = db.write(move |conn| purge::run(conn, keep_from, now)).await;
    let said =
        |what: &str, e: &DbError| tracing::error!(cause = chain(e), "{what} failed; it is tried again in an hour");
    if let Err(e) = ahead {
        said("making partitions", &e);
    }
    match purged {
        Ok(purged) => tracing::info!(minutes = purged.minutes, sessions = purged.sessions, "retention"),
        Err(e) => said("retention", &e),
    }
}
