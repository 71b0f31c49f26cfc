//! Registering, signing in, refreshing and signing out. A web page gets its refresh token as a cookie (see [`web`]);
//! every other client gets it in the body.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{HeaderValue, SET_COOKIE},
    },
    web::{Data, Payload},
};
use blink_proto::{
    Secret,
    consent::TRACKING_VERSION,
    http::{TokenResponse, User},
};

use crate::{
    auth::{tokens, web},
    config::access::Registration as Policy,
    db::{
        id::{self, Id, RefreshToken, Session},
        sessions::{self, Exchange, Rotation, SessionRow},
        users::{self, ConsentRow, UserRow},
    },
    domain::time::UtcMs,
    domain::{account, fields::Fields},
    error::{ApiError, ApiResult},
    http::{body, user_agent},
    metrics,
    principal::Principal,
    state::State,
};

/// The checked fields of a registration.
struct Registration {
    email: account::Email,
    password: Secret,
    name: Option<String>,
    timezone: String,
    consent_version: String,
}

impl Registration {
    fn read(mut fields: Fields) -> Result<Self, ApiError> {
        let email = fields.text("email", account::Email::parse);
        let password = fields.text("password", account::new_password);
        let name = fields.optional_text("name", account::name).flatten();
        let timezone = fields.optional_text("timezone", account::time_zone).unwrap_or_else(|| "UTC".to_owned());
        let mut consent = fields.object("consent");
        let granted = consent.flag("tracking");
        if !granted {
            consent.refuse::<()>("tracking", "must be true: without consent there is no account");
        }
        let version = consent.text("version", |text| match text {
            TRACKING_VERSION => Ok(text.to_owned()),
            _ => Err(format!("must be \"{TRACKING_VERSION}\", the version of the text at /api/consents")),
        });
        fields.absorb(consent);
        let wrong = fields.wrong();
        match (email, password, version) {
            (Some(email), Some(password), Some(consent_version)) if wrong.is_empty() => {
                Ok(Self { email, password, name, timezone, consent_version })
            }
            _ => {
                let about_consent = wrong.keys().all(|name| name.starts_with("consent"));
                let mut error = ApiError::invalid(wrong);
                if about_consent {
                    error.code = "consent_required";
                    error.message = "An account needs consent to tracking; the text is at /api/consents.".to_owned();
                }
                Err(error)
            }
        }
    }
}

/// Make an account; consent to tracking is part of it.
#[utoipa::path(
    post,
    path = "/api/auth/register",
    tag = "sign-in",
    security(()),
    request_body = blink_proto::http::RegisterRequest,
    params(crate::openapi::PageClient),
    responses((status = 201, body = blink_proto::http::TokenResponse), (status = 403), (status = 409), (status = 429)),
)]
pub(crate) async fn register(req: HttpRequest, payload: Payload, state: Data<State>) -> ApiResult {
    state.limits.new_accounts(state.peer(&req))?;
    let new = Registration::read(body::object(&req, payload).await?)?;
    may_register(&state.access.registration, &new.email)?;
    let password_hash = state.passwords.hash(new.password).await?;
    let now = state.clock.now();
    let user = UserRow {
        id: Id::fresh(),
        email: new.email.address,
        email_key: new.email.key,
        name: new.name,
        timezone: new.timezone,
        role: "member".to_owned(),
        password_hash: Some(password_hash),
        tracking_consent: true,
        awaits_consent: false,
        created_at: now,
    };
    let consent = ConsentRow {
        id: Id::fresh(),
        user_id: user.id,
        kind: "tracking".to_owned(),
        version: new.consent_version,
        granted: true,
        at: now,
    };
    let (session, answer) = new_session(&req, &state, user.clone(), now)?;
    let stored = state
        .db
        .write(move |conn| {
            users::insert(conn, &user, &consent)?;
            sessions::insert(conn, &session)
        })
        .await;
    match stored {
        Ok(()) => signed_in(&req, &state, StatusCode::CREATED, answer),
        Err(e) if e.is_unique_violation() => Err(ApiError::new(
            StatusCode::CONFLICT,
            "email_taken",
            "There is an account with this address already: sign in instead.",
        )),
        Err(e) => Err(e.into()),
    }
}

/// Checks that the operator's registration policy allows an account for this address; otherwise 403
/// `registration_closed`.
pub(crate) fn may_register(policy: &Policy, email: &account::Email) -> Result<(), ApiError> {
    if *policy == Policy::Closed {
        let message = "Accounts here are made by the operator: ask for one.";
        return Err(ApiError::forbidden("registration_closed", message));
    }
    may_have(policy, email)
}

