//! Access to the keeper from other threads: they send closures, and the keeper's thread alone touches its data.

use std::sync::mpsc;

use tokio::sync::oneshot;

use super::Keeper;
use crate::capture::{CaptureEvent, CaptureEvents};

pub(super) type Job = Box<dyn FnOnce(&mut Keeper) + Send>;

/// The keeper is gone: the daemon is stopping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the daemon is stopping")]
pub struct Gone;

#[derive(Clone, Debug)]
pub struct KeeperHandle {
    jobs: mpsc::Sender<Job>,
}

impl KeeperHandle {
    pub(super) fn new() -> (Self, mpsc::Receiver<Job>) {
        let (jobs, inbox) = mpsc::channel();
        (Self { jobs }, inbox)
    }

    /// Queues `job` without waiting for it.
    pub fn post(&self, job: impl FnOnce(&mut Keeper) + Send + 'static) {
        // A keeper that is gone has nothing left to do.
        let _ = self.jobs.send(Box::new(job));
    }

    /// Runs `job` and waits for its result. It blocks: only for threads of their own.
    pub fn call<T: Send + 'static>(&self, job: impl FnOnce(&mut Keeper) -> T + Send + 'static) -> Result<T, Gone> {
        let (tell, told) = mpsc::sync_channel(1);
        self.post(move |keeper| drop(tell.send(job(keeper))));
        told.recv().map_err(|_| Gone)
    }

    /// Like [`Self::call`], for async code.
    pub async fn ask<T: Send + 'static>(&self, job: impl FnOnce(&mut Keeper) -> T + Send + 'static) -> Result<T, Gone> {
        let (tell, told) = oneshot::channel();
        self.post(move |keeper| drop(tell.send(job(keeper))));
        told.await.map_err(|_| Gone)
    }
}

impl CaptureEvents for KeeperHandle {
    fn tell(&self, news: CaptureEvent) {
        self.post(move |keeper| keeper.news(news));
    }
}
