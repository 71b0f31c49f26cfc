//! Argon2id, off the async threads, a bounded number at a time, and the same work for an account that does not exist.

use std::sync::{Arc, LazyLock};

use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _, password_hash::phc::PasswordHash};
use blink_proto::Secret;
use tokio::sync::Semaphore;

use crate::{error::ApiError, http::blocking};

/// What a password is compared with where there is none, so that unknown and wrong take the same time.
static NOBODYS_HASH: LazyLock<String> = LazyLock::new(|| {
    let nobody = rand::random::<[u8; 16]>();
    Argon2::default().hash_password(&nobody).map(|hash| hash.to_string()).unwrap_or_default()
});

/// Hashes and verifies passwords. Cheap to clone.
#[derive(Clone)]
pub struct Passwords {
    /// A hash takes 19 MiB: as many at once as there are cores, the others wait.
    turns: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self { turns: Arc::new(Semaphore::new(cores)) }
    }
}

impl Passwords {
    /// The PHC string of a password, with a fresh salt.
    ///
    /// # Errors
    /// 500 when the hash cannot be made.
    pub async fn hash(&self, password: Secret) -> Result<String, ApiError> {
        self.work(move || hash_now(&password).map_err(ApiError::internal)).await?
    }

    /// Whether `password` is the one of `hash`. Without a hash the answer is no, after the same work.
    ///
    /// # Errors
    /// 500 when the work is cut off.
    pub async fn verify(&self, password: Secret, hash: Option<String>) -> Result<bool, ApiError> {
        self.work(move || {
            let known = hash.is_some();
            let hash = hash.unwrap_or_else(|| NOBODYS_HASH.clone());
            let same = PasswordHash::new(&hash)
                .is_ok_and(|hash| Argon2::default().verify_password(password.expose().as_bytes(), &hash).is_ok());
            known && same
        })
        .await
    }

    async fn work<T: Send + 'static>(&self, f: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
        let _turn = self.turns.acquire().await.map_err(|_| ApiError::internal("no more turns"))?;
        blocking(f).await
    }
}

/// The PHC string of a password, on the caller's thread: for commands.
///
/// # Errors
/// When the hash cannot be made.
pub fn hash_now(password: &Secret) -> Result<String, String> {
    let hash = Argon2::default().hash_password(password.expose().as_bytes());
    hash.map(|hash| hash.to_string()).map_err(|e| format!("hashing failed: {e}"))
}

/// Makes the hash of nobody, so that the first sign-in does not pay for it.
pub fn warm_up() {
    LazyLock::force(&NOBODYS_HASH);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn only_the_right_password_fits() {
        let passwords = Passwords::default();
        let hash = passwords.hash(Secret::new("correct horse battery")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.verify(Secret::new("correct horse battery"), Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify(Secret::new("correct horse batterz"), Some(hash)).await.unwrap());
        assert!(!passwords.verify(Secret::new(""), None).await.unwrap());
        assert!(!passwords.verify(Secret::new("x"), Some("damaged".to_owned())).await.unwrap());
    }
}
