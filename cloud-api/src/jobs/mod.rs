//! What runs beside the requests: once an hour, retention, the partitions of the months to come,
//! and the weeks of teams; and [`archive`] all the time.

pub mod archive;

use std::{sync::Arc, time::Duration};

use crate::{
    auth::keys::LOOK_S,
    config::DatabaseConfig,
    db::{Db, DbError, purge, teams},
    failure::chain,
    open,
    state::State,
    tls::Certificate,
};

const EVERY: Duration = Duration::from_secs(60 * 60);

/// Runs until it is dropped. Replicas may do the same work at the same time: it only finds less to do.
pub async fn run(state: State) {
    let mut due = tokio::time::interval(EVERY);
    loop {
        due.tick().await;
        housekeeping(&state.db, &state).await;
        close_weeks(&state).await;
        state.limits.forget_idle();
    }
}

/// Keeps the signing keys those that all replicas share, until it is dropped. Failing to read them leaves those there
/// are in place.
pub async fn keys(state: State, config: DatabaseConfig) {
    let mut due = tokio::time::interval(Duration::from_secs(LOOK_S));
    loop {
        due.tick().await;
        let (config, now) = (config.clone(), state.clock.now());
        let read =
            actix_web::web::block(move || open::open_keys(&mut open::connect(&config.target)?, &config, now, false));
        match read.await {
            Ok(Ok(fresh)) => state.keys.replace(fresh),
            Ok(Err(e)) => {
                tracing::error!(cause = e.problem.message, "reading the signing keys failed; it is tried again");
            }
            Err(_) => {}
        }
    }
}

/// Looks after the certificate's files every few seconds, until it is dropped.
pub async fn follow(certificate: Arc<Certificate>) {
    let mut due = tokio::time::interval(Duration::from_secs(5));
    loop {
        due.tick().await;
        let certificate = certificate.clone();
        let _ = actix_web::web::block(move || certificate.follow()).await;
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
        Ok(purged) => {
            tracing::info!(minutes = purged.minutes, sessions = purged.sessions, objects = purged.objects, "retention");
        }
        Err(e) => said("retention", &e),
    }
}

/// Closes team weeks near their time, so that a late look does not find another set of members.
async fn close_weeks(state: &State) {
    let now = state.clock.now();
    let teams = match state.db.read(teams::all).await {
        Ok(teams) => teams,
        Err(e) => return tracing::error!(cause = chain(&e), "reading teams failed; it is tried again in an hour"),
    };
    for team in teams {
        let closed = state.db.write(move |conn| teams::close_weeks(conn, &team, now)).await;
        if let Err(e) = closed {
            tracing::error!(
                cause = chain(&e as &DbError),
                "closing a team's week failed; it is tried again in an hour"
            );
        }
    }
}
