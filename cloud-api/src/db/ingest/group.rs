//! Group commit: small uploads that wait at the same time are stored in one transaction, and each is answered after its
//! commit.
//!
//! An upload that finds a committer free is stored at once. While all are busy the next ones gather, and the first that is
//! free takes them all: groups grow with the load, and no upload waits for company.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use super::{
    super::{Db, DbError, archive::QueuedRow},
    Batch, IfLocked, Outcome, store_once,
};

/// The most minutes of an upload that shares a transaction. A larger one would keep the others waiting.
const SMALL: usize = 20;

/// The most uploads of one transaction.
const LARGEST: usize = 128;

/// From so many uploads at once their wait tells that more come than the database takes, and not that a thread started late.
const CROWD: usize = 16;

/// How long a measured wait counts while no upload comes.
const COUNTS_FOR: Duration = Duration::from_secs(60);

/// What the database did with an upload, or why it was not stored; `None`: it is to be stored by itself.
type Answer = Option<Result<Outcome, Arc<DbError>>>;

struct Waiting {
    since: Instant,
    batch: Arc<Batch>,
    queued: Option<Arc<QueuedRow>>,
    answer: oneshot::Sender<Answer>,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<Waiting>,
    /// The committers at work.
    committers: usize,
    /// How long uploads wait of late, and when that was measured.
    wait: Option<(Duration, Instant)>,
}

/// The uploads that wait to be stored.
pub(in crate::db) struct Groups {
    line: Mutex<Line>,
    most_committers: usize,
}

impl Groups {
    pub(in crate::db) fn new(most_committers: usize) -> Self {
        Self { line: Mutex::default(), most_committers }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long uploads wait of late until a committer takes them.
    pub(in crate::db) fn wait(&self) -> Duration {
        let measured = self.line().wait.filter(|(_, at)| at.elapsed() < COUNTS_FOR);
        measured.map_or(Duration::ZERO, |(wait, _)| wait)
    }

    /// Puts an upload into the line. Returns whether a committer must be started for it.
    fn join(&self, waiting: Waiting) -> bool {
        let mut line = self.line();
        line.waiting.push_back(waiting);
        let starts = line.committers < self.most_committers;
        line.committers += usize::from(starts);
        starts
    }

    /// The next group, in the order of people, as everybody locks their rows. `None` when nobody waits: the committer has
    /// then ended.
    fn next(&self) -> Option<Vec<Waiting>> {
        let mut line = self.line();
        let count = line.waiting.len().min(LARGEST);
        let mut group: Vec<_> = line.waiting.drain(..count).collect();
        let Some(first) = group.first() else {
            line.committers -= 1;
            return None;
        };
        let counts = if count < CROWD { Duration::ZERO } else { first.since.elapsed() };
        let before = line.wait.filter(|(_, at)| at.elapsed() < COUNTS_FOR).map_or(counts, |(wait, _)| wait);
        line.wait = Some(((7 * before + counts) / 8, Instant::now()));
        drop(line);
        // Stable: the uploads of one person stay in the order in which they came.
        group.sort_by_key(|waiting| waiting.batch.user);
        Some(group)
    }
}

/// Ends a committer that panics, and has who waits stored alone.
struct Committer<'a>(Option<&'a Groups>);

impl Drop for Committer<'_> {
    fn drop(&mut self) {
        if let Some(groups) = self.0 {
            let mut line = groups.line();
            line.committers -= 1;
            line.waiting.clear();
        }
    }
}

/// Stores a small upload together with others; `None` when it is to be stored by itself.
pub(super) async fn store(
    db: &Db,
    batch: &Arc<Batch>,
    queued: Option<&Arc<QueuedRow>>,
) -> Option<Result<Outcome, DbError>> {
    if batch.minutes.len() > SMALL {
        return None;
    }
    let (answer, answered) = oneshot::channel();
    let waiting = Waiting { since: Instant::now(), batch: batch.clone(), queued: queued.cloned(), answer };
    if db.groups.join(waiting) {
        let db = db.clone();
        // It needs no async thread, so it outlives the one of this request.
        drop(actix_web::rt::task::spawn_blocking(move || commit_all(&db)));
    }
    // Without an answer the committer is gone, and storing once more is harmless.
    answered.await.ok()?.map(|stored| stored.map_err(DbError::OfGroup))
}

