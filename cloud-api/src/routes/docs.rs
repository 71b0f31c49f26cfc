//! Serves the OpenAPI document at `/api/openapi.json` and Swagger UI at `/api/docs/`.

use std::sync::{Arc, LazyLock};

use actix_web::{
    HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, ContentType, LOCATION},
    web::{Bytes, Path},
};
use serde_json::Value;
use utoipa_swagger_ui::Config;

use super::table;
use crate::{
    error::{ApiError, ApiResult},
    http::{embedded_file, in_parts},
    openapi,
};

static DESCRIPTION: LazyLock<Value> =
    LazyLock::new(|| openapi::document(table().into_iter().filter_map(|endpoint| endpoint.described)));

#[must_use]
pub(crate) fn description() -> &'static Value {
    &DESCRIPTION
}

/// The document is serialised once and shared, so that a client that reads slowly holds no copy of it.
static TEXT: LazyLock<Bytes> = LazyLock::new(|| description().to_string().into());

/// This document.
#[utoipa::path(
    get,
    path = "/api/openapi.json",
    tag = "operation",
    security(()),
    responses((status = 200, body = serde_json::Value)),
)]
pub(crate) async fn document() -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    answer.insert_header((CACHE_CONTROL, "no-cache")).insert_header(ContentType::json()).body(in_parts(TEXT.clone()))
}

/// Content-Security-Policy of the pages: Swagger UI sets styles inline, but scripts come from this server only.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

static UI: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| Arc::new(Config::from("/api/openapi.json")));

/// `GET /api/docs` and `/docs` redirect to the pages.
pub(crate) async fn to_pages() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((LOCATION, "/api/docs/")).finish()
}

/// `GET /api/docs/...` serves the embedded files of Swagger UI.
pub(crate) async fn pages(file: Path<String>) -> ApiResult {
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
    Ok(answer.body(embedded_file(found.bytes)))
}
