//! What a person sees and ends of their own: consents, sessions, devices.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path, Payload},
};
use blink_proto::consent::TRACKING_VERSION;
use serde_json::{Value, json};
use uuid::Uuid;

use super::consents::{BIOMETRIC_VERSION, TEAM_VERSION};
use crate::{
    db::{
        devices, sessions,
        types::DbId,
        users::{self, ConsentRow},
    },
    error::{ApiError, ApiResult},
    http::body,
    ledger::What,
    principal::Principal,
    state::State,
};

fn consent_items(rows: Vec<ConsentRow>) -> Value {
    let item = |row: ConsentRow| json!({"kind": row.kind, "granted": row.granted, "version": row.version, "at": row.at.timestamp()});
    json!({"items": rows.into_iter().map(item).collect::<Vec<_>>()})
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
    let (Some((kind, current)), Some(granted)) = (kind, granted) else {
        return Err(ApiError::invalid(fields.wrong()));
    };
    fields.finish()?;
    let entry = ConsentRow {
        id: DbId::fresh(),
        user_id: who.user.into(),
        kind: kind.to_owned(),
        version: version.unwrap_or_else(|| current.to_owned()),
        granted,
        at: state.clock.now(),
    };
    let (kind, version) = (entry.kind.clone(), entry.version.clone());
    state.remember(who.user, What::Consent { kind, version, granted }).await?;
    let rows = state
        .db
        .write(move |conn| {
            users::record_consent(conn, &entry)?;
            users::consents_of(conn, entry.user_id)
        })
        .await?;
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
    params(("id" = blink_proto::http::String, Path)),
    responses((status = 204), (status = 404)),
)]
pub async fn end_session(who: Principal, id: Path<String>, state: Data<State>) -> ApiResult {
    let session = own_id(&id)?;
    let ended = state.db.write(move |conn| sessions::end_one_of(conn, who.user.into(), session)).await;
    no_content(ended?)
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
    params(("id" = blink_proto::http::String, Path)),
    responses((status = 204), (status = 404)),
)]
pub async fn end_device(who: Principal, id: Path<String>, state: Data<State>) -> ApiResult {
    let device = own_id(&id)?;
    let ended = state.db.write(move |conn| devices::end(conn, who.user.into(), device)).await;
    no_content(ended?)
}

fn own_id(text: &str) -> Result<DbId, ApiError> {
    text.parse::<Uuid>().map(DbId).map_err(|_| ApiError::not_found())
}

fn no_content(done: bool) -> ApiResult {
    if done { Ok(HttpResponse::NoContent().finish()) } else { Err(ApiError::not_found()) }
}
