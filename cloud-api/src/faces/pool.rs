//! Several `face-worker`s behind a bounded queue. Each does one job at a time, is killed when it takes too long, and
//! replaced after a fault or after many jobs. While none works, jobs are refused at once.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use blink_proto::faces::{ClipReport, Outcome, Purpose, Task};
use bytes::Bytes;
use futures_util::{FutureExt as _, future::BoxFuture};
use tokio::sync::{
    mpsc::{self, Receiver, Sender, error::TrySendError},
    oneshot,
};

use super::{
    Availability, FaceReader, ReadError, Recording, Still,
    child::{self, Child},
};
use crate::{config::AttendanceConfig, failure::chain};

/// Longest time for a picture, and for a recording.
const STILL: Duration = Duration::from_secs(10);
const CLIP: Duration = Duration::from_secs(45);

/// A worker is replaced after so many jobs, so that what its libraries leak stays small.
const JOBS_EACH: u32 = 500;

/// Jobs that may wait, for each worker.
const WAITING_EACH: usize = 4;

/// Pauses after a worker could not be started.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

type Reply = Result<(Outcome, Bytes), ReadError>;

struct Queued {
    task: Task,
    bytes: Bytes,
    reply: oneshot::Sender<Reply>,
}

pub(crate) struct Pool {
    shared: Arc<Shared>,
    queue: Sender<Queued>,
}

struct Shared {
    program: Option<PathBuf>,
    workers: usize,
    waiting: tokio::sync::Mutex<Receiver<Queued>>,
    running: AtomicUsize,
    /// Why the last worker could not be started.
    failure: Mutex<Option<String>>,
}

impl Pool {
    pub(crate) fn new(config: &AttendanceConfig) -> Self {
        let (queue, waiting) = mpsc::channel(config.workers * WAITING_EACH);
        let shared = Shared {
            program: config.worker.clone(),
            workers: config.workers,
            waiting: tokio::sync::Mutex::new(waiting),
            running: AtomicUsize::new(0),
            failure: Mutex::default(),
        };
        Self { shared: Arc::new(shared), queue }
    }

    async fn ask(&self, task: Task, bytes: Bytes) -> Reply {
        if let Availability::Unavailable(why) = self.availability() {
            return Err(ReadError::Unavailable(why));
        }
        let (reply, answer) = oneshot::channel();
        self.queue.try_send(Queued { task, bytes, reply }).map_err(|e| match e {
            TrySendError::Full(_) => ReadError::Busy,
            TrySendError::Closed(_) => ReadError::Unavailable("the server stops".to_owned()),
        })?;
        answer.await.unwrap_or_else(|_| Err(ReadError::Failed("the server stops".to_owned())))
    }
}

impl FaceReader for Pool {
    fn still(&self, picture: Bytes, purpose: Purpose) -> BoxFuture<'_, Result<Still, ReadError>> {
        async move {
            match self.ask(Task::Still { purpose }, picture).await? {
                (Outcome::Still(report), photo) => Ok(Still { report, photo }),
                (other, _) => Err(wrong(other)),
            }
        }
        .boxed()
    }

    fn clip(&self, recording: Recording) -> BoxFuture<'_, Result<ClipReport, ReadError>> {
        async move {
            let (task, bytes) = match recording {
                Recording::Frames(bytes, frames) => (Task::Frames { frames }, bytes),
                Recording::Video(bytes) => (Task::Video, bytes),
            };
            match self.ask(task, bytes).await?.0 {
                Outcome::Clip(report) => Ok(*report),
                other => Err(wrong(other)),
            }
        }
        .boxed()
    }

    fn availability(&self) -> Availability {
        if self.shared.running.load(Ordering::Acquire) > 0 {
            return Availability::Available;
        }
        match self.shared.failure().clone() {
            Some(why) => Availability::Unavailable(why),
            None => Availability::Starting,
        }
    }

    fn work(&self) -> Vec<BoxFuture<'static, ()>> {
        (0..self.shared.workers).map(|_| keep_running(self.shared.clone()).boxed()).collect()
    }
}

/// The error of an answer that is none to what was asked.
fn wrong(outcome: Outcome) -> ReadError {
    match outcome {
        Outcome::Fault { fault } => ReadError::Fault(fault),
        Outcome::Failed { message } => ReadError::Failed(message),
        Outcome::Still(_) | Outcome::Clip(_) => ReadError::Failed("face-worker answered another question".to_owned()),
    }
}

impl Shared {
    fn failure(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn next_job(&self) -> Option<Queued> {
        self.waiting.lock().await.recv().await
    }

    /// Notes and tells that no worker can be started, and refuses all who wait if none runs.
    async fn cannot(&self, why: &str) {
        let known = self.failure().replace(why.to_owned()).is_some_and(|earlier| earlier == why);
        if !known {
            tracing::warn!(cause = why, "faces cannot be read: attendance goes on by PIN, code and manager");
        }
        if self.running.load(Ordering::Acquire) == 0 {
            self.refuse_waiting(why).await;
        }
    }

    /// Refuses all who wait, because nobody would come for them.
    async fn refuse_waiting(&self, why: &str) {
        let mut waiting = self.waiting.lock().await;
        while let Ok(job) = waiting.try_recv() {
            let _ = job.reply.send(Err(ReadError::Unavailable(why.to_owned())));
        }
    }
}

/// Counts a worker as running until it is dropped, however its task ends.
struct Running<'a>(&'a AtomicUsize);

impl<'a> Running<'a> {
    fn begin(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(count)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Keeps one worker running and gives it jobs.
async fn keep_running(shared: Arc<Shared>) {
    let mut pause = SHORTEST_PAUSE;
    loop {
        let started = match child::find(shared.program.as_deref()) {
            Ok(program) => Child::start(&program).await,
            Err(e) => Err(e),
        };
        match started {
            Ok((child, ready)) => {
                tracing::info!(load_ms = ready.load_ms, version = ready.version, lockdown = ?ready.lockdown, "face-worker is ready");
                match serve(&shared, child).await {
                    Served::Closed => return,
                    Served::Worked => {
                        *shared.failure() = None;
                        pause = SHORTEST_PAUSE;
                        continue;
                    }
                    // One that ends before it did anything would end again at once.
                    Served::Nothing => shared.cannot("face-worker ends before it is given anything").await,
                }
            }
            Err(e) => shared.cannot(&chain(&e)).await,
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// How a worker's time ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Served {
    /// No more jobs will come.
    Closed,
    /// It was given jobs, and must be replaced.
    Worked,
    /// It ended before it was given any.
    Nothing,
}

/// Gives jobs to a worker until it must be replaced.
async fn serve(shared: &Shared, mut child: Child) -> Served {
    let _running = Running::begin(&shared.running);
    let mut served = Served::Nothing;
    for _ in 0..JOBS_EACH {
        let job = tokio::select! {
            job = shared.next_job() => job,
            () = child.ended() => {
                tracing::warn!("face-worker ended by itself; another one starts");
                return served;
            }
        };
        let Some(job) = job else { return Served::Closed };
        if job.reply.is_closed() {
            continue;
        }
        let limit = if matches!(job.task, Task::Still { .. }) { STILL } else { CLIP };
        match child.ask(job.task, job.bytes, limit).await {
            Ok(answer) => {
                served = Served::Worked;
                let _ = job.reply.send(Ok(answer));
            }
            Err(e) => {
                let why = chain(&e);
                tracing::warn!(cause = why, "face-worker is replaced");
                let _ = job.reply.send(Err(ReadError::Failed(why)));
                // It may be the picture's fault, so the next one is started at once.
                return Served::Worked;
            }
        }
    }
    served
}
