//! Reading, changing and erasing a person's own account.

use std::{collections::BTreeMap, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path, Payload},
};
use blink_proto::{
    Secret,
    http::{ErasureReceipt, ErasureStatus, Role, StoreErasure, User},
};
use serde::{Deserialize, Serialize};

use super::{accounts, admin::last_admin};
use crate::{
    archive::removals,
    db::{
        archive_removals::{self, ReceiptRow, RemovalRow},
        conn::Conn,
        erase,
        id::{self, Id},
        oidc, sessions,
        users::{self, Change, UserRow},
    },
    domain::account,
    domain::time::UtcMs,
    error::{ApiError, ApiResult},
    failure::chain,
    http::{body, to_its_end},
    ledger::Ledger,
    principal::Principal,
    state::{Begun, State, Whom},
};

/// Longest time that an erasure waits for the archive's store before its receipt says `pending`.
const REMOVAL_BOUND: Duration = Duration::from_secs(2);

/// The counts of what was removed from one store, in the form stored with the receipt.
#[derive(Serialize, Deserialize)]
struct FromStore {
    store: String,
    removed: BTreeMap<String, u64>,
}

impl FromStore {
    fn new(store: &str, removed: impl Serialize) -> Result<Self, ApiError> {
        let counts = serde_json::to_value(removed).and_then(serde_json::from_value);
        let removed = counts.map_err(|e| ApiError::internal(chain(&e)))?;
        Ok(Self { store: store.to_owned(), removed })
    }
}

/// An erasure whose transaction has not committed yet.
struct Erasure {
    at: UtcMs,
    stores: Vec<FromStore>,
    /// The removals of archived objects that this request has taken, so that the archive job leaves them to it and the
    /// receipt need not say that they wait.
    taken: Vec<RemovalRow>,
}

/// Removes the caller inside their write transaction and writes the receipt. The ledger's entry comes last, when
/// nothing but the commit can fail.
fn erase_now(
    conn: &mut Conn,
    who: &Principal,
    id: Id<id::Erasure>,
    archived: bool,
    (ledger, lines): (&Ledger, &Begun),
) -> Result<Erasure, ApiError> {
    let (user, at) = (Id::from(who.user), who.at);
    if who.role == Role::Admin {
        users::hold_roles(conn)?;
        if users::is_last_admin(conn, user)? {
            return Err(last_admin());
        }
    }
    let erased = erase::person(conn, user, Some(id), at)?;
    let mut stores = vec![FromStore::new("database", erased.database)?];
    if archived || erased.archive != archive_removals::Removed::default() {
        stores.push(FromStore::new("archive", erased.archive)?);
    }
    let taken = if archived { removals::take(conn, Some(id), at)? } else { Vec::new() };
    let kept = serde_json::to_string(&stores).map_err(|e| ApiError::internal(chain(&e)))?;
    archive_removals::record(conn, &ReceiptRow { id, erased_at: at, stores: kept })?;
    lines.remember(ledger, at, Whom::Account(who.user))?;
    Ok(Erasure { at, stores, taken })
}

/// Who I am.
#[utoipa::path(
    get,
    path = "/api/user/me",
    tag = "me",
    responses((status = 200, body = blink_proto::http::User)),
)]
pub(crate) async fn me(who: Principal, state: Data<State>) -> ApiResult {
    Ok(HttpResponse::Ok().json(User::from(row(&who, &state).await?)))
}

async fn row(who: &Principal, state: &State) -> Result<UserRow, ApiError> {
    let user = who.user.into();
    state.db.read(move |conn| users::by_id(conn, user)).await?.ok_or_else(ApiError::unauthenticated)
}

#[must_use]
pub(crate) fn email_taken() -> ApiError {
    ApiError::new(StatusCode::CONFLICT, "email_taken", "There is an account with this address already.")
}

/// Checks the password. Failures count as failed sign-ins, so that a stolen session cannot be used to guess it.
async fn require_password(state: &State, req: &HttpRequest, given: Secret, row: &UserRow) -> Result<(), ApiError> {
    if state.is_password(given, &row.email_key, row.password_hash.clone(), state.peer(req)).await? {
        return Ok(());
    }
    Err(wrong_password())
}

