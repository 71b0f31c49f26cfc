//! Uploading minutes, one or a batch. A bad minute in a batch is rejected alone and listed in the answer; 422 is only
//! for faults of the request around the minutes.

use std::{sync::Arc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Payload},
};
use blink_proto::{
    DeviceId,
    http::{MAX_SYNC_BUCKETS, Rejected, RejectionCode, SyncResponse},
};
use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{
    archive::outbox,
    db::{
        housekeeping::{self, ClockTrust},
        ingest::{self, Batch, MAX_DEVICES, Outcome},
    },
    domain::minute::{CheckedMinute, Rejection, Rules},
    error::{ApiError, ApiResult},
    http::{
        blocking, body, to_its_end,
        upload::{self, Upload},
        user_agent,
    },
    metrics,
    principal::{Principal, consent_withdrawn},
    state::State,
};

fn check_one(bytes: &[u8], rules: Rules) -> Result<(DeviceId, CheckedMinute), ApiError> {
    let text = utf8(bytes)?;
    let device = device_id(envelope(text)?.device_id)?;
    let minute = Rules { device, ..rules }.check(text).map_err(|rejection| refused(&rejection))?;
    Ok((device, minute))
}

/// Send one minute.
#[utoipa::path(
    post,
    path = "/api/blink",
    tag = "minutes",
    request_body = blink_proto::Minute,
    responses((status = 201, body = blink_proto::http::SyncResponse), (status = 200, body = blink_proto::http::SyncResponse), (status = 403), (status = 429)),
)]
pub(crate) async fn one(who: Principal, req: HttpRequest, payload: Payload, state: Data<State>) -> ApiResult {
    who.require_consent()?;
    state.limits.uploads(who.user)?;
    let bytes = body::read(&req, payload, body::MAX_MINUTE_BYTES).await?;
    let rules = rules(&who, &state);
    let checked = blocking(move || check_one(&bytes, rules)).await?;
    if checked.as_ref().is_err_and(|e| e.code == RejectionCode::TooOld.as_str()) {
        believe_too_old(&state).await?;
    }
    let (device, minute) = checked?;
    let batch = CheckedBatch { device, minutes: vec![minute], rejected: Vec::new() };
    let stored = store(&who, &state, batch, user_agent(&req)).await?;
    let status = if stored.accepted == 1 { StatusCode::CREATED } else { StatusCode::OK };
    Ok(HttpResponse::build(status).json(stored))
}

/// Send up to 10,000 minutes of one device; gzip is welcome.
#[utoipa::path(
    post,
    path = "/api/blink/sync",
    tag = "minutes",
    request_body = blink_proto::http::SyncRequest,
    responses((status = 200, body = blink_proto::http::SyncResponse), (status = 403), (status = 429)),
)]
pub(crate) async fn sync(who: Principal, req: HttpRequest, payload: Payload, state: Data<State>) -> ApiResult {
    who.require_consent()?;
    state.limits.uploads(who.user)?;
    let turn = state.limits.upload_turn(who.user).await?;
    let arriving = state.limits.arrival_turn(state.peer(&req), upload::is_small(&req)).await?;
    let Upload { bytes, share } = upload::read(&req, payload, &state.uploads).await?;
    drop(arriving);
    let agent = user_agent(&req);
    let stored = to_its_end(async move {
        let _held = (turn, share);
        let rules = rules(&who, &state);
        let batch = blocking(move || check_batch(&bytes, rules)).await??;
        if batch.rejected.iter().any(|rejected| rejected.code == RejectionCode::TooOld.as_str()) {
            believe_too_old(&state).await?;
        }
        store(&who, &state, batch, agent).await
    });
    Ok(HttpResponse::Ok().json(stored.await?))
}

/// 503 while the clock is doubted: a minute that seems too old may be of now, and clients give up what is rejected.
async fn believe_too_old(state: &State) -> Result<(), ApiError> {
    let now = state.clock.now();
    match state.db.read(move |conn| housekeeping::trust(conn, now)).await? {
        ClockTrust::Trusted { .. } => Ok(()),
        ClockTrust::Doubted { .. } => {
            let mut error = ApiError::unavailable("the clock is doubted");
            error.message =
                "The server's clock may be wrong: what is sent is taken once its operator has looked.".into();
            Err(error)
        }
    }
}

async fn store(
    who: &Principal,
    state: &State,
    batch: CheckedBatch,
    user_agent: Option<String>,
) -> Result<SyncResponse, ApiError> {
    let CheckedBatch { device, minutes, rejected } = batch;
    state.refuse_in_demo("This is a demonstration: it keeps no minutes.")?;
    state.limits.device(who.user, device)?;
    for refused in &rejected {
        metrics::rejected(&refused.code);
    }
    let wait = state.db.upload_wait();
    metrics::ingest_wait(wait);
    let send_every_s = send_every(wait, state.access.send_every);
    if minutes.is_empty() {
        return Ok(SyncResponse { rejected, send_every_s, ..SyncResponse::default() });
    }
    let batch = Batch {
        user: who.user.into(),
        device: device.into(),
        session: who.session,
        user_agent,
        received_at: state.clock.now(),
        minutes,
    };
    let batch = Arc::new(batch);
    let stored = match &state.archive {
        Some(archive) => outbox::store(archive, &state.db, batch).await?,
        None => ingest::store(&state.db, batch, None).await?,
    };
    match stored {
        Outcome::Stored { accepted, duplicates } => {
            metrics::minutes(accepted, duplicates);
            Ok(SyncResponse { accepted, duplicates, rejected, send_every_s })
        }
        Outcome::NotConsented => Err(consent_withdrawn()),
        Outcome::SignedOut => Err(ApiError::unauthenticated()),
        Outcome::TooManyDevices => Err(too_many_devices()),
    }
}

