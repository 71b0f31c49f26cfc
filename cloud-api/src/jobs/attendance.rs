//! The attendance desk's jobs: the gallery follows the database, and days without a working desk are noted.

use std::time::Duration;

use crate::{db::attendance::trail, failure::chain, state::State};

/// An enrolment or erasure of another replica is known after this long, and the time of one query.
const FOLLOW_EVERY: Duration = Duration::from_millis(500);

/// How often it is noted whether the desk works; see [`trail::watched`].
const WATCH_EVERY: Duration = Duration::from_secs(60);

/// Keeps the gallery in step with the database.
pub(crate) async fn follow(state: State) {
    let mut due = tokio::time::interval(FOLLOW_EVERY);
    due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        due.tick().await;
        match state.desk.faces.follow(&state.db, &state.desk.keys).await {
            Ok(_) => failing = false,
            Err(e) if !failing => {
                failing = true;
                tracing::error!(
                    cause = chain(&e),
                    "the gallery of faces may be behind the database; it is tried again"
                );
            }
            Err(_) => {}
        }
    }
}

/// Notes that the desk works, and on which days it did not: since it was last noted, faces could not be read although
/// somebody's is enrolled, or no server ran. Such a day is unknown, and nobody's absence.
pub(crate) async fn watch(state: State) {
    let mut due = tokio::time::interval(WATCH_EVERY);
    due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        let (works, now, calendar) = (state.desk.works(), state.clock.now(), state.desk.config.calendar.clone());
        if let Err(e) = state.db.write(move |conn| trail::watched(conn, &calendar, works, now)).await {
            tracing::error!(cause = chain(&e), "whether the desk works is not noted; it is tried again");
        }
    }
}