/// Change name, time zone, address or password.
#[utoipa::path(
    patch,
    path = "/api/user/me",
    tag = "me",
    request_body = blink_proto::http::UserChange,
    responses((status = 200, body = blink_proto::http::User), (status = 403), (status = 409), (status = 429)),
)]
pub(crate) async fn change(who: Principal, req: HttpRequest, payload: Payload, state: Data<State>) -> ApiResult {
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
    if email.is_some() {
        // The answer tells whether the address has an account.
        state.limits.new_accounts(state.peer(&req))?;
    }
    // A person without a password may set a first one if they signed in through the provider a short time ago.
    let by_sign_in = guarded && current.is_none();
    match current {
        Some(current) if guarded => require_password(&state, &req, current, &row).await?,
        _ if by_sign_in => who.require_fresh_sign_in()?,
        _ => {}
    }
    if let Some(email) = email.as_ref().filter(|email| email.key != row.email_key) {
        accounts::may_have(&state.access.registration, email)?;
    }
    let password_hash = match password {
        Some(password) => Some(state.passwords.hash(password).await?),
        None => None,
    };
    let new_password = password_hash.is_some();
    let (email, email_key) = email.map(|email| (email.address, email.key)).unzip();
    let change = Change { email, email_key, name, timezone, password_hash };
    let issuer = state.oidc.as_ref().map(|provider| provider.issuer().to_owned());
    let changed = who.write(&state, move |conn, who| {
        if by_sign_in {
            who.require_fresh_sign_in()?;
        }
        if guarded {
            require_same_password(conn, who, row.password_hash.as_deref())?;
        }
        let user = Id::from(who.user);
        require_proof(conn, &row, &change, issuer.as_deref())?;
        users::change(conn, user, &change)
            .map_err(|e| if e.is_unique_violation() { email_taken() } else { ApiError::from(e) })?;
        if new_password {
            sessions::end_others(conn, user, who.session)?;
        }
        users::by_id(conn, user)?.ok_or_else(ApiError::unauthenticated)
    });
    Ok(HttpResponse::Ok().json(User::from(changed.await?)))
}

/// Refuses another address to a person whom the provider knows: nobody would have proved it, and its owner could not take
/// it over, because a linked account goes to nobody.
fn require_proof(conn: &mut Conn, row: &UserRow, change: &Change, issuer: Option<&str>) -> Result<(), ApiError> {
    let Some(issuer) = issuer.filter(|_| change.email_key.as_ref().is_some_and(|key| *key != row.email_key)) else {
        return Ok(());
    };
    if !oidc::is_linked(conn, issuer, row.id)? {
        return Ok(());
    }
    let message = "Your address is the one that you sign in with elsewhere: change it there, then sign in from there.";
    Err(ApiError::forbidden("email_of_provider", message))
}

/// Checks, inside the transaction that relies on it, that the password hash compared earlier (or its absence) is still
/// the account's.
fn require_same_password(conn: &mut Conn, who: &Principal, compared: Option<&str>) -> Result<(), ApiError> {
    let row = users::by_id(conn, who.user.into())?.ok_or_else(ApiError::unauthenticated)?;
    if row.password_hash.as_deref() == compared { Ok(()) } else { Err(wrong_password()) }
}

fn wrong_password() -> ApiError {
    ApiError::forbidden("wrong_password", "The password is wrong.")
}

/// Erase everything, with a receipt.
#[utoipa::path(
    delete,
    path = "/api/user/me",
    tag = "me",
    request_body = Option<blink_proto::http::Erase>,
    responses((status = 200, body = blink_proto::http::ErasureReceipt), (status = 403), (status = 409), (status = 429)),
)]
pub(crate) async fn erase(who: Principal, req: HttpRequest, payload: Payload, state: Data<State>) -> ApiResult {
    let mut fields = body::optional_object(&req, payload).await?;
    let password = fields.optional_text("password", account::given_password);
    fields.finish()?;
    let row = row(&who, &state).await?;
    let by_password = password.is_some();
    match password {
        Some(password) => require_password(&state, &req, password, &row).await?,
        None => who.require_fresh_sign_in()?,
    }
    to_its_end(carry_out(who, state, by_password, row)).await
}

