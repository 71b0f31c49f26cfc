//! Whether the server lives, and whether it can work.

use actix_web::{HttpRequest, HttpResponse, http::header::AUTHORIZATION, web::Data};
use diesel::{RunQueryDsl as _, sql_query};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::State;
use crate::{
    db::DbError,
    error::{ApiError, ApiResult},
    metrics,
};

/// `GET /health`: the process answers. Nothing is asked of the database, so it is cheap.
pub async fn liveness(state: Data<State>) -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "status": "ok",
        "uptime_s": state.started.elapsed().as_secs(),
        "version": env!("CARGO_PKG_VERSION"),
    }))
}

/// `GET /healthz`: the server can do its work: its database answers.
///
/// # Errors
/// 503 without the database.
pub async fn readiness(state: Data<State>) -> ApiResult {
    state
        .db
        .read(|conn| sql_query("SELECT 1").execute(conn).map(|_| ()).map_err(DbError::from))
        .await
        .map_err(|e| ApiError::unavailable(crate::failure::chain(&e)))?;
    Ok(HttpResponse::Ok().json(json!({
        "status": "ready",
        "database": "ok",
        // The desk's models are not part of this build yet.
        "attendance": "unavailable",
        "uptime_s": state.started.elapsed().as_secs(),
        "version": env!("CARGO_PKG_VERSION"),
    })))
}

/// `GET /metrics`: for Prometheus. Open on loopback; elsewhere, and behind a proxy, it wants the token.
///
/// # Errors
/// 401 without the token, 404 where none is set.
pub async fn metrics(req: HttpRequest, state: Data<State>) -> ApiResult {
    let local = !state.behind_proxy && req.peer_addr().is_some_and(|peer| peer.ip().is_loopback());
    match &state.access.metrics_token {
        None if !local => return Err(ApiError::not_found()),
        Some(token) if !(local || bearer_is(&req, token.expose())) => return Err(ApiError::unauthenticated()),
        _ => {}
    }
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(metrics::render()))
}

/// Compares digests, so that the time says nothing of where two tokens differ.
fn bearer_is(req: &HttpRequest, token: &str) -> bool {
    let given = req.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or("");
    let given = given.strip_prefix("Bearer ").unwrap_or("");
    Sha256::digest(given) == Sha256::digest(token)
}
