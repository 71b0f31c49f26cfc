//! The enrolled owner, who is followed when several people are in the picture.
//!
//! [`OwnerDesk`] connects the clients, who ask for an enrolment, with the capture thread, which alone sees faces.
//! Encodings are kept in `owner.json` in the data folder, readable by this user alone, and never leave the machine.

use std::{
    path::PathBuf,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use blink_proto::Problem;
use blink_vision::{
    native::{Encoder, FaceBox},
    owner::Owner,
};
use opencv::core::Mat;
use tokio::sync::oneshot;

use crate::{models, profile::files};

/// An enrolment takes this many samples, at least this far apart so that they differ.
const SAMPLES: usize = 5;
const APART: Duration = Duration::from_millis(400);
/// An enrolment fails after this long: nobody, or more than one person, is in front of the camera.
const PATIENCE: Duration = Duration::from_secs(20);

/// A frame and the face in it. It is kept in memory only, until it is encoded.
type Sample = (Mat, FaceBox);

#[derive(Debug)]
pub struct OwnerDesk {
    file: PathBuf,
    inner: Mutex<Inner>,
    /// Counts changes of the owner, so that the capture thread need not lock for each frame.
    version: AtomicU64,
}

#[derive(Debug)]
struct Inner {
    owner: Option<Owner>,
    samples: Option<SyncSender<Sample>>,
    sampled: Option<Instant>,
}

fn problem(code: &str, message: impl Into<String>, fix: &str) -> Problem {
    Problem::new(code, message, fix)
}

impl OwnerDesk {
    /// Opens the enrolment in `file`. A damaged one counts as none, and is logged.
    #[must_use]
    pub fn open(file: PathBuf) -> Self {
        let owner = files::load(&file).unwrap_or_else(|error| {
            tracing::warn!(why = error.why(), "the enrolment cannot be read; enrol again with `blinkctl owner enroll`");
            None
        });
        let inner = Inner { owner, samples: None, sampled: None };
        Self { file, inner: Mutex::new(inner), version: AtomicU64::new(1) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes whenever the owner does; never 0.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    #[must_use]
    pub fn owner(&self) -> Option<Owner> {
        self.lock().owner.clone()
    }

    /// Whether an enrolment is under way, which needs an open source until it ends.
    #[must_use]
    pub fn enrols(&self) -> bool {
        self.lock().samples.is_some()
    }

    /// Whether a sample of the one followed face is wanted now.
    #[must_use]
    pub fn wants_sample(&self) -> bool {
        let inner = self.lock();
        inner.samples.is_some() && inner.sampled.is_none_or(|last| last.elapsed() >= APART)
    }

    /// Takes a frame in which `face` is the one followed face.
    pub fn sample(&self, picture: Mat, face: FaceBox) {
        let mut inner = self.lock();
        let Some(samples) = &inner.samples else { return };
        match samples.try_send((picture, face)) {
            Ok(()) => inner.sampled = Some(Instant::now()),
            // The encoder is still busy with the last sample.
            Err(TrySendError::Full(_)) => {}
            Err(TrySendError::Disconnected(_)) => inner.samples = None,
        }
    }

    /// Enrols the one person in front of the camera, and replaces any earlier enrolment. Fails when the models are
    /// missing, when nobody or several people were seen, or when the file cannot be written.
    pub async fn enroll(self: std::sync::Arc<Self>) -> Result<(), Problem> {
        let (sender, receiver) = sync_channel(1);
        {
            let mut inner = self.lock();
            if inner.samples.is_some() {
                return Err(problem("enrolling", "An enrolment is under way.", "Wait until it has ended."));
            }
            inner.samples = Some(sender);
            inner.sampled = None;
        }
        let (done, outcome) = oneshot::channel();
        let desk = std::sync::Arc::clone(&self);
        let started = thread::Builder::new().name("blinkd-enroll".into()).spawn(move || {
            let enrolled = desk.collect(&receiver);
            desk.lock().samples = None;
            // The client may be gone, but the enrolment stands.
            let _ = done.send(enrolled);
        });
        if let Err(error) = started {
            self.lock().samples = None;
            return Err(problem("threads", format!("The system lets no thread start: {error}."), "Free some memory."));
        }
        let died = || problem("internal", "The enrolment ended on a mistake of blinkd's own.", "See the log.");
        outcome.await.unwrap_or_else(|_| Err(died()))
    }

    fn collect(&self, samples: &Receiver<Sample>) -> Result<(), Problem> {
        let encoder = Encoder::load(&models::folders()).map_err(|error| {
            let fix = error.fix(models::FETCH_COMMAND);
            problem(error.code(), format!("The owner cannot be enrolled: {error}."), &fix)
        })?;
        let deadline = Instant::now() + PATIENCE;
        let mut encodings = Vec::new();
        while encodings.len() < SAMPLES {
            match samples.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok((picture, face)) => encodings.extend(encoder.encode(&picture, &[face]).unwrap_or_default()),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    let fix =
                        "Sit before the camera alone, see with `blinkctl status` that it is tracking, then try again.";
                    return Err(problem("no_single_face", "No single face could be followed for long enough.", fix));
                }
            }
        }
        let owner = Owner::new(encodings).ok_or_else(|| {
            problem("no_single_face", "More than one person was seen.", "Sit before the camera alone, then try again.")
        })?;
        self.keep(Some(owner))
    }

    /// Deletes the enrolment; returns whether there was one.
    pub fn forget(&self) -> Result<bool, Problem> {
        let was = self.owner().is_some() || self.file.exists();
        self.keep(None)?;
        Ok(was)
    }

    fn keep(&self, owner: Option<Owner>) -> Result<(), Problem> {
        let written = match &owner {
            Some(owner) => files::save(&self.file, owner),
            None => files::remove(&self.file),
        };
        written.map_err(|error| problem("data_folder", format!("{error}."), "Check the data folder's permissions."))?;
        self.lock().owner = owner;
        self.version.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }
}
