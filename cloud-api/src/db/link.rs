//! A connection with a limit on its work.

use std::{
    ops::{Deref, DerefMut},
    time::{Duration, Instant},
};

use super::{
    DbError,
    conn::Conn,
    deadline::{Socket, Watch},
};

pub struct Link {
    conn: Conn,
    /// `None` for SQLite.
    socket: Option<Socket>,
    pub(super) made: Instant,
    /// Its socket was shut down.
    pub(super) is_cut: bool,
}

impl Link {
    pub(super) fn new(conn: Conn, socket: Option<Socket>) -> Self {
        Self { conn, socket, made: Instant::now(), is_cut: false }
    }

    /// Runs `f`. If it takes longer than `limit`, this connection is cut, and what `f` asks then fails.
    pub(crate) fn within<T>(&mut self, limit: Duration, f: impl FnOnce(&mut Conn) -> T) -> T {
        let watch = self.socket.clone().map(|socket| Watch::new(limit, move || socket.cut()));
        let done = f(&mut self.conn);
        self.is_cut |= watch.is_some_and(|watch| watch.is_over());
        done
    }

    /// The same, failing with [`DbError::Overdue`].
    pub(super) fn work<T, E: From<DbError>>(
        &mut self,
        limit: Duration,
        f: impl FnOnce(&mut Conn) -> Result<T, E>,
    ) -> Result<T, E> {
        let done = self.within(limit, f);
        if self.is_cut { done.map_err(|_| DbError::Overdue.into()) } else { done }
    }

    pub(crate) fn into_conn(self) -> Conn {
        self.conn
    }
}

impl Deref for Link {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.conn
    }
}

impl DerefMut for Link {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.conn
    }
}
