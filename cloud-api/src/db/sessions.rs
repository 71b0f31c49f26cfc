//! Sessions and the rotation of their refresh tokens.
//!
//! A session stores two token ids: the one used last, and its successor, which has not been used yet. Presenting either
//! is legitimate: the first means that the answer with the successor was lost. Any other token of the session was
//! reused, so it may be stolen.

use diesel::prelude::*;

use super::{
    DbError,
    conn::Conn,
    device_codes,
    id::{Id, RefreshToken, Session, User},
    schema::{sessions, users as people},
    users::{self, UserRow},
};
use crate::domain::time::UtcMs;

#[derive(Clone, Queryable, Identifiable, Insertable)]
#[diesel(table_name = sessions)]
pub struct SessionRow {
    /// Every token of the session names this id.
    pub id: Id<Session>,
    pub user_id: Id<User>,
    pub user_agent: Option<String>,
    pub signed_in_at: UtcMs,
    /// When tokens were last issued.
    pub refreshed_at: UtcMs,
    /// When the session ends unless it is refreshed.
    pub expires_at: UtcMs,
    pub used_token: Option<Id<RefreshToken>>,
    pub next_token: Id<RefreshToken>,
}

/// What a request's rights follow from: session, person, role and consent, read in one query.
#[derive(Clone, Debug, Queryable)]
pub struct Standing {
    pub session_id: Id<Session>,
    pub user_id: Id<User>,
    pub role: String,
    pub tracking_consent: bool,
    /// Whether the person may do nothing before they consent.
    pub awaits_consent: bool,
    pub signed_in_at: UtcMs,
}

pub enum Rotation {
    Rotated(Box<UserRow>),
    /// The token was exchanged and its successor used before, so the session was ended.
    Reused,
    Unknown,
}

/// The most sessions of a person.
const MAX_SESSIONS: i64 = 100;

/// Starts a session. If the person has as many as they may have, the one that was unused longest ends. The caller has
/// locked the person, or has just made them.
pub fn insert(conn: &mut Conn, session: &SessionRow) -> Result<(), DbError> {
    let newest_first = (sessions::refreshed_at.desc(), sessions::id.desc());
    let own = sessions::table.filter(sessions::user_id.eq(session.user_id)).order(newest_first);
    let surplus: Vec<Id<Session>> = own.select(sessions::id).offset(MAX_SESSIONS - 1).limit(1_000).load(conn)?;
    diesel::delete(sessions::table.filter(sessions::id.eq_any(surplus))).execute(conn)?;
    diesel::insert_into(sessions::table).values(session.clone()).execute(conn)?;
    Ok(())
}

/// Begins a session after a password was verified against the hash `verified`. False, and no session, when the
/// account's hash has changed or is gone meanwhile.
pub fn insert_verified(conn: &mut Conn, session: &SessionRow, verified: Option<&str>) -> Result<bool, DbError> {
    let user = users::hold(conn, session.user_id)?;
    if verified.is_none() || user.is_none_or(|user| user.password_hash.as_deref() != verified) {
        return Ok(false);
    }
    insert(conn, session)?;
    Ok(true)
}

/// The standing of a live session. Whoever ends a session or changes a role or a consent locks the person first, so
/// after [`users::hold`] the standing stays valid until the transaction ends.
pub fn standing(conn: &mut Conn, id: Id<Session>, now: UtcMs) -> Result<Option<Standing>, DbError> {
    Ok(sessions::table
        .inner_join(people::table)
        .filter(sessions::id.eq(id).and(sessions::expires_at.gt(now)))
        .select((
            sessions::id,
            sessions::user_id,
            people::role,
            people::tracking_consent,
            people::awaits_consent,
            sessions::signed_in_at,
        ))
        .first(conn)
        .optional()?)
}

#[derive(Clone, Copy, Debug)]
pub struct Exchange {
    pub session: Id<Session>,
    /// The token that the client presented.
    pub presented: Id<RefreshToken>,
    /// The token that is issued in its place.
    pub successor: Id<RefreshToken>,
    /// The new end of the session.
    pub expires_at: UtcMs,
}

/// Exchanges a refresh token, or ends the session if the token was reused. One conditional update decides, so that two
/// replicas asked at once agree.
pub fn rotate(conn: &mut Conn, exchange: Exchange, now: UtcMs) -> Result<Rotation, DbError> {
    let Exchange { session, presented, successor, expires_at } = exchange;
    let live = sessions::id.eq(session).and(sessions::expires_at.gt(now));
    let honest = sessions::used_token.eq(Some(presented)).or(sessions::next_token.nullable().eq(Some(presented)));
    let rotated = diesel::update(sessions::table.filter(live.and(honest)))
        .set((
            sessions::used_token.eq(Some(presented)),
            sessions::next_token.eq(successor),
            sessions::refreshed_at.eq(now),
            sessions::expires_at.eq(expires_at),
        ))
        .execute(conn)?;
    if rotated == 0 {
        // An expired session is left to retention, which first judges whether the clock is plausible.
        let is_live: bool = diesel::select(diesel::dsl::exists(sessions::table.filter(live))).get_result(conn)?;
        return Ok(if is_live && end(conn, session)? { Rotation::Reused } else { Rotation::Unknown });
    }
    let user = sessions::table
        .inner_join(people::table)
        .filter(sessions::id.eq(session))
        .select(people::all_columns)
        .first::<UserRow>(conn)?;
    Ok(Rotation::Rotated(Box::new(user)))
}

/// Ends a session and the approvals given in it; its tokens become invalid on all replicas at once. False when there
/// was no such session.
pub fn end(conn: &mut Conn, id: Id<Session>) -> Result<bool, DbError> {
    let own = sessions::table.filter(sessions::id.eq(id));
    let Some(user) = own.select(sessions::user_id).first(conn).optional()? else { return Ok(false) };
    users::hold(conn, user)?;
    Ok(diesel::delete(own).execute(conn)? > 0)
}

/// A person's live sessions, the last refreshed first.
pub fn of_user(conn: &mut Conn, user: Id<User>, now: UtcMs) -> Result<Vec<SessionRow>, DbError> {
    Ok(sessions::table
        .filter(sessions::user_id.eq(user).and(sessions::expires_at.gt(now)))
        .order((sessions::refreshed_at.desc(), sessions::id.desc()))
        .load(conn)?)
}

/// Ends one of a person's sessions and the approvals given in it; false when it is not theirs. The caller has locked
/// the person.
pub fn end_one_of(conn: &mut Conn, user: Id<User>, session: Id<Session>) -> Result<bool, DbError> {
    let own = sessions::id.eq(session).and(sessions::user_id.eq(user));
    Ok(diesel::delete(sessions::table.filter(own)).execute(conn)? > 0)
}

/// Ends all of a person's sessions but `kept`, and deletes approved device codes, which would begin new ones.
pub fn end_others(conn: &mut Conn, user: Id<User>, kept: Id<Session>) -> Result<(), DbError> {
    users::hold(conn, user)?;
    device_codes::forget_approved(conn, user)?;
    let others = sessions::user_id.eq(user).and(sessions::id.ne(kept));
    diesel::delete(sessions::table.filter(others)).execute(conn)?;
    Ok(())
}