/// Checks that accounts here may have this address, which an account may take later too.
pub(crate) fn may_have(policy: &Policy, email: &account::Email) -> Result<(), ApiError> {
    match policy {
        Policy::Domain(allowed) if allowed != email.domain() => {
            Err(ApiError::forbidden("registration_closed", format!("Accounts here are for addresses of {allowed}.")))
        }
        _ => Ok(()),
    }
}

/// Reads a sign-in's password and the keys its address may be stored under. A malformed address is not refused here:
/// it finds no account, so the answer is that of an unknown address.
fn credentials(mut fields: Fields) -> Result<(Vec<String>, Secret), ApiError> {
    let keys = fields.text("email", |text| Ok(account::Email::keys(text)));
    let password = fields.text("password", account::given_password);
    match (keys, password) {
        (Some(keys), Some(password)) => Ok((keys, password)),
        _ => Err(ApiError::invalid(fields.wrong())),
    }
}

/// Sign in; unknown and wrong are refused alike.
#[utoipa::path(
    post,
    path = "/api/auth/login",
    tag = "sign-in",
    security(()),
    request_body = blink_proto::http::LoginRequest,
    params(crate::openapi::PageClient),
    responses((status = 200, body = blink_proto::http::TokenResponse), (status = 401), (status = 429)),
)]
pub(crate) async fn login(req: HttpRequest, payload: Payload, state: Data<State>) -> ApiResult {
    let peer = state.peer(&req);
    state.limits.may_sign_in(peer)?;
    let (keys, password) = credentials(body::object(&req, payload).await?)?;
    let unknown = keys.last().cloned().unwrap_or_default();
    let user = state.db.read(move |conn| users::by_email_keys(conn, &keys)).await?;
    // Failures are counted under the account's own key: other spellings of its address must not give more attempts.
    let key = user.as_ref().map_or(unknown, |user| user.email_key.clone());
    let hash = user.as_ref().and_then(|user| user.password_hash.clone());
    let right = state.is_password(password, &key, hash, peer).await?;
    let wrong = || {
        metrics::sign_in_failed();
        ApiError::new(StatusCode::UNAUTHORIZED, "wrong_credentials", "Address or password is wrong.")
    };
    let user = user.filter(|_| right).ok_or_else(wrong)?;
    let verified = user.password_hash.clone();
    let (session, answer) = new_session(&req, &state, user, state.clock.now())?;
    if !state.db.write(move |conn| sessions::insert_verified(conn, &session, verified.as_deref())).await? {
        return Err(wrong());
    }
    signed_in(&req, &state, StatusCode::OK, answer)
}

/// Answers with the tokens. For a web page the refresh token is taken out of the body and set as a cookie.
fn signed_in(req: &HttpRequest, state: &State, status: StatusCode, mut answer: TokenResponse) -> ApiResult {
    let mut told = HttpResponse::build(status);
    if let Some(token) = answer.refresh_token.take_if(|_| web::is_web(req)) {
        told.cookie(web::holding(&token, state.is_https()));
    }
    Ok(told.json(answer))
}

/// Exchange a refresh token, of the body or a page's cookie; a used one ends the session.
#[utoipa::path(
    post,
    path = "/api/auth/refresh",
    tag = "sign-in",
    security((), ("cookie" = [])),
    request_body = Option<blink_proto::http::RefreshRequest>,
    params(crate::openapi::PageClient),
    responses((status = 200, body = blink_proto::http::TokenResponse), (status = 401), (status = 429)),
)]
pub(crate) async fn refresh(req: HttpRequest, payload: Payload, state: Data<State>) -> ApiResult {
    state.limits.anonymous(state.peer(&req))?;
    if !web::is_web(&req) {
        let token = refresh_token(body::object(&req, payload).await?)?;
        return exchange(&req, &state, token).await;
    }
    let exchanged = match web::given(&req, state.is_https()) {
        Some(token) => exchange(&req, &state, token).await,
        None => Err(not_signed_in("Nobody is signed in here: sign in.")),
    };
    exchanged.map_err(|mut error| {
        if error.status == StatusCode::UNAUTHORIZED {
            forget(&mut error, &state);
        }
        error
    })
}

