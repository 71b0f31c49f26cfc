//! Hashes passwords with Argon2id off the async threads, a bounded number at a time. Unknown accounts cost the same
//! work, so that the time of an answer does not tell whether an account exists.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash, Salt},
};
use blink_proto::Secret;
use ring::rand::SecureRandom as _;
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization as _;

use crate::{error::ApiError, http::blocking};

/// More hashes at once would be no faster on most machines, and each holds 19 MiB for as long as the process lives.
const MOST_AT_ONCE: usize = 4;

/// The hash that is verified for an unknown account, so that unknown and wrong take the same time.
static NOBODYS_HASH: LazyLock<String> = LazyLock::new(|| {
    let nobody = Secret::new(uuid::Uuid::new_v4().to_string());
    hash_now(&nobody).unwrap_or_default()
});

/// Hashes and verifies passwords. Cheap to clone.
#[derive(Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    /// Argon2's memory is reused: 19 MiB allocated anew for each hash would stay in the heap of the thread that did it.
    memory: Arc<Mutex<Vec<Vec<Block>>>>,
}

impl Default for Passwords {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self { turns: Arc::new(Semaphore::new(cores.min(MOST_AT_ONCE))), memory: Arc::default() }
    }
}

impl Passwords {
    /// The PHC string of a password, with a fresh salt.
    pub async fn hash(&self, password: Secret) -> Result<String, ApiError> {
        self.work(move |memory| hash_in(memory, &password).map_err(ApiError::internal)).await?
    }

    /// Whether `password` matches `hash`. Without a hash the answer is no, after the same work.
    pub async fn verify(&self, password: Secret, hash: Option<String>) -> Result<bool, ApiError> {
        self.work(move |memory| {
            let known = hash.is_some();
            let hash = hash.unwrap_or_else(|| NOBODYS_HASH.clone());
            let prepared = prepared(&password);
            let mut same = is_password_of(memory, &prepared, &hash);
            // Earlier versions hashed the typed bytes without preparing them.
            if !same && prepared != password.expose() {
                same = is_password_of(memory, password.expose(), &hash);
            }
            known && same
        })
        .await
    }

    /// The turn is held by the work itself: if the client hangs up, the work still runs and still counts.
    async fn work<T, F>(&self, f: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Vec<Block>) -> T + Send + 'static,
    {
        let turn = self.turns.clone().acquire_owned().await.map_err(|_| ApiError::internal("no more turns"))?;
        let kept = self.memory.clone();
        blocking(move || {
            let _turn = turn;
            let take = || kept.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut memory = take().unwrap_or_default();
            let done = f(&mut memory);
            kept.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
            done
        })
        .await
    }
}

/// Normalises a password before hashing, so that it does not matter how a keyboard composes letters or which space it
/// types (RFC 8265, OpaqueString).
fn prepared(password: &Secret) -> String {
    let ascii_space = |c: char| match c {
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => ' ',
        c => c,
    };
    password.expose().chars().map(ascii_space).nfc().collect()
}

/// Hashes on the caller's thread, for commands.
pub(crate) fn hash_now(password: &Secret) -> Result<String, String> {
    hash_in(&mut Vec::new(), password)
}

fn hash_in(memory: &mut Vec<Block>, password: &Secret) -> Result<String, String> {
    let failed = |e: &dyn std::fmt::Display| format!("hashing failed: {e}");
    let mut salt = [0; 16];
    ring::rand::SystemRandom::new().fill(&mut salt).map_err(|e| failed(&e))?;
    let argon2 = Argon2::default();
    let mut out = [0; Params::DEFAULT_OUTPUT_LEN];
    run(&argon2, memory, &prepared(password), &salt, &mut out).map_err(|e| failed(&e))?;
    let hash = PasswordHash {
        algorithm: Algorithm::default().ident(),
        version: Some(Version::default().into()),
        params: ParamsString::try_from(argon2.params()).map_err(|e| failed(&e))?,
        salt: Some(Salt::new(&salt).map_err(|e| failed(&e))?),
        hash: Some(Output::new(&out).map_err(|e| failed(&e))?),
    };
    Ok(hash.to_string())
}

