//! Request bodies: JSON, perhaps gzip, never larger than the limit, before and after decompression.

use std::{io::Read as _, time::Duration};

use actix_web::{
    HttpRequest,
    http::{
        StatusCode,
        header::{CONTENT_ENCODING, CONTENT_TYPE},
    },
    web::{self, Payload},
};
use flate2::read::MultiGzDecoder;
use futures_util::StreamExt as _;
use serde_json::Value;

use super::blocking;
use crate::{domain::fields::Fields, error::ApiError};

/// The limit of ordinary bodies.
pub const MAX_JSON_BYTES: usize = 1 << 20;

/// The limit of `/api/blink/sync`.
pub const MAX_SYNC_BYTES: usize = 8 << 20;

/// A body that is too large is read on to this much, so that its sender hears the answer instead of a broken pipe.
const MAX_DRAINED_BYTES: usize = 64 << 20;

/// How long a body may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(30);

/// Reads a JSON object of at most [`MAX_JSON_BYTES`], field by field.
///
/// # Errors
/// 400, 408, 413, 415, and 422 for JSON that is no object.
pub async fn object(req: &HttpRequest, payload: Payload) -> Result<Fields, ApiError> {
    let bytes = read(req, payload, MAX_JSON_BYTES).await?;
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(object)) => Ok(Fields::new(object)),
        Ok(_) => Err(ApiError::invalid_field("body", "must be a JSON object")),
        Err(e) => Err(bad_json(&e)),
    }
}

/// As [`object`]; an empty body is an empty object.
///
/// # Errors
/// As [`object`].
pub async fn optional_object(req: &HttpRequest, payload: Payload) -> Result<Fields, ApiError> {
    if req.headers().contains_key(CONTENT_TYPE) {
        return object(req, payload).await;
    }
    let received = tokio::time::timeout(ARRIVAL, receive(payload, MAX_JSON_BYTES)).await;
    match received.map_err(|_| ApiError::from_status(StatusCode::REQUEST_TIMEOUT))?? {
        empty if empty.is_empty() => Ok(Fields::new(serde_json::Map::new())),
        _ => Err(ApiError::from_status(StatusCode::UNSUPPORTED_MEDIA_TYPE)),
    }
}

/// Reads a form, as OAuth clients send it, of at most 64 KiB.
///
/// # Errors
/// 400, 408 and 413.
pub async fn form(req: &HttpRequest, payload: Payload) -> Result<Fields, ApiError> {
    if is_gzip(req)? {
        return Err(ApiError::from_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    let received = tokio::time::timeout(ARRIVAL, receive(payload, 64 << 10))
        .await
        .map_err(|_| ApiError::from_status(StatusCode::REQUEST_TIMEOUT))??;
    let text = String::from_utf8(received).map_err(|_| ApiError::from_status(StatusCode::BAD_REQUEST))?;
    let pairs = web::Query::<Vec<(String, String)>>::from_query(&text)
        .map_err(|_| ApiError::from_status(StatusCode::BAD_REQUEST))?;
    Ok(Fields::new(pairs.into_inner().into_iter().map(|(name, value)| (name, Value::String(value))).collect()))
}

/// 400 for what is no JSON, with the place.
#[must_use]
pub fn bad_json(e: &serde_json::Error) -> ApiError {
    let message = format!("The body is not JSON: line {}, column {}.", e.line(), e.column());
    ApiError::new(StatusCode::BAD_REQUEST, "bad_json", message)
}

/// Reads a JSON body of at most `limit` bytes, decompressed.
///
/// # Errors
/// 400, 408, 413 and 415.
pub async fn read(req: &HttpRequest, payload: Payload, limit: usize) -> Result<Vec<u8>, ApiError> {
    require_json(req)?;
    let gzip = is_gzip(req)?;
    let received = tokio::time::timeout(ARRIVAL, receive(payload, limit))
        .await
        .map_err(|_| ApiError::from_status(StatusCode::REQUEST_TIMEOUT))??;
    if !gzip {
        return Ok(received);
    }
    blocking(move || gunzip(&received, limit)).await?
}

fn too_large(limit: usize) -> ApiError {
    ApiError::too_large(format!("The body is larger than {} MB.", limit >> 20))
}

async fn receive(mut payload: Payload, limit: usize) -> Result<Vec<u8>, ApiError> {
    let mut bytes = Vec::new();
    let mut total = 0_usize;
    while let Some(chunk) = payload.next().await {
        let chunk = chunk
            .map_err(|_| ApiError::new(StatusCode::BAD_REQUEST, "bad_request", "The body broke off before its end."))?;
        total = total.saturating_add(chunk.len());
        if total <= limit {
            bytes.extend_from_slice(&chunk);
        } else if total > MAX_DRAINED_BYTES {
            break;
        } else {
            bytes = Vec::new();
        }
    }
    if total > limit { Err(too_large(limit)) } else { Ok(bytes) }
}

fn gunzip(compressed: &[u8], limit: usize) -> Result<Vec<u8>, ApiError> {
    let mut plain = Vec::with_capacity(compressed.len().saturating_mul(4).min(limit));
    let read = MultiGzDecoder::new(compressed).take(limit as u64 + 1).read_to_end(&mut plain);
    if plain.len() > limit {
        return Err(too_large(limit));
    }
    read.map_err(|_| ApiError::new(StatusCode::BAD_REQUEST, "bad_gzip", "The body is not whole gzip data."))?;
    Ok(plain)
}

fn require_json(req: &HttpRequest) -> Result<(), ApiError> {
    let given = req.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
    let essence = given.split(';').next().unwrap_or("").trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(ApiError::from_status(StatusCode::UNSUPPORTED_MEDIA_TYPE))
}

fn is_gzip(req: &HttpRequest) -> Result<bool, ApiError> {
    match req.headers().get(CONTENT_ENCODING).map(|v| v.to_str().unwrap_or("?").trim().to_ascii_lowercase()).as_deref()
    {
        None | Some("" | "identity") => Ok(false),
        Some("gzip" | "x-gzip") => Ok(true),
        Some(_) => Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_encoding",
            "Send the body plain, or with Content-Encoding: gzip.",
        )),
    }
}
