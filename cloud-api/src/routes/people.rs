//! A person's own account: read, changed, erased.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path, Payload},
};
use blink_proto::{Secret, http::User};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    archive::removals,
    db::{
        DbError, archive_removals, erase, sessions,
        types::DbId,
        users::{self, Change, UserRow},
    },
    domain::account,
    domain::time::UtcMs,
    error::{ApiError, ApiResult},
    failure::chain,
    http::body,
    ledger::What,
    principal::Principal,
    state::State,
};

/// How fresh a sign-in must be to stand in for the password.
const FRESH_SIGN_IN_MS: i64 = 5 * 60_000;

/// How long an erasure waits for the archive's store before its receipt says `pending`.
const REMOVAL_BOUND: Duration = Duration::from_secs(2);

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

/// Counted as a sign-in is: whoever has taken a session must not find the password by trying.
async fn require_password(state: &State, req: &HttpRequest, given: Secret, row: &UserRow) -> Result<(), ApiError> {
    if state.is_password(given, &row.email_key, row.password_hash.clone(), state.peer(req)).await? {
        return Ok(());
    }
    Err(ApiError::forbidden("wrong_password", "The password is wrong."))
}

/// `PATCH /api/user/me`: `{name?, timezone?, email?, password?, current_password?}` -> 200 with the person as they are
/// now. A new address or password needs the current password; a new password ends every other session.
///
/// # Errors
/// 403 for a wrong password, 409 for a taken address, 422 naming the fields, 429.
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
        Some(current) if guarded => require_password(&state, &req, current, &row).await?,
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
    let (user, now) = (who.user.into(), state.clock.now());
    let changed = state
        .db
        .write(move |conn| {
            // While the password was looked at, the account may have become another's.
            if !sessions::still_live(conn, user, who.session, now)? {
                return Ok(None);
            }
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
/// from where. Objects of the archive go after it; `GET /api/erasures/{receipt_id}` says when they are gone.
///
/// # Errors
/// 403 for a wrong password or an old sign-in, 429.
pub async fn erase(who: Principal, req: HttpRequest, payload: Payload, state: Data<State>) -> ApiResult {
    let mut fields = body::optional_object(&req, payload).await?;
    let password = fields.optional_text("password", account::given_password);
    fields.finish()?;
    let row = row(&who, &state).await?;
    match password {
        Some(password) => require_password(&state, &req, password, &row).await?,
        None => require_fresh_sign_in(&who, &state)?,
    }
    let (user, id, now) = (DbId::from(who.user), DbId(Uuid::new_v4()), state.clock.now());
    let archived = state.archive.is_some();
    state.remember(who.user, What::Erased).await?;
    let stores = state
        .db
        .write(move |conn| -> Result<Option<Value>, DbError> {
            if !sessions::still_live(conn, user, who.session, now)? {
                // The account went over to somebody else meanwhile.
                return Ok(None);
            }
            let erased = erase::person(conn, user, Some(id), now)?;
            let mut stores = vec![json!({"store": "database", "removed": erased.database})];
            if archived || erased.archive != archive_removals::Removed::default() {
                stores.push(json!({"store": "archive", "removed": erased.archive}));
            }
            let stores = Value::Array(stores);
            archive_removals::record(conn, id, now, &stores.to_string())?;
            Ok(Some(stores))
        })
        .await?;
    let Some(stores) = stores else { return Err(ApiError::unauthenticated()) };
    if let Some(archive) = &state.archive {
        archive.keys.forget(user);
        // Most of the time the store is there, and the receipt can say so; else the job goes on.
        let removed = removals::remove_due(archive, &state.db, Some(id), &state.clock);
        if let Ok(Err(e)) = tokio::time::timeout(REMOVAL_BOUND, removed).await {
            tracing::warn!(cause = chain(&e), "an erased person's objects are not all gone yet; it is tried again");
        }
    }
    state.db.scrub().await;
    let mut receipt = receipt_of(&state, id, now, stores).await?;
    receipt["user_id"] = json!(who.user);
    Ok(HttpResponse::Ok().json(receipt))
}

/// `GET /api/erasures/{id}`: the receipt of an erasure, as it stands now. Whoever has its id may look; it names nobody.
///
/// # Errors
/// 404 for an id that is none, and a year after the erasure.
pub async fn receipt(id: Path<String>, state: Data<State>) -> ApiResult {
    let id = DbId(id.parse::<Uuid>().map_err(|_| ApiError::not_found())?);
    let kept = state.db.read(move |conn| archive_removals::receipt(conn, id)).await?;
    let (erased_at, stores) = kept.ok_or_else(ApiError::not_found)?;
    let stores = serde_json::from_str(&stores).map_err(|_| ApiError::internal("a receipt is damaged"))?;
    Ok(HttpResponse::Ok().json(receipt_of(&state, id, erased_at, stores).await?))
}

async fn receipt_of(state: &State, id: DbId, erased_at: UtcMs, mut stores: Value) -> Result<Value, ApiError> {
    let pending = state.db.read(move |conn| archive_removals::pending(conn, id)).await?;
    for store in stores.as_array_mut().into_iter().flatten() {
        let waits = store["store"] == "archive" && pending > 0;
        store["status"] = json!(if waits { "pending" } else { "done" });
        if waits {
            store["objects_pending"] = json!(pending);
        }
    }
    Ok(json!({"receipt_id": id.0, "erased_at": erased_at.timestamp(), "stores": stores}))
}
