//! Guessing of passwords: failures are counted in the database, for all replicas; what is under way waits for its turn.
//!
//! An address that is over its limit is refused from memory, before anything is read or counted. An attempt that is
//! refused counts nowhere, so that nobody can hold an account shut from an address that may not even try. Attempts on
//! one account are judged one after the other: a burst of guesses is no better than a row of them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sha2::{Digest as _, Sha256};

use super::{
    too_many,
    turns::{Turn, Turns},
};
use crate::{
    address::Peer,
    auth::keys::Keyring,
    clock::Clock,
    db::{
        Db, DbError,
        attempts::{self, Counted},
    },
    domain::time::UtcMs,
    error::ApiError,
};

/// Failed sign-ins of one account in a quarter of an hour.
const ACCOUNT_FAILURES: i32 = 20;

/// Failed sign-ins from one address in a quarter of an hour: an office is many people.
const ADDRESS_FAILURES: i32 = 200;

/// How many of one account wait while one is judged.
const ACCOUNT_WAITING: usize = 32;

/// How many of one address are judged at once, and how many wait: an office may sign in at the same moment.
const ADDRESS_AT_ONCE: usize = 4;
const ADDRESS_WAITING: usize = 512;

/// An account, as it is counted: without the server's keys nobody can tell which one it is.
pub(crate) type AccountKey = [u8; 32];

/// An attempt whose turn it is. [`SignIns::judged`] ends it.
pub(crate) struct Attempt {
    account: AccountKey,
    peer: Peer,
    failed_before: bool,
    _turns: (Turn<AccountKey>, Turn<Peer>),
}

pub(super) struct SignIns {
    db: Db,
    keys: Arc<Keyring>,
    clock: Clock,
    accounts: Turns<AccountKey>,
    addresses: Turns<Peer>,
    /// Addresses that are over their limit, and until when. Each has cost this server 200 hashes, so they are few.
    refused: Mutex<HashMap<Peer, UtcMs>>,
}

impl SignIns {
    pub(super) fn new(db: Db, keys: Arc<Keyring>, clock: Clock) -> Self {
        Self {
            db,
            keys,
            clock,
            accounts: Turns::new(1, ACCOUNT_WAITING),
            addresses: Turns::new(ADDRESS_AT_ONCE, ADDRESS_WAITING),
            refused: Mutex::default(),
        }
    }

    /// Under what name something is counted.
    pub(super) fn key(&self, kind: &str, name: &str) -> [u8; 32] {
        Sha256::new().chain_update(self.keys.salt()).chain_update(kind).chain_update(name).finalize().into()
    }

    pub(super) fn account_key(&self, account: &str) -> AccountKey {
        self.key("account:", account)
    }

    fn address_key(&self, peer: Peer) -> [u8; 32] {
        self.key("address:", &peer.to_string())
    }

    pub(super) fn forget_idle(&self) {
        let now = self.clock.now();
        self.refused().retain(|_, until| *until > now);
    }

    /// Whether an address may try at all, from memory alone.
    ///
    /// Refuses with 429 with the time at which its window ends.
    pub(super) fn address_may(&self, peer: Peer) -> Result<(), ApiError> {
        let now = self.clock.now();
        match self.refused().get(&peer) {
            Some(until) if *until > now => Err(too_many(seconds_until(now, *until))),
            _ => Ok(()),
        }
    }

    /// Waits for the turn of account and address, and looks whether either has failed too often.
    ///
    /// Refuses with 429 with the time at which the window ends, or where too many wait.
    pub(super) async fn begin(&self, account: &str, peer: Peer) -> Result<Attempt, ApiError> {
        let account = self.account_key(account);
        self.address_may(peer)?;
        // The account's turn first: who floods one account waits for it alone, and not in the way of their office.
        let turn = self.accounts.take(account).await.ok_or_else(|| too_many(1))?;
        let turns = (turn, self.addresses.take(peer).await.ok_or_else(|| too_many(1))?);
        self.address_may(peer)?;
        let (now, address) = (self.clock.now(), self.address_key(peer));
        let (of_account, of_address) = self
            .db
            .read(move |conn| -> Result<_, DbError> {
                Ok((attempts::standing(conn, &account, now)?, attempts::standing(conn, &address, now)?))
            })
            .await?;
        if let Some(until) = over(of_address, ADDRESS_FAILURES) {
            self.refused().insert(peer, until);
            return Err(too_many(seconds_until(now, until)));
        }
        if let Some(until) = over(of_account, ACCOUNT_FAILURES) {
            return Err(too_many(seconds_until(now, until)));
        }
        Ok(Attempt { account, peer, failed_before: of_account.is_some(), _turns: turns })
    }

    /// Counts a failure; a good sign-in forgets the account's.
    pub(super) async fn judged(&self, attempt: Attempt, right: bool) -> Result<(), ApiError> {
        let (account, peer, now) = (attempt.account, attempt.peer, self.clock.now());
        if right {
            if attempt.failed_before {
                self.db.write(move |conn| attempts::forget(conn, &account)).await?;
            }
            return Ok(());
        }
        let address = self.address_key(peer);
        let of_address = self
            .db
            .write(move |conn| -> Result<_, DbError> {
                attempts::count(conn, &account, now)?;
                attempts::count(conn, &address, now)
            })
            .await?;
        if let Some(until) = over(Some(of_address), ADDRESS_FAILURES) {
            self.refused().insert(peer, until);
        }
        Ok(())
    }

    fn refused(&self) -> MutexGuard<'_, HashMap<Peer, UtcMs>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Until when, where that many are too many.
pub(super) fn over(counted: Option<Counted>, limit: i32) -> Option<UtcMs> {
    counted.filter(|counted| counted.attempts >= limit).map(|counted| counted.until)
}

pub(super) fn seconds_until(now: UtcMs, until: UtcMs) -> u64 {
    u64::try_from((until.0 - now.0).max(0)).unwrap_or(0).div_ceil(1_000).max(1)
}
