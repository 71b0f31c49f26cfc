//! Figures for Prometheus. Labels are route patterns, methods, statuses and codes, and nothing personal.

use std::{sync::OnceLock, time::Duration};

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::{attendance::liveness::Reason, db::archive::QueueState};
use blink_proto::http::RejectionCode as Code;

use crate::domain::time::UtcMs;

const SECONDS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

const REQUESTS: &str = "http_requests_total";
const REQUEST_SECONDS: &str = "http_request_duration_seconds";
const ACCEPTED: &str = "minutes_accepted_total";
const DUPLICATE: &str = "minutes_duplicate_total";
const REJECTED: &str = "minutes_rejected_total";
const INGEST_WAIT: &str = "ingest_wait_seconds";
const SIGN_IN_FAILURES: &str = "sign_in_failures_total";
const TOKEN_REUSE: &str = "refresh_token_reuse_total";
const RETENTION_HELD: &str = "retention_held";
const ARCHIVE_OBJECTS: &str = "archive_objects_written_total";
const ARCHIVE_BYTES: &str = "archive_bytes_written_total";
const ARCHIVE_FAILURES: &str = "archive_failures_total";
const ARCHIVE_SKIPPED: &str = "archive_batches_skipped_total";
const ARCHIVE_LOG_DROPPED: &str = "archive_log_files_dropped_total";
const ARCHIVE_UP: &str = "archive_up";
const QUEUE_BATCHES: &str = "archive_queue_batches";
const QUEUE_BYTES: &str = "archive_queue_bytes";
const QUEUE_AGE: &str = "archive_queue_oldest_age_seconds";
const MARKED: &str = "attendance_marked_total";
const LIVENESS_FAIL: &str = "liveness_fail_total";
const DUPLICATES: &str = "duplicates_blocked_total";
const REMOVALS: &str = "archive_removals_pending";

/// Installs the recorder, once per process.
pub(crate) fn start() {
    HANDLE.get_or_init(|| {
        let builder =
            PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS).ok()?;
        let handle = builder.install_recorder().ok()?;
        describe();
        register();
        Some(handle)
    });
}

fn describe() {
    describe_counter!(REQUESTS, "Requests answered, by route pattern, method and status.");
    describe_histogram!(REQUEST_SECONDS, Unit::Seconds, "Time to answer, by route pattern.");
    describe_counter!(ACCEPTED, "Minutes stored as new.");
    describe_counter!(DUPLICATE, "Minutes that were there already.");
    describe_counter!(REJECTED, "Minutes refused, by code.");
    describe_gauge!(INGEST_WAIT, Unit::Seconds, "Time that small uploads wait of late until the database takes them.");
    describe_counter!(SIGN_IN_FAILURES, "Sign-ins with a wrong address or password.");
    describe_counter!(TOKEN_REUSE, "Refresh tokens that came a second time; their sessions were ended.");
    describe_gauge!(RETENTION_HELD, "1 while nothing is deleted for its age, because the clock is doubted.");
    describe_counter!(ARCHIVE_OBJECTS, "Objects written to the archive, by bucket.");
    describe_counter!(ARCHIVE_BYTES, Unit::Bytes, "Bytes written to the archive, by bucket.");
    describe_counter!(ARCHIVE_FAILURES, "Failures of the archive, by what failed.");
    describe_counter!(ARCHIVE_SKIPPED, "Batches stored and not archived, because the queue was full.");
    describe_counter!(ARCHIVE_LOG_DROPPED, "Files of the log deleted unarchived.");
    describe_gauge!(ARCHIVE_UP, "1 when the archive's store answered when it was last asked.");
    describe_gauge!(QUEUE_BATCHES, "Batches on their way into the archive.");
    describe_gauge!(QUEUE_BYTES, Unit::Bytes, "Their bytes.");
    describe_gauge!(QUEUE_AGE, Unit::Seconds, "Age of the oldest of them.");
    describe_counter!(MARKED, "People marked present or late.");
    describe_counter!(LIVENESS_FAIL, "Recognised faces that were not found alive, by reason.");
    describe_counter!(DUPLICATES, "Marks of people who were marked already, and enrolments of a face that was.");
    describe_gauge!(REMOVALS, "Objects of the archive that wait for their removal.");
}

