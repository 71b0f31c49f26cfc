//! Limits guessing of passwords. Failures are counted in the database for all replicas; attempts wait for their turn.
//!
//! An address over its limit is refused from memory, before anything is read or counted. A refused attempt is not
//! counted, so that nobody can lock an account from an address that may not even try. Attempts on one account are
//! judged one after the other, so that a burst of guesses gains nothing over a sequence.

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

/// Failed sign-ins allowed per account in a quarter of an hour.
const ACCOUNT_FAILURES: i32 = 20;

/// Failed sign-ins allowed per address in a quarter of an hour: an office shares one address.
const ADDRESS_FAILURES: i32 = 200;

/// Attempts on one account that may wait while one is judged.
const ACCOUNT_WAITING: usize = 32;

/// Attempts from one address that are judged at once, and that may wait: an office may sign in at the same moment.
const ADDRESS_AT_ONCE: usize = 4;
const ADDRESS_WAITING: usize = 512;

/// A hash of the account: without the server's keys nobody can tell which account it is.
pub(crate) type AccountKey = [u8; 32];

/// An attempt that has its turn. [`SignIns::judged`] ends it.
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
    /// Addresses over their limit, and until when. Each has cost this server 200 password hashes, so they are few.
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

    /// The salted hash under which something is counted.
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
        self.refused().retain(|_, until| attempts::is_under_way(*until, now));
    }

    /// Checks from memory alone whether an address may try. 429 says when its window ends.
    pub(super) fn address_may(&self, peer: Peer) -> Result<(), ApiError> {
        let now = self.clock.now();
        match self.refused().get(&peer) {
            Some(until) if attempts::is_under_way(*until, now) => Err(too_many(seconds_until(now, *until))),
            _ => Ok(()),
        }
    }

    /// Waits for the turn of account and address, then checks whether either has failed too often. 429 says when the
    /// window ends; it is also the answer when too many wait.
    pub(super) async fn begin(&self, account: &str, peer: Peer) -> Result<Attempt, ApiError> {
        let account = self.account_key(account);
        self.address_may(peer)?;
        // The account's turn is taken first: a flood on one account then waits for that account only and does not take
        // the turns of its address.
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

    /// Counts a failure; a success clears the account's failures.
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

/// The end of the window, if the count has reached `limit`.
pub(super) fn over(counted: Option<Counted>, limit: i32) -> Option<UtcMs> {
    counted.filter(|counted| counted.attempts >= limit).map(|counted| counted.until)
}

pub(crate) fn seconds_until(now: UtcMs, until: UtcMs) -> u64 {
    u64::try_from((until.0 - now.0).max(0)).unwrap_or(0).div_ceil(1_000).max(1)
}