/// Erases the caller, who has proved who they are. It must run to its end: what follows the transaction cleans up, and
/// takes back the ledger's line if the transaction failed.
async fn carry_out(who: Principal, state: Data<State>, by_password: bool, row: UserRow) -> ApiResult {
    let (id, archived, ledger) = (Id::random(), state.archive.is_some(), state.ledger.clone());
    let begun = Begun::default();
    let lines = begun.clone();
    let turn = move |conn: &mut Conn, who: &Principal| {
        if by_password {
            require_same_password(conn, who, row.password_hash.as_deref())?;
        } else {
            who.require_fresh_sign_in()?;
        }
        erase_now(conn, who, id, archived, (&ledger, &lines))
    };
    // Only an admin's erasure takes the lock on roles, so that other erasures need not wait for each other.
    let erased =
        if who.role == Role::Admin { who.write_roles(&state, turn).await } else { who.write(&state, turn).await };
    let Erasure { at, stores, taken } = erased.inspect_err(|_| state.take_back(&begun))?;
    let user = Id::from(who.user);
    if let Some(archive) = &state.archive {
        archive.keys.forget(user);
        // Usually the store answers in time and the receipt can say so; otherwise the archive job removes them later.
        let removed = removals::remove(archive, &state.db, Some(id), taken, &state.clock);
        if let Ok(Err(e)) = tokio::time::timeout(REMOVAL_BOUND, removed).await {
            tracing::warn!(cause = chain(&e), "an erased person's objects are not all gone yet; it is tried again");
        }
    }
    state.desk.catch_up(&state.db).await;
    state.db.scrub(at).await;
    let receipt = receipt_of(&state, id, at, stores).await?;
    Ok(HttpResponse::Ok().json(ErasureReceipt { user_id: Some(who.user), ..receipt }))
}

/// The receipt of an erasure, as it stands now.
#[utoipa::path(
    get,
    path = "/api/erasures/{id}",
    tag = "me",
    security(()),
    params(("id" = String, Path)),
    responses((status = 200, body = blink_proto::http::ErasureReceipt), (status = 404), (status = 429)),
)]
pub(crate) async fn receipt(req: HttpRequest, id: Path<String>, state: Data<State>) -> ApiResult {
    state.limits.anonymous(state.peer(&req))?;
    let id = id.parse().map_err(|_| ApiError::not_found())?;
    let kept = state.db.read(move |conn| archive_removals::receipt(conn, id)).await?;
    let ReceiptRow { erased_at, stores, .. } = kept.ok_or_else(ApiError::not_found)?;
    let stores = serde_json::from_str(&stores).map_err(|_| ApiError::internal("a receipt is damaged"))?;
    Ok(HttpResponse::Ok().json(receipt_of(&state, id, erased_at, stores).await?))
}

async fn receipt_of(
    state: &State,
    id: Id<id::Erasure>,
    erased_at: UtcMs,
    stores: Vec<FromStore>,
) -> Result<ErasureReceipt, ApiError> {
    let pending = state.db.read(move |conn| archive_removals::pending(conn, id)).await?;
    let pending = u64::try_from(pending).unwrap_or_default();
    let of_store = |FromStore { store, removed }: FromStore| {
        let of_archive = store == "archive";
        let waits = if of_archive { pending > 0 } else { !state.db.is_scrubbed(erased_at) };
        StoreErasure {
            store,
            status: if waits { ErasureStatus::Pending } else { ErasureStatus::Done },
            removed,
            objects_pending: (of_archive && waits).then_some(pending),
        }
    };
    let stores = stores.into_iter().map(of_store).collect();
    Ok(ErasureReceipt { receipt_id: id.0, erased_at: erased_at.timestamp(), user_id: None, stores })
}
