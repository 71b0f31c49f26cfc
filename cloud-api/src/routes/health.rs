//! Whether the server lives, and whether it can work.

use actix_web::{HttpResponse, web::Data};
use diesel::{RunQueryDsl as _, sql_query};
use serde_json::json;

use super::State;
use crate::{db::DbError, error::ApiResult};

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
        .map_err(|e| crate::error::ApiError::unavailable(crate::failure::chain(&e)))?;
    Ok(HttpResponse::Ok().json(json!({
        "status": "ready",
        "database": "ok",
        "uptime_s": state.started.elapsed().as_secs(),
        "version": env!("CARGO_PKG_VERSION"),
    })))
}
