//! Applies the embedded migrations under a lock, so that replicas can start together.

use std::{
    fs::{self, TryLockError},
    io,
};

use diesel::{
    PgConnection, QueryableByName, RunQueryDsl as _,
    connection::SimpleConnection as _,
    migration::{Migration as _, MigrationSource},
    sql_query,
    sql_types::{Bool, Text},
    sqlite::Sqlite,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};

use super::{conn::Conn, target::POSTGRES_LIMITS};
use crate::config::Target;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// The key of the advisory lock. Any number works, as long as no other program uses it on the same database.
pub const PG_LOCK: i64 = 0x626c_696e_6b6d_6967;

#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The lock file keeps two processes from migrating at once.
    #[error("the lock file beside the database cannot be used")]
    LockFile(#[source] io::Error),
    #[error("the migration lock cannot be taken")]
    Lock(#[source] diesel::result::Error),
    #[error("a migration failed: {0}")]
    Run(#[source] Box<dyn std::error::Error + Send + Sync>),
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Bool)]
    yes: bool,
}

/// Applies the missing migrations and returns their number. A failed migration is rolled back, and its connection is of no
/// further use.
pub fn run(conn: &mut Conn, target: &Target) -> Result<usize, MigrateError> {
    run_saying(conn, target, |text| tracing::warn!("{text}"))
}

/// As [`run`]; `say` is told when another program's migrations are waited for.
pub(crate) fn run_saying(conn: &mut Conn, target: &Target, say: impl FnOnce(&str)) -> Result<usize, MigrateError> {
    let waiting = || say("another program migrates this database; its end is waited for");
    match conn {
        Conn::Sqlite(inner) => {
            let file = target.sqlite_path().map(|path| path.with_extension("migrate.lock"));
            let lock = file.map(fs::File::create).transpose().map_err(MigrateError::LockFile)?;
            if let Some(lock) = &lock {
                let taken = match lock.try_lock() {
                    Err(TryLockError::WouldBlock) => {
                        waiting();
                        lock.lock()
                    }
                    Err(TryLockError::Error(e)) => Err(e),
                    Ok(()) => Ok(()),
                };
                taken.map_err(MigrateError::LockFile)?;
            }
            Ok(inner.run_pending_migrations(SQLITE).map_err(MigrateError::Run)?.len())
        }
        Conn::Postgres(inner) => {
            let set = |inner: &mut PgConnection, limits: &str| inner.batch_execute(limits).map_err(MigrateError::Lock);
            // Another replica may be rewriting a large table, and so may this one.
            set(inner, "SET statement_timeout = 0; SET lock_timeout = 0;")?;
            // The statement of a process that has ended must not go on. Before 14, and on some systems, it does.
            let _ = inner.batch_execute("SET client_connection_check_interval = '5s'");
            let is_free: Answer = sql_query(format!("SELECT pg_try_advisory_lock({PG_LOCK}) AS yes"))
                .get_result(inner)
                .map_err(MigrateError::Lock)?;
            if !is_free.yes {
                waiting();
                sql_query(format!("SELECT pg_advisory_lock({PG_LOCK})")).execute(inner).map_err(MigrateError::Lock)?;
            }
            // A table's lock is waited for as briefly as otherwise: whoever else asks for the table waits behind it.
            set(inner, &format!("{POSTGRES_LIMITS} SET statement_timeout = 0;"))?;
            let done = inner.run_pending_migrations(POSTGRES).map(|done| done.len()).map_err(MigrateError::Run)?;
            sql_query(format!("SELECT pg_advisory_unlock({PG_LOCK})")).execute(inner).map_err(MigrateError::Lock)?;
            set(inner, POSTGRES_LIMITS)?;
            Ok(done)
        }
    }
}

pub fn pending(conn: &mut Conn) -> Result<bool, MigrateError> {
    match conn {
        Conn::Sqlite(inner) => inner.has_pending_migration(SQLITE),
        Conn::Postgres(inner) => inner.has_pending_migration(POSTGRES),
    }
    .map_err(MigrateError::Run)
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = Text)]
    version: String,
}

#[must_use]
pub fn newest_known() -> String {
    let newest = MigrationSource::<Sqlite>::migrations(&SQLITE).ok().and_then(|migrations| {
        migrations.iter().map(|migration| migration.name().version().as_owned().to_string()).max()
    });
    newest.unwrap_or_default()
}

/// The database's newest migration if this program does not know it, because a later version made it.
pub fn newer(conn: &mut Conn) -> Option<String> {
    let newest = "SELECT version FROM __diesel_schema_migrations ORDER BY version DESC LIMIT 1";
    // Without the table no migration has run yet; any other fault shows with the next query.
    let newest = sql_query(newest).get_result::<Version>(conn).ok()?.version;
    (newest > newest_known()).then_some(newest)
}
