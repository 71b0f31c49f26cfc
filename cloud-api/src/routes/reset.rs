//! Sets a new password by a one-time link that an operator made.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Payload},
};
use blink_proto::Secret;

use crate::{
    db::{
        DbError, attempts,
        id::Id,
        one_time, sessions,
        users::{self, Change},
    },
    domain::{account, fields::Fields},
    error::{ApiError, ApiResult},
    http::body,
    state::State,
};

/// The purpose stored with the link's token.
pub const PURPOSE: &str = "password_reset";

/// Lifetime of the link, in milliseconds.
pub const LIFE_MS: i64 = 24 * 60 * 60_000;

/// Set a new password by a one-time link.
#[utoipa::path(
    post,
    path = "/api/auth/reset",
    tag = "sign-in",
    security(()),
    request_body = blink_proto::http::ResetRequest,
    responses((status = 204), (status = 401), (status = 429)),
)]
pub async fn reset(req: HttpRequest, payload: Payload, state: Data<State>) -> ApiResult {
    state.limits.anonymous(state.peer(&req))?;
    let (token, password) = read(body::object(&req, payload).await?)?;
    let (known, now) = (token.clone(), state.clock.now());
    // The link is checked before the password is hashed, because hashing is too costly to do for every caller.
    if !state.db.read(move |conn| one_time::is_live(conn, &known, PURPOSE, now)).await? {
        return Err(invalid_link());
    }
    let hash = state.passwords.hash(password).await?;
    let limits = state.limits.clone();
    let done = state
        .db
        .write(move |conn| -> Result<bool, DbError> {
            let Some(user) = one_time::take(conn, &token, PURPOSE, now)? else { return Ok(false) };
            let change = Change { password_hash: Some(hash.clone()), ..Change::default() };
            users::change(conn, user, &change)?;
            // An attacker who kept the account locked with failed sign-ins must not lock its owner out after the reset.
            if let Some(row) = users::by_id(conn, user)? {
                attempts::forget(conn, &limits.account_key(&row.email_key))?;
            }
            sessions::end_others(conn, user, Id::NIL)?;
            Ok(true)
        })
        .await?;
    if done {
        return Ok(HttpResponse::NoContent().finish());
    }
    Err(invalid_link())
}

fn read(mut fields: Fields) -> Result<(String, Secret), ApiError> {
    let token = fields.text("token", |text| Ok(text.to_owned()));
    let password = fields.text("password", account::new_password);
    token.zip(password).ok_or_else(|| ApiError::invalid(fields.wrong()))
}

fn invalid_link() -> ApiError {
    let message = "The link was used or has ended: ask the operator for a new one.";
    ApiError::new(StatusCode::UNAUTHORIZED, "invalid_link", message)
}
