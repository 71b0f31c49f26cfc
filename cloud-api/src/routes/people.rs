//! A person's own account: read, changed, erased.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Payload},
};
use blink_proto::{Secret, http::User};
use serde_json::json;

use super::State;
use crate::{
    auth::principal::Principal,
    db::{
        DbError, erase, sessions,
        users::{self, Change, UserRow},
    },
    domain::account,
    error::{ApiError, ApiResult},
    http::body,
    ledger::What,
};

/// How fresh a sign-in must be to stand in for the password.
const FRESH_SIGN_IN_MS: i64 = 5 * 60_000;

/// `GET /api/user/me`.
///
/// # Errors
/// 401 without a live session.
pub async fn me(who: Principal, state: Data<State>) -> ApiResult {
    Ok(HttpResponse::Ok().json(User::from(row(&who, &state).await?)))
}

async fn row(who: &Principal, state: &State) -> Result<UserRow, ApiError> {
    let user = who.user.into();
    state.db.read(move |conn| users::by_id(conn, user)).await?.ok_or_else(ApiError::unauthenticated)
}

/// 409 for an address that has an account.
#[must_use]
pub fn email_taken() -> ApiError {
    ApiError::new(StatusCode::CONFLICT, "email_taken", "There is an account with this address already.")
}

async fn require_password(state: &State, given: Secret, row: &UserRow) -> Result<(), ApiError> {
    if state.passwords.verify(given, row.password_hash.clone()).await? {
        return Ok(());
    }
    Err(ApiError::forbidden("wrong_password", "The password is wrong."))
}

/// `PATCH /api/user/me`: `{name?, timezone?, email?, password?, current_password?}` -> 200 with the person as they are
/// now. A new address or password needs the current password; a new password ends every other session.
///
/// # Errors
/// 403 for a wrong password, 409 for a taken address, 422 naming the fields.
pub async fn change(who: Principal, req: HttpRequest, payload: Payload, state: Data<State>) -> ApiResult {
    let mut fields = body::object(&req, payload).await?;
    let name = fields.nullable_text("name", account::name).map(Option::flatten);
    let timezone = fields.optional_text("timezone", account::time_zone);
    let email = fields.optional_text("email", account::Email::parse);
    let password = fields.optional_text("password", account::new_password);
    let current = fields.optional_text("current_password", account::given_password);
    let row = row(&who, &state).await?;
    let guarded = email.is_some() || password.is_some();
    if guarded && current.is_none() && row.password_hash.is_some() {
        fields.refuse::<()>("current_password", "is required to change the address or the password");
    }
    fields.finish()?;
    match current {
        Some(current) if guarded => require_password(&state, current, &row).await?,
        // Somebody without a password sets the first one while their sign-in elsewhere is fresh.
        _ if guarded => require_fresh_sign_in(&who, &state)?,
        _ => {}
    }
    let password_hash = match password {
        Some(password) => Some(state.passwords.hash(password).await?),
        None => None,
    };
    let new_password = password_hash.is_some();
    let (email, email_key) = email.map(|email| (email.address, email.key)).unzip();
    let change = Change { email, email_key, name, timezone, password_hash };
    let user = who.user.into();
    let changed = state
        .db
        .write(move |conn| {
            users::change(conn, user, &change)?;
            if new_password {
                sessions::end_others(conn, user, who.session)?;
            }
            users::by_id(conn, user)
        })
        .await;
    match changed {
        Ok(Some(row)) => Ok(HttpResponse::Ok().json(User::from(row))),
        Ok(None) => Err(ApiError::unauthenticated()),
        Err(e) if e.is_unique_violation() => Err(email_taken()),
        Err(e) => Err(e.into()),
    }
}

fn require_fresh_sign_in(who: &Principal, state: &State) -> Result<(), ApiError> {
    if state.clock.now() <= who.signed_in_at.plus(FRESH_SIGN_IN_MS) {
        return Ok(());
    }
    Err(ApiError::forbidden(
        "fresh_sign_in_required",
        "Give the password, or sign in again: without it the sign-in must be under 5 minutes old.",
    ))
}

/// `DELETE /api/user/me`: `{password}`, or a sign-in under five minutes old -> 200 with a receipt of what was removed,
/// from where.
///
/// # Errors
/// 403 for a wrong password or an old sign-in.
pub async fn erase(who: Principal, req: HttpRequest, payload: Payload, state: Data<State>) -> ApiResult {
    let mut fields = body::optional_object(&req, payload).await?;
    let password = fields.optional_text("password", account::given_password);
    fields.finish()?;
    let row = row(&who, &state).await?;
    match password {
        Some(password) => require_password(&state, password, &row).await?,
        None => require_fresh_sign_in(&who, &state)?,
    }
    let user = who.user.into();
    state.remember(who.user, What::Erased).await?;
    let removed =
        state.db.write(move |conn| erase::person(conn, user)).await.map_err(|e: DbError| ApiError::from(e))?;
    state.db.scrub().await;
    Ok(HttpResponse::Ok().json(json!({
        "user_id": who.user,
        "erased_at": state.clock.now().timestamp(),
        "stores": [{"store": "database", "status": "done", "removed": removed}],
    })))
}
