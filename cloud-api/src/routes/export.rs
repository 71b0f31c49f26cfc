//! `GET /api/user/me/export` streams everything held about a person as one JSON document, because a year of minutes
//! would not fit the memory of one request.

use std::time::Duration;

use actix_web::{
    HttpResponse,
    http::header::{CONTENT_DISPOSITION, ContentType},
    web::{Bytes, Data},
};
use blink_proto::http::User;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::sync::mpsc::{self, Sender};

use super::own;
use crate::{
    db::{
        DbError, archive,
        conn::Conn,
        devices,
        minute_row::{MinuteKey, MinuteRow},
        oidc,
        own_minutes::{self, Selection},
        sessions, teams, users,
    },
    domain::time::UtcMs,
    error::{ApiError, ApiResult},
    principal::Principal,
    state::State,
};

/// Minutes read at once. Together with the connection's buffers, a stalled export holds three times as many in memory.
const PAGE: i64 = 200;

/// Longest time a client may take to read one page.
const READER: Duration = Duration::from_secs(30);

/// Why an export was broken off. The client then sees the connection break, so that half a document cannot pass for a
/// whole one.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("reading a page failed")]
    Database(#[from] DbError),
    #[error("a page cannot be written as JSON")]
    Json(#[from] serde_json::Error),
    #[error("the session ended meanwhile, or the person is gone")]
    Ended,
    #[error("the reader took too long")]
    Slow,
}

/// Everything held about me, one document.
#[utoipa::path(
    get,
    path = "/api/user/me/export",
    tag = "me",
    responses((status = 200, body = blink_proto::http::Export), (status = 429)),
)]
pub(crate) async fn everything(who: Principal, state: Data<State>) -> ApiResult {
    let turn = state.limits.export_turn(who.user).await?;
    let (now, archive_on) = (state.clock.now(), state.archive.is_some());
    let (whole, asks) = (state.clone(), who.clone());
    let document = state.db.read(move |conn| document(conn, &whole, &asks, now, archive_on)).await?;
    let document = document.ok_or_else(ApiError::unauthenticated)?;
    let head = serde_json::to_vec(&document).map_err(|e| ApiError::internal(e.to_string()))?;
    let (parts, received) = mpsc::channel::<Result<Bytes, Broken>>(1);
    actix_web::rt::spawn(async move {
        let _turn = turn;
        if let Err(broken) = send_all(&state, &who, head, &parts).await {
            tracing::info!(cause = %broken, "an export was broken off");
            // A client that reads again learns of the fault; for one that never does, the kernel closes the connection.
            let _ = tokio::time::timeout(READER, parts.send(Err(broken))).await;
        }
    });
    let body = stream::unfold(received, |mut received| async { Some((received.recv().await?, received)) });
    Ok(HttpResponse::Ok()
        .insert_header(ContentType::json())
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"wellness-at-work.json\""))
        .streaming(body))
}

/// Everything but the minutes.
fn document(
    conn: &mut Conn,
    state: &State,
    who: &Principal,
    now: UtcMs,
    archive_on: bool,
) -> Result<Option<Value>, ApiError> {
    let user = who.user.into();
    let Some(person) = users::by_id(conn, user)? else { return Ok(None) };
    let consents = users::consents_of(conn, user)?;
    let sessions = own::sessions_of(conn, who, state.demo.is_some(), now)?;
    let devices = devices::of_user(conn, user)?;
    let teams = teams::of_member(conn, user)?;
    let identities = oidc::identities_of(conn, user)?;
    let held = archive::held(conn, user)?;
    let attendance = super::attendance::export::of_account(conn, state, user, now)?;
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
            "last_seen_at": d.last_seen_at.timestamp(), "user_agent": d.user_agent,
        })).collect::<Vec<_>>(),
        "teams": teams.iter().map(|m| json!({
            "id": m.team.id.0, "name": m.team.name, "accepted_at": m.accepted_at.map(UtcMs::timestamp),
        })).collect::<Vec<_>>(),
        "identities": identities.iter().map(|i| json!({
            "issuer": i.issuer, "subject": i.subject,
        })).collect::<Vec<_>>(),
        "attendance": attendance,
        // Archived objects are encrypted copies of the minutes below, so only their counts are exported.
        "archive": {
            "on": archive_on, "objects": held.objects, "bytes": held.bytes, "minutes": held.minutes,
            "oldest_minute": held.oldest_at.map(UtcMs::timestamp), "batches_waiting": held.queued,
        },
    })))
}

/// Sends the document `head`, to which it adds a last field `minutes` page by page.
async fn send_all(
    state: &State,
    who: &Principal,
    mut head: Vec<u8>,
    parts: &Sender<Result<Bytes, Broken>>,
) -> Result<(), Broken> {
    let end = head.pop();
    head.extend_from_slice(b",\"minutes\":[");
    send(parts, head).await?;
    let mut after = Selection::all(who.user.into()).start();
    let mut separator: &[u8] = b"";
    loop {
        let rows = page(state, who, after).await?;
        let Some(last) = rows.last() else { break };
        after = last.key();
        let mut text = Vec::new();
        for row in rows {
            text.extend_from_slice(separator);
            separator = b",\n";
            serde_json::to_writer(&mut text, &row.into_minute())?;
        }
        send(parts, text).await?;
    }
    send(parts, [b']'].into_iter().chain(end).collect()).await
}

/// Reads the page of minutes after a place. Fails once the session has ended: after an erasure there are no minutes,
/// which must not look like the end of the history.
async fn page(state: &State, who: &Principal, after: MinuteKey) -> Result<Vec<MinuteRow>, Broken> {
    let (user, session, now) = (who.user.into(), who.session, state.clock.now());
    let rows = state.db.read(move |conn| -> Result<_, DbError> {
        let rows = own_minutes::page(conn, Selection::all(user), after, PAGE)?;
        Ok(sessions::standing(conn, session, now)?.map(|_| rows))
    });
    rows.await?.ok_or(Broken::Ended)
}

async fn send(parts: &Sender<Result<Bytes, Broken>>, part: Vec<u8>) -> Result<(), Broken> {
    let sent = tokio::time::timeout(READER, parts.send(Ok(Bytes::from(part)))).await;
    // A client that hung up is treated like one that is too slow: in both cases the export ends.
    sent.map_err(|_| Broken::Slow)?.map_err(|_| Broken::Slow)
}
