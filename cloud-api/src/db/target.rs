//! Where the database is, and how a connection to it is set up.

use std::{fmt, path::PathBuf, str::FromStr};

use diesel::{
    Connection as _, ConnectionError, PgConnection, SqliteConnection,
    connection::SimpleConnection as _,
    r2d2::{ManageConnection, R2D2Connection as _},
    result::Error as QueryError,
};

use super::conn::Conn;

/// A database address. Diesel alone would open a file called `postgres:typo`; here a typo is an error.
#[derive(Clone, PartialEq, Eq)]
pub enum Target {
    /// A file.
    Sqlite(PathBuf),
    /// A libpq URL. It may hold a password: never shown.
    Postgres(String),
}

/// An address that names no database.
#[derive(Debug, thiserror::Error)]
#[error("DATABASE_URL must be sqlite:PATH or postgres://USER@HOST/NAME{0}")]
pub struct BadTarget(String);

impl Target {
    /// The file of an embedded database.
    #[must_use]
    pub fn sqlite_path(&self) -> Option<&PathBuf> {
        match self {
            Self::Sqlite(path) => Some(path),
            Self::Postgres(_) => None,
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
            Self::Postgres(_) => f.write_str("Postgres(..)"),
        }
    }
}

impl FromStr for Target {
    type Err = BadTarget;

    fn from_str(url: &str) -> Result<Self, BadTarget> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(url.to_owned()));
        }
        if let Some(rest) = url.strip_prefix("sqlite:") {
            let path = rest.strip_prefix("//").unwrap_or(rest);
            return match path {
                "" => Err(BadTarget("; the path after sqlite: is empty".to_owned())),
                ":memory:" => Err(BadTarget("; a database in memory would lose every minute".to_owned())),
                path => Ok(Self::Sqlite(PathBuf::from(path))),
            };
        }
        let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
        Err(BadTarget(if scheme.is_empty() { String::new() } else { format!(", not {scheme}:") }))
    }
}

/// Waiting for SQLite's single writer, in milliseconds.
const BUSY_TIMEOUT_MS: u32 = 10_000;

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
                // synchronous=FULL makes a commit durable before it is answered; secure_delete overwrites what is erased.
                conn.batch_execute(&format!(
                    "PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                     PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF; \
                     PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY;"
                ))
                .map_err(set_up)?;
                Ok(Conn::Sqlite(conn))
            }
            Self::Postgres(url) => {
                let mut conn = PgConnection::establish(url).map_err(diesel::r2d2::Error::ConnectionError)?;
                conn.batch_execute(
                    "SET client_min_messages = warning; SET TIME ZONE 'UTC'; SET synchronous_commit = on; \
                     SET statement_timeout = '30s'; SET lock_timeout = '10s'; \
                     SET idle_in_transaction_session_timeout = '60s';",
                )
                .map_err(set_up)?;
                Ok(Conn::Postgres(conn))
            }
        }
    }

    fn is_valid(&self, conn: &mut Conn) -> Result<(), Self::Error> {
        conn.ping().map_err(diesel::r2d2::Error::QueryError)
    }

    fn has_broken(&self, conn: &mut Conn) -> bool {
        std::thread::panicking() || conn.is_broken()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("sqlite:/var/lib/x.db", "/var/lib/x.db")]
    #[case("sqlite:///var/lib/x.db", "/var/lib/x.db")]
    #[case("sqlite:x.db", "x.db")]
    fn a_file(#[case] url: &str, #[case] path: &str) {
        assert_eq!(url.parse::<Target>().unwrap(), Target::Sqlite(path.into()));
    }

    #[rstest]
    #[case("")]
    #[case("sqlite:")]
    #[case("sqlite::memory:")]
    #[case("postgres:typo")]
    #[case("mysql://x")]
    #[case("/just/a/path.db")]
    fn a_typo_is_an_error(#[case] url: &str) {
        assert!(url.parse::<Target>().is_err());
    }

    #[test]
    fn debug_shows_no_password() {
        let target: Target = "postgres://ada:hunter2@db/blinks".parse().unwrap();
        assert!(!format!("{target:?}").contains("hunter2"));
    }
}
