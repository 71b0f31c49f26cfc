//! Transactions of a demonstration: they answer as if, and nothing of them is kept.

use super::{Conn, Db, DbError, MaybeRetry};

/// How a rehearsed transaction ends. Both are errors to it, because an error is what rolls back.
enum Ended<T, E> {
    Done(T),
    Failed(E),
}

impl<T, E: From<DbError>> From<DbError> for Ended<T, E> {
    fn from(e: DbError) -> Self {
        Self::Failed(e.into())
    }
}

impl<T, E: MaybeRetry> MaybeRetry for Ended<T, E> {
    fn is_retryable(&self) -> bool {
        matches!(self, Self::Failed(e) if e.is_retryable())
    }
}

impl Db {
    /// As [`Db::write`], and then takes back all that `f` wrote.
    pub(crate) async fn rehearse<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: Fn(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + MaybeRetry + Send + 'static,
    {
        let rehearsed = self.write(move |conn| -> Result<(), Ended<T, E>> {
            Err(match f(conn) {
                Ok(value) => Ended::Done(value),
                Err(e) => Ended::Failed(e),
            })
        });
        match rehearsed.await {
            Err(Ended::Done(value)) => Ok(value),
            Err(Ended::Failed(e)) => Err(e),
            Ok(()) => Err(DbError::Cancelled.into()),
        }
    }
}
