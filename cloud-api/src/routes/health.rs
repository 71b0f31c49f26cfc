//! Whether the server lives, and whether it can work.

use std::{fs, io, path::Path};

use actix_web::{HttpRequest, HttpResponse, http::header::AUTHORIZATION, web::Data};
use diesel::{QueryableByName, RunQueryDsl as _, sql_query, sql_types::Text};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::{
    address,
    db::DbError,
    error::{ApiError, ApiResult},
    metrics,
    state::State,
};

/// `GET /health`: the process answers. Nothing is asked of the database, so it is cheap.
pub async fn liveness(state: Data<State>) -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "status": "ok",
        "uptime_s": state.started.elapsed().as_secs(),
        "version": env!("CARGO_PKG_VERSION"),
    }))
}

/// The newest migration of a database.
#[derive(QueryableByName)]
struct Schema {
    #[diesel(sql_type = Text)]
    version: String,
}

/// `GET /healthz`: the server can do its work: its database answers. What else is missing is said, and is no reason to
/// send people elsewhere.
///
/// # Errors
/// 503 without the database.
pub async fn readiness(state: Data<State>) -> ApiResult {
    let folder = state.exports_dir.clone();
    let (schema, exports) = state
        .db
        .read(move |conn| -> Result<_, DbError> {
            let newest = "SELECT version FROM __diesel_schema_migrations ORDER BY version DESC LIMIT 1";
            Ok((sql_query(newest).get_result::<Schema>(conn)?.version, readable(&folder)))
        })
        .await
        .map_err(|e| ApiError::unavailable(crate::failure::chain(&e)))?;
    Ok(HttpResponse::Ok().json(json!({
        "status": "ready",
        "database": "ok",
        // The desk's models are not part of this build yet.
        "attendance": "unavailable",
        "exports": {"readable": exports},
        "versions": {"cloud_api": env!("CARGO_PKG_VERSION"), "schema": schema},
        "uptime_s": state.started.elapsed().as_secs(),
        "version": env!("CARGO_PKG_VERSION"),
    })))
}

/// Whether the folder and all its files can be opened; `None` while there is no folder, because nothing was exported.
fn readable(folder: &Path) -> Option<bool> {
    match fs::read_dir(folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(_) => Some(false),
        Ok(mut files) => Some(files.all(|file| file.and_then(|file| fs::File::open(file.path())).is_ok())),
    }
}

/// `GET /metrics`: for Prometheus. Open on loopback; elsewhere, and behind a proxy, it wants the token.
///
/// # Errors
/// 401 without the token, 404 where none is set.
pub async fn metrics(req: HttpRequest, state: Data<State>) -> ApiResult {
    let proxied = state.behind_proxy || address::is_forwarded(&req);
    let local = !proxied && req.peer_addr().is_some_and(|peer| peer.ip().is_loopback());
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
