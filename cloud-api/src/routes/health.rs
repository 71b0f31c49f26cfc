//! Health endpoints: liveness says that the process runs, readiness that it can work.

use std::{fs, io, path::Path};

use actix_web::{HttpRequest, HttpResponse, http::header::AUTHORIZATION, web::Data};
use blink_proto::http::{ExportsReadiness, Health, Ready, Retention, Versions};
use diesel::{QueryableByName, RunQueryDsl as _, sql_query, sql_types::Text};
use sha2::{Digest as _, Sha256};

use crate::{
    address,
    db::{DbError, housekeeping::ClockTrust},
    domain::time::UtcMs,
    error::{ApiError, ApiResult},
    faces::Availability,
    failure::chain,
    metrics,
    state::State,
};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The process lives.
#[utoipa::path(
    get,
    path = "/health",
    tag = "operation",
    security(()),
    responses((status = 200, body = Health)),
)]
pub(crate) async fn liveness(state: Data<State>) -> HttpResponse {
    let uptime_s = state.started.elapsed().as_secs();
    HttpResponse::Ok().json(Health { status: "ok".to_owned(), uptime_s, version: VERSION.to_owned() })
}

#[derive(QueryableByName)]
struct Schema {
    #[diesel(sql_type = Text)]
    version: String,
}

/// The process can work: its database answers and takes writes.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "operation",
    security(()),
    responses((status = 200, body = Ready), (status = 503)),
)]
pub(crate) async fn readiness(state: Data<State>) -> ApiResult {
    let (folder, now) = (state.exports_dir.clone(), state.clock.now());
    let (schema, exports) = state
        .db
        .read(move |conn| -> Result<_, DbError> {
            let newest = "SELECT version FROM __diesel_schema_migrations ORDER BY version DESC LIMIT 1";
            let schema = sql_query(newest).get_result::<Schema>(conn)?.version;
            Ok((schema, readable(&folder)))
        })
        .await
        .map_err(|e| ApiError::unavailable(chain(&e)))?;
    let desk = state.desk.is_open && state.desk.reader.availability() == Availability::Available;
    let clock = state.db.clock_trust(now).await.map_err(|e| ApiError::unavailable(chain(&e)))?;
    state.db.probe(now).await.map_err(|e| takes_no_writes(&e))?;
    Ok(HttpResponse::Ok().json(Ready {
        status: "ready".to_owned(),
        database: "ok".to_owned(),
        retention: retention(clock),
        attendance: if desk { "ok" } else { "unavailable" }.to_owned(),
        exports: ExportsReadiness { readable: exports },
        versions: Versions { cloud_api: VERSION.to_owned(), schema },
        uptime_s: state.started.elapsed().as_secs(),
        version: VERSION.to_owned(),
    }))
}

fn retention(clock: ClockTrust) -> Retention {
    let (held, last_run) = match clock {
        ClockTrust::Trusted { last_run } => (false, last_run),
        ClockTrust::Doubted { last_run } => (true, last_run),
    };
    let reason = held.then(|| "clock_doubted".to_owned());
    Retention { held, reason, last_run_at: last_run.map(UtcMs::timestamp) }
}

fn takes_no_writes(e: &DbError) -> ApiError {
    let mut error = ApiError::unavailable(chain(e));
    error.message = "The database can be read, and takes no writes now.".to_owned();
    error
}

/// Whether the folder and all its files can be opened; `None` while there is no folder, as nothing was exported yet.
fn readable(folder: &Path) -> Option<bool> {
    match fs::read_dir(folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(_) => Some(false),
        Ok(mut files) => Some(files.all(|file| file.and_then(|file| fs::File::open(file.path())).is_ok())),
    }
}

/// Figures for Prometheus; off loopback with the metrics token.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "operation",
    security(()),
    responses((status = 200, body = String, content_type = "text/plain"), (status = 401), (status = 404)),
)]
pub(crate) async fn metrics(req: HttpRequest, state: Data<State>) -> ApiResult {
    let proxied = state.behind_proxy || address::is_forwarded(&req);
    let local = !proxied && req.peer_addr().is_some_and(|peer| peer.ip().is_loopback());
    match &state.access.metrics_token {
        None if !local => return Err(ApiError::not_found()),
        Some(token) if !(local || bearer_is(&req, token.expose())) => return Err(ApiError::unauthenticated()),
        _ => {}
    }
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(metrics::render()))
}

/// Compares digests, so that the time taken does not reveal where two tokens differ.
fn bearer_is(req: &HttpRequest, token: &str) -> bool {
    let given = req.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or("");
    let given = given.strip_prefix("Bearer ").unwrap_or("");
    Sha256::digest(given) == Sha256::digest(token)
}
