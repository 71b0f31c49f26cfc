//! What the made-up people did: minutes of six weeks and of today, and records of two months at the desk.

use std::sync::Arc;

use jiff::{ToSpan as _, civil::Date};

use super::{
    HOUR_MS,
    accounts::Account,
    days,
    people::{PEOPLE, Person},
};
use crate::{
    attendance::{calendar::Calendar, records_csv::Row},
    db::{
        DbError,
        attendance::{
            import::{self, Against},
            lists, people,
        },
        ingest::{self, Batch},
    },
    domain::{minute::CheckedMinute, time::UtcMs},
    state::State,
};

const DAYS_OF_MINUTES: i64 = 42;
const DAYS_AT_DESK: i64 = 60;
const TODAY_MS: i64 = 8 * HOUR_MS;

async fn store(state: &State, account: &Account, minutes: Vec<CheckedMinute>, now: UtcMs) -> Result<(), DbError> {
    let batch = Batch {
        user: account.user,
        device: account.device,
        session: account.session,
        user_agent: Some(concat!("blinkd/", env!("CARGO_PKG_VERSION")).to_owned()),
        received_at: now,
        minutes,
    };
    ingest::store(&state.db, Arc::new(batch), None).await.map(drop)
}

/// The workdays of so many days before today, from the oldest on.
fn workdays_before(today: Date, count: i64, calendar: &Calendar) -> impl Iterator<Item = Date> {
    (1..=count).rev().filter_map(move |ago| today.checked_sub(ago.days()).ok()).filter(|date| calendar.expects(*date))
}

/// The minutes of the weeks before today.
pub(super) async fn of_weeks(state: &State, account: &Account, now: UtcMs) -> Result<(), DbError> {
    let calendar = &state.desk.config.calendar;
    let mut minutes = Vec::new();
    for date in workdays_before(calendar.date_of(now), DAYS_OF_MINUTES, calendar) {
        if let Some((from, to)) = days::hours(account.person, date) {
            let from = minute_of(calendar.instant(date, from));
            minutes.extend(days::minutes(account.person, date, from, minute_of(calendar.instant(date, to))));
        }
    }
    store(state, account, minutes, now).await
}

/// The minutes of today, which `began` then, that were over after `since` and by `now`.
pub(super) async fn of_today(
    state: &State,
    account: &Account,
    began: UtcMs,
    since: UtcMs,
    now: UtcMs,
) -> Result<(), DbError> {
    let date = state.desk.config.calendar.date_of(began);
    let mut minutes = days::minutes(account.person, date, began, began.plus(TODAY_MS));
    minutes.retain(|minute| since < minute.to() && minute.to() <= now);
    if minutes.is_empty() { Ok(()) } else { store(state, account, minutes, now).await }
}

/// The records of two months, and the accounts that people of the desk have.
pub(super) async fn of_desk(state: &State, accounts: &[Account], now: UtcMs) -> Result<(), DbError> {
    let calendar = state.desk.config.calendar.clone();
    let today = calendar.date_of(now);
    let earlier = workdays_before(today, DAYS_AT_DESK, &calendar);
    let mut rows: Vec<Row> = earlier.flat_map(|date| of_day(PEOPLE.iter(), date, state)).collect();
    // On a free day too: a demonstration is shown on any. The member has not come yet: their recording shows how that looks.
    let arrived = |row: &Row| row.time.is_some_and(|time| calendar.instant(today, time) <= now);
    rows.extend(of_day(PEOPLE.iter().skip(1), today, state).into_iter().filter(arrived));
    let rows: Vec<(usize, Row)> = rows.into_iter().enumerate().collect();
    let accounts = accounts.to_vec();
    let keep_from = state.keep_from(now);
    let written = state.db.write(move |conn| -> Result<(), DbError> {
        let against = Against { calendar: &calendar, now, keep_from };
        import::take(conn, &rows, &import::first_days(&rows, against), against)?;
        for Account { person, user, .. } in &accounts {
            people::rename(conn, person.id, person.name, Some(*user))?;
            lists::choose_leaderboard(conn, *user, true)?;
        }
        Ok(())
    });
    written.await
}

fn of_day<'a>(people: impl Iterator<Item = &'a Person>, date: Date, state: &State) -> Vec<Row> {
    people.filter_map(|person| days::record(person, date, &state.desk.config.calendar)).collect()
}

/// The start of the UTC minute.
fn minute_of(at: UtcMs) -> UtcMs {
    UtcMs(at.0 - at.0.rem_euclid(60_000))
}
