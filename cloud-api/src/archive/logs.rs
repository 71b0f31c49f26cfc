//! Archives closed log files as objects. They are sealed with the server's own key, a new one each month, which is
//! dropped when nothing of that month is left.

use std::{io, sync::Arc, time::Duration};

use super::{
    Archive,
    codec::{DataKey, Holds},
    spool::{AT_ONCE, Closed, Spool},
    store::Bucket,
    worker::WorkError,
};
use crate::{
    clock::Clock,
    db::{
        Db, DbError,
        archive::{self, ObjectRow},
        archive_removals,
        id::Id,
    },
    domain::time::UtcMs,
    metrics,
};

/// Archives all closed files and returns the number of objects. Files that could not be archived stay in the folder.
pub async fn archive_closed(archive: &Archive, db: &Db, spool: &Arc<Spool>, clock: &Clock) -> Result<usize, WorkError> {
    let age = Duration::from_millis(archive.gather_ms.unsigned_abs());
    let mut written = 0;
    loop {
        let looked = spool.clone();
        let closed = actix_web::web::block(move || {
            looked.close_older(age);
            looked.closed()
        });
        let closed = match closed.await {
            Ok(Ok(closed)) => closed,
            Ok(Err(e)) => {
                unreadable(&e);
                return Ok(written);
            }
            Err(_) => return Err(DbError::Cancelled.into()),
        };
        let dropped = spool.take_dropped();
        if dropped > 0 {
            tracing::error!(files = dropped, "the log waited too long for the archive: its oldest files are deleted");
            metrics::archive_log_files_dropped(dropped);
        }
        let (all, before) = (closed.len() < AT_ONCE, written);
        for file in closed {
            written += usize::from(one(archive, db, file, clock).await?);
        }
        // Files that could not be archived wait for the next pass.
        if all || written == before {
            return Ok(written);
        }
    }
}

fn unreadable(e: &io::Error) {
    tracing::error!(cause = %e, "the log on its way into the archive cannot be read");
    metrics::archive_failed("log");
}

async fn one(archive: &Archive, db: &Db, mut file: Closed, clock: &Clock) -> Result<bool, WorkError> {
    let now = clock.now();
    let key = month_key(archive, db, now).await?;
    let id = Id::fresh();
    let name = format!("{}/{}", now.timestamp().strftime("%Y-%m/%d"), id.0);
    let (sealed_under, key_id) = (name.clone(), key.id);
    let sealed = actix_web::web::block(move || {
        let lines = file.lines()?;
        let count = lines.iter().filter(|byte| **byte == b'\n').count();
        let sealed = key.seal(Holds::Lines, &sealed_under, &lines).map_err(io::Error::other)?;
        Ok::<_, io::Error>((file, sealed, i32::try_from(count).unwrap_or(i32::MAX)))
    });
    let (file, sealed, records) = match sealed.await {
        Ok(Ok(sealed)) => sealed,
        Ok(Err(e)) => {
            unreadable(&e);
            return Ok(false);
        }
        Err(_) => return Err(DbError::Cancelled.into()),
    };
    let bytes = i32::try_from(sealed.len()).unwrap_or(i32::MAX);
    let row = ObjectRow {
        id,
        key_id,
        bucket: Bucket::Logs.as_str().to_owned(),
        name: name.clone(),
        created_at: clock.now(),
        oldest_at: now,
        records,
        bytes,
        written: false,
    };
    let registered = row.clone();
    db.write(move |conn| archive::register(conn, &registered)).await?;
    if let Err(e) = archive.stores.put(Bucket::Logs, &name, sealed).await {
        let now = clock.now();
        db.write(move |conn| archive_removals::give_up(conn, vec![row.clone()], None, now)).await?;
        return Err(e.into());
    }
    if !db.write(move |conn| archive::mark_written(conn, id, bytes)).await? {
        // Another replica considered this one crashed and is removing the object, so the file is archived anew.
        return Ok(false);
    }
    metrics::archived("logs", bytes.unsigned_abs() as usize);
    // If deleting fails, the lines are archived a second time in a later pass, but none is lost.
    match actix_web::web::block(move || file.delete()).await {
        Ok(Ok(())) => Ok(true),
        Ok(Err(e)) => {
            unreadable(&e);
            Ok(false)
        }
        Err(_) => Err(DbError::Cancelled.into()),
    }
}

async fn month_key(archive: &Archive, db: &Db, now: UtcMs) -> Result<DataKey, WorkError> {
    let first = now.timestamp().to_zoned(jiff::tz::TimeZone::UTC).first_of_month();
    let midnight = first.and_then(|day| day.start_of_day()).map_or(now, |start| start.timestamp().into());
    let fresh = archive.keys.fresh(None, now)?;
    let row = db
        .write(move |conn| -> Result<_, DbError> {
            if let Some(row) = archive::log_key_since(conn, midnight)? {
                return Ok(row);
            }
            archive::add_key(conn, &fresh)?;
            Ok(fresh.clone())
        })
        .await?;
    Ok(archive.keys.open(&row)?)
}
