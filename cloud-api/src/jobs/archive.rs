//! The archive's job. Every few seconds it writes due batches into objects, removes objects, and updates the metrics of
//! the queue. While the store fails, it waits longer each time.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    archive::{Archive, logs, removals, spool::Spool, worker},
    failure::chain,
    metrics,
    state::State,
};

/// The queue's length is measured this often.
const LOOK_EVERY: Duration = Duration::from_secs(15);

const LONGEST: Duration = Duration::from_secs(15 * 60);

pub(crate) async fn run(state: State, archive: Arc<Archive>, spool: Option<Arc<Spool>>) {
    let poll = Duration::from_millis(archive.gather_ms.unsigned_abs() / 6)
        .clamp(Duration::from_millis(250), Duration::from_secs(10));
    let mut looked: Option<Instant> = None;
    let mut failures = 0_u32;
    loop {
        if looked.is_none_or(|at| at.elapsed() >= LOOK_EVERY) || failures > 0 {
            looked = Some(Instant::now());
            if let Err(e) = worker::look(&archive, &state.db, state.clock.now()).await {
                tracing::error!(cause = chain(&e), "the archive's queue cannot be looked at");
            }
        }
        match once(&state, &archive, spool.as_ref()).await {
            Ok(()) => {
                if failures > 0 {
                    tracing::info!(failures, "the archive works again");
                    looked = None;
                }
                failures = 0;
            }
            Err(e) => {
                failures = failures.saturating_add(1);
                metrics::archive_failed("store");
                let pause_s = pause(failures).as_secs();
                tracing::error!(cause = chain(&e), failures, pause_s, "the archive waits; uploads go on");
            }
        }
        metrics::archive_up(failures == 0);
        tokio::time::sleep(if failures == 0 { poll } else { jittered(pause(failures)) }).await;
    }
}

/// One pass. All steps are tried, because a store that refuses writes may still remove; the first failure is returned.
async fn once(state: &State, archive: &Archive, spool: Option<&Arc<Spool>>) -> Result<(), worker::WorkError> {
    let gathered = worker::gather(archive, &state.db, &state.clock).await;
    let logged = match spool {
        Some(spool) => logs::archive_closed(archive, &state.db, spool, &state.clock).await,
        None => Ok(0),
    };
    let removed = removals::remove_due(archive, &state.db, &state.clock).await;
    gathered?;
    logged?;
    removed?;
    Ok(())
}

/// One second after the first failure, doubled with each further one up to a quarter of an hour.
fn pause(failures: u32) -> Duration {
    Duration::from_secs(1_u64.checked_shl(failures.saturating_sub(1).min(20)).unwrap_or(u64::MAX)).min(LONGEST)
}

/// A random part between half and all of the pause, so that replicas do not retry at the same moment.
fn jittered(whole: Duration) -> Duration {
    whole.mul_f64(rand::random_range(0.5..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_asks_less_often_and_at_least_every_quarter_of_an_hour() {
        assert_eq!(pause(1), Duration::from_secs(1));
        assert_eq!(pause(5), Duration::from_secs(16));
        assert_eq!(pause(u32::MAX), LONGEST);
        assert!(
            (0..100).all(
                |_| (Duration::from_secs(5)..=Duration::from_secs(10)).contains(&jittered(Duration::from_secs(10)))
            )
        );
    }
}
