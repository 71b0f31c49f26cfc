//! Reads batches of minutes, which are large. The bytes of all uploads in memory together are limited.

use std::{sync::Arc, time::Duration};

use actix_web::{
    HttpRequest,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
    web::Payload,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{blocking, body};
use crate::error::ApiError;

/// Limit of one batch, both as it arrives and after decompression.
pub(crate) const MAX_BYTES: usize = 8 << 20;

/// Limit of all bodies in memory together, as they arrive.
const ARRIVING_BYTES: usize = 6 * MAX_BYTES;

/// Limit of all decompressed bodies together.
const PLAIN_BYTES: usize = 4 * MAX_BYTES;

/// Longest time that an upload waits for memory.
const WAIT: Duration = Duration::from_secs(10);

/// The memory budget of uploads. Cheap to clone.
#[derive(Clone)]
pub struct Memory {
    arriving: Arc<Semaphore>,
    /// Taken only by a body that has arrived in full, so that no two uploads wait for each other's memory.
    plain: Arc<Semaphore>,
}

impl Default for Memory {
    fn default() -> Self {
        Self { arriving: Arc::new(Semaphore::new(ARRIVING_BYTES)), plain: Arc::new(Semaphore::new(PLAIN_BYTES)) }
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
    let gzip = body::is_gzip(req)?;
    let mut share = take(&memory.arriving, 0).await?;
    let receiving = body::receive(payload, MAX_BYTES, async |bytes| {
        share.merge(take(&memory.arriving, bytes).await?);
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

async fn take(of: &Arc<Semaphore>, bytes: usize) -> Result<OwnedSemaphorePermit, ApiError> {
    let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
    match tokio::time::timeout(WAIT, of.clone().acquire_many_owned(bytes)).await {
        Ok(Ok(share)) => Ok(share),
        Ok(Err(closed)) => Err(ApiError::internal(closed.to_string())),
        Err(_) => Err(busy()),
    }
}

fn busy() -> ApiError {
    let message = "Too much is being uploaded at once. Try again in a moment.";
    let mut error = ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message);
    error.headers.push((header::RETRY_AFTER, HeaderValue::from_static("5")));
    error
}
