//! What every handler may use, put together once at the start.

use std::{path::PathBuf, sync::Arc, time::Instant};

use actix_web::HttpRequest;
use blink_proto::{Secret, UserId};

use crate::{
    address::{self, Peer},
    archive::Archive,
    auth::{keys::Keyring, oidc::Provider, password::Passwords},
    clock::Clock,
    config::{AccessConfig, AskConfig},
    db::Db,
    domain::time::UtcMs,
    error::ApiError,
    failure::chain,
    http::{blocking, to_its_end, upload},
    ledger::{Entry as LedgerEntry, Ledger, What},
    limits::Limits,
};

const DAY_MS: i64 = 86_400_000;

/// What every handler may use.
#[derive(Clone)]
pub struct State {
    /// The database.
    pub db: Db,
    /// The signing keys.
    pub keys: Arc<Keyring>,
    /// Erasures and consents, outside the database.
    pub ledger: Arc<Ledger>,
    /// Where raw batches go besides the database; `None` where nothing is archived.
    pub archive: Option<Arc<Archive>>,
    /// Password hashing.
    pub passwords: Passwords,
    /// The time.
    pub clock: Clock,
    /// When the server started.
    pub started: Instant,
    /// How long minutes are kept.
    pub retention_days: u32,
    /// Who may register, from where.
    pub access: Arc<AccessConfig>,
    /// How often.
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
        let today = self.clock.now().0.div_euclid(DAY_MS);
        UtcMs((today - i64::from(self.retention_days)) * DAY_MS)
    }

    /// Remembers outside the database what a person asked for, before the database does it.
    ///
    /// # Errors
    /// 500 when it cannot be written: then it must not be done.
    pub async fn remember(&self, user_id: UserId, what: What) -> Result<(), ApiError> {
        let (ledger, at) = (self.ledger.clone(), self.clock.now().timestamp());
        let written = blocking(move || ledger.append(&LedgerEntry { at, user_id, what })).await?;
        written.map_err(|e| ApiError::internal(chain(&e)))
    }

    /// Whether `given` is the password of `account`, whose hash this is. A failure counts against account and address,
    /// also when the client has hung up before it hears of it.
    ///
    /// # Errors
    /// 429 after too many failures.
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
