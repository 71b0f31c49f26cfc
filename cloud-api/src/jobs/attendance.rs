//! The attendance desk's jobs: the gallery follows the database, and times without a working desk are noted.

use std::time::Duration;

use crate::{db::attendance::trail, faces::Availability, failure::chain, state::State};

/// An enrolment or erasure of another replica is known after this long, and the time of one query.
const FOLLOW_EVERY: Duration = Duration::from_millis(500);

/// How often it is looked at whether the desk works.
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

/// Notes working time in which faces could not be read although somebody's is enrolled. A day with such a time counts as
/// unknown, and as nobody's absence.
pub(crate) async fn watch(state: State) {
    let mut due = tokio::time::interval(WATCH_EVERY);
    let mut down = 0_u32;
    loop {
        due.tick().await;
        let without = matches!(state.desk.reader.availability(), Availability::Unavailable(_));
        // One look is not enough: a worker that is replaced is away for a moment.
        down = if without { down.saturating_add(1) } else { 0 };
        if down >= 2 {
            note(&state).await;
        }
    }
}

pub(crate) async fn note(state: &State) {
    let (desk, now) = (&state.desk, state.clock.now());
    if !desk.is_working_time(now) || desk.faces.with(|gallery| gallery.is_empty()) {
        return;
    }
    let day = desk.day(now);
    if let Err(e) = state.db.write(move |conn| trail::no_desk(conn, day, now)).await {
        tracing::error!(cause = chain(&e), "a time without a desk is not noted yet; it is tried again");
    }
}
