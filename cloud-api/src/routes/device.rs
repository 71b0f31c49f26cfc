//! Signs a tray in through a browser: the device authorization grant of RFC 8628.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::CONTENT_TYPE},
    web::{Data, Payload},
};
use blink_proto::{
    Secret,
    http::{DeviceCodes, DeviceDecision, DeviceStatus, OAuthError},
};

use super::accounts;
use crate::{
    address,
    db::{
        device_codes::{self, Approval, CodeRow, Decider, Poll},
        sessions::SessionRow,
    },
    domain::{account, fields::Fields},
    error::{ApiError, ApiResult},
    http::{body, envelope::OwnForm},
    principal::Principal,
    state::State,
};

/// Lifetime of a device code and its user code, in milliseconds.
const LIFE_MS: i64 = 10 * 60_000;

/// Shortest time between two polls of a device, in seconds.
const INTERVAL_S: i64 = 5;

/// Consonants only: no code spells a word, and none of the letters looks like a digit.
const LETTERS: &[u8] = b"BCDFGHJKLMNPQRSTVWXZ";

const NOT_IN_DEMO: &str = "This is a demonstration: it signs in no devices.";

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Eight letters such as `BCDF-GHJK` hold 34 bits; a person may try five wrong codes in a quarter of an hour.
fn user_code() -> String {
    let letter = || char::from(LETTERS[rand::random_range(0..LETTERS.len())]);
    let half = || (0..4).map(|_| letter()).collect::<String>();
    format!("{}-{}", half(), half())
}

/// Normalises a code as people type it: in lower case, with spaces, or without the dash.
fn normal(code: &str) -> String {
    let letters: String = code.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_uppercase();
    if letters.len() == 8 { format!("{}-{}", &letters[..4], &letters[4..]) } else { letters }
}

/// Start signing a device in from a browser (RFC 8628).
#[utoipa::path(
    post,
    path = "/api/auth/device",
    tag = "sign-in",
    security(()),
    request_body(content((Option<blink_proto::http::DeviceRequest> = "application/json"), (Option<blink_proto::http::DeviceRequest> = "application/x-www-form-urlencoded"))),
    responses((status = 200, body = blink_proto::http::DeviceCodes), (status = 403), (status = 429)),
)]
pub(crate) async fn start(req: HttpRequest, payload: Payload, state: Data<State>) -> ApiResult {
    state.refuse_in_demo(NOT_IN_DEMO)?;
    state.limits.new_accounts(state.peer(&req))?;
    let mut fields = form_or_object(&req, payload).await?;
    let device_name = fields.optional_text("device_name", account::name).flatten();
    fields.finish()?;
    let device_code =
        Secret::new(uuid::Uuid::new_v4().simple().to_string() + &uuid::Uuid::new_v4().simple().to_string());
    let now = state.clock.now();
    let row = CodeRow {
        code_hash: device_codes::hash(device_code.expose()),
        user_code: user_code(),
        device_name: device_name.unwrap_or_else(|| "A device without a name".to_owned()),
        address: address::of(&req, &state.access.trusted_proxies).to_string(),
        expires_at: now.plus(LIFE_MS),
        polled_at: None,
        user_id: None,
        denied: false,
        session_id: None,
    };
    let page = format!("{}/device", state.public_url);
    let answer = DeviceCodes {
        device_code,
        user_code: row.user_code.clone(),
        verification_uri_complete: format!("{page}?code={}", row.user_code),
        verification_uri: page,
        expires_in: LIFE_MS.unsigned_abs() / 1_000,
        interval: INTERVAL_S.unsigned_abs(),
    };
    state.db.write(move |conn| device_codes::insert(conn, &row, now)).await?;
    Ok(HttpResponse::Ok().json(answer))
}

