//! Opens and sets up connections to a [`Target`].

use diesel::{
    Connection as _, ConnectionError, PgConnection, SqliteConnection,
    connection::SimpleConnection as _,
    r2d2::{ManageConnection, R2D2Connection as _},
    result::Error as QueryError,
};

use super::{conn::Conn, deadline};
use crate::config::Target;

/// Longest wait for SQLite's single writer, in milliseconds.
pub(super) const BUSY_TIMEOUT_MS: u32 = 10_000;

impl ManageConnection for Target {
    type Connection = Conn;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<Conn, Self::Error> {
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
                Ok(Conn::Sqlite(conn))
            }
            Self::Postgres(_) => deadline::within(self, deadline::CONNECT, || {
                let url = self.postgres_url().unwrap_or_default();
                let mut conn = PgConnection::establish(&url).map_err(diesel::r2d2::Error::ConnectionError)?;
                conn.batch_execute(
                    "SET client_min_messages = warning; SET TIME ZONE 'UTC'; SET synchronous_commit = on; \
                     SET statement_timeout = '30s'; SET lock_timeout = '10s'; \
                     SET idle_in_transaction_session_timeout = '60s';",
                )
                .map_err(set_up)?;
                Ok(Conn::Postgres(conn))
            }),
        }
    }

    fn is_valid(&self, conn: &mut Conn) -> Result<(), Self::Error> {
        conn.ping().map_err(diesel::r2d2::Error::QueryError)
    }

    fn has_broken(&self, conn: &mut Conn) -> bool {
        std::thread::panicking() || conn.is_broken()
    }
}
