//! The keys that sign tokens. The newest signs; every one that is kept still verifies, so that keys can be changed
//! without signing anybody out.
//!
//! Beside an SQLite database they are a file of mode 0600, made on first start.

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
        let mut keys = HashMap::new();
        let mut oldest = None;
        for record in &file.keys {
            let secret = URL_SAFE_NO_PAD.decode(&record.secret).ok().filter(|s| s.len() >= SECRET_BYTES)?;
            if oldest.is_none_or(|(at, _)| record.created_at < at) {
                oldest = Some((
                    record.created_at,
                    Sha256::new().chain_update(b"pseudonyms").chain_update(&secret).finalize().into(),
                ));
            }
            let key = Key { sign: EncodingKey::from_secret(&secret), verify: DecodingKey::from_secret(&secret) };
            keys.insert(record.kid.clone(), key);
        }
        let (_, pseudonym_salt) = oldest?;
        keys.contains_key(&file.active).then(|| Self { active: file.active.clone(), keys, pseudonym_salt })
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

    /// A name for a person in the log that stays the same, and means nothing without these keys.
    #[must_use]
    pub fn pseudonym(&self, user: UserId) -> String {
        let digest = Sha256::new().chain_update(self.pseudonym_salt).chain_update(user.0.as_bytes()).finalize();
        URL_SAFE_NO_PAD.encode(&digest[..9])
    }
}

fn create(path: &Path) -> io::Result<()> {
    let kid = uuid::Uuid::new_v4().simple().to_string();
    let record = KeyRecord {
        kid: kid.clone(),
        created_at: jiff::Timestamp::now(),
        secret: URL_SAFE_NO_PAD.encode(rand::random::<[u8; SECRET_BYTES]>()),
    };
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
