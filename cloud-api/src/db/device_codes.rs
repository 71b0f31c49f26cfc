//! Device codes: trays that wait to be signed in through a browser (RFC 8628).

use diesel::prelude::*;
use sha2::{Digest as _, Sha256};

use super::{
    DbError,
    conn::Conn,
    id::{Id, Session, User},
    schema::device_codes,
    sessions::{self, SessionRow},
    users::{self, UserRow},
};
use crate::domain::time::UtcMs;

#[derive(Clone, Debug, Queryable, Insertable)]
#[diesel(table_name = device_codes)]
pub struct CodeRow {
    /// SHA-256 of the device code, which itself is not stored.
    pub code_hash: Vec<u8>,
    /// The code that the person types or confirms.
    pub user_code: String,
    pub device_name: String,
    /// The IP address that the device asked from.
    pub address: String,
    pub expires_at: UtcMs,
    /// When the device last asked for its tokens.
    pub polled_at: Option<UtcMs>,
    pub user_id: Option<Id<User>>,
    pub denied: bool,
    /// The session that approved it. If that session ends, the approval is void.
    pub session_id: Option<Id<Session>>,
}

/// The stored form of a device code.
#[must_use]
pub fn hash(code: &str) -> Vec<u8> {
    Sha256::digest(code.as_bytes()).to_vec()
}

/// Adds a waiting tray and deletes expired ones. Fails with a unique violation when the user code is in use.
pub fn insert(conn: &mut Conn, row: &CodeRow, now: UtcMs) -> Result<(), DbError> {
    diesel::delete(device_codes::table.filter(device_codes::expires_at.le(now))).execute(conn)?;
    diesel::insert_into(device_codes::table).values(row.clone()).execute(conn)?;
    Ok(())
}

pub fn waiting(conn: &mut Conn, user_code: &str, now: UtcMs) -> Result<Option<CodeRow>, DbError> {
    let open = device_codes::user_id.is_null().and(device_codes::denied.eq(false));
    let live = device_codes::user_code.eq(user_code).and(device_codes::expires_at.gt(now)).and(open);
    Ok(device_codes::table.filter(live).first(conn).optional()?)
}

/// The person who decides about a tray, and the session they decide in.
#[derive(Clone, Copy, Debug)]
pub struct Decider {
    pub user: Id<User>,
    pub session: Id<Session>,
}

/// Approves or refuses a waiting tray; false when it is decided already or expired. The caller has locked the person.
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

/// Deletes the trays that a person approved and that have not fetched their tokens yet; returns how many.
pub fn forget_approved(conn: &mut Conn, user: Id<User>) -> Result<usize, DbError> {
    Ok(diesel::delete(device_codes::table.filter(device_codes::user_id.eq(Some(user)))).execute(conn)?)
}

pub enum Poll {
    SlowDown,
    Pending,
    Denied,
    Expired,
    /// The code never existed, or was exchanged before.
    Unknown,
    /// The person approved it. The code is used up and the session has begun.
    Approved {
        user: Box<UserRow>,
        session: Box<SessionRow>,
    },
}

/// An approval that a tray exchanges for a session.
#[derive(Clone, Debug)]
pub struct Approval {
    pub user: Id<User>,
    pub device_name: String,
    /// When the person signed in. The device proves nothing by itself, so its session counts as no fresher than the one
    /// that approved it.
    pub signed_in_at: UtcMs,
}

/// Answers a tray that asks for its tokens. An approved code is exchanged for the session that `begin` makes, if the
/// session that approved it is still live.
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
        // Two polls at once both read the row; the one that deletes it gets the session.
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
