//! What changed since the last look, and the texts that follow from it.

use std::collections::{BTreeSet, HashMap};

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
};

/// Days whose files are in memory at once.
const DAYS_AT_ONCE: usize = 4;

/// Records that are read at once.
const RECORDS: i64 = 100_000;

/// What the files are written from.
#[derive(Default)]
pub(super) struct Seen {
    /// The first and the last day that have a file.
    days: Option<(Date, Date)>,
    months: HashMap<(String, MonthNumber), Month>,
    names: HashMap<String, String>,
    /// How many corrections each day has.
    corrections: HashMap<Date, i64>,
    /// Days whose files have not been written from this.
    pub(super) unwritten: BTreeSet<Date>,
}

impl Seen {
    fn holds(&self, day: Date) -> bool {
        self.days.is_some_and(|(first, last)| (first..=last).contains(&day))
    }

    /// Whether the day's file was written from this.
    fn is_written(&self, day: Date) -> bool {
        self.holds(day) && !self.unwritten.contains(&day)
    }
}

/// A day and the text of its file; none for a day without a record.
pub(super) type DayText = (Date, Option<Vec<u8>>);

/// The texts of some days that changed since `before`, and what they were made from; the other days are `unwritten` in that.
/// Both are of one moment: a record that came between and is erased before the next look would stay in its file.
pub(super) fn changes(
    conn: &mut Conn,
    before: &Seen,
    days: (Date, Date),
    calendar: &Calendar,
) -> Result<(Seen, Vec<DayText>), DbError> {
    snapshot(conn, |conn| {
        let mut now = look(conn, days)?;
        let mut changed: Vec<Date> = changed(before, &now).into_iter().collect();
        now.unwritten = changed.split_off(changed.len().min(DAYS_AT_ONCE)).into_iter().collect();
        let text = |date| Ok((date, day(conn, date, |record, name| Row::of(record, name, calendar))?));
        let texts = changed.into_iter().map(text).collect::<Result<_, DbError>>()?;
        Ok((now, texts))
    })
}

fn look(conn: &mut Conn, (first, last): (Date, Date)) -> Result<Seen, DbError> {
    let months = rollups::months(conn, None, Some(MonthNumber::of(first)), MonthNumber::of(last))?;
    let months: HashMap<_, _> = months.into_iter().map(|(person, number, month)| ((person, number), month)).collect();
    let names = lists::people(conn, None)?.into_iter().map(|person| (person.id, person.name)).collect();
    let corrections = lists::corrections_by_day(conn, (Day(first), Day(last)))?;
    Ok(Seen { days: Some((first, last)), months, names, corrections, unwritten: BTreeSet::new() })
}

/// The days whose files may differ from what stands.
fn changed(before: &Seen, now: &Seen) -> BTreeSet<Date> {
    let Some((first, last)) = now.days else { return BTreeSet::new() };
    let all = first.series(1.day()).take_while(|day| *day <= last);
    let is_news = |day: &Date| !before.is_written(*day) || before.corrections.get(day) != now.corrections.get(day);
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

#[cfg(test)]
pub(super) mod tests {
    use diesel::connection::{Connection as _, InstrumentationEvent};
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

    pub(in crate::jobs::exports) const NINTH: Date = date(2026, 3, 9);

    pub(in crate::jobs::exports) fn row(day: Date, name: &str) -> Row {
        Row {
            date: day,
            time: Some(Time::midnight()),
            status: Status::Present,
            name: name.to_owned(),
            id: name.to_owned(),
            confidence: None,
            live: false,
            session: None,
        }
    }

    pub(in crate::jobs::exports) fn take(conn: &mut Conn, rows: &[(usize, Row)]) {
        let calendar = Calendar::default();
        let against = Against { calendar: &calendar, now: UtcMs(1_773_100_000_000), keep_from: UtcMs(0) };
        let first = import::first_days(rows, against);
        let taken = transaction(conn, |conn| import::take(conn, rows, &first, against)).unwrap();
        assert_eq!(taken.imported, rows.len() as u64, "{taken:?}");
    }

    pub(in crate::jobs::exports) fn database() -> (tempfile::TempDir, [Conn; 2]) {
        let folder = tempfile::tempdir().unwrap();
        let target = Target::Sqlite(folder.path().join("server.db"));
        let [mut one, other] = [(); 2].map(|()| open::connect(&target).unwrap());
        migrate::run(&mut one, &target).unwrap();
        (folder, [one, other])
    }

    #[test]
    fn what_is_looked_at_and_what_is_written_are_of_one_moment() {
        let (_folder, [mut conn, mut other]) = database();
        let mut comes = Some(move || take(&mut other, &[(2, row(NINTH, "ada"))]));
        conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            // After looking, before the day's records are read.
            if let InstrumentationEvent::StartQuery { query, .. } = event
                && query.to_string().contains("attendance_records")
                && let Some(mut comes) = comes.take()
            {
                comes();
            }
        });
        let (calendar, days) = (Calendar::default(), (NINTH, NINTH));
        let (seen, texts) = changes(&mut conn, &Seen::default(), days, &calendar).unwrap();
        assert_eq!(texts, [(NINTH, None)]);
        let erased = transaction(&mut conn, |conn| people::erase(conn, "ada")).unwrap();
        assert_eq!(erased.desk_records, 1, "she came");
        let (_, texts) = changes(&mut conn, &seen, days, &calendar).unwrap();
        assert_eq!(texts, [], "and was in no file");
    }

    #[test]
    fn many_days_are_written_in_steps_each_of_which_has_what_changed_meanwhile() {
        let (_folder, [mut conn, _]) = database();
        let days = (date(2026, 3, 1), date(2026, 3, 10));
        let rows: Vec<_> = (0..10).map(|n| (n + 2, row(date(2026, 3, 1 + n as i8), "ada"))).collect();
        take(&mut conn, &rows);
        let (calendar, mut seen, mut steps) = (Calendar::default(), Seen::default(), Vec::new());
        loop {
            let (now, texts) = changes(&mut conn, &seen, days, &calendar).unwrap();
            steps.push(texts.iter().map(|(day, text)| (day.day(), text.is_some())).collect::<Vec<_>>());
            seen = now;
            if seen.unwritten.is_empty() {
                break;
            }
            // They were written before, or will be without her.
            transaction(&mut conn, |conn| people::erase(conn, "ada")).unwrap();
        }
        let of = |days: std::ops::RangeInclusive<i8>, is_there| days.map(|day| (day, is_there)).collect::<Vec<_>>();
        assert_eq!(steps, [of(1..=4, true), of(1..=4, false), of(5..=8, false), of(9..=10, false)]);
    }
}