fn refresh_token(mut fields: Fields) -> Result<Secret, ApiError> {
    let token = fields.text("refresh_token", |text| Ok(Secret::new(text)));
    token.ok_or_else(|| ApiError::invalid(fields.wrong()))
}

/// Makes the browser drop its refresh cookie, which is no longer valid.
fn forget(error: &mut ApiError, state: &State) {
    let cookie = HeaderValue::from_str(&web::forgetting(state.is_https()).to_string());
    error.headers.extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
}

fn not_signed_in(message: &str) -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, "invalid_refresh_token", message)
}

async fn exchange(req: &HttpRequest, state: &State, token: Secret) -> ApiResult {
    let now = state.clock.now();
    let Some(old) = tokens::verify_refresh(&state.keys, token.expose(), now) else {
        return Err(not_signed_in("The refresh token is not valid: sign in again."));
    };
    let (session, fresh, expires_at) = (old.sid, Id::fresh(), now.plus(tokens::SESSION_S * 1_000));
    let exchange = Exchange { session, presented: old.jti, successor: fresh, expires_at };
    let rotation = state.db.write(move |conn| sessions::rotate(conn, exchange, now)).await?;
    match rotation {
        Rotation::Rotated(user) => signed_in(req, state, StatusCode::OK, answer(state, *user, session, fresh, now)?),
        Rotation::Reused => {
            metrics::token_reused();
            tracing::warn!("a refresh token was used again; its session was ended");
            Err(ApiError::new(
                StatusCode::UNAUTHORIZED,
                "refresh_token_reused",
                "The refresh token was used before: the session is ended, sign in again.",
            ))
        }
        Rotation::Unknown => Err(not_signed_in("The session is over: sign in again.")),
    }
}

/// End this session; its tokens are dead at once.
#[utoipa::path(
    post,
    path = "/api/auth/logout",
    tag = "sign-in",
    params(crate::openapi::PageClient),
    responses((status = 204)),
)]
pub(crate) async fn logout(req: HttpRequest, who: Result<Principal, ApiError>, state: Data<State>) -> ApiResult {
    let of_cookie = web::given(&req, state.is_https())
        .and_then(|token| tokens::verify_refresh(&state.keys, token.expose(), state.clock.now()))
        .map(|token| token.sid);
    let page = web::is_web(&req);
    let of_bearer = match who {
        Ok(who) => Some(who.session),
        Err(e) if of_cookie.is_some() && e.status.is_client_error() => None,
        Err(mut e) => {
            if page {
                forget(&mut e, &state);
            }
            return Err(e);
        }
    };
    for session in of_bearer.into_iter().chain(of_cookie) {
        state.db.write(move |conn| sessions::end(conn, session)).await?;
    }
    let mut done = HttpResponse::NoContent();
    if page {
        done.cookie(web::forgetting(state.is_https()));
    }
    Ok(done.finish())
}

/// Makes a session that begins now, and the answer with its tokens.
pub(crate) fn new_session(
    req: &HttpRequest,
    state: &State,
    user: UserRow,
    now: UtcMs,
) -> Result<(SessionRow, TokenResponse), ApiError> {
    // A demonstration keeps nothing of its visitors.
    let agent = user_agent(req).filter(|_| state.demo.is_none());
    let session = session_of(user.id, agent, now);
    let answer = answer(state, user, session.id, session.next_token, now)?;
    Ok((session, answer))
}

/// Makes a session that begins now.
#[must_use]
pub(crate) fn session_of(user_id: Id<id::User>, user_agent: Option<String>, now: UtcMs) -> SessionRow {
    SessionRow {
        id: Id::fresh(),
        user_id,
        user_agent,
        signed_in_at: now,
        refreshed_at: now,
        expires_at: now.plus(tokens::SESSION_S * 1_000),
        used_token: None,
        next_token: Id::fresh(),
    }
}

pub(crate) fn answer(
    state: &State,
    user: UserRow,
    session: Id<Session>,
    token: Id<RefreshToken>,
    now: UtcMs,
) -> Result<TokenResponse, ApiError> {
    let user = User::from(user);
    let failed = |e: tokens::SignError| ApiError::internal(crate::failure::chain(&e));
    Ok(TokenResponse {
        access_token: tokens::access(&state.keys, user.id, session, now).map_err(failed)?,
        refresh_token: Some(tokens::refresh(&state.keys, session, token, now).map_err(failed)?),
        token_type: "Bearer".to_owned(),
        expires_in: tokens::ACCESS_S.unsigned_abs(),
        user,
    })
}
