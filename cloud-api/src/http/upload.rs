//! Reads batches of minutes and CSV files, which are large. The bytes of all uploads in memory together are limited.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::{
    HttpRequest,
    http::{StatusCode, header},
    web::{Bytes, Payload},
};
use futures_util::{Stream, StreamExt as _, stream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{blocking, body};
use crate::error::ApiError;

/// Limit of one batch, both as it arrives and after decompression.
pub(crate) const MAX_BYTES: usize = 8 << 20;

/// The memory for large bodies as they arrive.
const LARGE_BYTES: usize = 5 * MAX_BYTES;

/// The memory for small bodies as they arrive. Large ones take none of it, so that ordinary uploads never wait for them.
const SMALL_BYTES: usize = MAX_BYTES;

/// The size of the largest small body: some 1,000 minutes without compression. Ordinary uploads are far smaller.
const SMALL: usize = 256 << 10;

/// The pace at which a body must arrive: so many bytes, or its end, in so much time. Slower ones would hold memory.
const PACE_BYTES: usize = 32 << 10;
const PACE: Duration = Duration::from_secs(5);

/// Limit of all decompressed bodies together.
const PLAIN_BYTES: usize = 4 * MAX_BYTES;

/// Longest time that an upload waits for memory.
const WAIT: Duration = Duration::from_secs(10);

pub(crate) const BUSY: &str = "Too much is being uploaded at once. Try again in a moment.";

/// The memory budget of uploads. Cheap to clone.
#[derive(Clone)]
pub struct Memory {
    large: Arc<Semaphore>,
    small: Arc<Semaphore>,
    /// Taken only by a body that has arrived in full, so that no two uploads wait for each other's memory.
    plain: Arc<Semaphore>,
}

impl Default for Memory {
    fn default() -> Self {
        let of = |bytes| Arc::new(Semaphore::new(bytes));
        Self { large: of(LARGE_BYTES), small: of(SMALL_BYTES), plain: of(PLAIN_BYTES) }
    }
}

/// A body that has arrived, with its share of the memory.
pub(crate) struct Upload {
    pub bytes: Vec<u8>,
    /// Must be kept until the batch is stored.
    pub share: OwnedSemaphorePermit,
}

/// Reads a JSON body of at most [`MAX_BYTES`] and decompresses it. Answers 503 while the memory for uploads is full.
pub(crate) async fn read(req: &HttpRequest, payload: Payload, memory: &Memory) -> Result<Upload, ApiError> {
    body::require_json(req)?;
    received(req, payload, memory).await
}

/// As [`read`], for CSV.
pub(crate) async fn read_csv(req: &HttpRequest, payload: Payload, memory: &Memory) -> Result<Upload, ApiError> {
    body::require(req, &["text/csv", "application/csv", "text/plain", "application/vnd.ms-excel"], "Send text/csv.")?;
    received(req, payload, memory).await
}

async fn received(req: &HttpRequest, payload: Payload, memory: &Memory) -> Result<Upload, ApiError> {
    let gzip = body::is_gzip(req)?;
    let of_its_size = if is_small(req) { &memory.small } else { &memory.large };
    let mut share = take(of_its_size, 0).await?;
    let receiving = body::receive(paced(payload), MAX_BYTES, async |bytes| {
        share.merge(take(of_its_size, bytes).await?);
        Ok(())
    });
    let received = tokio::time::timeout(body::ARRIVAL, receiving).await;
    let bytes = received.map_err(|_| ApiError::from_status(StatusCode::REQUEST_TIMEOUT))??;
    if !gzip {
        return Ok(Upload { bytes, share });
    }
    // The decompressed size is not known before, so the largest is taken and the rest given back.
    let mut plain = take(&memory.plain, MAX_BYTES).await?;
    blocking(move || {
        let _of_the_packed = share;
        let bytes = body::gunzip(&bytes, MAX_BYTES)?;
        drop(plain.split(MAX_BYTES - bytes.len()));
        Ok(Upload { bytes, share: plain })
    })
    .await?
}

/// Whether the head announces a small body. One of unknown length is large.
pub(crate) fn is_small(req: &HttpRequest) -> bool {
    let length = req.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    length.is_some_and(|length: usize| length <= SMALL)
}

/// The parts of a body that keeps the pace, and 408 for one that does not. Only time spent waiting for the client
/// counts: it cannot help that the server waits for memory.
pub(super) fn paced(payload: Payload) -> impl Stream<Item = Result<Bytes, ApiError>> {
    stream::unfold((body::parts(payload), PACE, 0), |(mut parts, left, mut bytes)| async move {
        let asked = Instant::now();
        let Ok(part) = tokio::time::timeout(left, parts.next()).await else {
            return Some((Err(ApiError::from_status(StatusCode::REQUEST_TIMEOUT)), (parts, left, bytes)));
        };
        let part = part?;
        bytes += part.as_ref().map_or(0, Bytes::len);
        let next = if bytes < PACE_BYTES { (left.saturating_sub(asked.elapsed()), bytes) } else { (PACE, 0) };
        Some((part, (parts, next.0, next.1)))
    })
}

pub(super) async fn take(of: &Arc<Semaphore>, bytes: usize) -> Result<OwnedSemaphorePermit, ApiError> {
    let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
    match tokio::time::timeout(WAIT, of.clone().acquire_many_owned(bytes)).await {
        Ok(Ok(share)) => Ok(share),
        Ok(Err(closed)) => Err(ApiError::internal(closed.to_string())),
        Err(_) => Err(ApiError::busy(BUSY)),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::{FromRequest as _, test::TestRequest};
    use futures_util::FutureExt as _;

    use super::*;

    async fn send(memory: &Memory, bytes: usize) -> Result<Upload, ApiError> {
        let request = TestRequest::post().insert_header((header::CONTENT_TYPE, "application/json"));
        let request = request.insert_header((header::CONTENT_LENGTH, bytes)).set_payload("x".repeat(bytes));
        let (req, mut payload) = request.to_http_parts();
        let payload = Payload::from_request(&req, &mut payload).await.unwrap();
        read(&req, payload, memory).await
    }

    #[actix_web::test]
    async fn a_small_body_waits_for_no_large_one() {
        let memory = Memory::default();
        let held = take(&memory.large, LARGE_BYTES).await.ok().unwrap();
        assert!(send(&memory, SMALL + 1).now_or_never().is_none());
        assert_eq!(send(&memory, SMALL).await.ok().unwrap().bytes.len(), SMALL);
        drop(held);
        assert_eq!(send(&memory, SMALL + 1).await.ok().unwrap().bytes.len(), SMALL + 1);
    }
}
