//! Whether the clock may be believed before anything is deleted for its age.
//!
//! A machine whose clock is ahead, for a dead battery or a restored image, would take everything for past its time. So
//! what retention last saw of the clock is kept; after a leap nothing is deleted until a day has passed and machines
//! have sent minutes of about now, which their own clocks dated, or until the operator says that the clock is right.

use diesel::prelude::*;

use super::{
    DbError,
    conn::Conn,
    schema::{blink_data, housekeeping},
};
use crate::domain::time::UtcMs;

/// Retention runs every hour: a step that is longer than this was the machine's rest, or a leap of its clock.
const LEAP_MS: i64 = 2 * 86_400_000;

/// Clocks that are set over the network are right well within this.
const DOUBT_MS: i64 = 86_400_000;

const RETENTION: &str = "retention";
const DOUBT: &str = "doubt";
const PROBE: &str = "probe";

/// Whether the clock is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockTrust {
    Trusted {
        /// When retention last ran.
        last_run: Option<UtcMs>,
    },
    /// It leapt: nothing is deleted for its age.
    Doubted {
        /// When retention last ran, by a clock that was believed.
        last_run: Option<UtcMs>,
    },
}

/// What is known of the clock.
#[derive(Clone, Copy)]
struct Known {
    last_run: Option<UtcMs>,
    doubted_since: Option<UtcMs>,
    has_minutes: bool,
    has_recent_minutes: bool,
}

/// Whether the clock is believed, and since when it is doubted.
fn judge(known: Known, now: UtcMs) -> Result<(), UtcMs> {
    let leapt = match known.last_run {
        Some(last) => now.0.saturating_sub(last.0) > LEAP_MS,
        // The first run: of an empty database there is nothing to lose.
        None => known.has_minutes && !known.has_recent_minutes,
    };
    if !leapt {
        return Ok(());
    }
    // A doubt from the future was one of the leap itself, and the clock was put back since.
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

/// Whether the clock is believed, as retention last left it.
pub fn trust(conn: &mut Conn, now: UtcMs) -> Result<ClockTrust, DbError> {
    let known = known(conn, now)?;
    let doubted = ClockTrust::Doubted { last_run: known.last_run };
    Ok(judge(known, now).map_or(doubted, |()| ClockTrust::Trusted { last_run: known.last_run }))
}

/// Looks at the clock before retention runs, and remembers what it says; call it in a transaction. `operator_trusts`
/// ends every doubt.
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

/// A write for its own sake: it fails on a full disk and a read-only database.
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
        // Every hour, and after a weekend off.
        assert_eq!(judge(known(Some(100), None, true, true), at(101)), Ok(()));
        assert_eq!(judge(known(Some(100), None, true, false), at(102)), Ok(()));
        // A leap: not at once, not with minutes alone, not for the time alone.
        assert_eq!(judge(known(Some(100), None, true, true), at(1_300)), Err(at(1_300)));
        assert_eq!(judge(known(Some(100), Some(1_300), true, true), at(1_300)), Err(at(1_300)));
        assert_eq!(judge(known(Some(100), Some(1_300), true, false), at(1_400)), Err(at(1_300)));
        assert_eq!(judge(known(Some(100), Some(1_300), true, true), at(1_301)), Ok(()));
        // The clock was put back: the doubt begins anew with the next leap.
        assert_eq!(judge(known(Some(100), Some(1_300), true, false), at(101)), Ok(()));
        assert_eq!(judge(known(Some(100), Some(1_300), true, true), at(200)), Err(at(200)));
        // The first run.
        assert_eq!(judge(known(None, None, false, false), at(100)), Ok(()));
        assert_eq!(judge(known(None, None, true, true), at(100)), Ok(()));
        assert_eq!(judge(known(None, None, true, false), at(100)), Err(at(100)));
    }
}
