//! The keys of people: made at their first batch, kept in the database sealed with the master key, and destroyed with
//! the person. In memory a key is remembered for a quarter of an hour at the most.

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
        types::DbId,
    },
    domain::time::UtcMs,
};

/// How long a key is remembered: an erasure on another replica ends what this one remembers by then.
const REMEMBERED: Duration = Duration::from_secs(15 * 60);

/// How many keys are remembered.
const MOST: usize = 20_000;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("the archive's keys cannot be read")]
    Database(#[from] DbError),
    /// It was sealed with another master key.
    #[error("a key of the archive cannot be opened")]
    Master(#[from] MasterKeyError),
    /// What was sealed is no key.
    #[error("a key of the archive is damaged")]
    Damaged,
    /// It was destroyed: its person was erased.
    #[error("the key is destroyed: its person was erased, or the months of its log are past retention")]
    Destroyed,
}

/// The keys, and what opens them.
pub struct Keys {
    master: MasterKey,
    remembered: Mutex<HashMap<DbId, (Arc<DataKey>, Instant)>>,
}

impl Keys {
    /// Keys that this master key opens.
    #[must_use]
    pub fn new(master: MasterKey) -> Self {
        Self { master, remembered: Mutex::default() }
    }

    /// Opens a key.
    ///
    /// Fails when it was sealed with another master key, or is damaged.
    pub fn open(&self, row: &KeyRow) -> Result<DataKey, KeyError> {
        let bytes = self.master.open(&purpose(row.id), &row.sealed)?;
        DataKey::new(row.id, &bytes).ok_or(KeyError::Damaged)
    }

    /// A new key: for a person, or the server's own.
    pub fn fresh(&self, user_id: Option<DbId>, now: UtcMs) -> Result<KeyRow, KeyError> {
        let id = DbId(uuid::Uuid::new_v4());
        let sealed = self.master.seal(&purpose(id), &rand::random::<[u8; KEY_BYTES]>())?;
        Ok(KeyRow { id, user_id, sealed, created_at: now, leased_until: UtcMs(0) })
    }

    /// A person's key; the first time it is made.
    ///
    /// Fails when the database fails, the person is gone, or the key does not open.
    pub async fn of_person(&self, db: &Db, user: DbId, now: UtcMs) -> Result<Arc<DataKey>, KeyError> {
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
                    // Another request, or replica, was faster.
                    Err(e) if e.is_unique_violation() => find().await?.ok_or(KeyError::Destroyed)?,
                    Err(e) => return Err(e.into()),
                }
            }
        };
        let key = Arc::new(self.open(&row)?);
        self.remember(user, &key);
        Ok(key)
    }

    fn remembered(&self, user: DbId) -> Option<Arc<DataKey>> {
        let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let (key, since) = remembered.get(&user)?;
        (since.elapsed() < REMEMBERED).then(|| key.clone())
    }

    fn remember(&self, user: DbId, key: &Arc<DataKey>) {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= MOST {
            remembered.clear();
        }
        remembered.insert(user, (key.clone(), Instant::now()));
    }

    /// Forgets a person's key.
    pub fn forget(&self, user: DbId) {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner).remove(&user);
    }

    /// Forgets what has been remembered long enough.
    pub fn forget_old(&self) {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.retain(|_, (_, since)| since.elapsed() < REMEMBERED);
    }
}

/// What a key is sealed for.
#[must_use]
pub(crate) fn purpose(id: DbId) -> String {
    format!("archive key {}", id.0)
}

/// Reads the master key beside an SQLite database, and makes it where there is none, for this user alone.
pub(crate) fn own_master(path: &Path) -> Result<MasterKey, MasterKeyError> {
    let failed = |e: io::Error| MasterKeyError::Io(path.to_owned(), e);
    if !path.try_exists().map_err(failed)? {
        let draft = Draft::beside(path).map_err(failed)?;
        writeln!(draft.file(), "{}", STANDARD.encode(rand::random::<[u8; KEY_BYTES]>())).map_err(failed)?;
        match draft.create(PRIVATE) {
            // Another process was faster: its key is the one.
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
        let moved = KeyRow { id: DbId::fresh(), ..row };
        assert!(matches!(keys(1).open(&moved), Err(KeyError::Master(_))));
    }
}
