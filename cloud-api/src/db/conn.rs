//! One connection type over SQLite and PostgreSQL.
//!
//! Queries that diesel can say for both are written once against [`Conn`]; upserts and batches match the variant.

use diesel::{PgConnection, SqliteConnection};

/// A connection to either database.
#[derive(diesel::MultiConnection)]
pub enum Conn {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}