/// Ask for a device's tokens; refused in RFC 8628's own form.
#[utoipa::path(
    post,
    path = "/api/auth/device/token",
    tag = "sign-in",
    security(()),
    request_body(content((blink_proto::http::DeviceTokenRequest = "application/json"), (blink_proto::http::DeviceTokenRequest = "application/x-www-form-urlencoded"))),
    responses((status = 200, body = blink_proto::http::TokenResponse), (status = 400, body = blink_proto::http::OAuthError), (status = 429)),
)]
pub(crate) async fn token(req: HttpRequest, payload: Payload, state: Data<State>) -> ApiResult {
    state.limits.anonymous(state.peer(&req))?;
    let mut fields = match form_or_object(&req, payload).await {
        Err(e) if e.status == StatusCode::BAD_REQUEST => return Ok(refused("invalid_request", &e.message)),
        fields => fields?,
    };
    let code = fields.text("device_code", |text| Ok(text.to_owned()));
    let grant = fields.text("grant_type", |text| Ok(text == GRANT));
    let (Some(code), Some(grant)) = (code, grant) else {
        return Ok(refused("invalid_request", "device_code and grant_type are required"));
    };
    if !grant {
        return Ok(refused("unsupported_grant_type", GRANT));
    }
    let now = state.clock.now();
    let told = state.db.write(move |conn| {
        let begin = |approval: Approval| SessionRow {
            signed_in_at: approval.signed_in_at,
            ..accounts::session_of(approval.user, Some(approval.device_name), now)
        };
        device_codes::poll(conn, &code, INTERVAL_S * 1_000, now, begin)
    });
    match told.await? {
        Poll::SlowDown => Ok(refused("slow_down", "Ask less often.")),
        Poll::Pending => Ok(refused("authorization_pending", "Nobody has confirmed the code yet.")),
        Poll::Denied => Ok(refused("access_denied", "The person said no.")),
        Poll::Expired => Ok(refused("expired_token", "The code's ten minutes are over.")),
        Poll::Unknown => Ok(refused("invalid_grant", "There is no such code, or it was used.")),
        Poll::Approved { user, session } => {
            let answer = accounts::answer(&state, *user, session.id, session.next_token, now)?;
            Ok(HttpResponse::Ok().json(answer))
        }
    }
}

/// An error in the form of RFC 6749, section 5.2, which OAuth clients expect instead of this server's error envelope.
fn refused(error: &str, description: &str) -> HttpResponse {
    let (error, error_description) = (error.to_owned(), Some(description.to_owned()));
    let mut answer = HttpResponse::BadRequest().json(OAuthError { error, error_description });
    answer.extensions_mut().insert(OwnForm);
    answer
}

/// Look at a device that waits, and confirm or refuse it.
#[utoipa::path(
    post,
    path = "/api/auth/device/approve",
    tag = "sign-in",
    request_body = blink_proto::http::DeviceApproval,
    responses((status = 200, body = blink_proto::http::DeviceDecision), (status = 403), (status = 404), (status = 429)),
)]
pub(crate) async fn approve(who: Principal, req: HttpRequest, payload: Payload, state: Data<State>) -> ApiResult {
    state.refuse_in_demo(NOT_IN_DEMO)?;
    let mut fields = body::object(&req, payload).await?;
    let code = fields.text("user_code", |text| Ok(normal(text)));
    let decided = fields.has("approve").then(|| fields.required_flag("approve"));
    let Some(code) = code else { return Err(ApiError::invalid(fields.wrong())) };
    fields.finish()?;
    let (decision, limits) = (decided.flatten(), state.limits.clone());
    let found = who
        .write(&state, move |conn, who| {
            limits.may_try_code(conn, who.user, who.at)?;
            let Some(row) = device_codes::waiting(conn, &code, who.at)? else {
                limits.code_was_wrong(conn, who.user, who.at)?;
                return Ok(None);
            };
            if decision == Some(true) {
                who.require_fresh_sign_in()?;
            }
            let decider = Decider { user: who.user.into(), session: who.session };
            let done = match decision {
                Some(approved) => device_codes::decide(conn, &code, decider, approved, who.at)?,
                None => true,
            };
            Ok(done.then_some(row))
        })
        .await?;
    let Some(row) = found else {
        return Err(ApiError::new(
            StatusCode::NOT_FOUND,
            "no_such_code",
            "No device waits under this code: check it, or start again on the device.",
        ));
    };
    Ok(HttpResponse::Ok().json(DeviceDecision {
        status: match decision {
            None => DeviceStatus::Waiting,
            Some(true) => DeviceStatus::Approved,
            Some(false) => DeviceStatus::Denied,
        },
        device_name: row.device_name,
        address: row.address,
        expires_at: decision.is_none().then(|| row.expires_at.timestamp()),
    }))
}

/// Reads a form or a JSON object: OAuth clients send forms, this project's clients send JSON.
async fn form_or_object(req: &HttpRequest, payload: Payload) -> Result<Fields, ApiError> {
    let kind = req.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    if kind.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return body::form(req, payload).await;
    }
    body::optional_object(req, payload).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let code = user_code();
        assert_eq!(code.len(), 9);
        assert_eq!(normal(&code.to_lowercase().replace('-', " ")), code);
        assert_eq!(normal(" bcdf ghjk "), "BCDF-GHJK");
        assert_ne!(user_code(), code);
    }
}
