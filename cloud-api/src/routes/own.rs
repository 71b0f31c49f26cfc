//! What a person sees and ends of their own: consents, sessions, devices.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path, Payload},
};
use blink_proto::consent::TRACKING_VERSION;
use serde_json::{Value, json};
use uuid::Uuid;

use super::consents::{self, BIOMETRIC_VERSION, Said, TEAM_VERSION};
use crate::{
    db::{
        conn::Conn,
        devices, erase, sessions,
        types::DbId,
        users::{self, ConsentRow},
    },
    error::{ApiError, ApiResult},
    http::body,
    principal::Principal,
    state::State,
};

fn consent_items(rows: Vec<ConsentRow>) -> Value {
    let item = |row: ConsentRow| json!({"kind": row.kind, "granted": row.granted, "version": row.version, "at": row.at.timestamp()});
    json!({"items": rows.into_iter().map(item).collect::<Vec<_>>()})
}

/// What becomes of minutes that an account held before its person proved that its address is theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Earlier {
    Keep,
    Remove,
}

/// Keeps or removes the minutes of an account that went over, as its person says; whether they were removed.
fn decide_earlier(conn: &mut Conn, who: &Principal, earlier: Option<Earlier>) -> Result<bool, ApiError> {
    let user = who.user.into();
    if !users::has_minutes(conn, user)? {
        return Ok(false);
    }
    match earlier {
        Some(Earlier::Keep) => Ok(false),
        Some(Earlier::Remove) => erase::minutes(conn, user, who.at).map(|()| true).map_err(ApiError::from),
        None => Err(ApiError::invalid_field(
            "earlier_minutes",
            "must be keep or remove: minutes were stored here before you proved that the address is yours",
        )),
    }
}

/// My consents, oldest first.
#[utoipa::path(
    get,
    path = "/api/user/me/consents",
    tag = "consent",
    responses((status = 200, body = blink_proto::http::Consents)),
)]
pub async fn consents(who: Principal, state: Data<State>) -> ApiResult {
    let rows = state.db.read(move |conn| users::consents_of(conn, who.user.into())).await?;
    Ok(HttpResponse::Ok().json(consent_items(rows)))
}

/// Give or withdraw a consent.
#[utoipa::path(
    put,
    path = "/api/user/me/consents",
    tag = "consent",
    request_body = blink_proto::http::ConsentChange,
    responses((status = 200, body = blink_proto::http::Consents)),
)]
pub async fn put_consent(who: Principal, req: HttpRequest, payload: Payload, state: Data<State>) -> ApiResult {
    let mut fields = body::object(&req, payload).await?;
    let kind = fields.text("kind", |text| match text {
        "tracking" => Ok(("tracking", TRACKING_VERSION)),
        "team" => Ok(("team", TEAM_VERSION)),
        "biometric" => Ok(("biometric", BIOMETRIC_VERSION)),
        _ => Err("must be tracking, team or biometric".to_owned()),
    });
    let granted = fields.required_flag("granted");
    let version = fields.optional_text("version", |text| {
        let sound = text.chars().count() <= 50 && !text.chars().any(char::is_control);
        if sound { Ok(text.to_owned()) } else { Err("must be at most 50 characters on one line".to_owned()) }
    });
    if let (Some((_, current)), Some(true)) = (kind, granted)
        && version.as_deref() != Some(current)
    {
        fields.refuse::<()>("version", format!("must be \"{current}\", the version of the text at /api/consents"));
    }
    let earlier = fields.optional_text("earlier_minutes", |text| match text {
        "keep" => Ok(Earlier::Keep),
        "remove" => Ok(Earlier::Remove),
        _ => Err("must be keep or remove".to_owned()),
    });
    let (Some((kind, current)), Some(granted)) = (kind, granted) else {
        return Err(ApiError::invalid(fields.wrong()));
    };
    fields.finish()?;
    let version = version.unwrap_or_else(|| current.to_owned());
    let ledger = state.ledger.clone();
    let (rows, removed) = who
        .write(&state, move |conn, who| {
            let first = who.awaits_consent && kind == "tracking" && granted;
            let removed = first && decide_earlier(conn, who, earlier)?;
            consents::record(conn, &ledger, who, &Said { kind, version: &version, granted })?;
            Ok((users::consents_of(conn, who.user.into())?, removed.then_some(who.at)))
        })
        .await?;
    if let Some(at) = removed {
        if let Some(archive) = &state.archive {
            archive.keys.forget(who.user.into());
        }
        state.db.scrub(at).await;
    }
    Ok(HttpResponse::Ok().json(consent_items(rows)))
}

/// Where I am signed in.
#[utoipa::path(
    get,
    path = "/api/user/me/sessions",
    tag = "me",
    responses((status = 200, body = blink_proto::http::Sessions)),
)]
pub async fn sessions(who: Principal, state: Data<State>) -> ApiResult {
    let now = state.clock.now();
    let rows = state.db.read(move |conn| sessions::of_user(conn, who.user.into(), now)).await?;
    let item = |row: sessions::SessionRow| {
        json!({
            "id": row.id.0, "user_agent": row.user_agent, "signed_in_at": row.signed_in_at.timestamp(),
            "last_used_at": row.refreshed_at.timestamp(), "expires_at": row.expires_at.timestamp(),
            "current": row.id == who.session,
        })
    };
    Ok(HttpResponse::Ok().json(json!({"items": rows.into_iter().map(item).collect::<Vec<_>>()})))
}

/// End a session.
#[utoipa::path(
    delete,
    path = "/api/user/me/sessions/{id}",
    tag = "me",
    params(("id" = String, Path)),
    responses((status = 204), (status = 404)),
)]
pub async fn end_session(who: Principal, id: Path<String>, state: Data<State>) -> ApiResult {
    let session = own_id(&id)?;
    let ended = who.write(&state, move |conn, who| Ok(sessions::end_one_of(conn, who.user.into(), session)?));
    no_content(ended.await?)
}

/// Machines my minutes came from.
#[utoipa::path(
    get,
    path = "/api/user/me/devices",
    tag = "me",
    responses((status = 200, body = blink_proto::http::Devices)),
)]
pub async fn devices(who: Principal, state: Data<State>) -> ApiResult {
    let rows = state.db.read(move |conn| devices::of_user(conn, who.user.into())).await?;
    let item = |row: devices::DeviceRow| {
        json!({
            "device_id": row.device_id.0, "first_seen_at": row.first_seen_at.timestamp(),
            "last_seen_at": row.last_seen_at.timestamp(), "session_id": row.session_id.map(|id| id.0),
        })
    };
    Ok(HttpResponse::Ok().json(json!({"items": rows.into_iter().map(item).collect::<Vec<_>>()})))
}

/// Sign a machine out; its minutes stay.
#[utoipa::path(
    delete,
    path = "/api/user/me/devices/{id}",
    tag = "me",
    params(("id" = String, Path)),
    responses((status = 204), (status = 404)),
)]
pub async fn end_device(who: Principal, id: Path<String>, state: Data<State>) -> ApiResult {
    let device = own_id(&id)?;
    let ended = who.write(&state, move |conn, who| Ok(devices::end(conn, who.user.into(), device)?));
    no_content(ended.await?)
}

fn own_id(text: &str) -> Result<DbId, ApiError> {
    text.parse::<Uuid>().map(DbId).map_err(|_| ApiError::not_found())
}

fn no_content(done: bool) -> ApiResult {
    if done { Ok(HttpResponse::NoContent().finish()) } else { Err(ApiError::not_found()) }
}
