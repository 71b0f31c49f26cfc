//! Signing in through an OpenID provider. The paths say google because the original plan did; the provider is
//! configurable.
//!
//! A browser is sent back to a page with the refresh token as a cookie; any other client gets the tokens as JSON.

use std::collections::BTreeMap;

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite, time::Duration},
    http::{StatusCode, header::LOCATION},
    web::{Data, Query},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{accounts, consents, people};
use crate::{
    auth::{
        oidc::{self as provider, OidcError, Person},
        web,
    },
    config::access::Registration as Policy,
    db::{
        conn::Conn,
        id::Id,
        oidc::{self, Pending},
        sessions,
        users::{self, Change, UserRow},
    },
    domain::account,
    domain::time::UtcMs,
    error::{ApiError, ApiResult},
    failure::chain,
    http::{people::wants_a_page, to_its_end},
    state::State,
};

/// Longest time that a sign-in may take at the provider, in milliseconds.
const LIFE_MS: i64 = 10 * 60_000;

/// The page shown after signing in, unless the sign-in began on another page.
const HOME: &str = "/";

fn not_configured() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "not_configured", "This server has no sign-in through a provider.")
}

fn refused(message: &str) -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, "sign_in_failed", message)
}

fn failed(e: &OidcError) -> ApiError {
    let bad_gateway = |code, message: &str| ApiError::new(StatusCode::BAD_GATEWAY, code, message);
    let mut error = match e {
        OidcError::Code(_) => refused("The provider no longer takes this sign-in: begin again."),
        OidcError::Token(_) => refused(
            "The provider's answer is not valid: sign in again. If it stays so, tell this server's operator the request id.",
        ),
        OidcError::Unreachable(_) => {
            bad_gateway("provider_failed", "The provider cannot be asked now: try again in a moment.")
        }
        OidcError::Setup(_) => bad_gateway(
            "provider_misconfigured",
            "The provider and this server do not fit together: tell this server's operator the request id.",
        ),
    };
    error.cause = Some(chain(e));
    error
}

/// The error for a browser that came back without a code: `word` is the provider's error code (RFC 6749, 4.1.2.1).
fn not_signed_in(word: &str) -> ApiError {
    let plain = (1..=40).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let said = if plain { word } else { "no word that can be shown" };
    let mut error = match word {
        "access_denied" => refused("The provider did not sign you in, as you or it decided: begin again."),
        "server_error" | "temporarily_unavailable" => refused("The provider has trouble: begin again in a moment."),
        _ => refused("The provider did not sign you in. If it stays so, tell this server's operator the request id."),
    };
    error.cause = Some(format!("the provider says {said}"));
    error
}

/// The cookie binds the sign-in to the browser that began it: otherwise a link could sign a person in to another's
/// account. The `__Host-` prefix keeps other sites of the same domain from setting it.
fn cookie_name(state: &State) -> &'static str {
    if state.is_https() { "__Host-waw_oidc" } else { "waw_oidc" }
}

fn cookie(state: &State, value: String, seconds: i64) -> Cookie<'static> {
    Cookie::build(cookie_name(state), value)
        .path("/")
        .http_only(true)
        // Lax, not Strict: the provider's redirect back is a navigation from another site.
        .same_site(SameSite::Lax)
        .secure(state.is_https())
        .max_age(Duration::seconds(seconds))
        .finish()
}

/// Accepts only a path of this server that no browser could take for another site (an open redirect).
fn own_page(text: &str) -> Option<&str> {
    let path = text.strip_prefix('/')?;
    let sound = text.len() <= 512 && text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'\\' | b'"'));
    (sound && !path.starts_with('/')).then_some(text)
}

