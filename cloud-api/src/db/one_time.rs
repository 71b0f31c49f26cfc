//! One-time links. Only the hash of a token is stored, so that nobody can use a link with the database alone.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use blink_proto::Secret;
use diesel::prelude::*;
use sha2::{Digest as _, Sha256};

use super::{
    DbError,
    conn::Conn,
    id::{Id, User},
    schema::one_time_tokens,
};
use crate::domain::time::UtcMs;

/// Makes a token for `purpose`; the person's earlier tokens for it become invalid.
pub fn create(conn: &mut Conn, user: Id<User>, purpose: &str, expires_at: UtcMs) -> Result<Secret, DbError> {
    let token = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
    let earlier = one_time_tokens::user_id.eq(user).and(one_time_tokens::purpose.eq(purpose));
    diesel::delete(one_time_tokens::table.filter(earlier)).execute(conn)?;
    diesel::insert_into(one_time_tokens::table)
        .values((
            one_time_tokens::token_hash.eq(hash(&token)),
            one_time_tokens::user_id.eq(user),
            one_time_tokens::purpose.eq(purpose),
            one_time_tokens::expires_at.eq(expires_at),
        ))
        .execute(conn)?;
    Ok(Secret::new(token))
}

pub fn is_live(conn: &mut Conn, token: &str, purpose: &str, now: UtcMs) -> Result<bool, DbError> {
    let live = one_time_tokens::token_hash
        .eq(hash(token))
        .and(one_time_tokens::purpose.eq(purpose))
        .and(one_time_tokens::expires_at.gt(now));
    Ok(diesel::select(diesel::dsl::exists(one_time_tokens::table.filter(live))).get_result(conn)?)
}

/// Uses a token up; `None` when it was used, has expired, or never existed.
pub fn take(conn: &mut Conn, token: &str, purpose: &str, now: UtcMs) -> Result<Option<Id<User>>, DbError> {
    let live = one_time_tokens::token_hash
        .eq(hash(token))
        .and(one_time_tokens::purpose.eq(purpose))
        .and(one_time_tokens::expires_at.gt(now));
    let user = one_time_tokens::table.filter(live).select(one_time_tokens::user_id).first(conn).optional()?;
    let Some(user) = user else { return Ok(None) };
    // If two requests read the same token, the one that deletes it may use it.
    let taken =
        diesel::delete(one_time_tokens::table.filter(one_time_tokens::token_hash.eq(hash(token)))).execute(conn)?;
    Ok((taken == 1).then_some(user))
}

/// Deletes a person's links and returns how many there were.
pub fn forget_all(conn: &mut Conn, user: Id<User>) -> Result<usize, DbError> {
    Ok(diesel::delete(one_time_tokens::table.filter(one_time_tokens::user_id.eq(user))).execute(conn)?)
}

fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}
