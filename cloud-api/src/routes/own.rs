//! A person's own consents, sessions and devices.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path, Payload},
};
use blink_proto::{
    consent::TRACKING_VERSION,
    http::{Consent, ConsentKind, Consents, Device, Devices, EarlierMinutes, Session, Sessions},
};

use super::consents::{self, BIOMETRIC_VERSION, ConsentAnswer, TEAM_VERSION};
use crate::{
    db::{
        DbError,
        conn::Conn,
        devices, erase,
        id::{Id, Kind},
        sessions::{self, SessionRow},
        users::{self, ConsentRow},
    },
    domain::time::UtcMs,
    error::{ApiError, ApiResult},
    http::{body, to_its_end},
    principal::Principal,
    state::State,
};

fn history(rows: Vec<ConsentRow>) -> Result<Consents, ApiError> {
    let item = |row: ConsentRow| {
        let kind = kind(&row.kind).map_err(|_| ApiError::internal("an unknown kind of consent is stored"))?;
        Ok(Consent { kind, granted: row.granted, version: row.version, at: row.at.timestamp() })
    };
    Ok(Consents { items: rows.into_iter().map(item).collect::<Result<_, ApiError>>()? })
}

fn kind(text: &str) -> Result<ConsentKind, String> {
    let kinds = [ConsentKind::Tracking, ConsentKind::Team, ConsentKind::Biometric];
    let found = kinds.into_iter().find(|kind| kind.as_str() == text);
    found.ok_or_else(|| "must be tracking, team or biometric".to_owned())
}

/// The version of the current text.
fn current_version(kind: ConsentKind) -> &'static str {
    match kind {
        ConsentKind::Tracking => TRACKING_VERSION,
        ConsentKind::Team => TEAM_VERSION,
        ConsentKind::Biometric => BIOMETRIC_VERSION,
    }
}

/// Keeps or removes, as the person chose, minutes stored before they proved that the address is theirs. Returns whether
/// the minutes were removed.
fn decide_earlier(conn: &mut Conn, who: &Principal, earlier: Option<EarlierMinutes>) -> Result<bool, ApiError> {
    let user = who.user.into();
    if !users::has_minutes(conn, user)? {
        return Ok(false);
    }
    match earlier {
        Some(EarlierMinutes::Keep) => Ok(false),
        Some(EarlierMinutes::Remove) => erase::minutes(conn, user, who.at).map(|()| true).map_err(ApiError::from),
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
pub(crate) async fn consents(who: Principal, state: Data<State>) -> ApiResult {
    let rows = state.db.read(move |conn| users::consents_of(conn, who.user.into())).await?;
    Ok(HttpResponse::Ok().json(history(rows)?))
}

/// Give or withdraw a consent.
#[utoipa::path(
    put,
    path = "/api/user/me/consents",
    tag = "consent",
    request_body = blink_proto::http::ConsentChange,
    responses((status = 200, body = blink_proto::http::Consents), (status = 429)),
)]
pub(crate) async fn put_consent(who: Principal, req: HttpRequest, payload: Payload, state: Data<State>) -> ApiResult {
    state.limits.consents(who.user)?;
    let mut fields = body::object(&req, payload).await?;
    let kind = fields.text("kind", kind);
    let granted = fields.required_flag("granted");
    let version = fields.optional_text("version", |text| {
        let sound = text.chars().count() <= 50 && !text.chars().any(char::is_control);
        if sound { Ok(text.to_owned()) } else { Err("must be at most 50 characters on one line".to_owned()) }
    });
    if let (Some(current), Some(true)) = (kind.map(current_version), granted)
        && version.as_deref() != Some(current)
    {
        fields.refuse::<()>("version", format!("must be \"{current}\", the version of the text at /api/consents"));
    }
    let earlier = fields.optional_text("earlier_minutes", |text| match text {
        "keep" => Ok(EarlierMinutes::Keep),
        "remove" => Ok(EarlierMinutes::Remove),
        _ => Err("must be keep or remove".to_owned()),
    });
    let (Some(kind), Some(granted)) = (kind, granted) else {
        return Err(ApiError::invalid(fields.wrong()));
    };
    fields.finish()?;
    let version = version.unwrap_or_else(|| current_version(kind).to_owned());
    let ledger = state.ledger.clone();
    // What follows the transaction cleans up, even if the client has gone.
    to_its_end(async move {
        let (rows, removed) = who
            .write(&state, move |conn, who| {
                let first = who.awaits_consent && kind == ConsentKind::Tracking && granted;
                let removed = first && decide_earlier(conn, who, earlier)?;
                consents::record(conn, &ledger, who, &ConsentAnswer { kind, version: &version, granted })?;
                Ok((users::consents_of(conn, who.user.into())?, removed.then_some(who.at)))
            })
            .await?;
        if kind == ConsentKind::Biometric && !granted {
            state.desk.catch_up(&state.db).await;
            state.db.scrub(state.clock.now()).await;
        }
        if let Some(at) = removed {
            if let Some(archive) = &state.archive {
                archive.keys.forget(who.user.into());
            }
            state.db.scrub(at).await;
        }
        Ok(HttpResponse::Ok().json(history(rows)?))
    })
    .await
}

