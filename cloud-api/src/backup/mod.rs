//! Backup and restore: one gzip file of JSON lines, from either database into an empty one of either kind.
//!
//! The first line says what it is and when it was made, the last how many rows there are, so that a cut file is known
//! for one. Of keys it holds those of the archive alone, sealed with the master key, which it
//! never holds; and no session. Restoring replays the ledger in the same transaction, so nobody who was
//! erased since is ever back, not even for a moment.

mod tables;

use std::{
    fs,
    io::{self, BufRead as _, BufReader},
    path::{Path, PathBuf},
};

use diesel::{
    QueryableByName, RunQueryDsl as _,
    connection::{DefaultLoadingMode, SimpleConnection as _},
    pg::PgRowByRowLoadingMode,
    sql_query,
    sql_types::Text,
};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    db::{
        DbError,
        conn::Conn,
        erase,
        types::DbId,
        users::{self, ConsentRow},
    },
    domain::time::UtcMs,
    ledger::{Entry, What},
};
use tables::{TABLES, Table};

const FORMAT: &str = "cloud-api backup";
const VERSION: u32 = 1;

/// Rows written at once.
const PAGE: usize = 2_000;

/// Why there is no backup, or no restore.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file.
    #[error("the backup {0} cannot be used")]
    Io(PathBuf, #[source] io::Error),
    /// The database.
    #[error("the database failed")]
    Database(#[from] DbError),
    /// The file is something else, or of a later program.
    #[error("{0} is no backup that this program reads")]
    Foreign(PathBuf),
    /// The file ends before its end.
    #[error("{0} is cut off or damaged: nothing was restored")]
    Cut(PathBuf),
    /// There are people in the database.
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

/// Writes a backup, as of one moment, and returns how many rows it holds. The file appears whole or not at all.
///
/// # Errors
/// When the database or the file fails.
pub fn write(conn: &mut Conn, path: &Path, now: Timestamp) -> Result<u64, BackupError> {
    let failed = |e| BackupError::Io(path.to_owned(), e);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    let mut out = io::BufWriter::new(GzEncoder::new(&mut file, Compression::default()));
    let head = Head { format: FORMAT.to_owned(), version: VERSION, created_at: now };
    line(&mut out, &head).map_err(failed)?;
    // One moment: a snapshot that sees no later commit.
    conn.batch_execute(match conn {
        Conn::Sqlite(_) => "BEGIN",
        Conn::Postgres(_) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0",
    })?;
    let written = rows(conn, &mut out).map_err(|e| e.unwrap_or_else(failed));
    conn.batch_execute("COMMIT")?;
    let written = written?;
    line(&mut out, &Line { table: None, row: None, rows: Some(written) }).map_err(failed)?;
    let encoder = out.into_inner().map_err(|e| failed(e.into_error()))?;
    encoder.finish().map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|e| failed(e.error))?;
    Ok(written)
}

fn line(out: &mut impl io::Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

/// Either the database's error, or the file's.
enum Failed {
    Database(diesel::result::Error),
    File(io::Error),
}

impl Failed {
    fn unwrap_or_else(self, file: impl FnOnce(io::Error) -> BackupError) -> BackupError {
        match self {
            Self::Database(e) => e.into(),
            Self::File(e) => file(e),
        }
    }
}

impl From<diesel::result::Error> for Failed {
    fn from(e: diesel::result::Error) -> Self {
        Self::Database(e)
    }
}

impl From<io::Error> for Failed {
    fn from(e: io::Error) -> Self {
        Self::File(e)
    }
}

fn rows(conn: &mut Conn, out: &mut impl io::Write) -> Result<u64, Failed> {
    let mut count = 0;
    for table in TABLES {
        let mut each = |row: Result<Row, diesel::result::Error>| -> Result<(), Failed> {
            let Row { row } = row?;
            let row: &RawValue = serde_json::from_str(&row).map_err(io::Error::from)?;
            line(out, &Line { table: Some(table.name), row: Some(row), rows: None })?;
            count += 1;
            Ok(())
        };
        // Row by row: a table need not fit into memory.
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

/// What a restore did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// Rows read.
    pub rows: u64,
    /// People who were erased since the backup, and stay erased.
    pub erased: u64,
    /// Consents given and withdrawn since.
    pub consents: u64,
}

/// Restores a backup into an empty database whose schema is up to date, and replays the ledger; call it in a
/// transaction.
///
/// # Errors
/// When the database is not empty, the file is not whole, or either fails; then the transaction must be rolled back.
pub fn restore(conn: &mut Conn, path: &Path, ledger: &[Entry], now: UtcMs) -> Result<Restored, BackupError> {
    let failed = |e| BackupError::Io(path.to_owned(), e);
    if !users::list(conn, None, 1)?.is_empty() {
        return Err(BackupError::NotEmpty);
    }
    let file = fs::File::open(path).map_err(failed)?;
    let mut reader = BufReader::new(GzDecoder::new(BufReader::new(file)));
    let mut text = String::new();
    let head: Option<Head> = match reader.read_line(&mut text) {
        Ok(_) => serde_json::from_str(&text).ok(),
        Err(_) => None,
    };
    let head = head.filter(|head| head.format == FORMAT && head.version == VERSION);
    let head = head.ok_or_else(|| BackupError::Foreign(path.to_owned()))?;
    let cut = || BackupError::Cut(path.to_owned());
    let (mut rows, mut pending): (u64, Option<(&Table, Vec<String>)>) = (0, None);
    loop {
        text.clear();
        // Damage shows as a failing decompressor; an early end as no last line.
        if reader.read_line(&mut text).map_err(|_| cut())? == 0 {
            return Err(cut());
        }
        let line: Line<'_> = serde_json::from_str(&text).map_err(|_| cut())?;
        if let Some(total) = line.rows {
            if total != rows {
                return Err(cut());
            }
            break;
        }
        let table = TABLES.iter().find(|table| Some(table.name) == line.table).ok_or_else(cut)?;
        let row = line.row.ok_or_else(cut)?.get().to_owned();
        let full = pending.as_ref().is_some_and(|(of, page)| of.name != table.name || page.len() >= PAGE);
        if full && let Some((of, page)) = pending.take() {
            insert(conn, of, &page)?;
        }
        pending.get_or_insert_with(|| (table, Vec::with_capacity(PAGE))).1.push(row);
        rows += 1;
    }
    // The decompressor compares its checksum only when it is read to its very end, where nothing more may stand.
    if io::copy(&mut reader, &mut io::sink()).map_err(|_| cut())? != 0 {
        return Err(cut());
    }
    if let Some((of, page)) = pending {
        insert(conn, of, &page)?;
    }
    let (erased, consents) = replay(conn, ledger, head.created_at, now)?;
    Ok(Restored { rows, erased, consents })
}

fn insert(conn: &mut Conn, table: &Table, page: &[String]) -> Result<(), BackupError> {
    let array = format!("[{}]", page.join(","));
    match conn {
        Conn::Sqlite(conn) => {
            sql_query(table.insert(false)).bind::<Text, _>(array).execute(conn)?;
        }
        Conn::Postgres(conn) => {
            if table.name == "blink_data" {
                sql_query(
                    "SELECT ensure_blink_partition(month) FROM (SELECT DISTINCT date_trunc('month', \
                     'epoch'::timestamptz + (r->>'from_timestamp')::bigint * INTERVAL '1 millisecond', 'UTC') AS month \
                     FROM jsonb_array_elements($1::jsonb) AS r) AS months",
                )
                .bind::<Text, _>(&array)
                .execute(conn)?;
            }
            sql_query(table.insert(true)).bind::<Text, _>(array).execute(conn)?;
        }
    }
    Ok(())
}

/// Does again what people asked for: every erasure, and the consents since the backup.
fn replay(conn: &mut Conn, ledger: &[Entry], since: Timestamp, now: UtcMs) -> Result<(u64, u64), BackupError> {
    let (mut erased, mut consents) = (0, 0);
    for entry in ledger {
        let user = DbId::from(entry.user_id);
        if users::by_id(conn, user)?.is_none() {
            continue;
        }
        match &entry.what {
            What::Erased => {
                erase::person(conn, user, None, now)?;
                erased += 1;
            }
            What::Consent { kind, version, granted } if entry.at >= since => {
                let (kind, version) = (kind.clone(), version.clone());
                let row = ConsentRow {
                    id: DbId::fresh(),
                    user_id: user,
                    kind,
                    version,
                    granted: *granted,
                    at: entry.at.into(),
                };
                users::record_consent(conn, &row)?;
                consents += 1;
            }
            What::Consent { .. } => {}
        }
    }
    Ok((erased, consents))
}

/// The tables and columns of a backup, for the test that holds them against the schema.
#[must_use]
pub fn contents() -> Vec<(&'static str, Vec<&'static str>)> {
    TABLES.iter().map(|table| (table.name, table.columns.iter().map(|(name, _)| *name).collect())).collect()
}