/// Go to the sign-in provider.
#[utoipa::path(
    get,
    path = "/api/auth/google",
    tag = "sign-in",
    security(()),
    params(("next" = Option<String>, Query, description = "a page of this server to come back to, as /device")),
    responses((status = 303), (status = 404), (status = 429), (status = 502)),
)]
pub(crate) async fn start(req: HttpRequest, query: Query<BTreeMap<String, String>>, state: Data<State>) -> ApiResult {
    wants_a_page(&req);
    let provider = state.oidc.clone().ok_or_else(not_configured)?;
    state.limits.new_accounts(state.peer(&req))?;
    let (secret, now) = (provider::random(), state.clock.now());
    let pending = Pending { verifier: provider::random(), nonce: provider::random() };
    let turn = state.limits.provider_turn().await?;
    let (remembered, told) = (secret.clone(), pending.clone());
    // The turn is held until the provider answers: one that hangs holds a thread even when no client waits any more.
    let asked = to_its_end(async move {
        let way = provider.way(&remembered, &told).await.map_err(|e| failed(&e));
        drop(turn);
        way
    });
    let way = asked.await?;
    let remembered = secret.clone();
    let stored = state.db.write(move |conn| oidc::remember(conn, &remembered, &pending, now, now.plus(LIFE_MS))).await;
    stored?;
    let bound = match query.get("next").and_then(|next| own_page(next)) {
        Some(next) => format!("{secret}.{}", URL_SAFE_NO_PAD.encode(next)),
        None => secret,
    };
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, way)).cookie(cookie(&state, bound, LIFE_MS / 1_000)).finish())
}

/// Come back from the provider; a browser goes on to a page.
#[utoipa::path(
    get,
    path = "/api/auth/google/callback",
    tag = "sign-in",
    security(()),
    params(("state" = Option<String>, Query, description = "as the provider sent it"), ("code" = Option<String>, Query, description = "as the provider sent it")),
    responses((status = 200, body = blink_proto::http::TokenResponse), (status = 303), (status = 401), (status = 403), (status = 404), (status = 409), (status = 429), (status = 502)),
)]
pub(crate) async fn callback(
    req: HttpRequest,
    query: Query<BTreeMap<String, String>>,
    state: Data<State>,
) -> ApiResult {
    let page = wants_a_page(&req);
    let provider = state.oidc.clone().ok_or_else(not_configured)?;
    state.limits.anonymous(state.peer(&req))?;
    let not_begun = || refused("The sign-in was not begun here, or took too long: begin again.");
    let (Some(given), Some(bound)) = (query.get("state").cloned(), req.cookie(cookie_name(&state))) else {
        return Err(not_begun());
    };
    let (begun, next) = bound.value().split_once('.').unwrap_or((bound.value(), ""));
    if given != begun {
        return Err(not_begun());
    }
    let next = URL_SAFE_NO_PAD.decode(next).ok().and_then(|next| String::from_utf8(next).ok());
    let turn = state.limits.provider_turn().await?;
    let now = state.clock.now();
    let pending = state.db.write(move |conn| oidc::take(conn, &given, now)).await?;
    let pending = pending.ok_or_else(not_begun)?;
    let Some(code) = query.get("code").cloned() else {
        return Err(not_signed_in(query.get("error").map_or("", String::as_str)));
    };
    let issuer = provider.issuer().to_owned();
    let asked = to_its_end(async move {
        let person = provider.person(code, pending).await.map_err(|e| failed(&e));
        drop(turn);
        person
    });
    let person = asked.await?;
    let user = find_or_make(&state, issuer, person).await?;
    let (session, answer) = accounts::new_session(&req, &state, user, now)?;
    let begun = state.db.write(move |conn| -> Result<(), ApiError> {
        // The person may have been erased meanwhile, from another session.
        users::hold(conn, session.user_id)?.ok_or_else(ApiError::unauthenticated)?;
        Ok(sessions::insert(conn, &session)?)
    });
    begun.await?;
    let done = cookie(&state, String::new(), 0);
    if !page {
        return Ok(HttpResponse::Ok().cookie(done).json(answer));
    }
    let next = next.as_deref().and_then(own_page).unwrap_or(HOME);
    let way = format!("{next}{}signed_in=google", if next.contains('?') { '&' } else { '?' });
    let mut way_back = HttpResponse::SeeOther();
    way_back.insert_header((LOCATION, way)).cookie(done);
    if let Some(token) = &answer.refresh_token {
        way_back.cookie(web::holding(token, state.is_https()));
    }
    Ok(way_back.finish())
}

