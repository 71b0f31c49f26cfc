//! Tests with a fake keyring: the desktop's is never touched.

use std::{
    collections::BTreeMap,
    fs,
    sync::{
        Condvar,
        atomic::{AtomicBool, Ordering},
    },
};

use blink_proto::{Secret, UserId};
use jiff::Timestamp;

use super::*;

/// A keyring that can be locked, forgetful or broken.
#[derive(Default)]
struct FakeRing {
    kept: Mutex<BTreeMap<String, String>>,
    broken: AtomicBool,
    forgetful: AtomicBool,
    locked: Mutex<bool>,
    unlocked: Condvar,
}

impl FakeRing {
    fn wait(&self) -> Result<(), RingError> {
        drop(self.unlocked.wait_while(self.locked.lock().unwrap(), |locked| *locked));
        if self.broken.load(Ordering::SeqCst) { Err(RingError::Refused("broken".into())) } else { Ok(()) }
    }

    fn lock(&self, locked: bool) {
        *self.locked.lock().unwrap() = locked;
        self.unlocked.notify_all();
    }

    fn entries(&self) -> usize {
        self.kept.lock().unwrap().len()
    }
}

impl Ring for FakeRing {
    fn get(&self, name: &str) -> Result<Option<String>, RingError> {
        self.wait()?;
        Ok(self.kept.lock().unwrap().get(name).cloned())
    }

    fn set(&self, name: &str, secret: &str) -> Result<(), RingError> {
        self.wait()?;
        if !self.forgetful.load(Ordering::SeqCst) {
            self.kept.lock().unwrap().insert(name.to_owned(), secret.to_owned());
        }
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<(), RingError> {
        self.wait()?;
        self.kept.lock().unwrap().remove(name);
        Ok(())
    }
}

struct TestVault {
    folder: tempfile::TempDir,
    ring: Arc<FakeRing>,
}

impl TestVault {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), ring: Arc::default() }
    }

    fn paths(&self) -> Paths {
        Paths::under(self.folder.path())
    }

    fn vault(&self) -> Vault {
        let ring: Arc<dyn Ring> = Arc::clone(&self.ring) as _;
        Vault::with(&self.paths(), Some(ring), Duration::from_secs(20))
    }

    fn hasty(&self) -> Vault {
        Vault { patience: Duration::from_millis(50), ..self.vault() }
    }

    fn has_file(&self) -> bool {
        self.paths().tokens_file().exists()
    }
}

fn owner(n: u128) -> Owner {
    Owner { server: "https://blinks.example".into(), user_id: UserId(uuid::Uuid::from_u128(n)) }
}

fn tokens(access: &str) -> Tokens {
    Tokens {
        owner: owner(1),
        access: Secret::new(access),
        refresh: Secret::new("refresh"),
        access_until: Timestamp::UNIX_EPOCH,
    }
}

fn access(loaded: Option<Tokens>) -> Option<String> {
    loaded.map(|tokens| tokens.access.expose().to_owned())
}

#[test]
fn a_keyring_that_works_keeps_them_and_there_is_no_file() {
    let place = TestVault::new();
    place.vault().save(&tokens("a")).unwrap();
    assert!(!place.has_file());
    assert_eq!(place.ring.entries(), 1, "the probe is gone again");
    assert_eq!(access(place.vault().load(&owner(1)).unwrap()).as_deref(), Some("a"));
    assert!(place.vault().load(&owner(2)).unwrap().is_none(), "another account's are nobody's");
    assert!(place.vault().forget());
    assert_eq!((place.ring.entries(), place.has_file()), (0, false));
}

#[test]
fn what_an_earlier_version_left_in_the_file_moves_into_the_keyring() {
    let place = TestVault::new();
    Vault::with(&place.paths(), None, PATIENCE).save(&tokens("old")).unwrap();
    assert!(place.has_file());
    assert_eq!(access(place.vault().load(&owner(1)).unwrap()).as_deref(), Some("old"));
    assert_eq!((place.ring.entries(), place.has_file()), (1, false));
    assert_eq!(access(place.vault().load(&owner(1)).unwrap()).as_deref(), Some("old"));
}

#[test]
fn without_one_that_works_there_is_a_file_for_this_user_alone() {
    for break_it in [
        |ring: &FakeRing| ring.broken.store(true, Ordering::SeqCst),
        |ring: &FakeRing| ring.forgetful.store(true, Ordering::SeqCst),
    ] {
        let place = TestVault::new();
        break_it(&place.ring);
        let vault = place.vault();
        vault.save(&tokens("a")).unwrap();
        assert!(matches!(vault.state(), RingState::Failed(_)));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(place.paths().tokens_file()).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert_eq!(access(place.vault().load(&owner(1)).unwrap()).as_deref(), Some("a"));
        assert_eq!(place.ring.entries(), 0);
        vault.forget();
        assert!(!place.has_file());
    }
}