/// The caller's sessions. In a demonstration, whose accounts all visitors share, that is the caller's own alone.
pub(super) fn sessions_of(
    conn: &mut Conn,
    who: &Principal,
    is_demo: bool,
    now: UtcMs,
) -> Result<Vec<SessionRow>, DbError> {
    let mut rows = sessions::of_user(conn, who.user.into(), now)?;
    rows.retain(|row| !is_demo || row.id == who.session);
    Ok(rows)
}

/// Where I am signed in.
#[utoipa::path(
    get,
    path = "/api/user/me/sessions",
    tag = "me",
    responses((status = 200, body = blink_proto::http::Sessions)),
)]
pub(crate) async fn sessions(who: Principal, state: Data<State>) -> ApiResult {
    let (now, is_demo, session) = (state.clock.now(), state.demo.is_some(), who.session);
    let rows = state.db.read(move |conn| sessions_of(conn, &who, is_demo, now)).await?;
    let item = |row: SessionRow| Session {
        id: row.id.0,
        user_agent: row.user_agent,
        signed_in_at: row.signed_in_at.timestamp(),
        last_used_at: row.refreshed_at.timestamp(),
        expires_at: row.expires_at.timestamp(),
        current: row.id == session,
    };
    Ok(HttpResponse::Ok().json(Sessions { items: rows.into_iter().map(item).collect() }))
}

/// End a session.
#[utoipa::path(
    delete,
    path = "/api/user/me/sessions/{id}",
    tag = "me",
    params(("id" = String, Path)),
    responses((status = 204), (status = 404)),
)]
pub(crate) async fn end_session(who: Principal, id: Path<String>, state: Data<State>) -> ApiResult {
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
pub(crate) async fn devices(who: Principal, state: Data<State>) -> ApiResult {
    let rows = state.db.read(move |conn| devices::of_user(conn, who.user.into())).await?;
    let item = |row: devices::DeviceRow| Device {
        device_id: row.device_id.into(),
        first_seen_at: row.first_seen_at.timestamp(),
        last_seen_at: row.last_seen_at.timestamp(),
        session_id: row.session_id.map(|id| id.0),
        user_agent: row.user_agent,
    };
    Ok(HttpResponse::Ok().json(Devices { items: rows.into_iter().map(item).collect() }))
}

/// Sign a machine out; its minutes stay.
#[utoipa::path(
    delete,
    path = "/api/user/me/devices/{id}",
    tag = "me",
    params(("id" = String, Path)),
    responses((status = 204), (status = 404)),
)]
pub(crate) async fn end_device(who: Principal, id: Path<String>, state: Data<State>) -> ApiResult {
    let device = own_id(&id)?;
    let ended = who.write(&state, move |conn, who| Ok(devices::end(conn, who.user.into(), device)?));
    no_content(ended.await?)
}

fn own_id<K: Kind>(text: &str) -> Result<Id<K>, ApiError> {
    text.parse().map_err(|_| ApiError::not_found())
}

fn no_content(done: bool) -> ApiResult {
    if done { Ok(HttpResponse::NoContent().finish()) } else { Err(ApiError::not_found()) }
}
