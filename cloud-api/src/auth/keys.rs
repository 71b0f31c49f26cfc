//! The keys that sign tokens. The newest signs; every one that is kept still verifies, so that keys can be changed
//! without signing anybody out.
//!
//! Beside an SQLite database they are a file of mode 0600, made on first start; on PostgreSQL see [`super::key_rows`].

use std::{
    collections::HashMap,
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use blink_proto::UserId;

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("the signing keys in {0} cannot be used")]
    Io(PathBuf, #[source] io::Error),
    /// The file is not what this program wrote.
    #[error("the signing keys in {0} are damaged")]
    Damaged(PathBuf),
    /// The rows are not what this program wrote.
    #[error("the signing keys in the database are damaged")]
    DamagedRows,
    /// The rows are sealed and there is nothing to open them with.
    #[error("the signing keys in the database are sealed, and CLOUD_API_MASTER_KEY_FILE is not set")]
    NoMaster,
    /// The master key is another one.
    #[error("the signing keys in the database cannot be opened")]
    Master(#[source] super::master::MasterKeyError),
    /// The database failed.
    #[error("the signing keys cannot be read from the database")]
    Database(#[from] crate::db::DbError),
}

#[derive(Serialize, Deserialize)]
struct KeyFile {
    active: String,
    keys: Vec<KeyRecord>,
}

#[derive(Serialize, Deserialize)]
struct KeyRecord {
    kid: String,
    created_at: jiff::Timestamp,
    secret: String,
}

/// One key, in the clear.
pub struct Record {
    /// Its id.
    pub kid: String,
    /// When it was made.
    pub created_at: jiff::Timestamp,
    /// The secret itself.
    pub secret: Vec<u8>,
}

/// A new random key.
#[must_use]
pub fn fresh_record() -> Record {
    Record {
        kid: uuid::Uuid::new_v4().simple().to_string(),
        created_at: jiff::Timestamp::now(),
        secret: rand::random::<[u8; SECRET_BYTES]>().to_vec(),
    }
}

struct Key {
    sign: EncodingKey,
    verify: DecodingKey,
}

/// The keys. Nothing of them is ever shown.
pub struct Keyring {
    active: String,
    keys: HashMap<String, Key>,
    pseudonym_salt: [u8; 32],
}

/// HMAC-SHA-256 wants 32 bytes (RFC 7518, 3.2).
const SECRET_BYTES: usize = 32;

impl Keyring {
    /// Reads the keys at `path`, or makes them there.
    ///
    /// # Errors
    /// When the file cannot be made or read, or is damaged.
    pub fn open_or_create(path: &Path) -> Result<Self, KeyError> {
        let failed = |e| KeyError::Io(path.to_owned(), e);
        if !path.try_exists().map_err(failed)? {
            create(path).map_err(failed)?;
        }
        make_private(path).map_err(failed)?;
        let text = fs::read_to_string(path).map_err(failed)?;
        serde_json::from_str(&text)
            .ok()
            .and_then(|file| Self::from_file(&file))
            .ok_or_else(|| KeyError::Damaged(path.to_owned()))
    }

    fn from_file(file: &KeyFile) -> Option<Self> {
        let records = file.keys.iter().map(|record| {
            let secret = URL_SAFE_NO_PAD.decode(&record.secret).ok()?;
            Some(Record { kid: record.kid.clone(), created_at: record.created_at, secret })
        });
        Self::from_records(&file.active, &records.collect::<Option<Vec<_>>>()?)
    }

    /// A keyring of these keys, of which `active` signs; `None` when that one is missing or any is too short.
    #[must_use]
    pub fn from_records(active: &str, records: &[Record]) -> Option<Self> {
        let long_enough = records.iter().all(|record| record.secret.len() >= SECRET_BYTES);
        let oldest = records.iter().min_by_key(|record| record.created_at).filter(|_| long_enough)?;
        let pseudonym_salt = Sha256::new().chain_update(b"pseudonyms").chain_update(&oldest.secret).finalize().into();
        let keys: HashMap<String, Key> = records
            .iter()
            .map(|Record { kid, secret, .. }| {
                let key = Key { sign: EncodingKey::from_secret(secret), verify: DecodingKey::from_secret(secret) };
                (kid.clone(), key)
            })
            .collect();
        keys.contains_key(active).then(|| Self { active: active.to_owned(), keys, pseudonym_salt })
    }

    /// The key that signs, and its id.
    ///
    /// # Panics
    /// Never: a keyring without its active key is not made.
    #[must_use]
    pub fn signing(&self) -> (&str, &EncodingKey) {
        let key = self.keys.get(&self.active).map(|key| &key.sign);
        (&self.active, key.expect("the active key was there when the keyring was made"))
    }

    /// The key of this id.
    #[must_use]
    pub fn verifying(&self, kid: &str) -> Option<&DecodingKey> {
        self.keys.get(kid).map(|key| &key.verify)
    }

    /// What pseudonyms and the keys of counted attempts are salted with.
    #[must_use]
    pub fn salt(&self) -> &[u8] {
        &self.pseudonym_salt
    }

    /// A name for a person in the log that stays the same, and means nothing without these keys.
    #[must_use]
    pub fn pseudonym(&self, user: UserId) -> String {
        let digest = Sha256::new().chain_update(self.pseudonym_salt).chain_update(user.0.as_bytes()).finalize();
        URL_SAFE_NO_PAD.encode(&digest[..9])
    }
}

fn create(path: &Path) -> io::Result<()> {
    let Record { kid, created_at, secret } = fresh_record();
    let record = KeyRecord { kid: kid.clone(), created_at, secret: URL_SAFE_NO_PAD.encode(secret) };
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A temporary file is 0600 from the start; of two processes that start together, the first one's keys stay.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(serde_json::to_string_pretty(&KeyFile { active: kid, keys: vec![record] })?.as_bytes())?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Ok(_) => fs::File::open(folder)?.sync_all(),
        Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(e.error),
    }
}

#[cfg(unix)]
fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & 0o077 != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        tracing::warn!("the signing keys could be read by others; they no longer can");
    }
    Ok(())
}

#[cfg(not(unix))]
fn make_private(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_once_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let first = Keyring::open_or_create(&path).unwrap();
        let second = Keyring::open_or_create(&path).unwrap();
        assert_eq!(first.signing().0, second.signing().0);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
            Keyring::open_or_create(&path).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn damage_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        for text in [
            "",
            "{}",
            r#"{"active":"a","keys":[]}"#,
            r#"{"active":"a","keys":[{"kid":"a","created_at":"2026-01-01T00:00:00Z","secret":"c2hvcnQ"}]}"#,
        ] {
            fs::write(&path, text).unwrap();
            assert!(matches!(Keyring::open_or_create(&path), Err(KeyError::Damaged(_))), "{text}");
        }
    }
}
