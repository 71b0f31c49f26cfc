//! Opens and sets up connections to a [`Target`].

use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

use diesel::{
    Connection as _, ConnectionError, PgConnection, SqliteConnection,
    connection::SimpleConnection as _,
    r2d2::{ManageConnection, R2D2Connection as _},
    result::Error as QueryError,
};

use super::{DbError, conn::Conn, deadline, link::Link};
use crate::config::Target;

/// How long PostgreSQL lets a statement run and wait for a lock.
pub(super) const POSTGRES_LIMITS: &str = "SET statement_timeout = '30s'; SET lock_timeout = '10s';";

/// Longest wait for SQLite's single writer, in milliseconds.
pub(super) const BUSY_TIMEOUT_MS: u32 = 10_000;

impl ManageConnection for Target {
    type Connection = Link;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<Link, Self::Error> {
        let set_up =
            |e: QueryError| diesel::r2d2::Error::ConnectionError(ConnectionError::CouldntSetupConfiguration(e));
        match self {
            Self::Sqlite(path) => {
                let mut conn = SqliteConnection::establish(&path.to_string_lossy())
                    .map_err(diesel::r2d2::Error::ConnectionError)?;
                // synchronous=FULL makes a commit durable before it is answered; secure_delete overwrites erased data.
                conn.batch_execute(&format!(
                    "PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                     PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF; \
                     PRAGMA cache_size = -8192; PRAGMA journal_size_limit = 67108864; PRAGMA temp_store = MEMORY;"
                ))
                .map_err(set_up)?;
                Ok(Link::new(Conn::Sqlite(conn), None))
            }
            Self::Postgres(_) => deadline::connecting(self, || {
                let url = self.postgres_url().unwrap_or_default();
                let mut conn = PgConnection::establish(&url).map_err(diesel::r2d2::Error::ConnectionError)?;
                conn.batch_execute(&format!(
                    "SET client_min_messages = warning; SET TIME ZONE 'UTC'; SET synchronous_commit = on; \
                     SET idle_in_transaction_session_timeout = '60s'; {POSTGRES_LIMITS}"
                ))
                .map_err(set_up)?;
                Ok(Conn::Postgres(conn))
            })
            .map(|(conn, socket)| Link::new(conn, Some(socket))),
        }
    }

    fn is_valid(&self, link: &mut Link) -> Result<(), Self::Error> {
        // After one dead connection the others of its time are not asked: each could take as long.
        static SUSPECT: Mutex<Option<Instant>> = Mutex::new(None);
        let suspect = || SUSPECT.lock().unwrap_or_else(PoisonError::into_inner);
        let began = Instant::now();
        let asked = match *suspect() {
            Some(since) if link.made < since => Err(DbError::Overdue),
            _ => link.work(deadline::PING, |conn| conn.ping().map_err(DbError::from)),
        };
        if link.is_cut {
            *suspect() = Some(began);
        }
        asked.map_err(|e| diesel::r2d2::Error::ConnectionError(ConnectionError::BadConnection(e.to_string())))
    }

    fn has_broken(&self, link: &mut Link) -> bool {
        std::thread::panicking() || link.is_cut || link.is_broken()
    }
}
