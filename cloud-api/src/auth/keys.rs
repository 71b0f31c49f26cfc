//! The keys that sign tokens. The newest key that all replicas have had time to read signs; every kept key verifies, so
//! that rotation signs nobody out.
//!
//! With SQLite they are kept in a file ([`super::key_file`]), on PostgreSQL in rows ([`super::key_rows`]).

use std::{
    collections::HashMap,
    io,
    path::PathBuf,
    sync::{PoisonError, RwLock},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use blink_proto::UserId;
use jsonwebtoken::{DecodingKey, EncodingKey};
use sha2::{Digest as _, Sha256};

use super::tokens::SESSION_S;
use crate::domain::time::UtcMs;

/// A key of HMAC-SHA-256 must have at least 32 bytes (RFC 7518, section 3.2).
const SECRET_BYTES: usize = 32;

/// For this long a new key only verifies, so that every replica knows it before the first token is signed with it.
pub(crate) const SETTLE_MS: i64 = 10 * 60_000;

/// Replicas read the keys anew this often; it must be well within [`SETTLE_MS`].
pub(crate) const LOOK_S: u64 = 60;

/// A key signs for this long; then a new one is made.
const LIFE_MS: i64 = 90 * 86_400_000;

/// A key that no longer signs still verifies until the last refresh token that it signed has expired, and a day more.
const KEEP_MS: i64 = (SESSION_S + 86_400) * 1_000;

#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    #[error("the signing keys in {0} cannot be used")]
    Io(PathBuf, #[source] io::Error),
    #[error("the signing keys in {0} are damaged")]
    Damaged(PathBuf),
    #[error("the signing keys in the database are damaged")]
    DamagedRows,
    #[error("the signing keys in the database are sealed, and CLOUD_API_MASTER_KEY_FILE is not set")]
    NoMaster,
    #[error("the signing keys in the database cannot be opened")]
    Master(#[source] super::master::MasterKeyError),
    #[error("the signing keys cannot be read from the database")]
    Database(#[from] crate::db::DbError),
}

/// One key, not sealed.
#[derive(Clone)]
pub struct Record {
    pub kid: String,
    pub created_at: UtcMs,
    pub secret: Vec<u8>,
}

#[must_use]
pub(crate) fn fresh_record(now: UtcMs) -> Record {
    Record {
        kid: uuid::Uuid::new_v4().simple().to_string(),
        created_at: now,
        secret: rand::random::<[u8; SECRET_BYTES]>().to_vec(),
    }
}

/// What one rotation changes in a set of keys.
#[derive(Default)]
pub(crate) struct Turn {
    /// Ids of keys whose last token has expired.
    pub dropped: Vec<String>,
    pub added: Option<Record>,
}

/// Decides what is due: makes the first key, or a new one after 90 days or when `forced`, and drops ended keys.
#[must_use]
pub(crate) fn turn(records: &[Record], now: UtcMs, forced: bool) -> Turn {
    let mut by_age: Vec<&Record> = records.iter().collect();
    by_age.sort_by_key(|record| record.created_at);
    let stale = by_age.last().is_none_or(|newest| newest.created_at.plus(LIFE_MS) <= now);
    let ended = |pair: &&[&Record]| pair[1].created_at.plus(SETTLE_MS + KEEP_MS) <= now;
    Turn {
        dropped: by_age.windows(2).filter(|pair| ended(pair)).map(|pair| pair[0].kid.clone()).collect(),
        added: (stale || forced).then(|| fresh_record(now)),
    }
}

struct Key {
    created_at: UtcMs,
    sign: EncodingKey,
    verify: DecodingKey,
}

struct Ring {
    keys: HashMap<String, Key>,
    salt: [u8; 32],
}

/// The keys in memory. It has no `Debug`, so that no key gets into a log.
pub struct Keyring(RwLock<Ring>);

impl Keyring {
    /// `None` if there is no key, or if one is too short.
    #[must_use]
    pub fn from_records(records: &[Record]) -> Option<Self> {
        let long_enough = records.iter().all(|record| record.secret.len() >= SECRET_BYTES);
        let oldest = records.iter().min_by_key(|record| record.created_at).filter(|_| long_enough)?;
        let salt = Sha256::new().chain_update(b"pseudonyms").chain_update(&oldest.secret).finalize().into();
        let key = |Record { kid, created_at, secret }: &Record| {
            let (sign, verify) = (EncodingKey::from_secret(secret), DecodingKey::from_secret(secret));
            (kid.clone(), Key { created_at: *created_at, sign, verify })
        };
        Some(Self(RwLock::new(Ring { keys: records.iter().map(key).collect(), salt })))
    }

    fn with<T>(&self, f: impl FnOnce(&Ring) -> T) -> T {
        f(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes over the keys of a ring that was read anew.
    pub fn replace(&self, other: Self) {
        let fresh = other.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = fresh;
    }

    /// The id and key that sign now: the newest that has settled, or the newest at all if none has.
    ///
    /// # Panics
    /// Never: a keyring without keys is not made.
    #[must_use]
    pub fn signing(&self, now: UtcMs) -> (String, EncodingKey) {
        self.with(|ring| {
            let newest = ring.keys.iter().max_by_key(|(kid, key)| {
                (key.created_at.plus(SETTLE_MS) <= now, key.created_at, std::cmp::Reverse(kid.as_str()))
            });
            let (kid, key) = newest.expect("there was a key when the keyring was made");
            (kid.clone(), key.sign.clone())
        })
    }

    #[must_use]
    pub fn verifying(&self, kid: &str) -> Option<DecodingKey> {
        self.with(|ring| ring.keys.get(kid).map(|key| key.verify.clone()))
    }

    /// The salt of pseudonyms and of the stored keys of counted attempts. It changes when the oldest key is dropped.
    #[must_use]
    pub fn salt(&self) -> [u8; 32] {
        self.with(|ring| ring.salt)
    }

    /// A pseudonym of a person for the log. It cannot be turned back into the person without these keys.
    #[must_use]
    pub fn pseudonym(&self, user: UserId) -> String {
        let digest = Sha256::new().chain_update(self.salt()).chain_update(user.0.as_bytes()).finalize();
        URL_SAFE_NO_PAD.encode(&digest[..9])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: i64 = 86_400_000;

    fn record(kid: &str, day: i64) -> Record {
        Record { kid: kid.to_owned(), ..fresh_record(UtcMs(day * DAY_MS)) }
    }

    #[test]
    fn a_new_key_settles_before_it_signs() {
        let ring = Keyring::from_records(&[record("old", 0), record("new", 100)]).unwrap();
        let made = UtcMs(100 * DAY_MS);
        assert_eq!(ring.signing(made).0, "old");
        assert_eq!(ring.signing(made.plus(SETTLE_MS - 1)).0, "old");
        assert_eq!(ring.signing(made.plus(SETTLE_MS)).0, "new");
        assert!(ring.verifying("old").is_some() && ring.verifying("other").is_none());
        let first = Keyring::from_records(&[record("first", 0)]).unwrap();
        assert_eq!(first.signing(UtcMs(0)).0, "first");
        assert!(Keyring::from_records(&[]).is_none());
    }

    #[test]
    fn keys_come_after_ninety_days_and_go_when_their_last_token_has_ended() {
        let at = |day: i64| UtcMs(day * DAY_MS);
        assert!(turn(&[], at(0), false).added.is_some());
        let one = [record("one", 0)];
        assert!(turn(&one, at(89), false).added.is_none() && turn(&one, at(90), false).added.is_some());
        assert!(turn(&one, at(1), true).added.is_some());
        let two = [record("two", 90), record("one", 0)];
        assert!(turn(&two, at(151), false).dropped.is_empty());
        assert_eq!(turn(&two, at(152), false).dropped, ["one"]);
    }
}
