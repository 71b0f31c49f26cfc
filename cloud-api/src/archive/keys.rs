//! The archive's keys, one for each person. A key is made with the person's first batch, stored in the database sealed
//! with the master key, and destroyed when the person is erased. Memory caches it for at most a quarter of an hour.

use std::{
    collections::HashMap,
    io,
    io::Write as _,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use blink_files::{Draft, PRIVATE};

use super::codec::{DataKey, KEY_BYTES};
use crate::{
    auth::master::{MasterKey, MasterKeyError},
    db::{
        Db, DbError,
        archive::{self, KeyRow},
        id::{ArchiveKey, Id, User},
    },
    domain::time::UtcMs,
};

/// Lifetime of the cache: an erasure on another replica takes effect on this one after that time at the latest.
const REMEMBERED: Duration = Duration::from_secs(15 * 60);

/// Most keys in the cache.
const MOST: usize = 20_000;

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("the archive's keys cannot be read")]
    Database(#[from] DbError),
    /// The key was sealed with another master key.
    #[error("a key of the archive cannot be opened")]
    Master(#[from] MasterKeyError),
    /// The sealed bytes are no key.
    #[error("a key of the archive is damaged")]
    Damaged,
    #[error("the key is destroyed: its person was erased, or the months of its log are past retention")]
    Destroyed,
}

/// A key in the cache, with the time since when.
struct Remembered {
    key: Arc<DataKey>,
    since: Instant,
}

pub struct Keys {
    master: MasterKey,
    remembered: Mutex<HashMap<Id<User>, Remembered>>,
}

impl Keys {
    #[must_use]
    pub fn new(master: MasterKey) -> Self {
        Self { master, remembered: Mutex::default() }
    }

    pub fn open(&self, row: &KeyRow) -> Result<DataKey, KeyError> {
        let bytes = self.master.open(&purpose(row.id), &row.sealed)?;
        DataKey::new(row.id, &bytes).ok_or(KeyError::Damaged)
    }

    /// Makes a new key for a person, or for the server's log.
    pub fn fresh(&self, user_id: Option<Id<User>>, now: UtcMs) -> Result<KeyRow, KeyError> {
        let id = Id::random();
        let sealed = self.master.seal(&purpose(id), &rand::random::<[u8; KEY_BYTES]>())?;
        Ok(KeyRow { id, user_id, sealed, created_at: now, leased_until: UtcMs(0) })
    }

    /// A person's key, which is made at the first call. Fails when the person is gone or the key does not open.
    pub async fn of_person(&self, db: &Db, user: Id<User>, now: UtcMs) -> Result<Arc<DataKey>, KeyError> {
        if let Some(key) = self.remembered(user) {
            return Ok(key);
        }
        let find = move || db.read(move |conn| archive::key_of(conn, user));
        let row = match find().await? {
            Some(row) => row,
            None => {
                let fresh = self.fresh(Some(user), now)?;
                let row = fresh.clone();
                match db.write(move |conn| archive::add_key(conn, &row)).await {
                    Ok(()) => fresh,
                    // Another request or replica made the key first.
                    Err(e) if e.is_unique_violation() => find().await?.ok_or(KeyError::Destroyed)?,
                    Err(e) => return Err(e.into()),
                }
            }
        };
        let key = Arc::new(self.open(&row)?);
        self.remember(user, &key);
        Ok(key)
    }

    fn remembered(&self, user: Id<User>) -> Option<Arc<DataKey>> {
        let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let Remembered { key, since } = remembered.get(&user)?;
        (since.elapsed() < REMEMBERED).then(|| key.clone())
    }

    fn remember(&self, user: Id<User>, key: &Arc<DataKey>) {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= MOST {
            remembered.clear();
        }
        remembered.insert(user, Remembered { key: key.clone(), since: Instant::now() });
    }

    /// Removes a person's key from the cache.
    pub fn forget(&self, user: Id<User>) {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner).remove(&user);
    }

    /// Removes expired keys from the cache.
    pub fn forget_old(&self) {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.retain(|_, key| key.since.elapsed() < REMEMBERED);
    }
}

/// The purpose bound to a sealed key, so that no sealed key can take the place of another.
#[must_use]
pub(crate) fn purpose(id: Id<ArchiveKey>) -> String {
    format!("archive key {}", id.0)
}

/// Reads the master key beside an SQLite database; makes it if there is none, readable by this user only.
pub(crate) fn own_master(path: &Path) -> Result<MasterKey, MasterKeyError> {
    let failed = |e: io::Error| MasterKeyError::Io(path.to_owned(), e);
    if !path.try_exists().map_err(failed)? {
        let draft = Draft::beside(path).map_err(failed)?;
        writeln!(draft.file(), "{}", STANDARD.encode(rand::random::<[u8; KEY_BYTES]>())).map_err(failed)?;
        match draft.create(PRIVATE) {
            // Another process made the key first, so that one is used.
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            done => done.map_err(failed)?,
        }
    }
    MasterKey::read(path)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_key_beside_the_database_is_made_once_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.archive.key");
        let sealed = own_master(&path).unwrap().seal("a", b"x").unwrap();
        assert_eq!(own_master(&path).unwrap().open("a", &sealed).unwrap(), b"x");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        fs::write(&path, "short").unwrap();
        assert!(matches!(own_master(&path), Err(MasterKeyError::NoKey(_))));
    }

    #[test]
    fn a_key_opens_with_its_own_master_key_in_its_own_row() {
        let keys = |byte| Keys::new(MasterKey::from_bytes(&[byte; 32]).unwrap());
        let row = keys(1).fresh(None, UtcMs(0)).unwrap();
        let object = keys(1).open(&row).unwrap().seal(super::super::codec::Holds::Lines, "n", b"x").unwrap();
        assert!(keys(1).open(&row).unwrap().open(super::super::codec::Holds::Lines, "n", &object).is_ok());
        assert!(matches!(keys(2).open(&row), Err(KeyError::Master(_))));
        let moved = KeyRow { id: Id::fresh(), ..row };
        assert!(matches!(keys(1).open(&moved), Err(KeyError::Master(_))));
    }
}