#[test]
fn one_that_breaks_later_leaves_nothing_out_of_date_that_is_used() {
    let place = TestVault::new();
    let vault = place.vault();
    vault.save(&tokens("first")).unwrap();
    place.ring.broken.store(true, Ordering::SeqCst);
    vault.save(&tokens("second")).unwrap();
    assert!(place.has_file());
    place.ring.broken.store(false, Ordering::SeqCst);
    let again = place.vault();
    assert_eq!(access(again.load(&owner(1)).unwrap()).as_deref(), Some("second"));
    assert_eq!((place.ring.entries(), place.has_file()), (1, false));
}

#[test]
fn a_locked_one_is_not_waited_for_and_what_it_does_late_is_undone() {
    let place = TestVault::new();
    let vault = place.hasty();
    vault.usable();
    assert_eq!(vault.state(), RingState::Works);
    place.ring.lock(true);
    vault.save(&tokens("a")).unwrap();
    assert_eq!(vault.state(), RingState::Failed(RingError::Silent));
    assert!(place.has_file());
    place.ring.lock(false);
    // Its thread stores the tokens, sees that nobody waits, and removes them.
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while place.ring.entries() > 0 || Arc::strong_count(&place.ring) > 2 {
        assert!(std::time::Instant::now() < deadline, "the keyring still holds {}", place.ring.entries());
        thread::yield_now();
    }
    assert_eq!(access(place.vault().load(&owner(1)).unwrap()).as_deref(), Some("a"));
}

#[test]
fn one_that_is_locked_at_first_tells_what_it_holds_once_it_is_open() {
    let place = TestVault::new();
    place.vault().save(&tokens("a")).unwrap();
    place.ring.lock(true);
    let vault = place.hasty();
    assert!(matches!(vault.load(&owner(1)), Err(LoadError::Ring(RingError::Silent))));
    let asked = Arc::strong_count(&place.ring);
    assert!(matches!(vault.load(&owner(1)), Err(LoadError::Ring(RingError::Silent))));
    assert_eq!(Arc::strong_count(&place.ring), asked, "one question at a time waits for the person");
    place.ring.lock(false);
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while vault.load(&owner(1)).is_err() {
        assert!(std::time::Instant::now() < deadline, "it stays {:?}", vault.state());
        thread::yield_now();
    }
    assert_eq!(access(vault.load(&owner(1)).unwrap()).as_deref(), Some("a"));
    assert_eq!((vault.state(), place.ring.entries()), (RingState::Works, 1));
}

#[test]
fn one_that_refuses_is_tried_again_and_one_that_forgets_holds_nothing() {
    let place = TestVault::new();
    place.vault().save(&tokens("a")).unwrap();
    let vault = place.vault();
    place.ring.broken.store(true, Ordering::SeqCst);
    assert!(matches!(vault.load(&owner(1)), Err(LoadError::Ring(RingError::Refused(_)))));
    place.ring.broken.store(false, Ordering::SeqCst);
    assert_eq!(access(vault.load(&owner(1)).unwrap()).as_deref(), Some("a"));
    place.ring.broken.store(true, Ordering::SeqCst);
    assert!(matches!(vault.load(&owner(1)), Err(LoadError::Ring(_))), "not only when it is first tried");
    let place = TestVault::new();
    place.ring.forgetful.store(true, Ordering::SeqCst);
    assert!(place.vault().load(&owner(1)).unwrap().is_none());
}

#[test]
fn a_damaged_file_is_nobody_and_does_not_stand_in_the_way() {
    let place = TestVault::new();
    fs::create_dir_all(place.paths().data).unwrap();
    fs::write(place.paths().tokens_file(), "{\"owner\":").unwrap();
    let vault = place.vault();
    assert!(vault.load(&owner(1)).unwrap().is_none());
    assert!(!place.has_file());
    vault.save(&tokens("a")).unwrap();
    assert_eq!(access(vault.load(&owner(1)).unwrap()).as_deref(), Some("a"));
}

#[test]
fn profiles_share_no_entry() {
    let (one, other) = (TestVault::new(), TestVault::new());
    assert_ne!(one.vault().name, other.vault().name);
    assert!(!one.vault().name.contains('/'), "no path is told to the keyring");
}