fn commit_all(db: &Db) {
    let mut committer = Committer(Some(&db.groups));
    while let Some(group) = db.groups.next() {
        let (work, answers): (Vec<_>, Vec<_>) =
            group.into_iter().map(|waiting| ((waiting.batch, waiting.queued), waiting.answer)).unzip();
        // A person whose row is locked, as while an erasure runs, keeps nobody else waiting.
        let stored = db.write_here(|conn| {
            let each = |(batch, queued): &(Arc<Batch>, Option<Arc<QueuedRow>>)| {
                store_once(conn, batch, queued.as_deref(), IfLocked::Skip)
            };
            work.iter().map(each).collect::<Result<Vec<_>, DbError>>()
        });
        match stored {
            Ok(outcomes) => {
                for (answer, outcome) in answers.into_iter().zip(outcomes) {
                    let _ = answer.send(outcome.map(Ok));
                }
            }
            Err(e) if e.is_outage() => {
                let e = Arc::new(e);
                for answer in answers {
                    let _ = answer.send(Some(Err(e.clone())));
                }
            }
            // One of them alone may be at fault.
            Err(_) => {
                for answer in answers {
                    let _ = answer.send(None);
                }
            }
        }
    }
    committer.0 = None;
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use diesel::connection::{Connection as _, InstrumentationEvent};
    use futures_util::{FutureExt as _, future::join_all};

    use super::*;
    use crate::{
        config::Target,
        db::{
            id::{Id, User},
            migrate,
        },
        domain::time::UtcMs,
        open,
    };

    fn batch(user: Id<User>) -> Arc<Batch> {
        let (device, session) = (Id::fresh(), Id::fresh());
        Arc::new(Batch { user, device, session, user_agent: None, received_at: UtcMs(0), minutes: Vec::new() })
    }

    fn waiting(user: Id<User>, for_s: u64) -> (Waiting, oneshot::Receiver<Answer>) {
        let (answer, answered) = oneshot::channel();
        let since = Instant::now().checked_sub(Duration::from_secs(for_s)).unwrap();
        (Waiting { since, batch: batch(user), queued: None, answer }, answered)
    }

    fn join(groups: &Groups, count: usize, for_s: u64) -> Vec<bool> {
        (0..count).map(|_| groups.join(waiting(Id::fresh(), for_s).0)).collect()
    }

    #[test]
    fn whoever_waits_is_in_the_next_group_in_the_order_of_people() {
        let groups = Groups::new(2);
        assert_eq!(join(&groups, 4, 0), [true, true, false, false], "two committers are enough");
        let group = groups.next().unwrap();
        assert!(group.len() == 4 && group.is_sorted_by_key(|waiting| waiting.batch.user));
        assert!(groups.next().is_none() && groups.next().is_none());
        assert_eq!(join(&groups, LARGEST + 2, 0)[..3], [true, true, false], "both have ended");
        assert_eq!([groups.next().unwrap().len(), groups.next().unwrap().len()], [LARGEST, 2]);
    }

    #[test]
    fn the_wait_of_a_crowd_counts_and_that_of_a_few_does_not() {
        let groups = Groups::new(1);
        join(&groups, CROWD - 1, 8);
        groups.next();
        assert_eq!(groups.wait(), Duration::ZERO);
        join(&groups, CROWD, 8);
        groups.next();
        assert!((1_000..1_500).contains(&groups.wait().as_millis()), "an eighth of it: {:?}", groups.wait());
    }

    #[test]
    fn a_committer_that_panics_leaves_nobody_waiting() {
        let groups = Groups::new(1);
        let (waiting, mut answered) = waiting(Id::fresh(), 0);
        assert!(groups.join(waiting));
        drop(Committer(Some(&groups)));
        assert!(answered.try_recv().is_err_and(|e| e == oneshot::error::TryRecvError::Closed));
        assert_eq!(join(&groups, 1, 0), [true]);
    }

    #[actix_web::test]
    async fn uploads_that_wait_at_the_same_time_share_a_transaction() {
        let folder = tempfile::tempdir().unwrap();
        let target = Target::Sqlite(folder.path().join("server.db"));
        migrate::run(&mut open::connect(&target).unwrap(), &target).unwrap();
        let db = Db::new(&target, 1);
        // The only connection that writes.
        let mut held = db.checkout().unwrap();
        let commits = Arc::new(AtomicUsize::new(0));
        let counted = commits.clone();
        held.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::CommitTransaction { .. } = event {
                counted.fetch_add(1, Ordering::Relaxed);
            }
        });
        let batches: Vec<_> = (0..10).map(|_| batch(Id::fresh())).collect();
        let mut uploads: Vec<_> = batches.iter().map(|batch| Box::pin(store(&db, batch, None))).collect();
        assert!(uploads.iter_mut().all(|upload| upload.as_mut().now_or_never().is_none()));
        drop(held);
        // Nobody has a session here, and each hears so.
        let answers = join_all(uploads).await;
        assert!(answers.iter().all(|answer| matches!(answer, Some(Ok(Outcome::SignedOut)))), "{answers:?}");
        // The first may have been taken before the others came.
        assert!((1..=2).contains(&commits.load(Ordering::Relaxed)), "{commits:?} transactions");
    }
}
