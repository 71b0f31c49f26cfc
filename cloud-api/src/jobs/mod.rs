//! Background jobs. Retention and the teams' weeks run once an hour; [`archive`], [`attendance`], [`exports`], the signing
//! keys, the certificate and the emptying of SQLite's log run continuously.

pub(crate) mod archive;
pub(crate) mod attendance;
pub(crate) mod exports;
mod retention;

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;

use crate::{
    auth::keys::LOOK_S,
    config::DatabaseConfig,
    db::{Db, DbError, teams},
    domain::time::UtcMs,
    failure::chain,
    open,
    state::State,
    tls::Certificate,
};

const EVERY: Duration = Duration::from_secs(60 * 60);

/// First pause between two tries to empty SQLite's log while there are readers; it doubles up to [`SCRUB_SELDOM`].
const SCRUB_EVERY: Duration = Duration::from_secs(1);
const SCRUB_SELDOM: Duration = Duration::from_secs(60);

/// Time limit of reading the keys.
const KEYS_LIMIT: Duration = Duration::from_secs(35);

/// Replicas may run this at the same time: each just finds less to do.
pub(crate) async fn run(state: State) {
    let mut due = tokio::time::interval(EVERY);
    loop {
        due.tick().await;
        // Closing a week is final, so it is not done by a clock that may be ahead.
        let now = state.clock.now();
        if retention::run(&state, now).await {
            close_weeks(&state, now).await;
        }
        state.limits.forget_idle();
    }
}

/// Reads the signing keys anew each minute, and at once when `asked`, so that all replicas have the same ones. If
/// reading fails, the present keys stay.
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
        // A newer program may have migrated the database since this one started: its keys count all the same.
        let read =
            move || open::link(&config.target)?.within(KEYS_LIMIT, |conn| open::open_keys(conn, &config, now, false));
        match actix_web::web::block(read).await {
            Ok(Ok(fresh)) => state.keys.replace(fresh),
            Ok(Err(e)) => {
                tracing::error!(cause = e.problem.message, "reading the signing keys failed; it is tried again");
            }
            Err(_) => {}
        }
    }
}

/// Checks the certificate's files for changes every 5 s, and at once when `asked`.
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

/// Removes deleted data from SQLite's log, and tries again for as long as there are readers.
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

/// Closes due weeks every hour, because a later closing could find other members.
async fn close_weeks(state: &State, now: UtcMs) {
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
