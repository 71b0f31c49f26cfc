//! What every handler may use, put together once at the start.

use std::{
    path::PathBuf,
    sync::Arc,
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
    db::{Db, purge, users},
    domain::time::UtcMs,
    error::ApiError,
    failure::chain,
    http::{to_its_end, upload},
    ledger::{Entry as LedgerEntry, Ledger, What},
    limits::Limits,
};

/// For an hour: as long as a restore takes a line for one that may be under way.
const TAKE_BACK_ATTEMPTS: u32 = 240;
const TAKE_BACK_EVERY: Duration = Duration::from_secs(15);

/// Remembers outside the database what a person asked for: last in the transaction that does it, at the time that stands
/// in its rows, so that the two agree. 503 when it cannot be written: then it must not be done.
pub(crate) fn remember(ledger: &Ledger, at: UtcMs, user_id: UserId, what: What) -> Result<(), ApiError> {
    let entry = LedgerEntry { at: at.timestamp(), user_id, what };
    ledger.append(&entry).map_err(|e| ApiError::unavailable(chain(&e)))
}

/// What every handler may use.
#[derive(Clone)]
pub struct State {
    pub db: Db,
    pub keys: Arc<Keyring>,
    /// Erasures and consents, outside the database.
    pub ledger: Arc<Ledger>,
    /// Where raw batches go besides the database; `None` where nothing is archived.
    pub archive: Option<Arc<Archive>>,
    pub passwords: Passwords,
    pub clock: Clock,
    /// When the server started.
    pub started: Instant,
    /// How long minutes are kept.
    pub retention_days: u32,
    /// Who may register, from where.
    pub access: Arc<AccessConfig>,
    pub limits: Arc<Limits>,
    /// The memory that uploads may hold.
    pub uploads: upload::Memory,
    /// Where people reach this server, without a slash at the end.
    pub public_url: String,
    /// The OpenID provider, where there is one.
    pub oidc: Option<Arc<Provider>>,
    /// The model that answers questions, where there is one.
    pub ask: Option<AskConfig>,
    /// Whether a proxy stands in front.
    pub behind_proxy: bool,
    /// Where the attendance desk's CSV files go.
    pub exports_dir: PathBuf,
}

impl State {
    /// Minutes before this are past retention: the start of a UTC day, so that sums never lose a part of themselves.
    #[must_use]
    pub fn keep_from(&self) -> UtcMs {
        purge::keep_from(self.clock.now(), self.retention_days)
    }

    /// Takes an erasure back that was remembered at `begun` and failed, so that no restore carries it out. It is done
    /// beside the request, and only once the database says that the person is still there.
    pub fn take_back_erasure(&self, user_id: UserId, begun: Timestamp) {
        let state = self.clone();
        actix_web::rt::spawn(async move {
            for _ in 0..TAKE_BACK_ATTEMPTS {
                let (ledger, clock) = (state.ledger.clone(), state.clock.clone());
                let done = state.db.write(move |conn| -> Result<(), ApiError> {
                    // Held: a commit under way is over, and no other erasure begins before the line is written.
                    if users::hold(conn, user_id.into())?.is_none() {
                        return Ok(());
                    }
                    remember(&ledger, clock.now(), user_id, What::NotErased { begun })
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

    /// Whether `given` is the password of `account`, whose hash this is. A failure counts against account and address,
    /// also when the client has hung up before it hears of it.
    ///
    /// Refuses with 429 after too many failures.
    pub async fn is_password(
        &self,
        given: Secret,
        account: &str,
        hash: Option<String>,
        peer: Peer,
    ) -> Result<bool, ApiError> {
        let attempt = self.limits.sign_in(account, peer).await?;
        let (limits, passwords) = (self.limits.clone(), self.passwords.clone());
        to_its_end(async move {
            let right = passwords.verify(given, hash).await?;
            limits.judged(attempt, right).await?;
            Ok(right)
        })
        .await
    }

    /// Whether people reach this server by HTTPS: then cookies must never cross anything else.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.behind_proxy || self.public_url.starts_with("https://")
    }

    /// Whose address a request comes from, as limits count it.
    #[must_use]
    pub fn peer(&self, req: &HttpRequest) -> Peer {
        address::of(req, &self.access.trusted_proxies).into()
    }
}