fn is_password_of(memory: &mut Vec<Block>, password: &str, hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else { return false };
    let (Some(salt), Some(expected)) = (hash.salt, hash.hash) else { return false };
    let algorithm = Algorithm::try_from(hash.algorithm.as_str());
    let version = hash.version.map_or(Ok(Version::default()), Version::try_from);
    let (Ok(algorithm), Ok(version), Ok(params)) = (algorithm, version, Params::try_from(&hash)) else { return false };
    let mut out = vec![0; expected.len()];
    // `Output` compares in constant time.
    run(&Argon2::new(algorithm, version, params), memory, password, &salt, &mut out).is_ok()
        && Output::new(&out).is_ok_and(|out| out == expected)
}

fn run(
    argon2: &Argon2<'_>,
    memory: &mut Vec<Block>,
    password: &str,
    salt: &[u8],
    out: &mut [u8],
) -> Result<(), argon2::Error> {
    let blocks = argon2.params().block_count();
    if memory.len() < blocks {
        memory.resize(blocks, Block::default());
    }
    argon2.hash_password_into_with_memory(password.as_bytes(), salt, out, &mut memory[..blocks])
}

/// Computes the hash for unknown accounts at start, so that the first sign-in does not wait for it.
pub(crate) fn warm_up() {
    LazyLock::force(&NOBODYS_HASH);
}

#[cfg(test)]
mod tests {
    use argon2::PasswordHasher as _;

    use super::*;

    async fn fits(passwords: &Passwords, given: &str, hash: &str) -> bool {
        passwords.verify(Secret::new(given), Some(hash.to_owned())).await.unwrap()
    }

    #[actix_web::test]
    async fn only_the_right_password_fits() {
        let passwords = Passwords::default();
        let hash = passwords.hash(Secret::new("correct horse battery")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(fits(&passwords, "correct horse battery", &hash).await);
        assert!(!fits(&passwords, "correct horse batterz", &hash).await);
        assert!(!passwords.verify(Secret::new(""), None).await.unwrap());
        assert!(!fits(&passwords, "x", "damaged").await);
        assert_ne!(passwords.hash(Secret::new("correct horse battery")).await.unwrap(), hash, "the salt is fresh");
    }

    #[actix_web::test]
    async fn a_password_is_the_same_however_it_is_composed() {
        let passwords = Passwords::default();
        let (composed, decomposed) = ("Pa\u{df}w\u{f6}rt mit \u{fc}ml", "Pa\u{df}wo\u{308}rt\u{a0}mit u\u{308}ml");
        for (set, given) in [(composed, decomposed), (decomposed, composed)] {
            let hash = passwords.hash(Secret::new(set)).await.unwrap();
            assert!(fits(&passwords, given, &hash).await && fits(&passwords, set, &hash).await);
            assert!(!fits(&passwords, "Passwort mit uml", &hash).await);
        }
    }

    /// The hashes here are made by the library itself, without normalisation.
    #[actix_web::test]
    async fn hashes_of_earlier_versions_still_fit() {
        let passwords = Passwords::default();
        for typed in ["correct horse battery", "wo\u{308}rter mit umlaut", "w\u{f6}rter mit umlaut"] {
            let hash = Argon2::default().hash_password(typed.as_bytes()).unwrap().to_string();
            assert!(fits(&passwords, typed, &hash).await, "{typed}");
        }
    }

    /// The memory is reused, and there is no more of it than there are turns.
    #[actix_web::test]
    async fn hashes_share_their_memory_and_go_on_when_nobody_waits() {
        let passwords = Passwords { turns: Arc::new(Semaphore::new(1)), memory: Arc::default() };
        for _ in 0..3 {
            let hash = passwords.hash(Secret::new("correct horse battery"));
            // The time-out lets the work begin but not end, like a client that hangs up.
            let _ = tokio::time::timeout(std::time::Duration::from_millis(1), hash).await;
        }
        passwords.hash(Secret::new("correct horse battery")).await.unwrap();
        let memory = passwords.memory.lock().unwrap();
        assert_eq!(memory.iter().map(Vec::len).collect::<Vec<_>>(), [19_456]);
    }
}
