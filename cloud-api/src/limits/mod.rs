//! Rate limits and concurrency limits. Failed sign-ins and wrong device codes are counted in the database for all
//! replicas; everything else is counted in this process.
//!
//! - `sign_in`: limits guessing of passwords
//! - `turns`: limits concurrency per key

pub(crate) mod sign_in;
pub(crate) mod turns;

use std::{
    hash::Hash,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use actix_web::http::{StatusCode, header};
use blink_proto::{DeviceId, UserId};
use governor::{Quota, RateLimiter, clock::Clock as _, clock::DefaultClock, state::keyed::DefaultKeyedStateStore};

use crate::{
    address::Peer,
    auth::keys::Keyring,
    clock::Clock,
    db::{Db, attempts, conn::Conn},
    domain::time::UtcMs,
    error::ApiError,
    http::upload,
};
use sign_in::{AccountKey, Attempt, SignIns, over, seconds_until};
use turns::{Turn, Turns};

type Keyed<K> = RateLimiter<K, DefaultKeyedStateStore<K>, DefaultClock>;

/// Idle keys are dropped after this many checks: clients choose the keys, and could fill the memory with them.
const SWEEP_EVERY: u32 = 10_000;

/// Wrong device codes that one person may try in a quarter of an hour.
const CODE_TRIES: i32 = 5;

/// Guesses of one person's PIN in a quarter of an hour: one caller's, and all callers' together. A right one clears the
/// caller's own. At 40 in a quarter of an hour a PIN of six digits is guessed within a day with a chance of 1 in 260.
const PIN_TRIES: i32 = 5;
const PIN_TRIES_OF_ALL: i32 = 40;

/// Concurrent uploads of one person, and how many more may wait.
const UPLOADS_AT_ONCE: usize = 2;
const UPLOADS_WAITING: usize = 32;

/// Uploads that may arrive at once from one address, large ones and small ones. They bound the part of the memory for
/// uploads that one address holds with bodies that stall: three fifths of that for large ones, half of that for small.
const LARGE_OF_ADDRESS: usize = 3;
const SMALL_OF_ADDRESS: usize = 16;

/// Concurrent reads of one person's history, and how many more may wait.
const READS_AT_ONCE: usize = 2;
const READS_WAITING: usize = 32;

/// Concurrent questions to the model, and how many more may wait: one person's, and all together.
const ASKS_OF_ONE: usize = 2;
const ASKS_OF_ONE_WAITING: usize = 8;
const ASKS_AT_ONCE: usize = 16;
const ASKS_WAITING: usize = 64;

/// Concurrent sign-ins that may ask the provider, and how many more may wait.
const PROVIDER_AT_ONCE: usize = 16;
const PROVIDER_WAITING: usize = 64;

/// Longest wait for a model or provider, which may hang.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

pub struct Limits {
    enabled: bool,
    checks: AtomicU32,
    sign_ins: SignIns,
    anonymous: Keyed<Peer>,
    accounts: Keyed<Peer>,
    uploads: Keyed<UserId>,
    devices: Keyed<(UserId, DeviceId)>,
    asks: Keyed<UserId>,
    consents: Keyed<UserId>,
    marks: Keyed<UserId>,
    challenges: Keyed<UserId>,
    upload_turns: Turns<UserId>,
    large_arrivals: Turns<Peer>,
    small_arrivals: Turns<Peer>,
    exports: Turns<UserId>,
    reads: Turns<UserId>,
    asks_of_one: Turns<UserId>,
    ask_turns: Turns<()>,
    provider_turns: Turns<()>,
}

fn quota(per_minute: u32, burst: u32) -> Quota {
    let some = |n: u32| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
    Quota::per_minute(some(per_minute)).allow_burst(some(burst))
}

impl Limits {
    /// With `enabled` false there are no rate limits.
    #[must_use]
    pub fn new(enabled: bool, db: Db, keys: Arc<Keyring>, clock: Clock) -> Self {
        let waiting = |most| if enabled { most } else { usize::MAX };
        Self {
            enabled,
            checks: AtomicU32::new(0),
            sign_ins: SignIns::new(db, keys, clock),
            anonymous: Keyed::keyed(quota(3_000, 1_000)),
            accounts: Keyed::keyed(quota(60, 120)),
            uploads: Keyed::keyed(quota(2_400, 1_200)),
            devices: Keyed::keyed(quota(1_200, 600)),
            asks: Keyed::keyed(quota(60, 10)),
            consents: Keyed::keyed(quota(10, 30)),
            marks: Keyed::keyed(quota(30, 30)),
            challenges: Keyed::keyed(quota(60, 60)),
            upload_turns: Turns::new(UPLOADS_AT_ONCE, waiting(UPLOADS_WAITING)),
            // Whoever waits holds no memory, and does not wait for long.
            large_arrivals: Turns::new(LARGE_OF_ADDRESS, usize::MAX),
            small_arrivals: Turns::new(SMALL_OF_ADDRESS, usize::MAX),
            exports: Turns::new(1, 0),
            reads: Turns::new(READS_AT_ONCE, waiting(READS_WAITING)),
            asks_of_one: Turns::new(ASKS_OF_ONE, ASKS_OF_ONE_WAITING),
            ask_turns: Turns::new(ASKS_AT_ONCE, ASKS_WAITING),
            provider_turns: Turns::new(PROVIDER_AT_ONCE, PROVIDER_WAITING),
        }
    }

    /// Drops keys that have been idle so long that their limit has recovered.
    pub fn forget_idle(&self) {
        self.sign_ins.forget_idle();
        self.anonymous.retain_recent();
        self.accounts.retain_recent();
        self.uploads.retain_recent();
        self.devices.retain_recent();
        self.asks.retain_recent();
        self.consents.retain_recent();
        self.marks.retain_recent();
        self.challenges.retain_recent();
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

    /// Limits requests without a known person. Check it before the body is read.
    pub fn anonymous(&self, peer: Peer) -> Result<(), ApiError> {
        self.check(&self.anonymous, &peer)
    }

    /// Limits requests that make accounts, device codes or pending sign-ins, per address.
    pub fn new_accounts(&self, peer: Peer) -> Result<(), ApiError> {
        self.check(&self.accounts, &peer)
    }

    /// Limits uploads of one person. Check it before the body is read.
    pub fn uploads(&self, user: UserId) -> Result<(), ApiError> {
        self.check(&self.uploads, &user)
    }

    /// Limits uploads of one device, so that a person's other devices can go on.
    pub fn device(&self, user: UserId, device: DeviceId) -> Result<(), ApiError> {
        self.check(&self.devices, &(user, device))
    }

    /// Waits until this person's upload may be held in memory; 429 when too many wait already.
    pub(crate) async fn upload_turn(&self, user: UserId) -> Result<Turn<UserId>, ApiError> {
        self.upload_turns.take(user).await.ok_or_else(|| too_many(1))
    }

    /// Waits until another upload may arrive from this address; 503 after some time.
    pub(crate) async fn arrival_turn(&self, peer: Peer, small: bool) -> Result<Turn<Peer>, ApiError> {
        let turns = if small { &self.small_arrivals } else { &self.large_arrivals };
        in_time(turns.take(peer), upload::BUSY).await
    }

    /// Allows one export at a time per person; 429 while another is running.
    pub(crate) async fn export_turn(&self, user: UserId) -> Result<Turn<UserId>, ApiError> {
        self.exports.take(user).await.ok_or_else(|| {
            let mut error = too_many(30);
            error.message = "An export of this account is under way: let it end, then try again.".to_owned();
            error
        })
    }

    /// Limits questions to the model, which cost the operator money.
    pub fn asks(&self, user: UserId) -> Result<(), ApiError> {
        self.check(&self.asks, &user)
    }

    /// Waits until this person's history may be read; 429 when too many wait already.
    pub(crate) async fn read_turn(&self, user: UserId) -> Result<Turn<UserId>, ApiError> {
        self.reads.take(user).await.ok_or_else(|| too_many(1))
    }

    /// Waits until the model may be asked for this person; 429 when too many wait already, 503 after 10 s. The person's
    /// turn comes first, so that one person's questions never fill the queue.
    pub(crate) async fn ask_turn(&self, user: UserId) -> Result<(Turn<UserId>, Turn<()>), ApiError> {
        let turns = async { Some((self.asks_of_one.take(user).await?, self.ask_turns.take(()).await?)) };
        in_time(turns, "The model is busy: try again in a moment.").await
    }

    /// Waits until the sign-in provider may be asked; 429 when too many wait already, 503 after 10 s.
    pub(crate) async fn provider_turn(&self) -> Result<Turn<()>, ApiError> {
        in_time(self.provider_turns.take(()), "The provider answers slowly: try again in a moment.").await
    }

    /// Limits changes of consent, because each one is kept for good.
    pub fn consents(&self, user: UserId) -> Result<(), ApiError> {
        self.check(&self.consents, &user)
    }

    /// Checks the address before the body is read, without asking the database. 429 says when the window ends.
    pub fn may_sign_in(&self, peer: Peer) -> Result<(), ApiError> {
        self.anonymous(peer)?;
        if self.enabled { self.sign_ins.address_may(peer) } else { Ok(()) }
    }

    /// Waits for the turn of an attempt to sign in to `account` from `peer`; [`Self::judged`] must end it. 429 says
    /// when the window of failures ends.
    pub(crate) async fn sign_in(&self, account: &str, peer: Peer) -> Result<Option<Attempt>, ApiError> {
        if self.enabled { self.sign_ins.begin(account, peer).await.map(Some) } else { Ok(None) }
    }

    /// Counts a failed attempt; a successful one clears the account's failures.
    pub(crate) async fn judged(&self, attempt: Option<Attempt>, right: bool) -> Result<(), ApiError> {
        match attempt {
            Some(attempt) => self.sign_ins.judged(attempt, right).await,
            None => Ok(()),
        }
    }

    /// The key under which [`attempts`] counts an account's failures.
    pub(crate) fn account_key(&self, account: &str) -> AccountKey {
        self.sign_ins.account_key(account)
    }

    /// Refuses a try of a device code after five wrong ones. The caller has locked the person, so that of two tries at
    /// once the second sees what the first counted.
    pub(crate) fn may_try_code(&self, conn: &mut Conn, user: UserId, now: UtcMs) -> Result<(), ApiError> {
        if !self.enabled {
            return Ok(());
        }
        let counted = attempts::standing(conn, &self.code_key(user), now)?;
        over(counted, CODE_TRIES).map_or(Ok(()), |until| Err(too_many(seconds_until(now, until))))
    }

    /// Counts a wrong device code.
    pub(crate) fn code_was_wrong(&self, conn: &mut Conn, user: UserId, now: UtcMs) -> Result<(), ApiError> {
        if self.enabled {
            attempts::count(conn, &self.code_key(user), now)?;
        }
        Ok(())
    }

    /// Limits tries to be marked, and enrolments. Check it before the body is read.
    pub fn marks(&self, user: UserId) -> Result<(), ApiError> {
        self.check(&self.marks, &user)
    }

    /// Limits challenges.
    pub fn challenges(&self, user: UserId) -> Result<(), ApiError> {
        self.check(&self.challenges, &user)
    }

    /// Counts a guess of a person's PIN before it is judged, so that guesses in parallel gain nothing. 429 when this
    /// caller has guessed too often, or all callers together. A caller who `may` not mark this person counts for
    /// themself alone: nobody shuts another's PIN by guessing what could not be right.
    pub(crate) fn count_pin(
        &self,
        conn: &mut Conn,
        person: &str,
        (caller, may): (UserId, bool),
        now: UtcMs,
    ) -> Result<(), ApiError> {
        if !self.enabled {
            return Ok(());
        }
        let keys = [(self.pin_key(person, Some(caller)), PIN_TRIES), (self.pin_key(person, None), PIN_TRIES_OF_ALL)];
        let keys = if may { &keys[..] } else { &keys[..1] };
        for (key, most) in keys {
            let counted = attempts::standing(conn, key, now)?;
            if let Some(until) = over(counted, *most) {
                return Err(too_many(seconds_until(now, until)));
            }
        }
        for (key, _) in keys {
            attempts::count(conn, key, now)?;
        }
        Ok(())
    }

    /// Clears what a caller guessed before a right PIN. The guesses of others still count.
    pub(crate) fn forget_pin(&self, conn: &mut Conn, person: &str, caller: UserId) -> Result<(), ApiError> {
        Ok(attempts::forget(conn, &self.pin_key(person, Some(caller)))?)
    }

    fn pin_key(&self, person: &str, caller: Option<UserId>) -> [u8; 32] {
        let caller = caller.map(|caller| caller.to_string()).unwrap_or_default();
        self.sign_ins.key("pin:", &format!("{caller}:{person}"))
    }

    fn code_key(&self, user: UserId) -> [u8; 32] {
        self.sign_ins.key("code:", &user.to_string())
    }
}

/// 429 without a turn, and 503 `busy` when it does not come in time.
async fn in_time<T>(turn: impl Future<Output = Option<T>>, busy: &str) -> Result<T, ApiError> {
    match tokio::time::timeout(LONGEST_WAIT, turn).await {
        Ok(turn) => turn.ok_or_else(|| too_many(5)),
        Err(_) => Err(ApiError::busy(busy)),
    }
}

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
