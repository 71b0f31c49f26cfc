//! The shared state of all handlers, made once at start.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use actix_web::HttpRequest;
use blink_proto::{Secret, UserId};
use jiff::Timestamp;

use crate::{
    address::{self, Peer},
    archive::Archive,
    auth::{keys::Keyring, oidc::Provider, password::Passwords},
    clock::Clock,
    config::{AccessConfig, AskConfig},
    db::{
        Db, DbError,
        attendance::people,
        conn::Conn,
        id::{DeskPerson, Id},
        purge, users,
    },
    desk::Desk,
    domain::time::UtcMs,
    error::ApiError,
    failure::chain,
    http::{to_its_end, upload},
    ledger::{Entry as LedgerEntry, EntryKind, Ledger},
    limits::Limits,
};

/// Tries for an hour, because a restore treats an entry of the last hour as possibly uncommitted.
const TAKE_BACK_ATTEMPTS: u32 = 240;
const TAKE_BACK_EVERY: Duration = Duration::from_secs(15);

/// Writes a person's request into the ledger. This must come last in the transaction that carries it out, with the time
/// in its rows, so that the two agree. On 503 the transaction must fail.
pub(crate) fn remember(ledger: &Ledger, at: UtcMs, user_id: UserId, what: EntryKind) -> Result<(), ApiError> {
    let entry = LedgerEntry { at: at.timestamp(), user_id, what };
    ledger.append(&entry).map_err(|e| ApiError::unavailable(chain(&e)))
}

/// As [`remember`], of a person of the attendance desk, who may have no account.
pub(crate) fn remember_of_desk(
    ledger: &Ledger,
    at: UtcMs,
    uid: Id<DeskPerson>,
    what: EntryKind,
) -> Result<(), ApiError> {
    remember(ledger, at, UserId(uid.0), what)
}

/// Whom an erasure is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whom {
    Account(UserId),
    /// A person of the attendance desk.
    OfDesk(Id<DeskPerson>),
}

/// The erasures that a transaction, which may be repeated, has written into the ledger.
#[derive(Clone, Debug, Default)]
pub(crate) struct Begun(Arc<Mutex<Vec<(Whom, UtcMs)>>>);

impl Begun {
    fn lines(&self) -> MutexGuard<'_, Vec<(Whom, UtcMs)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes an erasure into the ledger, as [`remember`], and notes it for [`State::take_back`].
    pub(crate) fn remember(&self, ledger: &Ledger, at: UtcMs, whom: Whom) -> Result<(), ApiError> {
        match whom {
            Whom::Account(user_id) => remember(ledger, at, user_id, EntryKind::Erased)?,
            Whom::OfDesk(uid) => remember_of_desk(ledger, at, uid, EntryKind::DeskErased)?,
        }
        self.lines().push((whom, at));
        Ok(())
    }
}

#[derive(Clone)]
pub struct State {
    pub db: Db,
    pub keys: Arc<Keyring>,
    pub ledger: Arc<Ledger>,
    /// `None` when nothing is archived.
    pub archive: Option<Arc<Archive>>,
    pub(crate) desk: Arc<Desk>,
    pub passwords: Passwords,
    pub clock: Clock,
    pub started: Instant,
    pub retention_days: u32,
    pub access: Arc<AccessConfig>,
    pub limits: Arc<Limits>,
    pub uploads: upload::Memory,
    /// The address by which people reach this server, without a final slash.
    pub public_url: String,
    pub oidc: Option<Arc<Provider>>,
    pub ask: Option<AskConfig>,
    pub behind_proxy: bool,
    /// The folder of the attendance desk's CSV files.
    pub exports_dir: PathBuf,
    /// The recording of a demonstration; `None` when this is none. In one, nothing that people do lasts.
    pub(crate) demo: Option<PathBuf>,
    /// Whether the web dashboard is shown, or the plain pages.
    pub(crate) dashboard: bool,
}

impl State {
    /// Minutes before this are past retention at `now`.
    #[must_use]
    pub fn keep_from(&self, now: UtcMs) -> UtcMs {
        purge::keep_from(now, self.retention_days)
    }

    /// 403 `demo` in a demonstration, with `why`.
    pub(crate) fn refuse_in_demo(&self, why: &str) -> Result<(), ApiError> {
        if self.demo.is_some() { Err(ApiError::forbidden("demo", why)) } else { Ok(()) }
    }

    /// Takes back the erasures that were written to the ledger and then failed, so that no restore carries them out.
    pub(crate) fn take_back(&self, begun: &Begun) {
        for (whom, at) in begun.lines().drain(..) {
            self.take_back_erasure(whom, at.timestamp());
        }
    }

    /// Takes back an erasure of the ledger. It runs apart from the request, and writes only if the database still has
    /// the person.
    fn take_back_erasure(&self, whom: Whom, begun: Timestamp) {
        let state = self.clone();
        actix_web::rt::spawn(async move {
            for _ in 0..TAKE_BACK_ATTEMPTS {
                let (ledger, clock) = (state.ledger.clone(), state.clock.clone());
                let done = state.db.write(move |conn| -> Result<(), ApiError> {
                    // With the lock, a running commit has ended and no other erasure begins before the line is written.
                    let (there, user_id) = match whom {
                        Whom::Account(user_id) => (users::hold(conn, user_id.into())?.is_some(), user_id),
                        Whom::OfDesk(uid) => (people::hold_uid(conn, uid)?.is_some(), UserId(uid.0)),
                    };
                    if !there {
                        return Ok(());
                    }
                    remember(&ledger, clock.now(), user_id, EntryKind::NotErased { begun })
                });
                match done.await {
                    Ok(()) => return,
                    Err(e) => tracing::warn!(cause = e.cause, "an erasure that failed is not taken back yet"),
                }
                tokio::time::sleep(TAKE_BACK_EVERY).await;
            }
            tracing::error!("an erasure that failed stands in the ledger: a restore within an hour would carry it out");
        });
    }

    /// Reads for `user` when it is their turn, which is held until `f` ends, even if the client hangs up before. 429 when
    /// too many wait already.
    pub(crate) async fn read_for<T, E, F>(&self, user: UserId, f: F) -> Result<T, ApiError>
    where
        F: FnOnce(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
        ApiError: From<E>,
    {
        let turn = self.limits.read_turn(user).await?;
        let in_turn = move |conn: &mut Conn| {
            let _turn = turn;
            f(conn)
        };
        Ok(self.db.read(in_turn).await?)
    }

    /// Whether `given` is the password of `account`, whose hash this is. A failure counts against account and address,
    /// even if the client hangs up before it gets the answer. 429 after too many failures.
    pub async fn is_password(
        &self,
        given: Secret,
        account: &str,
        hash: Option<String>,
        peer: Peer,
    ) -> Result<bool, ApiError> {
        // All visitors of a demonstration share its accounts: one address's failures must not shut out the others.
        let shared = self.demo.is_some().then(|| format!("{account} from {peer}"));
        let attempt = self.limits.sign_in(shared.as_deref().unwrap_or(account), peer).await?;
        let (limits, passwords) = (self.limits.clone(), self.passwords.clone());
        to_its_end(async move {
            let right = passwords.verify(given, hash).await?;
            limits.judged(attempt, right).await?;
            Ok(right)
        })
        .await
    }

    /// Whether people reach this server over HTTPS. Then cookies must be marked as secure.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.behind_proxy || self.public_url.starts_with("https://")
    }

    /// The client's address, as limits count it.
    #[must_use]
    pub fn peer(&self, req: &HttpRequest) -> Peer {
        address::of(req, &self.access.trusted_proxies).into()
    }
}
