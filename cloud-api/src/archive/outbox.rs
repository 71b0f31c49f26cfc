//! Seals a batch for the archive's queue and stores the two together. A failure to seal is logged and counted, and the
//! upload goes on.

use std::sync::Arc;

use blink_proto::Minute;
use jiff::Timestamp;
use serde::Serialize;

use super::{Archive, codec::Holds};
use crate::{
    db::{
        Db, DbError,
        archive::QueuedRow,
        id::Id,
        ingest::{self, Batch, Outcome},
    },
    failure::chain,
    metrics,
};

/// Stores a batch and queues it for the archive.
pub(crate) async fn store(archive: &Arc<Archive>, db: &Db, batch: Arc<Batch>) -> Result<Outcome, DbError> {
    for _ in 0..2 {
        let queued = seal(archive, db, &batch).await;
        match ingest::store(db, batch.clone(), queued).await {
            // The key was destroyed, maybe by another replica, while this one had it in its cache.
            Err(e) if e.is_foreign_key_violation() => {
                tracing::warn!("the archive's key of a batch was destroyed; it is sealed with a new one");
                archive.keys.forget(batch.user);
            }
            done => return done,
        }
    }
    tracing::error!("a batch is not archived, because its key was destroyed again");
    metrics::archive_failed("queue");
    ingest::store(db, batch, None).await
}

/// The queue's row for a batch; `None` when sealing fails, which is no reason to refuse the batch.
async fn seal(archive: &Arc<Archive>, db: &Db, batch: &Arc<Batch>) -> Option<QueuedRow> {
    if archive.is_full() {
        metrics::archive_skipped();
        return None;
    }
    let key = match archive.keys.of_person(db, batch.user, batch.received_at).await {
        Ok(key) => key,
        Err(e) => {
            tracing::error!(cause = chain(&e), "a batch is not archived");
            metrics::archive_failed("queue");
            return None;
        }
    };
    let batch = batch.clone();
    let sealed = actix_web::web::block(move || {
        let id = Id::fresh();
        let oldest_at = batch.minutes.iter().map(|minute| minute.from).min()?;
        let payload = key.seal(Holds::Waiting, &id.0.to_string(), &lines(&batch).ok()?).ok()?;
        let count = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
        let (records, bytes) = (count(batch.minutes.len()), count(payload.len()));
        Some(QueuedRow { id, key_id: key.id, queued_at: batch.received_at, oldest_at, records, bytes, payload })
    });
    let row = sealed.await.ok().flatten();
    if row.is_none() {
        tracing::error!("a batch cannot be sealed, and is not archived");
        metrics::archive_failed("queue");
    }
    row
}

/// A minute as it was accepted, with the time it arrived.
#[derive(Serialize)]
struct ArchivedMinute {
    #[serde(flatten)]
    minute: Minute,
    received_at: Timestamp,
}

/// Writes the minutes as JSON lines.
fn lines(batch: &Batch) -> Result<Vec<u8>, serde_json::Error> {
    let mut out = Vec::with_capacity(batch.minutes.len() * 330);
    let received_at = batch.received_at.timestamp();
    for minute in &batch.minutes {
        let minute = minute.wire(batch.user.into(), batch.device.into());
        serde_json::to_writer(&mut out, &ArchivedMinute { minute, received_at })?;
        out.push(b'\n');
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;
    use crate::domain::{minute::CheckedMinute, time::UtcMs};

    #[test]
    fn a_line_is_the_minute_as_it_was_accepted() {
        let minute = CheckedMinute {
            id: blink_proto::MinuteId(Uuid::nil()),
            blink_count: 17,
            from: UtcMs(1_772_359_200_000),
            observed_ms: 58_200,
            mean_fps: 29.97,
            quality: "good",
            mean_blink_ms: Some(180.0),
            incomplete_share: None,
            perclos: Some(1e-7),
        };
        let (user, device, session) = (Id::fresh(), Id::fresh(), Id::fresh());
        let received_at = UtcMs(1_772_359_270_123);
        let text =
            lines(&Batch { user, device, session, user_agent: None, received_at, minutes: vec![minute] }).unwrap();
        let line: Value = serde_json::from_slice(&text).unwrap();
        assert!(text.ends_with(b"\n"));
        assert_eq!(
            line,
            json!({
                "id": Uuid::nil(), "user_id": user.0, "blink_count": 17, "from_timestamp": "2026-03-01T10:00:00Z",
                "to_timestamp": "2026-03-01T10:01:00Z", "device_id": device.0, "observed_ms": 58_200, "mean_fps": 29.97,
                "quality": "good", "mean_blink_ms": 180.0, "incomplete_share": null, "perclos": 1e-7,
                "received_at": "2026-03-01T10:01:10.123Z",
            })
        );
        // `blinkctl` and the API can read the line as a minute.
        serde_json::from_value::<blink_proto::Minute>(line).unwrap();
    }
}
