//! Storage: the same code over SQLite and PostgreSQL.
//!
//! - [`conn`], [`types`], [`schema`], [`target`]: what hides the difference between the two databases
//! - [`migrate`]: the embedded migrations
//! - [`link`], `deadline`, `identity`: detect a database that does not answer or whose file is gone
//! - `scrub`: removes deleted data from SQLite's write-ahead log
//! - [`purge`], [`housekeeping`]: retention, and whether the clock is plausible
//! - `rehearse`: a demonstration's transactions
//! - [`Db`]: the pools. Requests get connections only by [`Db::read`] and [`Db::write`], both off the async threads
//! - [`users`], [`sessions`], [`ingest`], [`history`], [`own_minutes`], [`archive`],
//!   [`attendance`]: the queries

pub mod archive;
pub mod archive_removals;
pub(crate) mod attempts;
pub mod attendance;
pub mod conn;
mod deadline;
pub mod device_codes;
pub(crate) mod devices;
pub(crate) mod erase;
mod error;
pub(crate) mod history;
pub mod housekeeping;
pub mod id;
mod identity;
pub(crate) mod ingest;
pub mod link;
pub mod migrate;
pub(crate) mod minute_row;
pub mod oidc;
pub mod one_time;
pub(crate) mod own_minutes;
mod prepared;
pub mod purge;
mod rehearse;
pub(crate) mod schema;
mod scrub;
pub mod sessions;
pub(crate) mod target;
pub(crate) mod teams;
pub mod types;
pub mod users;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use diesel::{
    connection::{AnsiTransactionManager, SimpleConnection as _, TransactionManager},
    r2d2::Pool,
    result::{DatabaseErrorKind, Error as QueryError},
};

use crate::{config::Target, domain::time::UtcMs};
use conn::Conn;
pub use error::DbError;
use housekeeping::ClockTrust;
use identity::Identity;
use ingest::group::Groups;
use scrub::Unscrubbed;

/// Longest wait for a free connection.
const CHECKOUT: Duration = Duration::from_secs(5);

/// Transactions of small uploads at once on PostgreSQL. SQLite has one writer.
const COMMITTERS: usize = 4;

/// Tries of one transaction. Deadlocks and serialisation failures are tried again.
const WRITE_ATTEMPTS: u32 = 4;

/// For this long a test write counts as proof that the database takes writes.
const PROBED_FOR: Duration = Duration::from_secs(5);

/// The database's pools. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    readers: Pool<Target>,
    /// SQLite allows one writer, so a pool of one queues writers fairly. PostgreSQL writes through the readers' pool.
    writer: Pool<Target>,
    identity: Option<Identity>,
    work_limit: Duration,
    unscrubbed: Arc<Unscrubbed>,
    probed: Arc<Mutex<Option<Instant>>>,
    clock_trust: Arc<Mutex<Option<(Instant, ClockTrust)>>>,
    groups: Arc<Groups>,
}

impl Db {
    /// Makes the pools without connecting yet.
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
        let sqlite = matches!(target, Target::Sqlite(_));
        let writer = if sqlite { pool(1) } else { readers.clone() };
        Self {
            readers,
            writer,
            identity: Identity::of(target),
            work_limit: deadline::WORK,
            unscrubbed: Arc::new(if sqlite { Unscrubbed::unknown() } else { Unscrubbed::default() }),
            probed: Arc::default(),
            clock_trust: Arc::default(),
            groups: Arc::new(Groups::new(if sqlite { 1 } else { COMMITTERS })),
        }
    }

    /// Changes the time limit of one request's work in PostgreSQL, counted from when it has a connection.
    #[must_use]
    pub fn with_work_limit(self, work_limit: Duration) -> Self {
        Self { work_limit, ..self }
    }

    /// Runs `f` with a connection, outside any transaction, off the async threads.
    pub async fn read<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: FnOnce(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let (pool, identity, limit) = (self.readers.clone(), self.identity.clone(), self.work_limit);
        off_async(move || {
            still_there(identity.as_ref(), false)?;
            pool.get().map_err(DbError::Unreachable)?.work(limit, f)
        })
        .await
    }

    /// Runs `f` in a transaction, off the async threads. The commit is durable, and a failure leaves nothing. `f` may
    /// run more than once, because the transaction is repeated after a deadlock.
    pub async fn write<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: Fn(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + MaybeRetry + Send + 'static,
    {
        let db = self.clone();
        off_async(move || db.write_here(f)).await
    }

    /// As [`Db::write`], on the caller's thread.
    fn write_here<T, E>(&self, f: impl Fn(&mut Conn) -> Result<T, E>) -> Result<T, E>
    where
        E: From<DbError> + MaybeRetry,
    {
        still_there(self.identity.as_ref(), false)?;
        let mut link = self.writer.get().map_err(DbError::Unreachable)?;
        let value = link.work(self.work_limit, |conn| {
            let written = attempts(conn, &f);
            if written.is_err() {
                end_if_read_only(conn);
            }
            written
        })?;
        still_there(self.identity.as_ref(), true)?;
        Ok(value)
    }

    /// How long small uploads wait of late before they are stored: longer than an instant means that more come than the
    /// database takes.
    #[must_use]
    pub(crate) fn upload_wait(&self) -> Duration {
        self.groups.wait()
    }

    /// Whether the file of an SQLite database is still there. It is not opened, because that could create a new one.
    #[must_use]
    pub fn is_in_place(&self) -> bool {
        still_there(self.identity.as_ref(), false).is_ok()
    }

    /// Checks that the database takes writes. A test write is made if the last one is older than 5 s.
    pub async fn probe(&self, now: UtcMs) -> Result<(), DbError> {
        let probed = |probed: &Mutex<Option<Instant>>| *probed.lock().unwrap_or_else(PoisonError::into_inner);
        if probed(&self.probed).is_some_and(|at| at.elapsed() < PROBED_FOR) {
            return Ok(());
        }
        self.write(move |conn| housekeeping::probe(conn, now)).await?;
        *self.probed.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        Ok(())
    }

    /// Whether the clock is trusted. The last answer is returned if it is not older than 5 s, or while another caller
    /// asks: after a leap asking may read many minutes.
    pub async fn clock_trust(&self, now: UtcMs) -> Result<ClockTrust, DbError> {
        {
            let mut kept = self.clock_trust.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((at, trust)) = kept.as_mut() {
                if at.elapsed() < PROBED_FOR {
                    return Ok(*trust);
                }
                *at = Instant::now();
            }
        }
        let trust = self.read(move |conn| housekeeping::trust(conn, now)).await?;
        *self.clock_trust.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), trust));
        Ok(trust)
    }

    async fn with_writer<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut Conn) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, DbError> {
        let pool = self.writer.clone();
        let limit = self.work_limit;
        off_async(move || pool.get().map_err(DbError::Unreachable)?.work(limit, f)).await
    }

    /// A connection for the caller's own thread, in start-up, commands and tests.
    pub fn checkout(&self) -> Result<diesel::r2d2::PooledConnection<Target>, DbError> {
        self.writer.get().map_err(DbError::Unreachable)
    }
}