/// Sets every counter to 0 at start, because Prometheus sees no increase in one that first appears as 1. The archive's
/// gauges exist only on a server that has an archive.
fn register() {
    for reason in Reason::ALL {
        counter!(LIVENESS_FAIL, "reason" => reason.as_str()).absolute(0);
    }
    for name in
        [MARKED, DUPLICATES, ACCEPTED, DUPLICATE, SIGN_IN_FAILURES, TOKEN_REUSE, ARCHIVE_SKIPPED, ARCHIVE_LOG_DROPPED]
    {
        counter!(name).absolute(0);
    }
    for code in Code::ALL {
        counter!(REJECTED, "code" => code.as_str()).absolute(0);
    }
    for what in ["queue", "key", "store", "removal", "log"] {
        counter!(ARCHIVE_FAILURES, "what" => what).absolute(0);
    }
    for bucket in ["data", "logs"] {
        counter!(ARCHIVE_OBJECTS, "bucket" => bucket).absolute(0);
        counter!(ARCHIVE_BYTES, "bucket" => bucket).absolute(0);
    }
    gauge!(RETENTION_HELD).set(0.0);
}

/// Says whether retention is suspended because the clock is doubted.
pub(crate) fn retention_held(held: bool) {
    gauge!(RETENTION_HELD).set(f64::from(u8::from(held)));
}

#[must_use]
pub(crate) fn render() -> String {
    HANDLE.get().and_then(Option::as_ref).map(PrometheusHandle::render).unwrap_or_default()
}

pub(crate) fn request(route: &str, method: &str, status: u16, took: Duration) {
    // Clients choose the method freely, so only known methods become labels.
    let method =
        ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].iter().find(|m| **m == method).unwrap_or(&"other");
    counter!(REQUESTS, "route" => route.to_owned(), "method" => *method, "status" => status.to_string()).increment(1);
    histogram!(REQUEST_SECONDS, "route" => route.to_owned()).record(took.as_secs_f64());
}

pub(crate) fn ingest_wait(wait: Duration) {
    gauge!(INGEST_WAIT).set(wait.as_secs_f64());
}

pub(crate) fn minutes(accepted: u64, duplicates: u64) {
    counter!(ACCEPTED).increment(accepted);
    counter!(DUPLICATE).increment(duplicates);
}

pub(crate) fn rejected(code: &str) {
    counter!(REJECTED, "code" => code.to_owned()).increment(1);
}

pub(crate) fn sign_in_failed() {
    counter!(SIGN_IN_FAILURES).increment(1);
}

pub(crate) fn attendance_marked() {
    counter!(MARKED).increment(1);
}

pub(crate) fn liveness_failed(reason: &'static str) {
    counter!(LIVENESS_FAIL, "reason" => reason).increment(1);
}

/// Somebody is marked already, or a face is enrolled already.
pub(crate) fn duplicate_blocked() {
    counter!(DUPLICATES).increment(1);
}

/// A refresh token was presented again after its successor was used.
pub(crate) fn token_reused() {
    counter!(TOKEN_REUSE).increment(1);
}

/// Sets the length of the archive's queue and the number of objects that wait for removal.
#[expect(clippy::cast_precision_loss, reason = "a gauge is a float, and these are far below 2^53")]
pub(crate) fn archive_queue(state: &QueueState, now: UtcMs) {
    gauge!(QUEUE_BATCHES).set(state.batches as f64);
    gauge!(QUEUE_BYTES).set(state.bytes as f64);
    let age_ms = state.oldest_at.map_or(0, |oldest| now.0.saturating_sub(oldest.0).max(0));
    gauge!(QUEUE_AGE).set(age_ms as f64 / 1_000.0);
    gauge!(REMOVALS).set(state.removals as f64);
}

pub(crate) fn archive_up(up: bool) {
    gauge!(ARCHIVE_UP).set(f64::from(u8::from(up)));
}

pub(crate) fn archived(bucket: &'static str, bytes: usize) {
    counter!(ARCHIVE_OBJECTS, "bucket" => bucket).increment(1);
    counter!(ARCHIVE_BYTES, "bucket" => bucket).increment(bytes as u64);
}

/// `what` is `queue`, `key`, `store`, `removal` or `log`.
pub(crate) fn archive_failed(what: &'static str) {
    counter!(ARCHIVE_FAILURES, "what" => what).increment(1);
}

pub(crate) fn archive_skipped() {
    counter!(ARCHIVE_SKIPPED).increment(1);
}

pub(crate) fn archive_log_files_dropped(files: u64) {
    counter!(ARCHIVE_LOG_DROPPED).increment(files);
}
