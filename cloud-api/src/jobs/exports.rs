//! The dated CSV files: one for each of the last days, rewritten within a minute of a change and removed when its day is
//! past. Each replica writes its own folder.
//!
//! What changed is found by looking, not by being told: a month of days that differs from what it was 20 s ago, a person
//! with another name, a correction more. Days that were not looked at before, at the start all of them, count as changed.
//! So a file is right again after an erasure, a restore or another program's change too.

use std::{
    collections::{BTreeSet, HashMap},
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jiff::{
    ToSpan as _,
    civil::{Date, Time},
};

use crate::{
    attendance::{
        calendar::Calendar,
        month::{Month, MonthNumber},
        record::{Day, Record},
        records_csv::{self, Row},
    },
    db::{
        DbError,
        attendance::{lists, rollups},
        conn::Conn,
        snapshot,
    },
    failure::chain,
    state::State,
};

const LOOK_EVERY: Duration = Duration::from_secs(20);

/// So many days have a file, today included.
const DAYS: i64 = 31;

/// Records that are read at once.
const RECORDS: i64 = 100_000;

/// What the files are written from.
#[derive(Default)]
struct Seen {
    /// The first and the last day that have a file.
    days: Option<(Date, Date)>,
    months: HashMap<(String, MonthNumber), Month>,
    names: HashMap<String, String>,
    /// How many corrections each day has.
    corrections: HashMap<Date, i64>,
}

impl Seen {
    fn holds(&self, day: Date) -> bool {
        self.days.is_some_and(|(first, last)| (first..=last).contains(&day))
    }
}

pub(crate) async fn run(state: State) {
    let mut due = tokio::time::interval(LOOK_EVERY);
    due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut seen = Arc::new(Seen::default());
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
async fn turn(state: &State, seen: &mut Arc<Seen>) -> Result<usize, ExportError> {
    let (calendar, folder, before) = (state.desk.config.calendar.clone(), state.exports_dir.clone(), seen.clone());
    let last = calendar.date_of(state.clock.now());
    let days = (last.checked_sub((DAYS - 1).days()).unwrap_or(last), last);
    let turn = move |conn: &mut Conn| {
        let mut written = 0;
        let now = changes(conn, &before, days, &calendar, |date, text| {
            let path = folder.join(name_of(date));
            written += usize::from(write(&path, text).map_err(|e| ExportError::File(path, e))?);
            Ok(())
        })?;
        rotate(&folder, days).map_err(|e| ExportError::File(folder, e))?;
        Ok::<_, ExportError>((now, written))
    };
    let (now, written) = state.db.read(turn).await?;
    *seen = Arc::new(now);
    Ok(written)
}

/// Calls `take` with the text of each of these days that changed since `before`, and returns what they were written from.
/// Both are of one moment: a record that came between and is erased before the next look would stay in its file.
fn changes(
    conn: &mut Conn,
    before: &Seen,
    days: (Date, Date),
    calendar: &Calendar,
    mut take: impl FnMut(Date, Option<&[u8]>) -> Result<(), ExportError>,
) -> Result<Seen, ExportError> {
    snapshot(conn, |conn| {
        let now = look(conn, days)?;
        for date in changed(before, &now) {
            take(date, day(conn, date, |record, name| Row::of(record, name, calendar))?.as_deref())?;
        }
        Ok(now)
    })
}

fn look(conn: &mut Conn, (first, last): (Date, Date)) -> Result<Seen, DbError> {
    let months = rollups::months(conn, None, Some(MonthNumber::of(first)), MonthNumber::of(last))?;
    let months: HashMap<_, _> = months.into_iter().map(|(person, number, month)| ((person, number), month)).collect();
    let names = lists::people(conn, None)?.into_iter().map(|person| (person.id, person.name)).collect();
    let corrections = lists::corrections_by_day(conn, (Day(first), Day(last)))?;
    Ok(Seen { days: Some((first, last)), months, names, corrections })
}

/// The days whose files may differ from what stands.
fn changed(before: &Seen, now: &Seen) -> BTreeSet<Date> {
    let Some((first, last)) = now.days else { return BTreeSet::new() };
    let all = first.series(1.day()).take_while(|day| *day <= last);
    let is_news = |day: &Date| !before.holds(*day) || before.corrections.get(day) != now.corrections.get(day);
    let mut days: BTreeSet<Date> = all.filter(is_news).collect();
    let empty = Month::default();
    let keys: BTreeSet<_> = before.months.keys().chain(now.months.keys()).collect();
    for key in keys {
        let (old, new) = (before.months.get(key).unwrap_or(&empty), now.months.get(key).unwrap_or(&empty));
        let renamed = before.names.get(&key.0) != now.names.get(&key.0);
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
    days.retain(|day| now.holds(*day));
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
        Some(text) => {
            path.parent().map_or(Ok(()), blink_files::private_folder)?;
            blink_files::save(path, 0o600, |file| file.write_all(text))?;
        }
        None => fs::remove_file(path)?,
    }
    Ok(true)
}

/// Removes the files of other days than those from `first` to `last`, and nothing else.
fn rotate(folder: &Path, (first, last): (Date, Date)) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e),
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let date = name.to_str().and_then(|name| Date::strptime("attendance_%Y%m%d.csv", name).ok());
        if date.is_some_and(|date| !(first..=last).contains(&date)) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::{
        attendance::{month::Entry, record::Status},
        config::Target,
        db::{
            attendance::{
                import::{self, Against},
                people,
            },
            migrate, transaction,
        },
        domain::time::UtcMs,
        open,
    };

    fn seen(marks: &[(&str, Date, i16)], names: &[(&str, &str)]) -> Seen {
        let mut seen = Seen::default();
        for (person, date, minute) in marks {
            let month = seen.months.entry(((*person).to_owned(), MonthNumber::of(*date))).or_default();
            let entry = Entry { status: Status::Present, minute: *minute, confidence: None, live: false };
            month.set(date.day(), Some(entry));
        }
        seen.names = names.iter().map(|(id, name)| ((*id).to_owned(), (*name).to_owned())).collect();
        seen.days = Some((date(2026, 2, 8), date(2026, 3, 10)));
        seen.corrections.insert(date(2026, 3, 2), 1);
        seen
    }

    fn days(before: &Seen, now: &Seen) -> Vec<String> {
        changed(before, now).iter().map(Date::to_string).collect()
    }

    #[test]
    fn only_what_changed_is_written() {
        let (ninth, tenth, old) = (date(2026, 3, 9), date(2026, 3, 10), date(2026, 2, 7));
        let names = [("ada", "Ada")];
        let before = seen(&[("ada", ninth, 540)], &names);
        assert!(days(&before, &seen(&[("ada", ninth, 540)], &names)).is_empty());
        assert_eq!(days(&before, &seen(&[("ada", ninth, 541)], &names)), ["2026-03-09"]);
        assert_eq!(
            days(&before, &seen(&[("ada", ninth, 540), ("ada", tenth, 1), ("ada", old, 1)], &names)),
            ["2026-03-10"]
        );
        assert_eq!(days(&before, &seen(&[("ada", ninth, 540)], &[("ada", "Adah")])), ["2026-03-09"]);
        assert_eq!(days(&before, &seen(&[], &[])), ["2026-03-09"], "somebody was erased");
        let mut corrected = seen(&[("ada", ninth, 540)], &names);
        corrected.corrections.insert(date(2026, 3, 2), 2);
        assert_eq!(days(&before, &corrected), ["2026-03-02"]);
    }

    #[test]
    fn days_that_were_not_looked_at_are_written() {
        assert_eq!(days(&Seen::default(), &seen(&[], &[])).len(), 31);
        let later = Seen { days: Some((date(2026, 2, 10), date(2026, 3, 12))), ..seen(&[], &[]) };
        assert_eq!(days(&seen(&[], &[]), &later), ["2026-03-11", "2026-03-12"]);
    }

    #[test]
    fn who_comes_while_files_are_written_and_is_erased_before_the_next_look_is_in_none() {
        let folder = tempfile::tempdir().unwrap();
        let target = Target::Sqlite(folder.path().join("server.db"));
        let [mut conn, mut other] = [(); 2].map(|()| open::connect(&target).unwrap());
        migrate::run(&mut conn, &target).unwrap();
        let calendar = Calendar::default();
        let against = Against { calendar: &calendar, now: UtcMs(1_773_000_000_000), keep_from: UtcMs(0) };
        let row = |name: &str| Row {
            date: date(2026, 3, 9),
            time: Some(Time::midnight()),
            status: Status::Present,
            name: name.to_owned(),
            id: name.to_owned(),
            confidence: None,
            live: false,
            session: None,
        };
        let mut import = |name: &str| {
            let rows = [(2, row(name))];
            let first = import::first_days(&rows, against);
            transaction(&mut other, |conn| import::take(conn, &rows, &first, against)).unwrap();
        };
        let days = (date(2026, 3, 8), date(2026, 3, 10));
        let mut texts = HashMap::new();
        let seen = changes(&mut conn, &Seen::default(), days, &calendar, |date, text| {
            if texts.is_empty() {
                import("ada");
            }
            texts.insert(date, text.map(<[u8]>::to_vec));
            Ok(())
        });
        let seen = seen.unwrap();
        assert_eq!((texts.len(), texts.values().flatten().count()), (3, 0));
        transaction(&mut conn, |conn| people::erase(conn, "ada")).unwrap();
        import("ben");
        let mut written = Vec::new();
        let later = changes(&mut conn, &seen, days, &calendar, |date, text| {
            written.push((date, String::from_utf8(text.unwrap().to_vec()).unwrap()));
            Ok(())
        });
        later.unwrap();
        let [(day, text)] = &written[..] else { panic!("{written:?}") };
        assert!(*day == date(2026, 3, 9) && text.contains("ben") && !text.contains("ada"), "{text}");
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
        for name in ["attendance_20260207.csv", "attendance_20260208.csv", "attendance_20260311.csv"] {
            fs::write(path(name), "x").unwrap();
        }
        for name in ["attendance_2026.csv", "notes_20200101.csv"] {
            fs::write(path(name), "x").unwrap();
        }
        let days = (date(2026, 2, 8), date(2026, 3, 10));
        rotate(folder.path(), days).unwrap();
        let mut left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(
            left,
            ["attendance_2026.csv", "attendance_20260208.csv", "attendance_20260310.csv", "notes_20200101.csv"]
        );
        assert!(write(&today, None).unwrap() && !today.exists() && !write(&today, None).unwrap());
        rotate(&path("none"), days).unwrap();
    }
}
