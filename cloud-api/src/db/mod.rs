//! Storage: one body of code over SQLite and PostgreSQL.
//!
//! - [`conn`], [`types`], [`schema`], [`target`]: the two databases as one
//! - [`migrate`]: the embedded migrations
//! - [`Db`]: pools, and the only two ways to a connection: [`Db::read`] and [`Db::write`], both off the async threads
//! - [`users`], [`sessions`], [`ingest`], [`history`], [`archive`]: what is asked of them

pub mod archive;
pub mod archive_removals;
pub mod attempts;
pub mod conn;
pub mod device_codes;
pub mod devices;
pub mod erase;
pub mod export;
pub mod history;
pub mod ingest;
pub mod migrate;
pub mod oidc;
pub mod one_time;
pub mod purge;
pub mod schema;
pub mod sessions;
pub mod target;
pub mod teams;
pub mod types;
pub mod users;

use std::time::Duration;

use diesel::{
    connection::{AnsiTransactionManager, SimpleConnection as _, TransactionManager},
    r2d2::{Pool, PoolError},
    result::{DatabaseErrorKind, Error as QueryError},
};

use crate::config::Target;
use conn::Conn;

/// A failure of the database, or of reaching it.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// No connection could be had in time.
    #[error("the database cannot be reached")]
    Unreachable(#[source] PoolError),
    /// A query failed.
    #[error("a query failed")]
    Query(#[from] QueryError),
    /// The thread of the query ended before it answered.
    #[error("the query was cancelled")]
    Cancelled,
}

impl DbError {
    /// Whether the database is away, busy or full, and the same request may work in a moment.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Query(QueryError::DatabaseError(DatabaseErrorKind::ClosedConnection, _)) => true,
            Self::Query(QueryError::DatabaseError(DatabaseErrorKind::UnableToSendCommand, _)) => true,
            Self::Query(QueryError::DatabaseError(_, info)) => {
                // What SQLite and PostgreSQL say in words alone.
                let said = info.message();
                ["database is locked", "is full", "disk I/O error", "terminating connection", "connection to server"]
                    .iter()
                    .any(|words| said.contains(words))
            }
            Self::Query(QueryError::BrokenTransactionManager) => true,
            Self::Query(_) | Self::Cancelled => false,
        }
    }

    /// Whether a unique key was already taken.
    #[must_use]
    pub fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Query(QueryError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)))
    }
}

/// How long a request waits for a connection.
const CHECKOUT: Duration = Duration::from_secs(5);

/// Deadlocks and lost serialisation races are tried again this often.
const WRITE_ATTEMPTS: u32 = 4;

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    readers: Pool<Target>,
    /// SQLite has one writer: a pool of one queues them fairly. PostgreSQL writes through the readers' pool.
    writer: Pool<Target>,
}

impl Db {
    /// Pools for `target`, without connecting yet.
    #[must_use]
    pub fn new(target: &Target, connections: u32) -> Self {
        let pool = |size: u32| {
            Pool::builder()
                .max_size(size)
                .min_idle(Some(1.min(size)))
                .connection_timeout(CHECKOUT)
                .test_on_check_out(matches!(target, Target::Postgres(_)))
                .error_handler(Box::new(QuietPool))
                .build_unchecked(target.clone())
        };
        let readers = pool(connections);
        let writer = if matches!(target, Target::Sqlite(_)) { pool(1) } else { readers.clone() };
        Self { readers, writer }
    }

    /// Runs `f` with a connection, outside any transaction, off the async threads.
    ///
    /// # Errors
    /// When no connection can be had, or `f` fails.
    pub async fn read<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: FnOnce(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let pool = self.readers.clone();
        blocking(move || {
            let mut conn = pool.get().map_err(DbError::Unreachable)?;
            f(&mut conn)
        })
        .await
    }

    /// Runs `f` in a transaction that commits durably when it succeeds and leaves nothing when it fails.
    /// `f` may run again after a deadlock.
    ///
    /// # Errors
    /// When no connection can be had, `f` fails, or the commit fails.
    pub async fn write<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: Fn(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + MaybeRetry + Send + 'static,
    {
        let pool = self.writer.clone();
        blocking(move || {
            let mut conn = pool.get().map_err(DbError::Unreachable)?;
            let mut attempt = 1;
            loop {
                match transaction(&mut conn, &f) {
                    Err(e) if attempt < WRITE_ATTEMPTS && e.is_retryable() => attempt += 1,
                    done => return done,
                }
            }
        })
        .await
    }

    /// Overwrites what was deleted also in SQLite's log of recent writes; PostgreSQL has its own ways.
    pub async fn scrub(&self) {
        let scrubbed = self.with_writer(|conn| match conn {
            Conn::Sqlite(conn) => conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)").map_err(DbError::from),
            Conn::Postgres(_) => Ok(()),
        });
        if let Err(e) = scrubbed.await {
            tracing::warn!(error = %e, "the write-ahead log could not be emptied; it is at the next checkpoint");
        }
    }

    async fn with_writer<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut Conn) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, DbError> {
        let pool = self.writer.clone();
        blocking(move || f(&mut *pool.get().map_err(DbError::Unreachable)?)).await
    }

    /// A connection for the caller's own thread: start-up, commands and tests.
    ///
    /// # Errors
    /// When none can be had.
    pub fn checkout(&self) -> Result<diesel::r2d2::PooledConnection<Target>, DbError> {
        self.writer.get().map_err(DbError::Unreachable)
    }
}

/// Whether an error is worth another attempt at the same transaction.
pub trait MaybeRetry {
    /// True for deadlocks and serialisation failures.
    fn is_retryable(&self) -> bool;
}

impl MaybeRetry for DbError {
    fn is_retryable(&self) -> bool {
        match self {
            Self::Query(QueryError::DatabaseError(DatabaseErrorKind::SerializationFailure, _)) => true,
            Self::Query(QueryError::DatabaseError(_, info)) => info.message().contains("deadlock detected"),
            _ => false,
        }
    }
}

/// Runs `f` in a transaction. On SQLite it takes the write lock at once, so that it never fails half way for the lock.
///
/// # Errors
/// When `f` or the commit fails; then nothing is kept.
pub fn transaction<T, E: From<DbError>>(conn: &mut Conn, f: impl FnOnce(&mut Conn) -> Result<T, E>) -> Result<T, E> {
    match conn {
        Conn::Sqlite(inner) => AnsiTransactionManager::begin_transaction_sql(inner, "BEGIN IMMEDIATE"),
        Conn::Postgres(_) => Conn::begin_transaction(conn),
    }
    .map_err(DbError::from)?;
    match f(conn) {
        Ok(value) => {
            Conn::commit_transaction(conn).map_err(DbError::from)?;
            Ok(value)
        }
        Err(e) => {
            if let Err(rollback) = Conn::rollback_transaction(conn) {
                tracing::error!(error = %rollback, "rolling back failed; the connection is given up");
            }
            Err(e)
        }
    }
}

async fn blocking<T, E>(f: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: From<DbError> + Send + 'static,
{
    match actix_web::web::block(f).await {
        Ok(done) => done,
        Err(_) => Err(DbError::Cancelled.into()),
    }
}

/// Says that connecting failed without the address, which may hold a password.
#[derive(Debug)]
struct QuietPool;

impl diesel::r2d2::HandleError<diesel::r2d2::Error> for QuietPool {
    fn handle_error(&self, _: diesel::r2d2::Error) {
        tracing::warn!("connecting to the database failed; trying again");
    }
}
