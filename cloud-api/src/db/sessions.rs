//! Sign-ins and the rotation of their refresh tokens.
//!
//! A session knows two token ids: the one used last, and its successor that nobody has used yet. Presenting either is
//! honest: the first means that an answer was lost. Any other token of the session is a re-use.

use diesel::prelude::*;

use super::{
    DbError,
    conn::Conn,
    device_codes,
    schema::{sessions, users as people},
    types::DbId,
    users::{self, UserRow},
};
use crate::domain::time::UtcMs;

#[derive(Clone, Queryable, Identifiable, Insertable)]
#[diesel(table_name = sessions)]
pub struct SessionRow {
    /// The session, named in every token of it.
    pub id: DbId,
    pub user_id: DbId,
    /// What the client called itself.
    pub user_agent: Option<String>,
    /// When the person proved who they are.
    pub signed_in_at: UtcMs,
    /// When tokens were last handed out.
    pub refreshed_at: UtcMs,
    /// When it ends unless it is refreshed.
    pub expires_at: UtcMs,
    /// The refresh token used last.
    pub used_token: Option<DbId>,
    pub next_token: DbId,
}

/// What a request may do: session, person, role and consent in one look-up.
#[derive(Clone, Debug, Queryable)]
pub struct Standing {
    pub session_id: DbId,
    pub user_id: DbId,
    pub role: String,
    /// Their newest tracking consent.
    pub tracking_consent: bool,
    /// Whether they may do nothing until they consent.
    pub awaits_consent: bool,
    /// When they proved who they are.
    pub signed_in_at: UtcMs,
}

/// What became of a refresh token.
pub enum Rotation {
    Rotated(Box<UserRow>),
    /// It had been exchanged and its successor used: the session was ended.
    Reused,
    /// Its session is over.
    Unknown,
}

pub fn insert(conn: &mut Conn, session: &SessionRow) -> Result<(), DbError> {
    diesel::insert_into(sessions::table).values(session.clone()).execute(conn)?;
    Ok(())
}

/// Starts the session of somebody whose password was right: `verified` is the hash it was right for. False, and nothing
/// is started, when the account has another by now, or none.
pub fn insert_verified(conn: &mut Conn, session: &SessionRow, verified: Option<&str>) -> Result<bool, DbError> {
    let user = users::hold(conn, session.user_id)?;
    if verified.is_none() || user.is_none_or(|user| user.password_hash.as_deref() != verified) {
        return Ok(false);
    }
    insert(conn, session)?;
    Ok(true)
}

/// The standing of a live session, by its primary key. Whoever ends a session, or changes a role or a consent, holds the
/// person: after [`users::hold`] it is as it says until the transaction ends.
pub fn standing(conn: &mut Conn, id: DbId, now: UtcMs) -> Result<Option<Standing>, DbError> {
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

/// A refresh token that was presented, and what it is to be exchanged for.
#[derive(Clone, Copy, Debug)]
pub struct Exchange {
    /// The session that both belong to.
    pub session: DbId,
    /// The token that was presented.
    pub presented: DbId,
    /// The token that is to come after it.
    pub successor: DbId,
    /// When the session is to end unless it is refreshed again.
    pub expires_at: UtcMs,
}

/// Exchanges a refresh token, or ends the session when it was exchanged before and its successor used.
///
/// One conditional update decides, so that two replicas asked at once agree.
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
        // One whose time is over is left to retention, which knows when not to believe the clock.
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

/// Ends a session, and with it what it approved; its tokens are dead for every replica at once. False when there was
/// none.
pub fn end(conn: &mut Conn, id: DbId) -> Result<bool, DbError> {
    let own = sessions::table.filter(sessions::id.eq(id));
    let Some(user) = own.select(sessions::user_id).first(conn).optional()? else { return Ok(false) };
    users::hold(conn, user)?;
    Ok(diesel::delete(own).execute(conn)? > 0)
}

/// A person's live sessions, newest first.
pub fn of_user(conn: &mut Conn, user: DbId, now: UtcMs) -> Result<Vec<SessionRow>, DbError> {
    Ok(sessions::table
        .filter(sessions::user_id.eq(user).and(sessions::expires_at.gt(now)))
        .order((sessions::refreshed_at.desc(), sessions::id.desc()))
        .load(conn)?)
}

/// Ends one of a person's sessions, and with it what it approved; false when it is not theirs. The caller holds the
/// person.
pub fn end_one_of(conn: &mut Conn, user: DbId, session: DbId) -> Result<bool, DbError> {
    let own = sessions::id.eq(session).and(sessions::user_id.eq(user));
    Ok(diesel::delete(sessions::table.filter(own)).execute(conn)? > 0)
}

/// Ends all of a person's sessions but one, and those that would begin when a device asks for its tokens.
pub fn end_others(conn: &mut Conn, user: DbId, kept: DbId) -> Result<(), DbError> {
    users::hold(conn, user)?;
    device_codes::forget_approved(conn, user)?;
    let others = sessions::user_id.eq(user).and(sessions::id.ne(kept));
    diesel::delete(sessions::table.filter(others)).execute(conn)?;
    Ok(())
}