/// Finds the person linked to this identity; else the account with the same address, if the provider verified the
/// address; else makes a new account that awaits consent.
async fn find_or_make(state: &State, issuer: String, person: Person) -> Result<UserRow, ApiError> {
    let (state, now) = (state.clone(), state.clock.now());
    let (policy, ledger) = (state.access.registration.clone(), state.ledger.clone());
    let find = move |conn: &mut Conn| -> Result<UserRow, ApiError> {
        oidc::hold(conn, &issuer, &person.sub)?;
        if let Some(user) = oidc::user_of(conn, &issuer, &person.sub)? {
            return follow(conn, user, &person, &policy);
        }
        let (told, email) = verified_address(&person)?;
        let keys = account::Email::keys(told);
        // The account is locked and compared again: its owner may be changing the address at this moment.
        let found = users::by_email_keys(conn, &keys)?.map(|found| users::hold(conn, found.id)).transpose()?;
        if let Some(user) = found.flatten().filter(|held| keys.contains(&held.email_key)) {
            // Providers give the addresses of people who left to new people, so an account already linked to another
            // identity is not taken over; nor is one whose address is only similar to the one the provider verified.
            let exactly = email.is_exactly(&user.email) || told.trim().eq_ignore_ascii_case(&user.email);
            if !exactly || oidc::is_linked(conn, &issuer, user.id)? {
                return Err(people::email_taken());
            }
            oidc::link(conn, &issuer, &person.sub, user.id)?;
            let (user, withdrawn) = users::proved(conn, user, now)?;
            for entry in &withdrawn {
                consents::remember(&ledger, entry)?;
            }
            return Ok(user);
        }
        accounts::may_register(&policy, &email)?;
        let user = new_person(email, person.name.as_deref(), now);
        users::insert_person(conn, &user)
            .map_err(|e| if e.is_unique_violation() { people::email_taken() } else { ApiError::from(e) })?;
        oidc::link(conn, &issuer, &person.sub, user.id)?;
        Ok(user)
    };
    state.db.write(find).await
}

/// Gives a linked account the address that the provider has verified since, unless another account has it, or accounts
/// here may not have such an address.
fn follow(conn: &mut Conn, user: UserRow, person: &Person, policy: &Policy) -> Result<UserRow, ApiError> {
    let Ok((told, email)) = verified_address(person) else { return Ok(user) };
    let keys = account::Email::keys(told);
    if keys.contains(&user.email_key) || accounts::may_have(policy, &email).is_err() {
        return Ok(user);
    }
    if users::by_email_keys(conn, &keys)?.is_some() {
        return Ok(user);
    }
    let change = Change { email: Some(email.address.clone()), email_key: Some(email.key.clone()), ..Change::default() };
    users::change(conn, user.id, &change)
        .map_err(|e| if e.is_unique_violation() { people::email_taken() } else { ApiError::from(e) })?;
    Ok(UserRow { email: email.address, email_key: email.key, ..user })
}

/// The address that the provider verified: as it is told, which is how an older account may have it, and parsed.
fn verified_address(person: &Person) -> Result<(&str, account::Email), ApiError> {
    let Some(email) = &person.email else {
        return Err(ApiError::forbidden(
            "email_missing",
            "The provider tells this server no address of yours: its operator lets it tell the address, then sign in again.",
        ));
    };
    if !person.email_verified {
        return Err(ApiError::forbidden(
            "email_unverified",
            "The provider does not say that your address is verified: verify it there, or ask its operator to say so.",
        ));
    }
    let parsed = account::Email::parse(email)
        .map_err(|why| ApiError::forbidden("email_refused", format!("Your address at the provider {why}.")))?;
    Ok((email, parsed))
}

fn new_person(email: account::Email, name: Option<&str>, now: UtcMs) -> UserRow {
    UserRow {
        id: Id::fresh(),
        email: email.address,
        email_key: email.key,
        name: name.and_then(|name| account::name(name).ok()).flatten(),
        timezone: "UTC".to_owned(),
        role: "member".to_owned(),
        password_hash: None,
        tracking_consent: false,
        awaits_consent: true,
        created_at: now,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("/", true)]
    #[case("/device?code=BCDF-GHJK", true)]
    #[case("//evil.example", false)]
    #[case("/\\evil.example", false)]
    #[case("https://evil.example", false)]
    #[case("/a b", false)]
    #[case("/a\r\nSet-Cookie:x", false)]
    #[case("", false)]
    fn only_pages_of_this_server_are_gone_back_to(#[case] text: &str, #[case] own: bool) {
        assert_eq!(own_page(text), own.then_some(text));
    }
}