/// The seconds that a machine is asked to leave between its uploads, where uploads wait for so long: fewer and larger ones
/// cost the database less for each minute.
fn send_every(wait: Duration, configured: Option<u32>) -> Option<u32> {
    const FOR_WAITS: [(Duration, u32); 3] =
        [(Duration::from_secs(3), 900), (Duration::from_secs(1), 300), (Duration::from_millis(250), 120)];
    let for_wait = FOR_WAITS.into_iter().find(|(least, _)| wait >= *least).map(|(_, seconds)| seconds);
    for_wait.max(configured)
}

/// 422: the number of a person's devices is limited, because each may fill the whole retention period with minutes.
fn too_many_devices() -> ApiError {
    let message = format!(
        "This account has {MAX_DEVICES} devices, or this time is full of their minutes: take one off the list at \
         /api/user/me/devices first, or send other times."
    );
    let mut error = ApiError::invalid_field("device_id", message.clone());
    error.code = "too_many_devices";
    error.message = message;
    error
}

/// Makes the rules that minutes are checked against. The device is nil until it has been read from the request.
fn rules(who: &Principal, state: &State) -> Rules {
    let (device, now) = (DeviceId(uuid::Uuid::nil()), state.clock.now());
    Rules { user: who.user, device, now, keep_from: state.keep_from(now) }
}

struct CheckedBatch {
    device: DeviceId,
    minutes: Vec<CheckedMinute>,
    rejected: Vec<Rejected>,
}

fn check_batch(bytes: &[u8], rules: Rules) -> Result<CheckedBatch, ApiError> {
    let envelope = envelope(utf8(bytes)?)?;
    let device = device_id(envelope.device_id)?;
    let buckets = envelope.buckets.ok_or_else(|| ApiError::invalid_field("buckets", "is required"))?;
    let Ok(Capped(buckets)) = serde_json::from_str(buckets.get()) else {
        return Err(ApiError::invalid_field("buckets", "must be an array"));
    };
    if buckets.len() > MAX_SYNC_BUCKETS {
        return Err(ApiError::too_large(format!(
            "More than {MAX_SYNC_BUCKETS} buckets; send them in smaller batches."
        )));
    }
    let rules = Rules { device, ..rules };
    let mut minutes = Vec::with_capacity(buckets.len());
    let mut rejected = Vec::new();
    for (index, bucket) in buckets.into_iter().enumerate() {
        if bucket.get().len() > body::MAX_MINUTE_BYTES {
            let detail = format!("a minute must be at most {} KB", body::MAX_MINUTE_BYTES >> 10);
            rejected.push(Rejected { index, code: RejectionCode::Invalid.as_str().to_owned(), detail });
            continue;
        }
        match rules.check(bucket.get()) {
            Ok(minute) => minutes.push(minute),
            Err(Rejection { code, detail, .. }) => {
                rejected.push(Rejected { index, code: code.as_str().to_owned(), detail });
            }
        }
    }
    Ok(CheckedBatch { device, minutes, rejected })
}

/// The body around the minutes. Each field is parsed by itself, so that the error can name the field at fault.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    device_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    buckets: Option<&'a RawValue>,
}

fn utf8(bytes: &[u8]) -> Result<&str, ApiError> {
    std::str::from_utf8(bytes).map_err(|_| body::not_utf8())
}

fn envelope(text: &str) -> Result<Envelope<'_>, ApiError> {
    // serde would read a struct from an array too, but the body must be an object.
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).map_err(|e| body::bad_json(&e));
    }
    serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|e| body::bad_json(&e))?;
    Err(ApiError::invalid_field("body", "must be a JSON object"))
}

fn device_id(given: Option<&RawValue>) -> Result<DeviceId, ApiError> {
    let given = given.ok_or_else(|| ApiError::invalid_field("device_id", "is required"))?;
    serde_json::from_str(given.get()).map_err(|_| ApiError::invalid_field("device_id", "must be a UUID"))
}

fn refused(rejection: &Rejection) -> ApiError {
    let mut error = ApiError::invalid_field(rejection.field, rejection.detail.clone());
    error.code = rejection.code.as_str();
    error.message.clone_from(&rejection.detail);
    error
}

/// An array's elements, not parsed. Of more than `MAX_SYNC_BUCKETS` elements only one over the limit is kept, so that
/// an oversized array takes no memory.
struct Capped<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Capped<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements;
        impl<'de> Visitor<'de> for Elements {
            type Value = Vec<&'de RawValue>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut kept = Vec::new();
                while let Some(element) = seq.next_element::<&RawValue>()? {
                    if kept.len() <= MAX_SYNC_BUCKETS {
                        kept.push(element);
                    }
                }
                Ok(kept)
            }
        }
        deserializer.deserialize_seq(Elements).map(Capped)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::idle(0, None, None)]
    #[case::almost(249, None, None)]
    #[case::behind(250, None, Some(120))]
    #[case::far_behind(1_000, None, Some(300))]
    #[case::drowning(60_000, None, Some(900))]
    #[case::as_configured(0, Some(600), Some(600))]
    #[case::the_longer_one(60_000, Some(600), Some(900))]
    #[case::the_configured_is_longer(250, Some(600), Some(600))]
    fn machines_are_asked_to_send_less_often_while_uploads_wait(
        #[case] wait_ms: u64,
        #[case] configured: Option<u32>,
        #[case] asked: Option<u32>,
    ) {
        assert_eq!(send_every(Duration::from_millis(wait_ms), configured), asked);
    }
}
