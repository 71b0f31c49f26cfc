//! Signing in through an OpenID provider. The paths say google, as the plan did; the provider is configuration.

use std::collections::BTreeMap;

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite, time::Duration},
    http::{StatusCode, header::LOCATION},
    web::{Data, Query},
};

use super::{State, accounts};
use crate::{
    auth::oidc::{self as provider, OidcError, Person},
    db::{
        DbError,
        oidc::{self, Pending},
        sessions,
        types::DbId,
        users::{self, UserRow},
    },
    domain::account,
    error::{ApiError, ApiResult},
    failure::chain,
};

/// How long a sign-in may take at the provider, in milliseconds.
const LIFE_MS: i64 = 10 * 60_000;

/// Binds the sign-in to the browser that began it: nobody can be signed in to another's account by a link.
const COOKIE: &str = "waw_oidc";

fn not_configured() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "not_configured", "This server has no sign-in through a provider.")
}

fn failed(e: &OidcError) -> ApiError {
    let mut error = match e {
        OidcError::Token(_) => ApiError::new(
            StatusCode::UNAUTHORIZED,
            "sign_in_failed",
            "The provider's answer is not valid: sign in again.",
        ),
        _ => ApiError::new(
            StatusCode::BAD_GATEWAY,
            "provider_failed",
            "The provider cannot be asked now: try again in a moment.",
        ),
    };
    error.cause = Some(chain(e));
    error
}

/// `GET /api/auth/google` -> 303 to the provider.
///
/// # Errors
/// 404 where none is configured, 502 when it cannot be reached.
pub async fn start(state: Data<State>) -> ApiResult {
    let provider = state.oidc.clone().ok_or_else(not_configured)?;
    let (secret, now) = (provider::random(), state.clock.now());
    let pending = Pending { verifier: provider::random(), nonce: provider::random() };
    let way = provider.way(&secret, &pending).await.map_err(|e| failed(&e))?;
    let remembered = secret.clone();
    let stored = state.db.write(move |conn| oidc::remember(conn, &remembered, &pending, now, now.plus(LIFE_MS))).await;
    stored.map_err(|e: DbError| ApiError::from(e))?;
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, way)).cookie(cookie(&state, secret, LIFE_MS / 1_000)).finish())
}

fn cookie(state: &State, value: String, seconds: i64) -> Cookie<'static> {
    Cookie::build(COOKIE, value)
        .path("/")
        .http_only(true)
        // Lax: the provider sends the browser back from another site.
        .same_site(SameSite::Lax)
        .secure(state.public_url.starts_with("https://"))
        .max_age(Duration::seconds(seconds))
        .finish()
}

/// `GET /api/auth/google/callback?code=&state=` -> 200 with tokens. A new account is 403 `consent_required` to all but
/// consent and erasure until it consents.
///
/// # Errors
/// 401 when the sign-in was not begun here or the provider said no, 403 for an address nobody verified.
pub async fn callback(req: HttpRequest, query: Query<BTreeMap<String, String>>, state: Data<State>) -> ApiResult {
    let provider = state.oidc.clone().ok_or_else(not_configured)?;
    let refused = || {
        ApiError::new(
            StatusCode::UNAUTHORIZED,
            "sign_in_failed",
            "The sign-in was not begun here, or took too long: begin again.",
        )
    };
    let (Some(given), Some(begun)) = (query.get("state").cloned(), req.cookie(COOKIE)) else { return Err(refused()) };
    if given != begun.value() {
        return Err(refused());
    }
    let now = state.clock.now();
    let pending =
        state.db.write(move |conn| oidc::take(conn, &given, now)).await.map_err(|e: DbError| ApiError::from(e))?;
    let (Some(pending), Some(code)) = (pending, query.get("code").cloned()) else { return Err(refused()) };
    let issuer = provider.issuer().to_owned();
    let person = provider.person(code, pending).await.map_err(|e| failed(&e))?;
    let user = find_or_make(&state, issuer, person).await?;
    let (session, answer) = accounts::new_session(&req, &state, user, now)?;
    state.db.write(move |conn| sessions::insert(conn, &session)).await.map_err(|e: DbError| ApiError::from(e))?;
    Ok(HttpResponse::Ok().cookie(cookie(&state, String::new(), 0)).json(answer))
}

/// The person known under this identity; else the account with the same address, when the provider verified it; else a
/// new account that awaits consent.
async fn find_or_make(state: &State, issuer: String, person: Person) -> Result<UserRow, ApiError> {
    let policy = state.access.registration.clone();
    let now = state.clock.now();
    let made = state.db.write(move |conn| -> Result<Result<UserRow, ApiError>, DbError> {
        if let Some(user) = oidc::user_of(conn, &issuer, &person.sub)? {
            return Ok(Ok(user));
        }
        let email = person.email.as_deref().filter(|_| person.email_verified).map(account::Email::parse);
        let Some(Ok(email)) = email else {
            return Ok(Err(ApiError::forbidden(
                "email_unverified",
                "The provider has not verified your address: verify it there first.",
            )));
        };
        if let Some(user) = users::by_email_key(conn, &email.key)? {
            oidc::link(conn, &issuer, &person.sub, user.id)?;
            return Ok(Ok(user));
        }
        if let Err(refused) = accounts::may_register(&policy, &email) {
            return Ok(Err(refused));
        }
        let user = UserRow {
            id: DbId::fresh(),
            email: email.address,
            email_key: email.key,
            name: person.name.as_deref().and_then(|name| account::name(name).ok()).flatten(),
            timezone: "UTC".to_owned(),
            role: "member".to_owned(),
            password_hash: None,
            tracking_consent: false,
            awaits_consent: true,
            created_at: now,
        };
        users::insert_person(conn, &user)?;
        oidc::link(conn, &issuer, &person.sub, user.id)?;
        Ok(Ok(user))
    });
    made.await?
}
