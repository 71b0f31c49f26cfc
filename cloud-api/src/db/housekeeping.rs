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

const EVER: UtcMs = UtcMs(i64::MIN);

const RETENTION: &str = "retention";
const DOUBT: &str = "doubt";
const PROBE: &str = "probe";
const DESK: &str = "desk";

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
}

/// `None` if the clock is trusted; else the time since when it is doubted. `minutes_since` says whether there are any
/// minutes from a time on. PostgreSQL may read a whole month for that, so it is called only if the answer decides.
fn judge<E>(
    known: Known,
    now: UtcMs,
    mut minutes_since: impl FnMut(UtcMs) -> Result<bool, E>,
) -> Result<Option<UtcMs>, E> {
    let recent = now.plus(-LEAP_MS);
    let leapt = match known.last_run {
        Some(last) => now.0.saturating_sub(last.0) > LEAP_MS,
        // The first run. An empty database has nothing to lose.
        None => minutes_since(EVER)? && !minutes_since(recent)?,
    };
    if !leapt {
        return Ok(None);
    }
    // A doubt that began in the future was made while the clock was ahead; the clock has been put back since.
    let since = known.doubted_since.filter(|since| *since <= now).unwrap_or(now);
    let confirmed = now.0.saturating_sub(since.0) >= DOUBT_MS && minutes_since(recent)?;
    Ok((!confirmed).then_some(since))
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

fn known(conn: &mut Conn) -> Result<Known, DbError> {
    Ok(Known { last_run: read(conn, RETENTION)?, doubted_since: read(conn, DOUBT)? })
}

/// When retention last ran, and since when the clock is doubted, if it is.
fn look(conn: &mut Conn, now: UtcMs) -> Result<(Option<UtcMs>, Option<UtcMs>), DbError> {
    use blink_data::{from_timestamp, id, table};
    let known = known(conn)?;
    let doubted_since = judge(known, now, |since| {
        let minutes = table.select(id).filter(from_timestamp.ge(since));
        diesel::select(diesel::dsl::exists(minutes)).get_result(conn)
    });
    Ok((known.last_run, doubted_since?))
}

/// Whether the clock is trusted. Unlike [`begin_run`] it records nothing.
pub fn trust(conn: &mut Conn, now: UtcMs) -> Result<ClockTrust, DbError> {
    Ok(match look(conn, now)? {
        (last_run, None) => ClockTrust::Trusted { last_run },
        (last_run, Some(_)) => ClockTrust::Doubted { last_run },
    })
}

/// The moment that the attendance desk takes for now. After a leap it is when retention last ran, until the clock has been
/// doubted for [`DOUBT_MS`]: no minutes need to confirm it, as where nobody counts blinks there are none.
pub(crate) fn believed(conn: &mut Conn, now: UtcMs) -> Result<UtcMs, DbError> {
    let known = known(conn)?;
    let doubted_since = judge(known, now, |_| Ok::<_, DbError>(true))?;
    Ok(known.last_run.filter(|_| doubted_since.is_some()).unwrap_or(now))
}

/// Judges the clock before retention runs and records the result; must run in a transaction. `operator_trusts` ends
/// every doubt.
pub fn begin_run(conn: &mut Conn, now: UtcMs, operator_trusts: bool) -> Result<ClockTrust, DbError> {
    match look(conn, now)? {
        (last_run, Some(since)) if !operator_trusts => {
            write(conn, DOUBT, since)?;
            Ok(ClockTrust::Doubted { last_run })
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

/// Notes that the attendance desk works.
pub(crate) fn desk_works(conn: &mut Conn, now: UtcMs) -> Result<(), DbError> {
    write(conn, DESK, now)
}

/// When it was last noted that the attendance desk works.
pub(crate) fn desk_worked(conn: &mut Conn) -> Result<Option<UtcMs>, DbError> {
    read(conn, DESK)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: i64 = 86_400_000;

    /// Judges on day `now`, with minutes there or not, and recent ones or not. `None` if the minutes must not be asked.
    fn judged(last: Option<i64>, doubt: Option<i64>, minutes: Option<[bool; 2]>, now: i64) -> Option<UtcMs> {
        let day = |day: i64| UtcMs(day * DAY_MS);
        let known = Known { last_run: last.map(day), doubted_since: doubt.map(day) };
        let asked = |since: UtcMs| {
            let [any, recent] = minutes.expect("the minutes decide nothing here");
            Ok::<_, std::convert::Infallible>(if since == EVER { any } else { recent })
        };
        judge(known, day(now), asked).unwrap()
    }

    #[test]
    fn a_leap_is_doubted_until_a_day_and_minutes_of_now_confirm_it() {
        let since = |day: i64| Some(UtcMs(day * DAY_MS));
        let recent = Some([true, true]);
        let old = Some([true, false]);
        // Trusted: every hour, and after a weekend off.
        assert_eq!(judged(Some(100), None, None, 101), None);
        assert_eq!(judged(Some(100), None, None, 102), None);
        // After a leap neither the time nor recent minutes are enough alone.
        assert_eq!(judged(Some(100), None, None, 1_300), since(1_300));
        assert_eq!(judged(Some(100), Some(1_300), None, 1_300), since(1_300));
        assert_eq!(judged(Some(100), Some(1_300), old, 1_400), since(1_300));
        assert_eq!(judged(Some(100), Some(1_300), recent, 1_301), None);
        // The clock was put back: the doubt begins anew with the next leap.
        assert_eq!(judged(Some(100), Some(1_300), None, 101), None);
        assert_eq!(judged(Some(100), Some(1_300), None, 200), since(200));
        // The first run.
        assert_eq!(judged(None, None, Some([false, false]), 100), None);
        assert_eq!(judged(None, None, recent, 100), None);
        assert_eq!(judged(None, None, old, 100), since(100));
    }
}
