//! Why a query failed, and which failures pass by themselves.

use std::sync::Arc;

use diesel::{
    r2d2::PoolError,
    result::{DatabaseErrorKind, Error as QueryError},
};

#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// No connection was free in time.
    #[error("the database cannot be reached")]
    Unreachable(#[source] PoolError),
    #[error("a query failed")]
    Query(#[from] QueryError),
    /// The database did not answer in time; the connection was shut down.
    #[error("the database did not answer in time")]
    Overdue,
    #[error("the database's file was removed or replaced: put it back, or start the server again")]
    Replaced,
    /// The transaction of several uploads failed, for all of them.
    #[error(transparent)]
    OfGroup(Arc<DbError>),
    /// The thread of the query ended before it returned.
    #[error("the query was cancelled")]
    Cancelled,
}

impl DbError {
    /// Whether the database is unreachable, busy or full, so that the same request may succeed a moment later.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Overdue | Self::Replaced => true,
            Self::Query(QueryError::DatabaseError(
                DatabaseErrorKind::ClosedConnection
                | DatabaseErrorKind::UnableToSendCommand
                | DatabaseErrorKind::ReadOnlyTransaction
                | DatabaseErrorKind::SerializationFailure,
                _,
            )) => true,
            Self::Query(QueryError::DatabaseError(_, info)) => says(OUTAGES, info.message()),
            Self::Query(QueryError::BrokenTransactionManager) => true,
            Self::OfGroup(e) => e.is_outage(),
            Self::Query(_) | Self::Cancelled => false,
        }
    }

    #[must_use]
    pub fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Query(QueryError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)))
    }

    /// Whether a row names another one that is gone.
    #[must_use]
    pub(crate) fn is_foreign_key_violation(&self) -> bool {
        matches!(self, Self::Query(QueryError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _)))
    }
}

/// Outages that SQLite, PostgreSQL and PgBouncer report by their message only.
const OUTAGES: &[&str] = &[
    "database is locked",
    "database table is locked",
    "is full",
    "disk I/O error",
    "unable to open database file",
    "readonly database",
    "No space left on device",
    "could not extend file",
    "could not write",
    "out of shared memory",
    "terminating connection",
    "connection to server",
    "the database system is",
    "server closed the connection",
    // PgBouncer's words when the server of a running query is gone; its SQLSTATE, 08P01, has other meanings too.
    "server conn crashed",
    "lock timeout",
    "statement timeout",
    "deadlock",
    // Citus, when a worker is away.
    "failure on connection marked as essential",
    "connection to the remote node",
    "read-only transaction",
];

fn says(words: &[&str], message: &str) -> bool {
    words.iter().any(|words| message.contains(words))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("server conn crashed?", true)]
    #[case("terminating connection due to administrator command", true)]
    #[case("the database system is starting up", true)]
    #[case("failure on connection marked as essential: worker:5432", true)]
    #[case("connection to the remote node worker:5432 failed", true)]
    #[case("canceling the transaction since it was involved in a distributed deadlock", true)]
    #[case("division by zero", false)]
    fn outages_are_known_by_their_words(#[case] message: &str, #[case] outage: bool) {
        let said = QueryError::DatabaseError(DatabaseErrorKind::Unknown, Box::new(message.to_owned()));
        assert_eq!(DbError::from(said).is_outage(), outage);
    }
}
