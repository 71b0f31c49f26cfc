//! Reads a backup into an empty database, in one transaction.

use std::{
    collections::HashSet,
    io::{self, BufRead as _, BufReader, Read},
    path::Path,
};

use diesel::{RunQueryDsl as _, sql_query, sql_types::Text};
use flate2::read::MultiGzDecoder;
use serde::Deserialize;

use super::{
    BackupError, FORMAT, Head, Line, VERSION, file,
    replay::replay,
    tables::{TABLES, Table},
};
use crate::{
    db::{
        attendance::people,
        conn::Conn,
        id::{Id, User},
        users,
    },
    domain::time::UtcMs,
    ledger::Entry,
};

/// Most rows per statement.
const PAGE: usize = 2_000;

/// Most bytes per statement, but for a single longer row.
const PAGE_BYTES: usize = 8 << 20;

/// Longest line that is read. The longest row is a sealed batch of the archive's queue: 8 MB of minutes in hexadecimal.
const MAX_LINE_BYTES: u64 = 32 << 20;

/// 1 January 1900, in milliseconds. No minute is older, since none of more than 100 years ago can be uploaded.
const EARLIEST_MS: i64 = -2_208_988_800_000;

/// A minute may be later than the backup by this many milliseconds: clients' clocks may be ahead.
const AHEAD_MS: i64 = 86_400_000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    pub rows: u64,
    /// People in the backup whom the ledger says are erased, and who stay erased.
    pub erased: u64,
    /// Consents withdrawn since the backup, and in it now.
    pub withdrawals: u64,
    /// Consents given since the backup, which are not restored.
    pub grants: u64,
    /// Those of `erased` whose erasure is more than an hour older than the backup.
    pub early_erasures: u64,
}

/// Restores a backup into an empty database whose schema is up to date, and replays the ledger. It must run in a
/// transaction, which must be rolled back on a failure.
pub fn restore(conn: &mut Conn, path: &Path, ledger: &[Entry], now: UtcMs) -> Result<Restored, BackupError> {
    if !users::list(conn, None, 1)?.is_empty() {
        return Err(BackupError::NotEmpty);
    }
    let mut reader = BufReader::new(MultiGzDecoder::new(BufReader::new(file::open(path)?)));
    let cut = || BackupError::Cut(path.to_owned());
    let head: Option<Head> = next_line(&mut reader).ok().and_then(|line| serde_json::from_slice(&line).ok());
    let head = head.filter(|head| head.format == FORMAT && head.version == VERSION);
    let head = head.ok_or_else(|| BackupError::Foreign(path.to_owned()))?;
    let mut check = Check::new(path, head.created_at.into());
    let (mut rows, mut pending): (u64, Option<Page>) = (0, None);
    loop {
        // A damaged file fails in the decompressor; a cut file has no last line.
        let text = next_line(&mut reader).map_err(|_| cut())?;
        let line: Line<'_> = serde_json::from_slice(&text).map_err(|_| cut())?;
        if let Some(total) = line.rows {
            if total != rows {
                return Err(cut());
            }
            break;
        }
        let table = TABLES.iter().find(|table| Some(table.name) == line.table).ok_or_else(cut)?;
        let row = line.row.ok_or_else(cut)?.get();
        check.row(table.name, row)?;
        let ends = pending.as_ref().is_some_and(|page| page.ends_before(table, row));
        if ends && let Some(page) = pending.take() {
            page.insert(conn)?;
        }
        pending.get_or_insert_with(|| Page::of(table)).push(row);
        rows += 1;
    }
    // The decompressor checks its checksum only at the very end, and nothing may follow the last line, in this gzip
    // member or another.
    if io::copy(&mut reader, &mut io::sink()).map_err(|_| cut())? != 0 {
        return Err(cut());
    }
    if let Some(page) = pending {
        page.insert(conn)?;
    }
    people::renumber(conn)?;
    Ok(Restored { rows, ..replay(conn, ledger, head.created_at, now)? })
}

/// Reads one line. It is an error if the line has no end or is too long.
fn next_line(reader: &mut impl io::BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    reader.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line)?;
    if line.ends_with(b"\n") { Ok(line) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

/// Checks what constraints do not cover on both databases: on PostgreSQL minutes have no foreign key, and an absurd
/// time would make a partition that neither retention nor erasure finds.
struct Check<'a> {
    path: &'a Path,
    people: HashSet<Id<User>>,
    latest: UtcMs,
}

#[derive(Deserialize)]
struct Person {
    id: Id<User>,
}

#[derive(Deserialize)]
struct Stretch {
    user_id: Id<User>,
    #[serde(alias = "from_timestamp")]
    slot_from: i64,
}

impl<'a> Check<'a> {
    fn new(path: &'a Path, created_at: UtcMs) -> Self {
        Self { path, people: HashSet::new(), latest: created_at.plus(AHEAD_MS) }
    }

    fn row(&mut self, table: &'static str, row: &str) -> Result<(), BackupError> {
        let cut = |_| BackupError::Cut(self.path.to_owned());
        match table {
            "users" => {
                self.people.insert(serde_json::from_str::<Person>(row).map_err(cut)?.id);
            }
            "blink_data" | "blink_rollups" => {
                let stretch: Stretch = serde_json::from_str(row).map_err(cut)?;
                let wrong = |why| Err(BackupError::Implausible(self.path.to_owned(), table, why));
                if !self.people.contains(&stretch.user_id) {
                    return wrong("is about nobody in it");
                }
                if !(EARLIEST_MS..=self.latest.0).contains(&stretch.slot_from) {
                    return wrong("is of an impossible time");
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Rows of one table as a JSON array without its end.
struct Page {
    table: &'static Table,
    rows: usize,
    array: String,
}

impl Page {
    fn of(table: &'static Table) -> Self {
        Self { table, rows: 0, array: String::new() }
    }

    fn ends_before(&self, table: &Table, row: &str) -> bool {
        self.table.name != table.name || self.rows >= PAGE || self.array.len() + row.len() > PAGE_BYTES
    }

    fn push(&mut self, row: &str) {
        self.array.push(if self.rows == 0 { '[' } else { ',' });
        self.array.push_str(row);
        self.rows += 1;
    }

    fn insert(self, conn: &mut Conn) -> Result<(), BackupError> {
        let Self { table, mut array, .. } = self;
        array.push(']');
        match conn {
            Conn::Sqlite(conn) => {
                sql_query(table.insert(false)).bind::<Text, _>(&array).execute(conn)?;
            }
            Conn::Postgres(conn) => {
                if table.name == "blink_data" {
                    sql_query(
                        "SELECT ensure_blink_partition(month) FROM (SELECT DISTINCT date_trunc('month', \
                         'epoch'::timestamptz + (r->>'from_timestamp')::bigint * INTERVAL '1 millisecond', 'UTC') \
                         AS month FROM jsonb_array_elements($1::jsonb) AS r) AS months",
                    )
                    .bind::<Text, _>(&array)
                    .execute(conn)?;
                }
                sql_query(table.insert(true)).bind::<Text, _>(&array).execute(conn)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_ends_at_2000_rows_or_8_megabytes() {
        let filled = |row: &str| {
            let mut page = Page::of(&TABLES[0]);
            while page.rows == 0 || !page.ends_before(&TABLES[0], row) {
                page.push(row);
            }
            assert!(page.ends_before(&TABLES[1], "{}"));
            page.rows
        };
        assert_eq!(filled("{}"), 2_000);
        let long = |megabytes: usize| "x".repeat(megabytes << 20);
        assert_eq!((filled(&long(1)), filled(&long(3)), filled(&long(16))), (7, 2, 1));
    }
}
