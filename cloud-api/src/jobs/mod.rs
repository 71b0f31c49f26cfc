//! What runs beside the requests: once an hour, `retention` and the weeks of teams; [`archive`], keys, certificate and
//! what is left in SQLite's log all the time.

pub(crate) mod archive;
mod retention;

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;

use crate::{
    auth::keys::LOOK_S,
    config::DatabaseConfig,
    db::{Db, DbError, teams},
    failure::chain,
    open,
    state::State,
    tls::Certificate,
};

const EVERY: Duration = Duration::from_secs(60 * 60);

/// While somebody reads, SQLite's log is looked at this often, and less and less often.
const SCRUB_EVERY: Duration = Duration::from_secs(1);
const SCRUB_SELDOM: Duration = Duration::from_secs(60);

/// Reading the keys takes no longer than this, whatever the database does.
const KEYS_LIMIT: Duration = Duration::from_secs(35);

/// Runs until it is dropped. Replicas may do the same work at the same time: it only finds less to do.
pub(crate) async fn run(state: State) {
    let mut due = tokio::time::interval(EVERY);
    loop {
        due.tick().await;
        // A week is closed for good: not by a clock that may be ahead.
        if retention::run(&state).await {
            close_weeks(&state).await;
        }
        state.limits.forget_idle();
    }
}

/// Keeps the signing keys those that all replicas share, until it is dropped; at once when `asked`. Failing to read them
/// leaves those there are in place.
pub(crate) async fn keys(state: State, config: DatabaseConfig, asked: Arc<Notify>) {
    let mut due = tokio::time::interval(Duration::from_secs(LOOK_S));
    loop {
        tokio::select! {
            _ = due.tick() => {}
            () = asked.notified() => {}
        }
        if !state.db.is_in_place() {
            continue;
        }
        let (config, now) = (config.clone(), state.clock.now());
        let read =
            actix_web::web::block(move || open::open_keys(&mut open::connect(&config.target)?, &config, now, false));
        match tokio::time::timeout(KEYS_LIMIT, read).await {
            Ok(Ok(Ok(fresh))) => state.keys.replace(fresh),
            Ok(Ok(Err(e))) => {
                tracing::error!(cause = e.problem.message, "reading the signing keys failed; it is tried again");
            }
            Ok(Err(_)) => {}
            Err(_) => tracing::error!("the signing keys could not be read in time; it is tried again"),
        }
    }
}

/// Looks after the certificate's files every few seconds, and at once when `asked`, until it is dropped.
pub(crate) async fn follow(certificate: Arc<Certificate>, asked: Arc<Notify>) {
    let mut due = tokio::time::interval(Duration::from_secs(5));
    loop {
        tokio::select! {
            _ = due.tick() => {}
            () = asked.notified() => {}
        }
        let certificate = certificate.clone();
        let _ = actix_web::web::block(move || certificate.follow()).await;
    }
}

/// Takes what was deleted out of SQLite's log, again and again while somebody reads, until it is dropped.
pub(crate) async fn scrub(db: Db) {
    loop {
        let mut pause = SCRUB_EVERY;
        while !db.scrub_once().await {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(SCRUB_SELDOM);
        }
        db.scrub_wanted().await;
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
