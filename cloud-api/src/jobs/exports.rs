//! The dated CSV files: one for each of the last days, rewritten within a minute of a change and removed when its day is
//! past. Each replica writes its own folder.
//!
//! What changed is found by looking, not by being told: a month of days that differs from what it was 20 s ago, a person
//! with another name, a correction more. Days that were not looked at before, at the start all of them, count as changed.
//! So a file is right again after an erasure, a restore or another program's change too.

//!
//! - `changes`: what changed
//! - `files`: the files on disk

mod changes;
mod files;

use std::{path::Path, sync::Arc, time::Duration};

use actix_web::web;
use jiff::{ToSpan as _, civil::Date};

use self::{
    changes::{Seen, changes},
    files::FileError,
};
use crate::{
    attendance::calendar::Calendar,
    db::{Db, DbError},
    failure::chain,
    state::State,
};

const LOOK_EVERY: Duration = Duration::from_secs(20);

/// So many days have a file, today included.
const DAYS: i64 = 31;

pub(crate) async fn run(state: State) {
    let mut due = tokio::time::interval(LOOK_EVERY);
    due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let calendar = &state.desk.config.calendar;
    let mut seen = Seen::default();
    loop {
        due.tick().await;
        let last = calendar.date_of(state.clock.now());
        let days = (last.checked_sub((DAYS - 1).days()).unwrap_or(last), last);
        match turn(&state.db, calendar, &state.exports_dir, days, &mut seen).await {
            Ok(0) => {}
            Ok(files) => tracing::info!(files, "exports of attendance written"),
            Err(e) => {
                tracing::error!(cause = chain(&e), "exports of attendance are not written yet; it is tried again");
            }
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum ExportError {
    #[error("reading failed")]
    Database(#[from] DbError),
    #[error(transparent)]
    File(#[from] FileError),
}

/// Writes what has changed in these days, and removes the files of others. Returns how many files were written. After a
/// failure all days are looked at anew, because some files may be newer than what was seen.
async fn turn(
    db: &Db,
    calendar: &Arc<Calendar>,
    folder: &Path,
    days: (Date, Date),
    seen: &mut Seen,
) -> Result<usize, ExportError> {
    let mut looked = std::mem::take(seen);
    let place = folder.to_owned();
    on_disk(move || files::rotate(&place, days)).await?;
    let mut written = 0;
    loop {
        let calendar = calendar.clone();
        let (now, changed) = db.read(move |conn| changes(conn, &looked, days, &calendar)).await?;
        let place = folder.to_owned();
        written += on_disk(move || files::write_days(&place, &changed)).await?;
        looked = now;
        if looked.unwritten.is_empty() {
            *seen = looked;
            return Ok(written);
        }
    }
}

/// Works on files, off the async threads.
async fn on_disk<T: Send + 'static>(
    f: impl FnOnce() -> Result<T, FileError> + Send + 'static,
) -> Result<T, ExportError> {
    Ok(web::block(f).await.map_err(|_| DbError::Cancelled)??)
}

#[cfg(test)]
mod tests;
