//! Storage of the tokens: the desktop's keyring where one works, else a file that only this user can read. They are
//! never in both: saving in one place removes them from the other.
//!
//! - [`Ring`]: a keyring, as a trait; [`SystemRing`] is the desktop's
//! - [`Vault`]: the tokens of one profile
//!
//! A locked keyring may wait for a person who is not there, so it is called on a thread of its own with a time-out. A
//! call that succeeds after its time-out is undone.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use blink_profile::Paths;
use sha2::{Digest as _, Sha256};

use super::{
    Tokens,
    files::{self, FileError},
};
use crate::minutes::Owner;

/// The service name of our entries in the keyring, beside the profile's name.
const SERVICE: &str = "blinkd";
/// How long to wait for the keyring: an open one answers at once.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RingError {
    /// It refuses, or there is none.
    #[error("{0}")]
    Refused(String),
    /// It does not answer in time; most likely it is locked.
    #[error("it does not answer; it may be locked")]
    Silent,
    /// It does not return what was stored.
    #[error("it does not keep what it is given")]
    Forgetful,
}

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error(transparent)]
    File(#[from] FileError),
    /// The keyring cannot be used now, but may hold the tokens.
    #[error("the keyring cannot be used: {0}")]
    Ring(#[from] RingError),
}

impl LoadError {
    /// The reason without file names, for the logs.
    #[must_use]
    pub fn why(&self) -> String {
        match self {
            Self::File(error) => error.why(),
            Self::Ring(_) => self.to_string(),
        }
    }
}

/// A keyring. Calls may block.
pub trait Ring: Send + Sync {
    fn get(&self, name: &str) -> Result<Option<String>, RingError>;

    /// Stores `secret` under `name`.
    fn set(&self, name: &str, secret: &str) -> Result<(), RingError>;

    /// Removes `name`, if it is there.
    fn remove(&self, name: &str) -> Result<(), RingError>;
}

/// The desktop's keyring: the Secret Service, the macOS Keychain, the Windows Credential Manager.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemRing;

fn refused(error: &keyring::Error) -> RingError {
    // A keyring's message may quote the secret, so only the kind of error is passed on.
    RingError::Refused(match error {
        keyring::Error::NoStorageAccess(_) => "it is locked or cannot be reached".to_owned(),
        keyring::Error::NoDefaultStore => "there is none on this desktop".to_owned(),
        keyring::Error::TooLong(..) => "it takes less than that".to_owned(),
        keyring::Error::Ambiguous(_) => "it has several entries of one name".to_owned(),
        _ => "it failed".to_owned(),
    })
}

impl Ring for SystemRing {
    fn get(&self, name: &str) -> Result<Option<String>, RingError> {
        match keyring::Entry::new(SERVICE, name).and_then(|entry| entry.get_password()) {
            Ok(secret) => Ok(Some(secret)),
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(error) => Err(refused(&error)),
        }
    }

    fn set(&self, name: &str, secret: &str) -> Result<(), RingError> {
        let set = keyring::Entry::new(SERVICE, name).and_then(|entry| entry.set_password(secret));
        set.map_err(|error| refused(&error))
    }

    fn remove(&self, name: &str) -> Result<(), RingError> {
        match keyring::Entry::new(SERVICE, name).and_then(|entry| entry.delete_credential()) {
            Ok(()) | Err(keyring::Error::NoEntry) => Ok(()),
            Err(error) => Err(refused(&error)),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RingState {
    /// It was not tried yet.
    Untried,
    /// The settings exclude it.
    Off,
    /// It returned what was stored in it.
    Works,
    /// It cannot be used for now, so the file is.
    Failed(RingError),
}

/// The store of one profile's tokens.
#[derive(Clone)]
pub struct Vault {
    file: PathBuf,
    name: String,
    ring: Option<Arc<dyn Ring>>,
    patience: Duration,
    state: Arc<Mutex<RingState>>,
    /// Number of calls of the keyring that have not returned, including those that timed out.
    asking: Arc<AtomicUsize>,
}

/// A call of the keyring that has not returned; counted until dropped.
struct Asking(Arc<AtomicUsize>);

impl Asking {
    fn begin(asking: &Arc<AtomicUsize>) -> Self {
        asking.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(asking))
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("file", &self.file).field("state", &self.state()).finish_non_exhaustive()
    }
}

impl Vault {
    /// The store of the profile's tokens, in the desktop's keyring if `keyring` is set and it works.
    #[must_use]
    pub fn open(paths: &Paths, keyring: bool) -> Self {
        let ring: Option<Arc<dyn Ring>> = if keyring { Some(Arc::new(SystemRing)) } else { None };
        Self::with(paths, ring, PATIENCE)
    }

    /// The same with the given keyring and time-out.
    #[must_use]
    pub fn with(paths: &Paths, ring: Option<Arc<dyn Ring>>, patience: Duration) -> Self {
        let digest = Sha256::digest(paths.data.as_os_str().as_encoded_bytes());
        let profile: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let state = if ring.is_some() { RingState::Untried } else { RingState::Off };
        Self {
            file: paths.tokens_file(),
            name: format!("tokens-{profile}"),
            ring,
            patience,
            state: Arc::new(Mutex::new(state)),
            asking: Arc::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, RingState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[must_use]
    pub fn state(&self) -> RingState {
        self.lock().clone()
    }

    /// The state of the keyring, after trying one that is not known to work.
    #[must_use]
    pub fn probed(&self) -> RingState {
        let _ = self.usable();
        self.state()
    }

    /// Calls the keyring on a thread of its own. If `job` succeeds after the time-out, `undo` is run.
    fn ask<T: Send + 'static>(
        &self,
        job: impl FnOnce(&dyn Ring, &str) -> Result<T, RingError> + Send + 'static,
        undo: impl FnOnce(&dyn Ring, &str) + Send + 'static,
    ) -> Result<T, RingError> {
        let Some(ring) = self.ring.clone() else { return Err(RingError::Refused("it is not to be used".to_owned())) };
        let name = self.name.clone();
        // Set by whichever comes first, the answer or the time-out.
        let settled = Arc::new(Mutex::new(false));
        let (tell, told) = mpsc::sync_channel(1);
        let ours = Arc::clone(&settled);
        let asking = Asking::begin(&self.asking);
        let thread = thread::Builder::new().name("blinkd-keyring".into()).spawn(move || {
            let outcome = job(ring.as_ref(), &name);
            let mut settled = ours.lock().unwrap_or_else(PoisonError::into_inner);
            if !*settled {
                *settled = true;
                drop(asking);
                let _ = tell.send(outcome);
            } else if outcome.is_ok() {
                undo(ring.as_ref(), &name);
            }
        });
        let outcome = match thread {
            Ok(_) => told.recv_timeout(self.patience).unwrap_or_else(|_| {
                let mut settled = settled.lock().unwrap_or_else(PoisonError::into_inner);
                *settled = true;
                // The answer may have come between the time-out and the lock.
                told.try_recv().unwrap_or(Err(RingError::Silent))
            }),
            Err(_) => Err(RingError::Refused("the system lets no thread start".to_owned())),
        };
        if let Err(error) = &outcome {
            self.failed(error);
        }
        outcome
    }

    /// Notes that the file is used until the keyring works again; logs it once.
    fn failed(&self, error: &RingError) {
        let mut state = self.lock();
        match &*state {
            RingState::Off => return,
            RingState::Failed(_) => {}
            RingState::Untried | RingState::Works => {
                tracing::warn!(%error, "the keyring cannot be used: a sign-in is kept in a file of this user alone");
            }
        }
        *state = RingState::Failed(error.clone());
    }

    fn works(&self) {
        let before = std::mem::replace(&mut *self.lock(), RingState::Works);
        if matches!(before, RingState::Failed(_)) {
            tracing::info!("the keyring can be used again");
        }
    }

    /// Whether the keyring stores what it is given. One that failed is tried again, unless an earlier call is still
    /// waiting: a locked keyring asks the person each time.
    fn usable(&self) -> bool {
        match self.state() {
            RingState::Works => return true,
            RingState::Off => return false,
            RingState::Failed(_) if self.asking.load(Ordering::SeqCst) > 0 => return false,
            RingState::Failed(_) | RingState::Untried => {}
        }
        let probe = |ring: &dyn Ring, name: &str| {
            let name = format!("{name}-probe");
            ring.set(&name, "probe")?;
            let kept = ring.get(&name)?;
            ring.remove(&name)?;
            if kept.as_deref() == Some("probe") { Ok(()) } else { Err(RingError::Forgetful) }
        };
        let vault = self.clone();
        let works = self.ask(probe, move |_, _| vault.works()).is_ok();
        if works {
            self.works();
        }
        works
    }

    /// The stored tokens of `owner`; `None` when they belong to another account or are damaged. Tokens that an earlier
    /// version left in the file move into a keyring that works.
    ///
    /// Fails when the file cannot be read, or when there is no file and the keyring, which may hold the tokens, cannot
    /// be used now.
    pub fn load(&self, owner: &Owner) -> Result<Option<Tokens>, LoadError> {
        // There is a file only if the keyring failed last or did not exist then, so the file is newer.
        let filed = match files::load::<Tokens>(&self.file) {
            Err(FileError::Damaged { .. }) => {
                tracing::error!("the file of the sign-in is damaged and is removed: sign in again");
                files::remove(&self.file)?;
                None
            }
            other => other?,
        };
        if let Some(tokens) = filed {
            if self.usable()
                && let Err(error) = self.save(&tokens)
            {
                tracing::warn!(why = error.why(), "the sign-in stays in its file");
            }
            return Ok(Some(tokens).filter(|tokens| tokens.owner == *owner));
        }
        if !self.usable() {
            return match self.state() {
                RingState::Failed(error @ (RingError::Refused(_) | RingError::Silent)) => Err(error.into()),
                _ => Ok(None),
            };
        }
        let kept = self.ask(|ring, name| ring.get(name), |_, _| {})?;
        let tokens = kept.and_then(|text| serde_json::from_str::<Tokens>(&text).ok());
        Ok(tokens.filter(|tokens| tokens.owner == *owner))
    }

    /// Stores `tokens` in place of any others. Fails when neither the keyring nor the file takes them.
    pub fn save(&self, tokens: &Tokens) -> Result<(), FileError> {
        // A failed keyring is not tried at each renewal, because it may ask the person each time.
        if !matches!(self.state(), RingState::Failed(_))
            && self.usable()
            && let Ok(text) = serde_json::to_string(tokens)
        {
            let set = move |ring: &dyn Ring, name: &str| ring.set(name, &text);
            let undo = |ring: &dyn Ring, name: &str| drop(ring.remove(name));
            if self.ask(set, undo).is_ok() {
                return files::remove(&self.file);
            }
            // The keyring's tokens are out of date by now.
            let _ = self.ask(|ring, name| ring.remove(name), |_, _| {});
        }
        files::save(&self.file, tokens)
    }

    /// Removes the tokens from both places. Returns whether both are known to be empty.
    pub fn forget(&self) -> bool {
        let left = |error: &FileError| tracing::error!(why = error.why(), "tokens are left");
        let filed = files::remove(&self.file).inspect_err(left).is_ok();
        // A keyring that failed may hold tokens from before the failure.
        let ringed = match self.state() {
            RingState::Off => true,
            RingState::Failed(_) => self.ask(|ring, name| ring.remove(name), |_, _| {}).is_ok(),
            RingState::Untried | RingState::Works => {
                !self.usable() || self.ask(|ring, name| ring.remove(name), |_, _| {}).is_ok()
            }
        };
        filed && ringed
    }
}

#[cfg(test)]
mod tests;
