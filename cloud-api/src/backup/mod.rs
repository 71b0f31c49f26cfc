//! Backup and restore: one gzip file of JSON lines, from either database into an empty one of either kind.
//!
//! The first line says what the file is and when it was made. The last line holds the number of rows, so that a cut
//! file is recognised. A backup has no sessions, and of keys only those of the archive, sealed with the master key,
//! which it never contains. Restoring replays the ledger in the same transaction, so that a person who was erased since
//! is never back, not even for a moment.
//!
//! - [`mod@file`]: opens the file; [`restore()`]: reads it into a database

pub mod file;
mod replay;
mod restore;
mod tables;
mod unfinished;

use std::{
    io::{self, Write},
    path::PathBuf,
};

use diesel::{
    QueryableByName, RunQueryDsl as _,
    connection::{DefaultLoadingMode, SimpleConnection as _},
    pg::PgRowByRowLoadingMode,
    sql_query,
    sql_types::Text,
};
use flate2::{Compression, write::GzEncoder};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::db::{DbError, conn::Conn, snapshot};
pub use restore::{Restored, restore};
use tables::TABLES;

const FORMAT: &str = "cloud-api backup";
const VERSION: u32 = 1;

#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("the backup {0} cannot be used")]
    Io(PathBuf, #[source] io::Error),
    #[error("the database failed")]
    Database(#[from] DbError),
    /// The path names a device, a pipe or a folder.
    #[error("{0} is no plain file, and would be replaced by one")]
    NoPlainFile(PathBuf),
    #[error("standard output is closed or leads to /dev/null: the backup would be nowhere")]
    Nowhere,
    #[error("{0} is there already")]
    Exists(PathBuf),
    /// The file has another format, or was made by a later version.
    #[error("{0} is no backup that this program reads")]
    Foreign(PathBuf),
    #[error("{0} is cut off or damaged: nothing was restored")]
    Cut(PathBuf),
    /// A row names a person who is not in the backup, or has an impossible time.
    #[error("{0} holds a row of {1} that {2}: nothing was restored")]
    Implausible(PathBuf, &'static str, &'static str),
    #[error("the database is not empty: nothing was restored")]
    NotEmpty,
}

impl From<diesel::result::Error> for BackupError {
    fn from(e: diesel::result::Error) -> Self {
        Self::Database(e.into())
    }
}

#[derive(Serialize, Deserialize)]
struct Head {
    format: String,
    version: u32,
    created_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    table: Option<&'a str>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    row: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    row: String,
}

#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("the database failed")]
    Database(#[from] DbError),
    #[error("writing failed")]
    Output(#[from] io::Error),
}

impl From<diesel::result::Error> for WriteError {
    fn from(e: diesel::result::Error) -> Self {
        Self::Database(e.into())
    }
}

/// Writes a backup as of one moment and returns its number of rows. After a failure the output is incomplete, which a
/// restore recognises.
pub fn write(conn: &mut Conn, out: impl Write, now: Timestamp) -> Result<u64, WriteError> {
    let mut out = io::BufWriter::new(GzEncoder::new(out, Compression::default()));
    let head = Head { format: FORMAT.to_owned(), version: VERSION, created_at: now };
    line(&mut out, &head)?;
    // All tables must be of the same moment.
    let written = snapshot(conn, |conn| {
        if matches!(conn, Conn::Postgres(_)) {
            conn.batch_execute("SET LOCAL statement_timeout = 0")?;
        }
        rows(conn, &mut out)
    })?;
    line(&mut out, &Line { table: None, row: None, rows: Some(written) })?;
    let encoder = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    encoder.finish()?.flush()?;
    Ok(written)
}

fn line(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

fn rows(conn: &mut Conn, out: &mut impl Write) -> Result<u64, WriteError> {
    let mut count = 0;
    for table in TABLES {
        let mut each = |row: Result<Row, diesel::result::Error>| -> Result<(), WriteError> {
            let Row { row } = row?;
            let row: &RawValue = serde_json::from_str(&row).map_err(io::Error::from)?;
            line(out, &Line { table: Some(table.name), row: Some(row), rows: None })?;
            count += 1;
            Ok(())
        };
        // Rows are read one by one, because a table may not fit into memory.
        match conn {
            Conn::Sqlite(conn) => {
                sql_query(table.select(false)).load_iter::<Row, DefaultLoadingMode>(conn)?.try_for_each(&mut each)?;
            }
            Conn::Postgres(conn) => {
                sql_query(table.select(true)).load_iter::<Row, PgRowByRowLoadingMode>(conn)?.try_for_each(&mut each)?;
            }
        }
    }
    Ok(count)
}

/// The tables and columns of a backup, for the test that compares them with the schema.
#[must_use]
pub fn contents() -> Vec<(&'static str, Vec<&'static str>)> {
    TABLES.iter().map(|table| (table.name, table.columns.iter().map(|(name, _)| *name).collect())).collect()
}
