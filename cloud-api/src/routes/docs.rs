//! The API's description, at `/api/openapi.json` and as pages at `/api/docs/`.

use std::sync::{Arc, LazyLock};

use actix_web::{
    HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, LOCATION},
    web::Path,
};
use serde_json::Value;
use utoipa_swagger_ui::Config;

use super::table;
use crate::{
    error::{ApiError, ApiResult},
    openapi,
};

static DESCRIPTION: LazyLock<Value> =
    LazyLock::new(|| openapi::document(table().into_iter().filter_map(|endpoint| endpoint.described)));

/// The whole document.
#[must_use]
pub fn description() -> &'static Value {
    &DESCRIPTION
}

/// This document.
#[utoipa::path(
    get,
    path = "/api/openapi.json",
    tag = "operation",
    security(()),
    responses((status = 200, body = serde_json::Value)),
)]
pub async fn document() -> HttpResponse {
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-cache")).json(description())
}

/// Swagger UI sets styles inline; scripts stay ours alone.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

static UI: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| Arc::new(Config::from("/api/openapi.json")));

/// `GET /api/docs`, `/docs`: the way to the pages.
pub async fn to_pages() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((LOCATION, "/api/docs/")).finish()
}

/// `GET /api/docs/...`: Swagger UI, embedded.
///
/// # Errors
/// 404 for a file that is not part of it.
pub async fn pages(file: Path<String>) -> ApiResult {
    let found = utoipa_swagger_ui::serve(&file, UI.clone())
        .map_err(|e| ApiError::internal(format!("Swagger UI: {e}")))?
        .ok_or_else(ApiError::not_found)?;
    let mut answer = HttpResponse::Ok();
    answer
        .content_type(found.content_type)
        .insert_header((CACHE_CONTROL, "no-cache"))
        .insert_header((CONTENT_SECURITY_POLICY, DOCS_POLICY));
    if found.gzpipped {
        answer.insert_header((CONTENT_ENCODING, "gzip"));
    }
    Ok(answer.body(found.bytes.into_owned()))
}
