//! The API's description, at `/api/openapi.json` and as pages at `/api/docs/`.
//!
//! - `paths`: every address and method; a test holds it equal to the router's table
//! - `schemas`: the bodies

mod paths;
mod schemas;

use std::{
    borrow::Cow,
    sync::{Arc, LazyLock},
};

use actix_web::{
    HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, ContentType, LOCATION},
    web::{Bytes, Path},
};
use serde_json::{Value, json};
use utoipa_swagger_ui::Config;

use crate::{
    error::{ApiError, ApiResult},
    http::in_parts,
};

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Wellness at Work: cloud-api",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Receives minutes from every machine of an organisation and shows each person their own history.",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                    "description": "The access token of register, login or refresh; it lives 15 minutes."},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "__Secure-waw_refresh",
                    "description": "A page's refresh token; waw_refresh without HTTPS. It counts only with X-WAW-Client: web."},
                "metrics": {"type": "http", "scheme": "bearer", "description": "CLOUD_API_METRICS_TOKEN"},
            },
            "schemas": schemas::all(),
            "responses": schemas::errors(),
            "parameters": paths::shared_parameters(),
        },
        "paths": paths::all(),
    })
});

/// The whole document.
#[must_use]
pub fn document() -> &'static Value {
    &DOCUMENT
}

/// Written once: whoever does not read it holds no copy.
static TEXT: LazyLock<Bytes> = LazyLock::new(|| document().to_string().into());

/// `GET /api/openapi.json`.
pub async fn json_document() -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    answer.insert_header((CACHE_CONTROL, "no-cache")).insert_header(ContentType::json()).body(in_parts(TEXT.clone()))
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
    // Not copied: whoever does not read it would hold a megabyte.
    Ok(answer.body(in_parts(match found.bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    })))
}
