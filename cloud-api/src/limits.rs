//! Rate limits. Sign-in attempts are counted in the database, for all replicas; the rest in this process.
//!
//! An office behind one address must not be shut out: an address may fail far more often than an account, ingest is
//! limited by account and device and never by address, and a good sign-in takes its attempt back.

use std::{num::NonZeroU32, sync::Arc};

use actix_web::http::{StatusCode, header};
use blink_proto::{DeviceId, UserId};
use governor::{Quota, RateLimiter, clock::Clock as _, clock::DefaultClock, state::keyed::DefaultKeyedStateStore};
use sha2::{Digest as _, Sha256};

use crate::{
    address::Peer,
    auth::keys::Keyring,
    clock::Clock,
    db::{Db, DbError, attempts},
    domain::time::UtcMs,
    error::ApiError,
};

/// Failed sign-ins of one account in a quarter of an hour.
const ACCOUNT_ATTEMPTS: i32 = 20;

/// Failed sign-ins from one address in a quarter of an hour.
const ADDRESS_ATTEMPTS: i32 = 200;

type Keyed<K> = RateLimiter<K, DefaultKeyedStateStore<K>, DefaultClock>;

/// An attempt to sign in that was counted, before the password is looked at: so a burst of guesses counts as a burst.
pub struct Attempt {
    account: Vec<u8>,
    address: Vec<u8>,
}

/// Wrong device codes of one person in a quarter of an hour.
const CODE_TRIES: i32 = 5;

/// The limits: of this process in memory, of sign-ins in the database.
pub struct Limits {
    enabled: bool,
    db: Db,
    keys: Arc<Keyring>,
    clock: Clock,
    ingest: Keyed<(UserId, DeviceId)>,
    accounts: Keyed<Peer>,
    asks: Keyed<UserId>,
}

fn quota(per_second: u32, burst: u32) -> Quota {
    let some = |n: u32| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
    Quota::per_second(some(per_second)).allow_burst(some(burst))
}

impl Limits {
    /// Limits that apply unless `enabled` is false.
    #[must_use]
    pub fn new(enabled: bool, db: Db, keys: Arc<Keyring>, clock: Clock) -> Self {
        Self {
            enabled,
            db,
            keys,
            clock,
            ingest: Keyed::keyed(quota(20, 600)),
            accounts: Keyed::keyed(quota(1, 120)),
            asks: Keyed::keyed(quota(1, 10)),
        }
    }

    /// Forgets keys that have been idle long enough to be as good as new.
    pub fn forget_idle(&self) {
        self.ingest.retain_recent();
        self.accounts.retain_recent();
        self.asks.retain_recent();
    }

    fn check<K: Clone + Eq + std::hash::Hash>(&self, limiter: &Keyed<K>, key: &K) -> Result<(), ApiError> {
        if !self.enabled {
            return Ok(());
        }
        let wait_s = |until: governor::NotUntil<_>| until.wait_time_from(DefaultClock::default().now()).as_secs() + 1;
        limiter.check_key(key).map_err(|until| too_many(wait_s(until)))
    }

    /// Limits uploads of one machine of one person.
    ///
    /// # Errors
    /// 429.
    pub fn ingest(&self, user: UserId, device: DeviceId) -> Result<(), ApiError> {
        self.check(&self.ingest, &(user, device))
    }

    /// Limits what makes accounts or codes from one address.
    ///
    /// # Errors
    /// 429.
    pub fn new_accounts(&self, peer: Peer) -> Result<(), ApiError> {
        self.check(&self.accounts, &peer)
    }

    /// Limits what costs the operator money.
    ///
    /// # Errors
    /// 429.
    pub fn asks(&self, user: UserId) -> Result<(), ApiError> {
        self.check(&self.asks, &user)
    }

    /// Counts an attempt to sign in to `account` from `peer`.
    ///
    /// # Errors
    /// 429 with the time at which the window ends.
    pub async fn sign_in(&self, account: &str, peer: Peer) -> Result<Option<Attempt>, ApiError> {
        if !self.enabled {
            return Ok(None);
        }
        let key = |kind: &str, text: &str| -> Vec<u8> {
            Sha256::new().chain_update(self.keys.salt()).chain_update(kind).chain_update(text).finalize().to_vec()
        };
        let attempt = Attempt { account: key("account:", account), address: key("address:", &peer.to_string()) };
        let now = self.clock.now();
        let keys = (attempt.account.clone(), attempt.address.clone());
        let (of_account, of_address) = self
            .db
            .write(move |conn| -> Result<_, DbError> {
                Ok((attempts::count(conn, &keys.0, now)?, attempts::count(conn, &keys.1, now)?))
            })
            .await?;
        for ((attempts, until), limit) in [(of_account, ACCOUNT_ATTEMPTS), (of_address, ADDRESS_ATTEMPTS)] {
            if attempts > limit {
                return Err(too_many(seconds_until(now, until)));
            }
        }
        Ok(Some(attempt))
    }

    /// Counts a try at a device's code.
    ///
    /// # Errors
    /// 429 after five wrong ones.
    pub async fn code_try(&self, user: UserId) -> Result<Option<Vec<u8>>, ApiError> {
        if !self.enabled {
            return Ok(None);
        }
        let text = user.to_string();
        let key =
            Sha256::new().chain_update(self.keys.salt()).chain_update("code:").chain_update(text).finalize().to_vec();
        let (now, counted) = (self.clock.now(), key.clone());
        let (tries, until) = self.db.write(move |conn| attempts::count(conn, &counted, now)).await?;
        if tries > CODE_TRIES { Err(too_many(seconds_until(now, until))) } else { Ok(Some(key)) }
    }

    /// Takes a good try back.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn code_was_right(&self, key: Option<Vec<u8>>) -> Result<(), ApiError> {
        let Some(key) = key else { return Ok(()) };
        let done = self.db.write(move |conn| attempts::take_back(conn, &key)).await;
        Ok(done?)
    }

    /// Takes a good attempt back; the account's failures are forgotten with it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn succeeded(&self, attempt: Option<Attempt>) -> Result<(), ApiError> {
        let Some(Attempt { account, address }) = attempt else { return Ok(()) };
        let done = self.db.write(move |conn| -> Result<(), DbError> {
            attempts::forget(conn, &account)?;
            attempts::take_back(conn, &address)
        });
        Ok(done.await?)
    }
}

/// 429 with the seconds to wait.
#[must_use]
pub fn too_many(wait_s: u64) -> ApiError {
    let mut error = ApiError::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too_many_requests",
        format!("Too many requests: try again in {wait_s} s."),
    );
    error.headers.push((header::RETRY_AFTER, wait_s.into()));
    error
}

fn seconds_until(now: UtcMs, until: UtcMs) -> u64 {
    u64::try_from((until.0 - now.0).max(0)).unwrap_or(0).div_ceil(1_000).max(1)
}
