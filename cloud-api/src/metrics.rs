//! Figures for Prometheus. Labels are route patterns, methods, statuses and codes: nothing of a person.

use std::{sync::OnceLock, time::Duration};

use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::db::archive::QueueState;
use crate::domain::time::UtcMs;

const SECONDS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Starts counting, once for the process.
pub fn start() {
    HANDLE.get_or_init(|| {
        let builder =
            PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS).ok()?;
        builder.install_recorder().ok()
    });
}

/// The figures in Prometheus's text form.
#[must_use]
pub fn render() -> String {
    HANDLE.get().and_then(Option::as_ref).map(PrometheusHandle::render).unwrap_or_default()
}

/// A request was answered.
pub fn request(route: &str, method: &str, status: u16, took: Duration) {
    // Methods are words that clients choose; only those that there are become labels.
    let method =
        ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].iter().find(|m| **m == method).unwrap_or(&"other");
    counter!("http_requests_total", "route" => route.to_owned(), "method" => *method, "status" => status.to_string())
        .increment(1);
    histogram!("http_request_duration_seconds", "route" => route.to_owned()).record(took.as_secs_f64());
}

/// Minutes were taken in.
pub fn minutes(accepted: u64, duplicates: u64) {
    counter!("minutes_accepted_total").increment(accepted);
    counter!("minutes_duplicate_total").increment(duplicates);
}

/// A minute was refused.
pub fn rejected(code: &str) {
    counter!("minutes_rejected_total", "code" => code.to_owned()).increment(1);
}

/// A sign-in failed.
pub fn sign_in_failed() {
    counter!("sign_in_failures_total").increment(1);
}

/// A refresh token came twice.
pub fn token_reused() {
    counter!("refresh_token_reuse_total").increment(1);
}

/// How long the archive's queue is, and how many objects wait for their removal.
#[expect(clippy::cast_precision_loss, reason = "a gauge is a float, and these are far below 2^53")]
pub fn archive_queue(state: &QueueState, now: UtcMs) {
    gauge!("archive_queue_batches").set(state.batches as f64);
    gauge!("archive_queue_bytes").set(state.bytes as f64);
    let age_ms = state.oldest_at.map_or(0, |oldest| now.0.saturating_sub(oldest.0).max(0));
    gauge!("archive_queue_oldest_age_seconds").set(age_ms as f64 / 1_000.0);
    gauge!("archive_removals_pending").set(state.removals as f64);
}

/// Whether the archive's store answered when it was last asked.
pub fn archive_up(up: bool) {
    gauge!("archive_up").set(f64::from(u8::from(up)));
}

/// An object was written.
pub fn archived(bucket: &'static str, bytes: usize) {
    counter!("archive_objects_written_total", "bucket" => bucket).increment(1);
    counter!("archive_bytes_written_total", "bucket" => bucket).increment(bytes as u64);
}

/// Something of the archive failed: `queue`, `key`, `store`, `removal` or `log`.
pub fn archive_failed(what: &'static str) {
    counter!("archive_failures_total", "what" => what).increment(1);
}

/// A batch was not archived because the queue is full.
pub fn archive_skipped() {
    counter!("archive_batches_skipped_total").increment(1);
}

/// Files of the log were deleted unarchived.
pub fn archive_log_files_dropped(files: u64) {
    counter!("archive_log_files_dropped_total").increment(files);
}
