//! The master key seals keys that are kept in the database, so that nobody can use them with the database alone.
//!
//! It uses AES-256-GCM with a random nonce. The purpose of a sealed value is bound to it as additional data, so that
//! one value cannot take the place of another.

use std::{
    io,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::given_file;

const VERSION: u8 = 1;

#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    #[error("the master key in {0} cannot be read")]
    Io(PathBuf, #[source] io::Error),
    #[error("the master key in {0} must be 32 bytes, in base64 or raw")]
    NoKey(PathBuf),
    /// The value was sealed with another key or for another purpose, or was changed.
    #[error("a sealed key cannot be opened with this master key")]
    Sealed,
}

/// It has no `Debug`, so that the key does not get into a log.
pub struct MasterKey(LessSafeKey);

impl MasterKey {
    /// Reads the key from its file: 32 raw bytes, or their base64 (`openssl rand -base64 32`).
    pub fn read(path: &Path) -> Result<Self, MasterKeyError> {
        let bytes = given_file::read(path).map_err(|e| MasterKeyError::Io(path.to_owned(), e))?;
        let decoded = std::str::from_utf8(&bytes).ok().and_then(|text| STANDARD.decode(text.trim()).ok());
        let key = decoded.filter(|key| key.len() == 32).unwrap_or(bytes);
        Self::from_bytes(&key).ok_or_else(|| MasterKeyError::NoKey(path.to_owned()))
    }

    /// `None` unless there are 32 bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        UnboundKey::new(&AES_256_GCM, bytes).ok().map(|key| Self(LessSafeKey::new(key)))
    }

    /// Fails only for more bytes than the cipher can take.
    pub fn seal(&self, purpose: &str, plain: &[u8]) -> Result<Vec<u8>, MasterKeyError> {
        let nonce: [u8; NONCE_LEN] = rand::random();
        let mut body = plain.to_vec();
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(purpose), &mut body)
            .map_err(|_| MasterKeyError::Sealed)?;
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + body.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.append(&mut body);
        Ok(sealed)
    }

    /// Opens what [`Self::seal`] sealed for the same purpose.
    pub fn open(&self, purpose: &str, sealed: &[u8]) -> Result<Vec<u8>, MasterKeyError> {
        let [VERSION, rest @ ..] = sealed else { return Err(MasterKeyError::Sealed) };
        let (nonce, body) = rest.split_at_checked(NONCE_LEN).ok_or(MasterKeyError::Sealed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| MasterKeyError::Sealed)?;
        let mut body = body.to_vec();
        let plain = self.0.open_in_place(nonce, Aad::from(purpose), &mut body).map_err(|_| MasterKeyError::Sealed)?;
        Ok(plain.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_the_same_key_and_purpose_open_it_unchanged() {
        let key = MasterKey::from_bytes(&[7; 32]).unwrap();
        let sealed = key.seal("a", b"secret").unwrap();
        assert!(!sealed.windows(6).any(|w| w == b"secret"));
        assert_eq!(key.open("a", &sealed).unwrap(), b"secret");
        assert!(key.open("b", &sealed).is_err());
        assert!(MasterKey::from_bytes(&[8; 32]).unwrap().open("a", &sealed).is_err());
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(key.open("a", &changed).is_err(), "{place}");
            assert!(key.open("a", &sealed[..place]).is_err(), "{place}");
        }
        assert_ne!(sealed, key.seal("a", b"secret").unwrap());
    }

    #[test]
    fn the_file_is_raw_or_base64() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, format!("{}\n", STANDARD.encode([7; 32]))).unwrap();
        let sealed = MasterKey::read(&path).unwrap().seal("a", b"x").unwrap();
        fs::write(&path, [7; 32]).unwrap();
        assert_eq!(MasterKey::read(&path).unwrap().open("a", &sealed).unwrap(), b"x");
        fs::write(&path, "short").unwrap();
        assert!(matches!(MasterKey::read(&path), Err(MasterKeyError::NoKey(_))));
        assert!(matches!(MasterKey::read(folder.path()), Err(MasterKeyError::Io(..))));
    }
}
