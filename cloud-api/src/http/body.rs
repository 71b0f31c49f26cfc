//! Reads small request bodies: JSON, plain or gzipped, or a form. The limit holds before and after decompression. Large
//! batches of minutes are read by [`super::upload`].

use std::{borrow::Cow, io::Read as _, pin::pin, time::Duration};

use actix_web::{
    HttpRequest,
    http::{
        StatusCode,
        header::{CONTENT_ENCODING, CONTENT_TYPE},
    },
    web::{Bytes, Payload},
};
use flate2::read::MultiGzDecoder;
use futures_util::{Stream, StreamExt as _};
use serde::Serializer as _;

use crate::{
    domain::fields::{Fields, Unreadable},
    error::ApiError,
};

/// Limit of ordinary bodies. It is small because anybody may send one, signed in or not.
pub(crate) const MAX_OBJECT_BYTES: usize = 16 << 10;

/// Limit of one minute. It leaves room for fields that later versions may add.
pub(crate) const MAX_MINUTE_BYTES: usize = 64 << 10;

/// A body that is too large is still read up to this size, so that the client gets the answer, not a broken pipe.
const MAX_DRAINED_BYTES: usize = 64 << 20;

/// Longest time that a body may take to arrive.
pub(super) const ARRIVAL: Duration = Duration::from_secs(30);

/// Reads a JSON object of at most [`MAX_OBJECT_BYTES`].
pub(crate) async fn object(req: &HttpRequest, payload: Payload) -> Result<Fields, ApiError> {
    fields(read(req, payload, MAX_OBJECT_BYTES).await?)
}

/// As [`object`], but an empty body counts as an empty object.
pub(crate) async fn optional_object(req: &HttpRequest, payload: Payload) -> Result<Fields, ApiError> {
    if req.headers().contains_key(CONTENT_TYPE) {
        return object(req, payload).await;
    }
    match arrived(payload, MAX_OBJECT_BYTES).await? {
        empty if empty.is_empty() => Ok(Fields::none()),
        _ => Err(ApiError::from_status(StatusCode::UNSUPPORTED_MEDIA_TYPE)),
    }
}

/// Reads a form, which OAuth clients send, of at most [`MAX_OBJECT_BYTES`].
pub(crate) async fn form(req: &HttpRequest, payload: Payload) -> Result<Fields, ApiError> {
    if is_gzip(req)? {
        return Err(ApiError::from_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    let received = arrived(payload, MAX_OBJECT_BYTES).await?;
    let mut object = Vec::new();
    let pairs = form_urlencoded::parse(&received);
    serde_json::Serializer::new(&mut object).collect_map(pairs).map_err(|e| ApiError::internal(e.to_string()))?;
    fields(object)
}

fn fields(bytes: Vec<u8>) -> Result<Fields, ApiError> {
    let text = String::from_utf8(bytes).map_err(|_| not_utf8())?;
    Fields::parse(text).map_err(|unreadable| match unreadable {
        Unreadable::Syntax(e) => bad_json(&e),
        Unreadable::NoObject => ApiError::invalid_field("body", "must be a JSON object"),
    })
}

/// 400 with the line and column of the fault.
#[must_use]
pub(crate) fn bad_json(e: &serde_json::Error) -> ApiError {
    bad(format!("The body is not JSON: line {}, column {}.", e.line(), e.column()))
}

#[must_use]
pub(crate) fn not_utf8() -> ApiError {
    bad("The body is not JSON: it is not UTF-8.")
}

fn bad(message: impl Into<Cow<'static, str>>) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "bad_json", message.into())
}

/// Reads a JSON body of at most `limit` bytes. The limit must be small, because the caller's thread decompresses.
pub(crate) async fn read(req: &HttpRequest, payload: Payload, limit: usize) -> Result<Vec<u8>, ApiError> {
    require_json(req)?;
    let gzip = is_gzip(req)?;
    let received = arrived(payload, limit).await?;
    if gzip { gunzip(&received, limit) } else { Ok(received) }
}

async fn arrived(payload: Payload, limit: usize) -> Result<Vec<u8>, ApiError> {
    let received = tokio::time::timeout(ARRIVAL, receive(parts(payload), limit, async |_| Ok(()))).await;
    received.map_err(|_| ApiError::from_status(StatusCode::REQUEST_TIMEOUT))?
}

pub(super) fn too_large(limit: usize) -> ApiError {
    let limit = if limit < 1 << 20 { format!("{} KB", limit >> 10) } else { format!("{} MB", limit >> 20) };
    ApiError::too_large(format!("The body is larger than {limit}."))
}

/// The parts of a body as they arrive.
pub(super) fn parts(payload: Payload) -> impl Stream<Item = Result<Bytes, ApiError>> + Unpin {
    let broke_off = |_| ApiError::new(StatusCode::BAD_REQUEST, "bad_request", "The body broke off before its end.");
    payload.map(move |part| part.map_err(broke_off))
}

/// Reads a body of at most `limit` bytes. `admit` is asked before each chunk is kept.
pub(super) async fn receive(
    parts: impl Stream<Item = Result<Bytes, ApiError>>,
    limit: usize,
    mut admit: impl AsyncFnMut(usize) -> Result<(), ApiError>,
) -> Result<Vec<u8>, ApiError> {
    let mut bytes = Vec::new();
    let mut total = 0_usize;
    let mut parts = pin!(parts);
    while let Some(chunk) = parts.next().await {
        let chunk = chunk?;
        total = total.saturating_add(chunk.len());
        if total <= limit {
            admit(chunk.len()).await?;
            bytes.extend_from_slice(&chunk);
        } else if total > MAX_DRAINED_BYTES {
            break;
        } else {
            bytes = Vec::new();
        }
    }
    if total > limit { Err(too_large(limit)) } else { Ok(bytes) }
}

pub(super) fn gunzip(compressed: &[u8], limit: usize) -> Result<Vec<u8>, ApiError> {
    let mut plain = Vec::with_capacity(compressed.len().saturating_mul(4).min(limit));
    let read = MultiGzDecoder::new(compressed).take(limit as u64 + 1).read_to_end(&mut plain);
    if plain.len() > limit {
        return Err(too_large(limit));
    }
    read.map_err(|_| ApiError::new(StatusCode::BAD_REQUEST, "bad_gzip", "The body is not whole gzip data."))?;
    Ok(plain)
}

pub(super) fn require_json(req: &HttpRequest) -> Result<(), ApiError> {
    require(req, &["application/json"], "Send application/json.")
}

/// 415 with this advice for any content type but these.
pub(super) fn require(req: &HttpRequest, kinds: &[&str], advice: &str) -> Result<(), ApiError> {
    let given = req.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
    let essence = given.split(';').next().unwrap_or("").trim();
    if kinds.iter().any(|kind| essence.eq_ignore_ascii_case(kind)) {
        return Ok(());
    }
    let mut error = ApiError::from_status(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    advice.clone_into(&mut error.message);
    Err(error)
}

pub(super) fn is_gzip(req: &HttpRequest) -> Result<bool, ApiError> {
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
