//! The dated CSV files: one for each of the last days, rewritten within a minute of a change and removed when its day is
//! past. Each replica writes its own folder.
//!
//! What changed is found by looking, not by being told: a month of days that differs from what it was 20 s ago, a person
//! with another name, a correction. So a file is right again after an erasure, a restore or another program's change too.

use std::{
    collections::{BTreeSet, HashMap},
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::{
    ToSpan as _,
    civil::{Date, Time},
};

use crate::{
    attendance::{
        month::{Month, MonthNumber},
        record::Record,
        records_csv::{self, Row},
    },
    db::{
        DbError,
        attendance::{lists, rollups},
        conn::Conn,
    },
    domain::time::UtcMs,
    failure::chain,
    state::State,
};

const LOOK_EVERY: Duration = Duration::from_secs(20);

/// So many days have a file, today included.
const DAYS: i64 = 31;

/// Records that are read at once.
const RECORDS: i64 = 1_000;

/// What the files were last written from.
#[derive(Default)]
struct Seen {
    months: HashMap<(String, MonthNumber), Month>,
    names: HashMap<String, String>,
    corrected: Option<UtcMs>,
}

/// What they are to be written from now.
struct Look {
    seen: Seen,
    /// Days with a correction since the last look.
    corrected: BTreeSet<Date>,
}

pub(crate) async fn run(state: State) {
    let mut due = tokio::time::interval(LOOK_EVERY);
    due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut seen = Seen::default();
    loop {
        due.tick().await;
        match turn(&state, &mut seen).await {
            Ok(0) => {}
            Ok(files) => tracing::info!(files, "exports of attendance written"),
            Err(e) => {
                tracing::error!(cause = chain(&e), "exports of attendance are not written yet; it is tried again");
            }
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum ExportError {
    #[error("reading failed")]
    Database(#[from] DbError),
    #[error("{} cannot be written", .0.display())]
    File(PathBuf, #[source] io::Error),
}

/// Writes what has changed. Returns how many files were written.
async fn turn(state: &State, seen: &mut Seen) -> Result<usize, ExportError> {
    let calendar = state.desk.config.calendar.clone();
    let last = calendar.date_of(state.clock.now());
    let first = last.checked_sub((DAYS - 1).days()).unwrap_or(last);
    let since = seen.corrected;
    let look = state.db.read(move |conn| look(conn, (first, last), since)).await?;
    let changed = changed(seen, &look, (first, last));
    let (folder, mut written) = (state.exports_dir.clone(), 0);
    if !changed.is_empty() {
        blink_files::private_folder(&folder).map_err(|e| ExportError::File(folder.clone(), e))?;
    }
    for date in changed {
        let (folder, calendar) = (folder.clone(), calendar.clone());
        let one = move |conn: &mut Conn| -> Result<bool, ExportError> {
            let text = day(conn, date, |record, name| Row::of(record, name, &calendar))?;
            let path = folder.join(name_of(date));
            write(&path, text.as_deref()).map_err(|e| ExportError::File(path, e))
        };
        written += usize::from(state.db.read(one).await?);
    }
    rotate(&folder, first).map_err(|e| ExportError::File(folder, e))?;
    *seen = look.seen;
    Ok(written)
}

fn look(conn: &mut Conn, (first, last): (Date, Date), since: Option<UtcMs>) -> Result<Look, DbError> {
    let months = rollups::months(conn, None, Some(MonthNumber::of(first)), MonthNumber::of(last))?;
    let months: HashMap<_, _> = months.into_iter().map(|(person, number, month)| ((person, number), month)).collect();
    let names = lists::people(conn, None)?.into_iter().map(|person| (person.id, person.name)).collect();
    let corrected = lists::corrected_since(conn, since)?;
    let newest = corrected.iter().map(|(at, _)| *at).max().or(since);
    let days = corrected.into_iter().map(|(_, day)| day.0).collect();
    Ok(Look { seen: Seen { months, names, corrected: newest }, corrected: days })
}

/// The days whose files may differ from what stands.
fn changed(before: &Seen, now: &Look, (first, last): (Date, Date)) -> BTreeSet<Date> {
    let mut days = now.corrected.clone();
    let empty = Month::default();
    let keys: BTreeSet<_> = before.months.keys().chain(now.seen.months.keys()).collect();
    for key in keys {
        let (old, new) = (before.months.get(key).unwrap_or(&empty), now.seen.months.get(key).unwrap_or(&empty));
        let renamed = before.names.get(&key.0) != now.seen.names.get(&key.0);
        if old == new && !renamed {
            continue;
        }
        let Some(start) = key.1.first() else { continue };
        let dates = start.series(1.day()).take_while(|date| date.month() == start.month());
        days.extend(dates.filter(|date| {
            let (old, new) = (old.get(date.day()), new.get(date.day()));
            old != new || renamed && new.is_some()
        }));
    }
    days.retain(|day| (first..=last).contains(day));
    days
}

/// A day's file; `None` for a day without a record.
fn day(conn: &mut Conn, date: Date, row: impl Fn(&Record, String) -> Row) -> Result<Option<Vec<u8>>, DbError> {
    let filter = lists::Filter { from: Some(date), to: Some(date), ..lists::Filter::default() };
    let mut text = records_csv::header().into_bytes();
    let (mut after, mut rows) = (None, Vec::new());
    loop {
        let page = lists::page(conn, &filter, after.as_ref(), RECORDS)?;
        let Some((last, _)) = page.last() else { break };
        after = Some(lists::After::of(last));
        rows.extend(page.into_iter().map(|(record, name)| row(&record, name)));
    }
    if rows.is_empty() {
        return Ok(None);
    }
    rows.sort_by(|a, b| (a.time.unwrap_or(Time::MAX), &a.id).cmp(&(b.time.unwrap_or(Time::MAX), &b.id)));
    rows.iter().for_each(|row| records_csv::write(row, &mut text));
    Ok(Some(text))
}

fn name_of(date: Date) -> String {
    date.strftime("attendance_%Y%m%d.csv").to_string()
}

/// Writes a file whole, or removes it. False when it is so already.
fn write(path: &Path, text: Option<&[u8]>) -> io::Result<bool> {
    let there = match fs::read(path) {
        Ok(there) => Some(there),
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(e) => return Err(e),
    };
    match text {
        _ if there.as_deref() == text => return Ok(false),
        Some(text) => blink_files::save(path, 0o600, |file| file.write_all(text))?,
        None => fs::remove_file(path)?,
    }
    Ok(true)
}

/// Removes the files of days before `first`, and no others.
fn rotate(folder: &Path, first: Date) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e),
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let date = name.to_str().and_then(|name| Date::strptime("attendance_%Y%m%d.csv", name).ok());
        if date.is_some_and(|date| date < first) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::attendance::{month::Entry, record::Status};

    fn seen(marks: &[(&str, Date, i16)], names: &[(&str, &str)]) -> Seen {
        let mut seen = Seen::default();
        for (person, date, minute) in marks {
            let month = seen.months.entry(((*person).to_owned(), MonthNumber::of(*date))).or_default();
            let entry = Entry { status: Status::Present, minute: *minute, confidence: None, live: false };
            month.set(date.day(), Some(entry));
        }
        seen.names = names.iter().map(|(id, name)| ((*id).to_owned(), (*name).to_owned())).collect();
        seen
    }

    fn days(before: &Seen, now: Seen) -> Vec<String> {
        let look = Look { seen: now, corrected: BTreeSet::new() };
        changed(before, &look, (date(2026, 2, 8), date(2026, 3, 10))).iter().map(Date::to_string).collect()
    }

    #[test]
    fn only_what_changed_is_written() {
        let (ninth, tenth, old) = (date(2026, 3, 9), date(2026, 3, 10), date(2026, 2, 7));
        let names = [("ada", "Ada")];
        let before = seen(&[("ada", ninth, 540)], &names);
        assert!(days(&before, seen(&[("ada", ninth, 540)], &names)).is_empty());
        assert_eq!(days(&before, seen(&[("ada", ninth, 541)], &names)), ["2026-03-09"]);
        assert_eq!(
            days(&before, seen(&[("ada", ninth, 540), ("ada", tenth, 1), ("ada", old, 1)], &names)),
            ["2026-03-10"]
        );
        assert_eq!(days(&before, seen(&[("ada", ninth, 540)], &[("ada", "Adah")])), ["2026-03-09"]);
        assert_eq!(days(&before, seen(&[], &[])), ["2026-03-09"], "somebody was erased");
    }

    #[test]
    fn files_are_written_once_and_rotated() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let today = path(&name_of(date(2026, 3, 10)));
        assert!(today.ends_with("attendance_20260310.csv"));
        assert!(write(&today, Some(b"a")).unwrap() && !write(&today, Some(b"a")).unwrap());
        assert!(write(&today, Some(b"b")).unwrap());
        assert_eq!(fs::read(&today).unwrap(), b"b");
        for name in ["attendance_20260207.csv", "attendance_20260208.csv", "attendance_2026.csv", "notes_20200101.csv"]
        {
            fs::write(path(name), "x").unwrap();
        }
        rotate(folder.path(), date(2026, 2, 8)).unwrap();
        let mut left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(
            left,
            ["attendance_2026.csv", "attendance_20260208.csv", "attendance_20260310.csv", "notes_20200101.csv"]
        );
        assert!(write(&today, None).unwrap() && !today.exists() && !write(&today, None).unwrap());
        rotate(&path("none"), date(2026, 2, 8)).unwrap();
    }
}
