//! How often, and how many at once. Failed sign-ins are counted in the database, for all replicas; the rest in this
//! process.
//!
//! - `sign_in`: guessing of passwords
//! - `turns`: how many at once for each key

pub(crate) mod sign_in;
pub(crate) mod turns;

use std::{
    hash::Hash,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use actix_web::http::{StatusCode, header};
use blink_proto::{DeviceId, UserId};
use governor::{Quota, RateLimiter, clock::Clock as _, clock::DefaultClock, state::keyed::DefaultKeyedStateStore};

use crate::{
    address::Peer,
    auth::keys::Keyring,
    clock::Clock,
    db::{Db, attempts},
    error::ApiError,
};
use sign_in::{AccountKey, Attempt, SignIns, over, seconds_until};
use turns::{Turn, Turns};

type Keyed<K> = RateLimiter<K, DefaultKeyedStateStore<K>, DefaultClock>;

/// After so many questions what is idle is forgotten: clients choose the keys, and would fill the memory with them.
const SWEEP_EVERY: u32 = 10_000;

/// Wrong device codes of one person in a quarter of an hour.
const CODE_TRIES: i32 = 5;

/// Uploads of one person that are held in memory at once, and that wait for it.
const UPLOADS_AT_ONCE: usize = 2;
const UPLOADS_WAITING: usize = 32;

/// Questions that a model answers at once, and that wait for it.
const ASKS_AT_ONCE: usize = 16;
const ASKS_WAITING: usize = 64;

pub struct Limits {
    enabled: bool,
    checks: AtomicU32,
    db: Db,
    clock: Clock,
    sign_ins: SignIns,
    anonymous: Keyed<Peer>,
    accounts: Keyed<Peer>,
    uploads: Keyed<UserId>,
    devices: Keyed<(UserId, DeviceId)>,
    asks: Keyed<UserId>,
    consents: Keyed<UserId>,
    upload_turns: Turns<UserId>,
    exports: Turns<UserId>,
    ask_turns: Turns<()>,
}

fn quota(per_minute: u32, burst: u32) -> Quota {
    let some = |n: u32| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
    Quota::per_minute(some(per_minute)).allow_burst(some(burst))
}

impl Limits {
    /// Limits, of which those on how often apply unless `enabled` is false.
    #[must_use]
    pub fn new(enabled: bool, db: Db, keys: Arc<Keyring>, clock: Clock) -> Self {
        let waiting = if enabled { UPLOADS_WAITING } else { usize::MAX };
        Self {
            enabled,
            checks: AtomicU32::new(0),
            db: db.clone(),
            clock: clock.clone(),
            sign_ins: SignIns::new(db, keys, clock),
            anonymous: Keyed::keyed(quota(3_000, 1_000)),
            accounts: Keyed::keyed(quota(60, 120)),
            uploads: Keyed::keyed(quota(2_400, 1_200)),
            devices: Keyed::keyed(quota(1_200, 600)),
            asks: Keyed::keyed(quota(60, 10)),
            consents: Keyed::keyed(quota(10, 30)),
            upload_turns: Turns::new(UPLOADS_AT_ONCE, waiting),
            exports: Turns::new(1, 0),
            ask_turns: Turns::new(ASKS_AT_ONCE, ASKS_WAITING),
        }
    }

    /// Forgets keys that have been idle long enough to be as good as new.
    pub fn forget_idle(&self) {
        self.sign_ins.forget_idle();
        self.anonymous.retain_recent();
        self.accounts.retain_recent();
        self.uploads.retain_recent();
        self.devices.retain_recent();
        self.asks.retain_recent();
        self.consents.retain_recent();
    }

    fn check<K: Clone + Eq + Hash>(&self, limiter: &Keyed<K>, key: &K) -> Result<(), ApiError> {
        if !self.enabled {
            return Ok(());
        }
        if self.checks.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            self.forget_idle();
        }
        let wait_s = |until: governor::NotUntil<_>| until.wait_time_from(DefaultClock::default().now()).as_secs() + 1;
        limiter.check_key(key).map_err(|until| too_many(wait_s(until)))
    }

    /// Limits requests of nobody in particular, before their body is read.
    ///
    /// Refuses with 429.
    pub fn anonymous(&self, peer: Peer) -> Result<(), ApiError> {
        self.check(&self.anonymous, &peer)
    }

    /// Limits what makes accounts or codes from one address.
    ///
    /// Refuses with 429.
    pub fn new_accounts(&self, peer: Peer) -> Result<(), ApiError> {
        self.check(&self.accounts, &peer)
    }

    /// Limits uploads of one person, before their body is read.
    ///
    /// Refuses with 429.
    pub fn uploads(&self, user: UserId) -> Result<(), ApiError> {
        self.check(&self.uploads, &user)
    }

    /// Limits uploads of one machine of a person, so that their other machines can go on.
    ///
    /// Refuses with 429.
    pub fn device(&self, user: UserId, device: DeviceId) -> Result<(), ApiError> {
        self.check(&self.devices, &(user, device))
    }

    /// Waits until this person's upload may be held in memory.
    ///
    /// Refuses with 429 when too many wait already.
    pub(crate) async fn upload_turn(&self, user: UserId) -> Result<Turn<UserId>, ApiError> {
        self.upload_turns.take(user).await.ok_or_else(|| too_many(1))
    }

    /// One export at a time for a person.
    ///
    /// Refuses with 429 while another is under way.
    pub(crate) async fn export_turn(&self, user: UserId) -> Result<Turn<UserId>, ApiError> {
        self.exports.take(user).await.ok_or_else(|| {
            let mut error = too_many(30);
            error.message = "An export of this account is under way: let it end, then try again.".to_owned();
            error
        })
    }

    /// Limits what costs the operator money.
    ///
    /// Refuses with 429.
    pub fn asks(&self, user: UserId) -> Result<(), ApiError> {
        self.check(&self.asks, &user)
    }

    /// Waits until a model may be asked.
    ///
    /// Refuses with 429 when too many wait already.
    pub(crate) async fn ask_turn(&self) -> Result<Turn<()>, ApiError> {
        self.ask_turns.take(()).await.ok_or_else(|| too_many(5))
    }

    /// Limits changes of consent, each of which is kept for good.
    ///
    /// Refuses with 429.
    pub fn consents(&self, user: UserId) -> Result<(), ApiError> {
        self.check(&self.consents, &user)
    }

    /// Whether an address may sign in at all, before its body is read: nothing is asked of the database.
    ///
    /// Refuses with 429 with the time at which its window ends.
    pub fn may_sign_in(&self, peer: Peer) -> Result<(), ApiError> {
        self.anonymous(peer)?;
        if self.enabled { self.sign_ins.address_may(peer) } else { Ok(()) }
    }

    /// Waits for the turn of an attempt to sign in to `account` from `peer`; [`Self::judged`] ends it.
    ///
    /// Refuses with 429 with the time at which the window of failures ends.
    pub(crate) async fn sign_in(&self, account: &str, peer: Peer) -> Result<Option<Attempt>, ApiError> {
        if self.enabled { self.sign_ins.begin(account, peer).await.map(Some) } else { Ok(None) }
    }

    /// Counts an attempt that failed; one that did not forgets the account's failures.
    pub(crate) async fn judged(&self, attempt: Option<Attempt>, right: bool) -> Result<(), ApiError> {
        match attempt {
            Some(attempt) => self.sign_ins.judged(attempt, right).await,
            None => Ok(()),
        }
    }

    /// Under what key [`attempts`] counts an account's failures.
    pub(crate) fn account_key(&self, account: &str) -> AccountKey {
        self.sign_ins.account_key(account)
    }

    /// Counts a try at a device's code.
    ///
    /// Refuses with 429 after five wrong ones.
    pub async fn code_try(&self, user: UserId) -> Result<Option<[u8; 32]>, ApiError> {
        if !self.enabled {
            return Ok(None);
        }
        let (now, key) = (self.clock.now(), self.sign_ins.key("code:", &user.to_string()));
        let refused = self
            .db
            .write(move |conn| {
                let refused = over(attempts::standing(conn, &key, now)?, CODE_TRIES);
                if refused.is_none() {
                    attempts::count(conn, &key, now)?;
                }
                Ok::<_, crate::db::DbError>(refused)
            })
            .await?;
        refused.map_or(Ok(Some(key)), |until| Err(too_many(seconds_until(now, until))))
    }

    /// Takes a good try back.
    pub async fn code_was_right(&self, key: Option<[u8; 32]>) -> Result<(), ApiError> {
        let Some(key) = key else { return Ok(()) };
        let done = self.db.write(move |conn| attempts::take_back(conn, &key)).await;
        Ok(done?)
    }
}

/// 429 with the seconds to wait.
#[must_use]
pub(crate) fn too_many(wait_s: u64) -> ApiError {
    let mut error = ApiError::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too_many_requests",
        format!("Too many requests: try again in {wait_s} s."),
    );
    error.headers.push((header::RETRY_AFTER, wait_s.into()));
    error
}