async fn off_async<T, E>(f: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: From<DbError> + Send + 'static,
{
    actix_web::web::block(f).await.unwrap_or_else(|_| Err(DbError::Cancelled.into()))
}

/// Runs `f` in a transaction, and again after a deadlock.
fn attempts<T, E: From<DbError> + MaybeRetry>(conn: &mut Conn, f: impl Fn(&mut Conn) -> Result<T, E>) -> Result<T, E> {
    let mut attempt = 1;
    loop {
        match transaction(conn, &f) {
            Err(e) if attempt < WRITE_ATTEMPTS && e.is_retryable() => attempt += 1,
            done => return done,
        }
    }
}

fn still_there(identity: Option<&Identity>, written: bool) -> Result<(), DbError> {
    if identity.is_none_or(|identity| identity.holds(written)) { Ok(()) } else { Err(DbError::Replaced) }
}

/// A connection made while the database was read-only stays read-only after the database is not. Its backend is ended,
/// so that the pool makes a new one.
fn end_if_read_only(conn: &mut Conn) {
    if let Conn::Postgres(conn) = conn {
        let end =
            "SELECT pg_terminate_backend(pg_backend_pid()) WHERE current_setting('transaction_read_only')::boolean";
        // The pool notices the ended connection at its next check.
        let _ = conn.batch_execute(end);
    }
}

pub trait MaybeRetry {
    fn is_retryable(&self) -> bool;
}

impl MaybeRetry for DbError {
    fn is_retryable(&self) -> bool {
        match self {
            Self::Query(QueryError::DatabaseError(DatabaseErrorKind::SerializationFailure, _)) => true,
            // PostgreSQL's words and those of Citus for one across workers; the driver does not tell the SQLSTATE.
            Self::Query(QueryError::DatabaseError(_, info)) => info.message().contains("deadlock"),
            _ => false,
        }
    }
}

/// Runs `f` in a transaction. On SQLite it takes the write lock at its start, so that it cannot fail to get it midway.
pub fn transaction<T, E: From<DbError>>(conn: &mut Conn, f: impl FnOnce(&mut Conn) -> Result<T, E>) -> Result<T, E> {
    begun_with(conn, "BEGIN IMMEDIATE", "BEGIN", f)
}

/// Runs `f`, which only reads, in a transaction that sees one moment: what others commit meanwhile is not in it.
pub fn snapshot<T, E: From<DbError>>(conn: &mut Conn, f: impl FnOnce(&mut Conn) -> Result<T, E>) -> Result<T, E> {
    begun_with(conn, "BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", f)
}

fn begun_with<T, E: From<DbError>>(
    conn: &mut Conn,
    sqlite: &str,
    postgres: &str,
    f: impl FnOnce(&mut Conn) -> Result<T, E>,
) -> Result<T, E> {
    match conn {
        Conn::Sqlite(inner) => AnsiTransactionManager::begin_transaction_sql(inner, sqlite),
        Conn::Postgres(inner) => AnsiTransactionManager::begin_transaction_sql(inner, postgres),
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

/// Logs that connecting failed, but not the error: it names the address, which may hold a password.
#[derive(Debug)]
struct QuietPool;

impl diesel::r2d2::HandleError<diesel::r2d2::Error> for QuietPool {
    fn handle_error(&self, _: diesel::r2d2::Error) {
        tracing::warn!("connecting to the database failed; trying again");
    }
}
