//! Trays that wait to be signed in from a browser.

use diesel::prelude::*;
use sha2::{Digest as _, Sha256};

use super::{
    DbError,
    conn::Conn,
    schema::device_codes,
    sessions::{self, SessionRow},
    types::DbId,
    users::{self, UserRow},
};
use crate::domain::time::UtcMs;

#[derive(Clone, Debug, Queryable, Insertable)]
#[diesel(table_name = device_codes)]
pub struct CodeRow {
    /// SHA-256 of the device's own code.
    pub code_hash: Vec<u8>,
    /// What the person types or confirms.
    pub user_code: String,
    /// What the device calls itself.
    pub device_name: String,
    /// Where it asks from.
    pub address: String,
    /// When the codes end.
    pub expires_at: UtcMs,
    /// When it last asked for its tokens.
    pub polled_at: Option<UtcMs>,
    pub user_id: Option<DbId>,
    /// Whether it was refused.
    pub denied: bool,
    /// The session in which it was approved: the approval ends with it.
    pub session_id: Option<DbId>,
}

/// Of a code only this is kept.
#[must_use]
pub fn hash(code: &str) -> Vec<u8> {
    Sha256::digest(code.as_bytes()).to_vec()
}

/// Adds a waiting tray, and sweeps those whose time is over. A user code in use is a unique violation.
pub fn insert(conn: &mut Conn, row: &CodeRow, now: UtcMs) -> Result<(), DbError> {
    diesel::delete(device_codes::table.filter(device_codes::expires_at.le(now))).execute(conn)?;
    diesel::insert_into(device_codes::table).values(row.clone()).execute(conn)?;
    Ok(())
}

/// The tray that waits under this user code.
pub fn waiting(conn: &mut Conn, user_code: &str, now: UtcMs) -> Result<Option<CodeRow>, DbError> {
    let open = device_codes::user_id.is_null().and(device_codes::denied.eq(false));
    let live = device_codes::user_code.eq(user_code).and(device_codes::expires_at.gt(now)).and(open);
    Ok(device_codes::table.filter(live).first(conn).optional()?)
}

/// Who decides about a tray: the person, and the session they do it in.
#[derive(Clone, Copy, Debug)]
pub struct Decider {
    pub user: DbId,
    pub session: DbId,
}

/// Approves or refuses a waiting tray; false when it was decided before or its time is over. The caller holds the person.
pub fn decide(conn: &mut Conn, user_code: &str, who: Decider, approved: bool, now: UtcMs) -> Result<bool, DbError> {
    let open = device_codes::user_id.is_null().and(device_codes::denied.eq(false));
    let live = device_codes::user_code.eq(user_code).and(device_codes::expires_at.gt(now)).and(open);
    let decided = diesel::update(device_codes::table.filter(live))
        .set((
            device_codes::user_id.eq(approved.then_some(who.user)),
            device_codes::session_id.eq(approved.then_some(who.session)),
            device_codes::denied.eq(!approved),
        ))
        .execute(conn)?;
    Ok(decided == 1)
}

/// Forgets the trays that somebody approved and that have not asked for their tokens yet; how many there were.
pub fn forget_approved(conn: &mut Conn, user: DbId) -> Result<usize, DbError> {
    Ok(diesel::delete(device_codes::table.filter(device_codes::user_id.eq(Some(user)))).execute(conn)?)
}

/// What a tray is told when it asks.
pub enum Poll {
    /// It asks too often.
    SlowDown,
    /// Nobody has decided yet.
    Pending,
    Denied,
    /// Its time is over.
    Expired,
    /// It was never given out, or was exchanged before.
    Unknown,
    /// This person approved it; the code is used up, and the session has begun.
    Approved {
        user: Box<UserRow>,
        session: Box<SessionRow>,
    },
}

/// An approval that a tray comes for.
#[derive(Clone, Debug)]
pub struct Approval {
    pub user: DbId,
    /// What the device calls itself.
    pub device_name: String,
    /// When they proved who they are: the device proves nothing, so its session is no fresher than the one that let it in.
    pub signed_in_at: UtcMs,
}

/// Answers a tray that asks for its tokens. An approved code becomes the session that `begin` makes of the approval,
/// while the session that gave it is live.
pub fn poll(
    conn: &mut Conn,
    code: &str,
    interval_ms: i64,
    now: UtcMs,
    begin: impl FnOnce(Approval) -> SessionRow,
) -> Result<Poll, DbError> {
    let own = device_codes::table.filter(device_codes::code_hash.eq(hash(code)));
    let Some(row) = own.first::<CodeRow>(conn).optional()? else { return Ok(Poll::Unknown) };
    let own = device_codes::table.filter(device_codes::code_hash.eq(hash(code)));
    if row.expires_at <= now {
        diesel::delete(own).execute(conn)?;
        return Ok(Poll::Expired);
    }
    if row.denied {
        diesel::delete(own).execute(conn)?;
        return Ok(Poll::Denied);
    }
    if let Some(user) = row.user_id {
        let user = users::hold(conn, user)?;
        let approver = match row.session_id {
            Some(session) => sessions::standing(conn, session, now)?,
            None => None,
        };
        // Whoever deletes it has it.
        let taken = diesel::delete(own).execute(conn)? == 1;
        let (Some(user), Some(approver), true) = (user, approver, taken) else { return Ok(Poll::Unknown) };
        let signed_in_at = approver.signed_in_at;
        let session = Box::new(begin(Approval { user: user.id, device_name: row.device_name, signed_in_at }));
        sessions::insert(conn, &session)?;
        return Ok(Poll::Approved { user: Box::new(user), session });
    }
    diesel::update(own).set(device_codes::polled_at.eq(Some(now))).execute(conn)?;
    let too_soon = row.polled_at.is_some_and(|at| now < at.plus(interval_ms));
    Ok(if too_soon { Poll::SlowDown } else { Poll::Pending })
}
