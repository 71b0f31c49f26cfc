//! A new password by a one-time link that an operator made.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Payload},
};

use crate::{
    db::{
        DbError, one_time, sessions,
        types::DbId,
        users::{self, Change},
    },
    domain::account,
    error::{ApiError, ApiResult},
    http::body,
    state::State,
};

/// What the link is for.
pub const PURPOSE: &str = "password_reset";

/// How long the link lives, in milliseconds.
pub const LIFE_MS: i64 = 24 * 60 * 60_000;

/// Set a new password by a one-time link.
#[utoipa::path(
    post,
    path = "/api/auth/reset",
    tag = "sign-in",
    security(()),
    request_body = blink_proto::http::ResetRequest,
    responses((status = 204), (status = 401)),
)]
pub async fn reset(req: HttpRequest, payload: Payload, state: Data<State>) -> ApiResult {
    let mut fields = body::object(&req, payload).await?;
    let token = fields.text("token", |text| Ok(text.to_owned()));
    let password = fields.text("password", account::new_password);
    let (Some(token), Some(password)) = (token, password) else { return Err(ApiError::invalid(fields.wrong())) };
    let (known, now) = (token.clone(), state.clock.now());
    // Before the password is hashed: that work is not for anybody who asks.
    if !state.db.read(move |conn| one_time::is_live(conn, &known, PURPOSE, now)).await? {
        return Err(invalid_link());
    }
    let hash = state.passwords.hash(password).await?;
    let done = state
        .db
        .write(move |conn| -> Result<bool, DbError> {
            let Some(user) = one_time::take(conn, &token, PURPOSE, now)? else { return Ok(false) };
            let change = Change { password_hash: Some(hash.clone()), ..Change::default() };
            users::change(conn, user, &change)?;
            sessions::end_others(conn, user, DbId(uuid::Uuid::nil()))?;
            Ok(true)
        })
        .await?;
    if done {
        return Ok(HttpResponse::NoContent().finish());
    }
    Err(invalid_link())
}

fn invalid_link() -> ApiError {
    let message = "The link was used or has ended: ask the operator for a new one.";
    ApiError::new(StatusCode::UNAUTHORIZED, "invalid_link", message)
}
