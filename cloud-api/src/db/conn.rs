//! One connection type over SQLite and PostgreSQL.
//!
//! A query that diesel can express for both is written once against [`Conn`]; upserts and batches match the variant.

use diesel::{PgConnection, SqliteConnection};

#[derive(diesel::MultiConnection)]
pub enum Conn {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}
