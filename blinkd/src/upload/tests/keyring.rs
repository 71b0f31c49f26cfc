//! Tests with a keyring that is locked when the daemon starts, as it is before the person has signed in to the desktop.

use super::*;
use crate::profile::vault::{Ring, RingError};

/// A keyring that refuses every call while it is locked.
#[derive(Clone, Default)]
struct Desktop(Arc<Mutex<(bool, BTreeMap<String, String>)>>);

impl Desktop {
    fn lock(&self, locked: bool) {
        self.0.lock().unwrap().0 = locked;
    }

    fn open<T>(&self, f: impl FnOnce(&mut BTreeMap<String, String>) -> T) -> Result<T, RingError> {
        let (locked, kept) = &mut *self.0.lock().unwrap();
        if *locked { Err(RingError::Refused("it is locked".into())) } else { Ok(f(kept)) }
    }

    fn vault(&self, place: &TempProfile) -> Vault {
        Vault::with(&place.paths(), Some(Arc::new(self.clone())), Duration::from_secs(20))
    }
}

/// An account signed in while the keyring was open.
fn signed_in() -> (Desktop, Stage) {
    let desktop = Desktop::default();
    let mut stage = Stage::new();
    stage.uploader.deps.vault = desktop.vault(&stage.place);
    stage.open(None).unwrap();
    (desktop, stage)
}

/// The next start, with the keyring locked.
fn started_locked(desktop: &Desktop, stage: Stage) -> Stage {
    desktop.lock(true);
    let again = Stage::uploader_of(desktop.vault(&stage.place), &stage.place, &stage.keeper, &stage.server);
    Stage { uploader: again, ..stage }
}

impl Ring for Desktop {
    fn get(&self, name: &str) -> Result<Option<String>, RingError> {
        self.open(|kept| kept.get(name).cloned())
    }

    fn set(&self, name: &str, secret: &str) -> Result<(), RingError> {
        self.open(|kept| drop(kept.insert(name.to_owned(), secret.to_owned())))
    }

    fn remove(&self, name: &str) -> Result<(), RingError> {
        self.open(|kept| drop(kept.remove(name)))
    }
}

#[test]
fn minutes_wait_for_a_locked_keyring_and_go_out_when_it_is_open() {
    let (desktop, stage) = signed_in();
    let mut stage = started_locked(&desktop, stage);
    stage.live(100);
    let queue = stage.status().queue;
    assert_eq!((queue.last_error.unwrap().code.as_str(), queue.pending), ("keyring_locked", 3));
    assert_eq!(outcome(stage.uploader.sync()).unwrap_err().code, "keyring_locked");
    desktop.lock(false);
    stage.live(31);
    assert_eq!(stage.on_server(), (3, 18));
    assert_eq!(stage.status().queue.last_error, None);
}

#[test]
fn whoever_does_not_wait_for_it_may_sign_in_anew() {
    let (desktop, stage) = signed_in();
    let mut stage = started_locked(&desktop, stage);
    stage.open(None).unwrap();
    stage.live(2);
    assert_eq!((stage.on_server(), stage.status().queue.last_error), ((3, 18), None));
    assert!(stage.place.paths().data.join("tokens.json").exists());
}

#[test]
fn a_session_that_ended_is_not_looked_for_in_the_keyring() {
    let (desktop, mut stage) = signed_in();
    stage.server.state(|w| w.sessions_dead = true);
    assert_eq!(outcome(stage.uploader.sync()).unwrap_err().code, "not_signed_in");
    let mut stage = started_locked(&desktop, stage);
    assert_eq!(outcome(stage.uploader.sync()).unwrap_err().code, "not_signed_in");
    stage.server.state(|w| w.sessions_dead = false);
    stage.open(None).unwrap();
    stage.live(2);
    assert_eq!(stage.on_server(), (3, 18));
}
