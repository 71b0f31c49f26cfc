//! `GET /api/user/me/export`: everything held about a person, one JSON document, streamed: a year of minutes does not
//! fit a request's memory, and need not.

use actix_web::{
    HttpResponse,
    http::header::{CONTENT_DISPOSITION, ContentType},
    web::{Bytes, Data},
};
use blink_proto::http::User;
use futures_util::stream;
use serde_json::json;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::{
    db::{DbError, archive, devices, export, oidc, sessions, teams, types::DbId, users},
    domain::time::UtcMs,
    error::{ApiError, ApiResult},
    principal::Principal,
    state::State,
};

/// Minutes read at once.
const PAGE: i64 = 5_000;

/// Everything held about me, one document.
#[utoipa::path(
    get,
    path = "/api/user/me/export",
    tag = "me",
    responses((status = 200, body = blink_proto::http::Export)),
)]
pub async fn everything(who: Principal, state: Data<State>) -> ApiResult {
    let user = DbId::from(who.user);
    let (now, archive_on) = (state.clock.now(), state.archive.is_some());
    let head = state
        .db
        .read(move |conn| -> Result<_, DbError> {
            let Some(person) = users::by_id(conn, user)? else { return Ok(None) };
            let consents = users::consents_of(conn, user)?;
            let sessions = sessions::of_user(conn, user, now)?;
            let devices = devices::of_user(conn, user)?;
            let teams = teams::of_member(conn, user)?;
            let identities = oidc::identities_of(conn, user)?;
            let held = archive::held(conn, user)?;
            Ok(Some(json!({
                "exported_at": now.timestamp(),
                "has_password": person.password_hash.is_some(),
                "user": User::from(person),
                "consents": consents.iter().map(|c| json!({
                    "kind": c.kind, "granted": c.granted, "version": c.version, "at": c.at.timestamp(),
                })).collect::<Vec<_>>(),
                "sessions": sessions.iter().map(|s| json!({
                    "id": s.id.0, "user_agent": s.user_agent, "signed_in_at": s.signed_in_at.timestamp(),
                    "last_used_at": s.refreshed_at.timestamp(), "expires_at": s.expires_at.timestamp(),
                })).collect::<Vec<_>>(),
                "devices": devices.iter().map(|d| json!({
                    "device_id": d.device_id.0, "first_seen_at": d.first_seen_at.timestamp(),
                    "last_seen_at": d.last_seen_at.timestamp(),
                })).collect::<Vec<_>>(),
                "teams": teams.iter().map(|(team, accepted_at)| json!({
                    "id": team.id.0, "name": team.name, "accepted_at": accepted_at.map(UtcMs::timestamp),
                })).collect::<Vec<_>>(),
                "identities": identities.iter().map(|(issuer, subject)| json!({
                    "issuer": issuer, "subject": subject,
                })).collect::<Vec<_>>(),
                // Copies of the minutes below, encrypted; what they hold is not repeated.
                "archive": {
                    "on": archive_on, "objects": held.objects, "bytes": held.bytes, "minutes": held.minutes,
                    "oldest_minute": held.oldest_at.map(UtcMs::timestamp), "batches_waiting": held.queued,
                },
            })))
        })
        .await?
        .ok_or_else(ApiError::unauthenticated)?;
    let (parts, received) = mpsc::channel::<Result<Bytes, DbError>>(2);
    let mut head = head.to_string();
    head.pop();
    head.push_str(",\"minutes\":[");
    actix_web::rt::spawn(async move {
        if parts.send(Ok(Bytes::from(head))).await.is_err() {
            return;
        }
        let mut after = (UtcMs(0), DbId(Uuid::nil()));
        let mut first = true;
        loop {
            let page = state.db.read(move |conn| export::minutes_after(conn, user, after, PAGE)).await;
            let rows = match page {
                Ok(rows) => rows,
                Err(e) => return drop(parts.send(Err(e)).await),
            };
            let Some(last) = rows.last() else { break };
            after = last.place();
            let text = rows.into_iter().map(|row| serde_json::to_string(&row.into_minute()).unwrap_or_default());
            let text = text.collect::<Vec<_>>().join(",\n");
            let text = if std::mem::take(&mut first) { text } else { format!(",\n{text}") };
            if parts.send(Ok(Bytes::from(text))).await.is_err() {
                return;
            }
        }
        let _ = parts.send(Ok(Bytes::from_static(b"]}"))).await;
    });
    let body = stream::unfold(received, |mut received| async { Some((received.recv().await?, received)) });
    Ok(HttpResponse::Ok()
        .insert_header(ContentType::json())
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"wellness-at-work.json\""))
        .streaming(body))
}
