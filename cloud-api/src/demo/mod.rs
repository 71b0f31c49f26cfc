//! A demonstration: made-up people with weeks of history, whose accounts every visitor may use.
//!
//! - `people`: who they are; `days`: what a day of theirs looks like
//! - `accounts`: their accounts and team; `history`: their minutes and records

mod accounts;
mod days;
mod history;
mod people;

use std::time::Duration;

use actix_web::web::Bytes;

use crate::{
    attendance::liveness,
    db::{DbError, users},
    domain::time::UtcMs,
    error::ApiError,
    faces::{Availability, Recording},
    failure::chain,
    http::blocking,
    routes::attendance::enrolment::{self, Given},
    state::State,
};
use accounts::Account;
use people::PEOPLE;

const EVERY: Duration = Duration::from_secs(60);
const HOUR_MS: i64 = 3_600_000;
/// Today's work began so long before the demonstration, whatever the hour.
const BEFORE_MS: i64 = 6 * HOUR_MS;

pub(crate) struct Demonstration {
    accounts: Vec<Account>,
    /// When today's work began.
    began: UtcMs,
    /// Up to when today's minutes are stored.
    stored_to: UtcMs,
}

/// Makes everybody and everything up to now. Refuses a database that has accounts already: everybody may use these.
pub(crate) async fn fill(state: &State) -> Result<Demonstration, ApiError> {
    if !state.db.read(|conn| users::list(conn, None, 1)).await?.is_empty() {
        return Err(ApiError::internal("its database has accounts already"));
    }
    let now = state.clock.now();
    let began = UtcMs((now.0 - BEFORE_MS).div_euclid(60_000) * 60_000);
    let accounts = accounts::make(state, now).await?;
    history::of_desk(state, &accounts, now).await?;
    for account in &accounts {
        history::of_weeks(state, account, now).await?;
    }
    let mut demonstration = Demonstration { accounts, began, stored_to: began };
    demonstration.go_on(state).await?;
    Ok(demonstration)
}

impl Demonstration {
    /// Goes on with the day, and enrols the recording's face once faces can be read.
    pub(crate) async fn run(mut self, state: State) {
        tokio::join!(enrol_recording(&state), async {
            loop {
                tokio::time::sleep(EVERY).await;
                if let Err(e) = self.go_on(&state).await {
                    tracing::warn!(cause = chain(&e), "the demonstration's day does not go on");
                }
            }
        });
    }

    /// Stores the minutes of today that are over, and are not stored yet.
    async fn go_on(&mut self, state: &State) -> Result<(), DbError> {
        let now = state.clock.now();
        for account in &self.accounts {
            history::of_today(state, account, self.began, self.stored_to, now).await?;
        }
        self.stored_to = now;
        Ok(())
    }
}

/// The face of the recording is the member's.
async fn enrol_recording(state: &State) {
    let Some(path) = state.demo.clone() else { return };
    let video = match blocking(move || std::fs::read(path)).await {
        Ok(Ok(video)) => video,
        Ok(Err(e)) => {
            tracing::warn!(cause = chain(&e), "there is no recording to show to the desk");
            return;
        }
        // The server is ending.
        Err(_) => return,
    };
    while state.desk.reader.availability() == Availability::Starting {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let clip = state.desk.reader.clip(Recording::Video(video.into())).await;
    let Some(face) = clip.ok().as_ref().and_then(liveness::face_of) else {
        tracing::warn!("the recording shows no face that can be read");
        return;
    };
    let (id, name) = (PEOPLE[0].id.to_owned(), PEOPLE[0].name.to_owned());
    let given = Given { id, name, email_key: None, force: true };
    match enrolment::store(None, state, given, vec![face], Bytes::new()).await {
        Ok(_) => tracing::info!("the recording's face is enrolled"),
        Err(e) => tracing::warn!(code = e.code, cause = e.cause, "the recording's face is not enrolled"),
    }
}
