//! Decides whether the clock is plausible before anything is deleted for its age.
//!
//! A machine whose clock is ahead, after a dead battery or a restored image, would take everything for too old. So the
//! time of the last retention run is stored. After a leap nothing is deleted until a day has passed and devices have
//! sent recent minutes, which their own clocks dated, or until the operator says that the clock is right.

use diesel::prelude::*;

use super::{
    DbError,
    conn::Conn,
    schema::{blink_data, housekeeping},
};
use crate::domain::time::UtcMs;

/// Retention runs every hour, so a longer gap than this means that the machine was off or that its clock leapt.
const LEAP_MS: i64 = 2 * 86_400_000;

/// How long a doubt lasts at least. NTP corrects a clock well within this time.
const DOUBT_MS: i64 = 86_400_000;

const RETENTION: &str = "retention";
const DOUBT: &str = "doubt";
const PROBE: &str = "probe";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockTrust {
    Trusted {
        last_run: Option<UtcMs>,
    },
    /// The clock leapt, so nothing is deleted for its age.
    Doubted {
        /// When retention last ran with a trusted clock.
        last_run: Option<UtcMs>,
    },
}

#[derive(Clone, Copy)]
struct Known {
    last_run: Option<UtcMs>,
    doubted_since: Option<UtcMs>,
    has_minutes: bool,
    has_recent_minutes: bool,
}

/// `Ok` if the clock is trusted; else the time since when it is doubted.
fn judge(known: Known, now: UtcMs) -> Result<(), UtcMs> {
    let leapt = match known.last_run {
        Some(last) => now.0.saturating_sub(last.0) > LEAP_MS,
        // The first run. An empty database has nothing to lose.
        None => known.has_minutes && !known.has_recent_minutes,
    };
    if !leapt {
        return Ok(());
    }
    // A doubt that began in the future was made while the clock was ahead; the clock has been put back since.
    let since = known.doubted_since.filter(|since| *since <= now).unwrap_or(now);
    let confirmed = now.0.saturating_sub(since.0) >= DOUBT_MS && known.has_recent_minutes;
    if confirmed { Ok(()) } else { Err(since) }
}

fn read(conn: &mut Conn, what: &str) -> Result<Option<UtcMs>, DbError> {
    Ok(housekeeping::table.find(what).select(housekeeping::at).first(conn).optional()?)
}

fn write(conn: &mut Conn, what: &str, at: UtcMs) -> Result<(), DbError> {
    use housekeeping::{at as column, table, what as key};
    let changed = diesel::update(table.find(what)).set(column.eq(at)).execute(conn)?;
    if changed == 0 {
        match conn {
            Conn::Sqlite(conn) => diesel::insert_into(table)
                .values((key.eq(what), column.eq(at)))
                .on_conflict_do_nothing()
                .execute(conn)?,
            Conn::Postgres(conn) => diesel::insert_into(table)
                .values((key.eq(what), column.eq(at)))
                .on_conflict_do_nothing()
                .execute(conn)?,
        };
    }
    Ok(())
}

fn known(conn: &mut Conn, now: UtcMs) -> Result<Known, DbError> {
    use blink_data::{from_timestamp, id, table};
    let recent = table.select(id).filter(from_timestamp.ge(now.plus(-LEAP_MS)));
    Ok(Known {
        last_run: read(conn, RETENTION)?,
        doubted_since: read(conn, DOUBT)?,
        has_minutes: diesel::select(diesel::dsl::exists(table.select(id))).get_result(conn)?,
        has_recent_minutes: diesel::select(diesel::dsl::exists(recent)).get_result(conn)?,
    })
}

/// Whether the clock is trusted. Unlike [`begin_run`] it records nothing.
pub fn trust(conn: &mut Conn, now: UtcMs) -> Result<ClockTrust, DbError> {
    let known = known(conn, now)?;
    let doubted = ClockTrust::Doubted { last_run: known.last_run };
    Ok(judge(known, now).map_or(doubted, |()| ClockTrust::Trusted { last_run: known.last_run }))
}

/// Judges the clock before retention runs and records the result; must run in a transaction. `operator_trusts` ends
/// every doubt.
pub fn begin_run(conn: &mut Conn, now: UtcMs, operator_trusts: bool) -> Result<ClockTrust, DbError> {
    let known = known(conn, now)?;
    match judge(known, now) {
        Err(since) if !operator_trusts => {
            write(conn, DOUBT, since)?;
            Ok(ClockTrust::Doubted { last_run: known.last_run })
        }
        _ => {
            diesel::delete(housekeeping::table.find(DOUBT)).execute(conn)?;
            write(conn, RETENTION, now)?;
            Ok(ClockTrust::Trusted { last_run: Some(now) })
        }
    }
}

/// A test write: it fails on a full disk and on a read-only database.
pub fn probe(conn: &mut Conn, now: UtcMs) -> Result<(), DbError> {
    write(conn, PROBE, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: i64 = 86_400_000;

    fn known(last: Option<i64>, doubt: Option<i64>, minutes: bool, recent: bool) -> Known {
        let day = |day: i64| UtcMs(day * DAY_MS);
        let (last_run, doubted_since) = (last.map(day), doubt.map(day));
        Known { last_run, doubted_since, has_minutes: minutes, has_recent_minutes: recent }
    }

    #[test]
    fn a_leap_is_doubted_until_a_day_and_minutes_of_now_confirm_it() {
        let at = |day: i64| UtcMs(day * DAY_MS);
        // A machine that runs all the time, or was off for a weekend, is trusted.
        assert_eq!(judge(known(Some(100), None, true, true), at(101)), Ok(()));
        assert_eq!(judge(known(Some(100), None, true, false), at(102)), Ok(()));
        // After a leap neither a day nor recent minutes suffice alone; both together do.
        assert_eq!(judge(known(Some(100), None, true, true), at(1_300)), Err(at(1_300)));
        assert_eq!(judge(known(Some(100), Some(1_300), true, true), at(1_300)), Err(at(1_300)));
        assert_eq!(judge(known(Some(100), Some(1_300), true, false), at(1_400)), Err(at(1_300)));
        assert_eq!(judge(known(Some(100), Some(1_300), true, true), at(1_301)), Ok(()));
        // When the clock is put back the doubt ends; the next leap begins a new one.
        assert_eq!(judge(known(Some(100), Some(1_300), true, false), at(101)), Ok(()));
        assert_eq!(judge(known(Some(100), Some(1_300), true, true), at(200)), Err(at(200)));
        assert_eq!(judge(known(None, None, false, false), at(100)), Ok(()));
        assert_eq!(judge(known(None, None, true, true), at(100)), Ok(()));
        assert_eq!(judge(known(None, None, true, false), at(100)), Err(at(100)));
    }
}
