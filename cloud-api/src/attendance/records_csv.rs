//! Records as CSV, out and in.
//!
//! A file is read line by line, so that a damaged line takes no other with it: what is sound is taken, and everything
//! else is listed with its line and the reason, up to a number of lines. No cell of ours holds a line break, so a line is a record. A byte order
//! mark, another delimiter (`;`, tab, `|`), other line ends and UTF-16, as spreadsheets write them, are understood.
//!
//! Spreadsheets run a cell that begins like a formula. Such a cell is written with an apostrophe before it, which reading
//! takes away again, so that what was written is read. Rules: a cell whose first character, after any apostrophes and
//! spaces, is one of `= + - @` (also in their wide forms), a tab or a carriage return.

mod cells;
mod faults;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use jiff::civil::{Date, Time};
use uuid::Uuid;

use super::{
    calendar::Calendar,
    record::{Record, Status},
};
use cells::{bare, plain};
pub use faults::{Fault, Faults};

/// The columns, in their order.
pub const COLUMNS: [&str; 8] =
    ["Date", "Time", "Status", "Name", "ID", "Confidence", "Liveness_Verified", "Session_ID"];

/// The most characters of a person's id.
const MAX_ID_CHARS: usize = 100;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub date: Date,
    /// `None` where nobody arrived.
    pub time: Option<Time>,
    pub status: Status,
    pub name: String,
    /// Empty where a file has none.
    pub id: String,
    pub confidence: Option<u8>,
    pub live: bool,
    pub session: Option<Uuid>,
}

impl Row {
    /// The row of a record, with its person's name.
    #[must_use]
    pub fn of(record: &Record, name: String, calendar: &Calendar) -> Self {
        Self {
            date: record.day.0,
            time: record.status.is_there().then(|| calendar.arrival(record.at).time),
            status: record.status,
            name,
            id: record.person.clone(),
            confidence: record.confidence,
            live: record.liveness_verified,
            session: record.session_id,
        }
    }
}

/// A file that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// The sound lines, with their numbers.
    pub rows: Vec<(usize, Row)>,
    /// The lines that were not taken.
    pub rejected: Faults,
    /// What was not taken of lines that were.
    pub notes: Faults,
}

/// The header's line.
#[must_use]
pub fn header() -> String {
    let mut line = COLUMNS.join(",");
    line.push_str("\r\n");
    line
}

/// Adds a row's line to `out`.
pub fn write(row: &Row, out: &mut Vec<u8>) {
    let date = row.date.to_string();
    let time = row.time.map(|time| time.strftime("%H:%M:%S").to_string()).unwrap_or_default();
    let confidence = row.confidence.map(|confidence| confidence.to_string()).unwrap_or_default();
    let session = row.session.map(|session| session.to_string()).unwrap_or_default();
    let cells = [
        date.as_str(),
        &time,
        row.status.as_str(),
        &row.name,
        &row.id,
        &confidence,
        if row.live { "Yes" } else { "No" },
        &session,
    ];
    cells::write(&cells.map(plain), out);
}

/// Reads a file.
#[must_use]
pub fn read(bytes: &[u8]) -> Read {
    let mut read = Read::default();
    let bytes = match text(bytes) {
        Ok(bytes) => bytes,
        Err(detail) => return Read { rejected: Fault { line: 1, code: "not_text", detail }.into(), ..read },
    };
    let mut lines = lines(&bytes).filter(|(_, line)| !line.trim_ascii().is_empty());
    let Some((line, head)) = lines.next() else {
        let detail = "the file is empty".to_owned();
        return Read { rejected: Fault { line: 1, code: "empty", detail }.into(), ..read };
    };
    let header = match Header::of(head) {
        Ok(header) => header,
        Err(detail) => return Read { rejected: Fault { line, code: "missing_column", detail }.into(), ..read },
    };
    for name in header.missing() {
        let detail = format!("the column {name} is missing: it counts as empty");
        read.notes.push(Fault { line, code: "missing_column", detail });
    }
    for (line, cells) in lines {
        match header.row(cells) {
            Ok((row, note)) => {
                if let Some(detail) = note {
                    read.notes.push(Fault { line, code: "not_taken", detail });
                }
                read.rows.push((line, row));
            }
            Err((code, detail)) => read.rejected.push(Fault { line, code, detail }),
        }
    }
    read
}

/// The file as UTF-8, or at least as bytes that have ASCII's meaning.
fn text(bytes: &[u8]) -> Result<Cow<'_, [u8]>, String> {
    let wide = |unit: fn([u8; 2]) -> u16| {
        let units = bytes[2..].chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
        let text: Result<String, _> = char::decode_utf16(units).collect();
        text.map(|text| Cow::Owned(text.into_bytes())).map_err(|_| "the file is damaged UTF-16".to_owned())
    };
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => Ok(rest.into()),
        [0xff, 0xfe, ..] => wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => wide(u16::from_be_bytes),
        _ if bytes.contains(&0) => Err("the file holds zero bytes: it is no CSV".to_owned()),
        _ => Ok(bytes.into()),
    }
}

/// The lines with their numbers; each ends with LF, CR LF or CR.
fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut rest = bytes;
    let next = move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest.iter().position(|b| matches!(b, b'\n' | b'\r')).unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        rest = after.strip_prefix(b"\r\n").or_else(|| after.get(1..)).unwrap_or_default();
        Some(line)
    };
    std::iter::from_fn(next).enumerate().map(|(n, line)| (n + 1, line))
}

/// Where the columns stand.
struct Header {
    delimiter: u8,
    places: [Option<usize>; COLUMNS.len()],
    width: usize,
}

type Rejected = (&'static str, String);

impl Header {
    /// Takes the delimiter that shows most of the columns. Names are compared without case, in any order; other columns
    /// are passed over.
    fn of(line: &[u8]) -> Result<Self, String> {
        let found = [b',', b';', b'\t', b'|'].map(|delimiter| {
            let cells = cells::split(line, delimiter).unwrap_or_default();
            let named = |cell: &Vec<u8>, name: &str| cell.trim_ascii().eq_ignore_ascii_case(name.as_bytes());
            let places = COLUMNS.map(|name| cells.iter().position(|cell| named(cell, name)));
            Self { delimiter, places, width: cells.len() }
        });
        let shown = |header: &Self| header.places.iter().flatten().count();
        let header = found.into_iter().rev().max_by_key(shown).ok_or("the first line names no columns")?;
        let lacks = |column: Column| header.places[column as usize].is_none();
        for column in [Column::Date, Column::Status] {
            if lacks(column) {
                return Err(format!("the first line has no column {}: nothing can be taken", COLUMNS[column as usize]));
            }
        }
        if lacks(Column::Name) && lacks(Column::Id) {
            return Err("the first line has neither Name nor ID: nothing can be taken".to_owned());
        }
        Ok(header)
    }

    fn missing(&self) -> impl Iterator<Item = &'static str> {
        COLUMNS.into_iter().zip(self.places).filter(|(_, place)| place.is_none()).map(|(name, _)| name)
    }

    /// The row of a line, and what was not taken of it.
    fn row(&self, line: &[u8]) -> Result<(Row, Option<String>), Rejected> {
        let cells = cells::split(line, self.delimiter).map_err(|why| ("bad_row", why))?;
        if cells.len() != self.width {
            return Err(("bad_row", format!("it has {} cells, and the first line has {}", cells.len(), self.width)));
        }
        let mut texts = [const { String::new() }; COLUMNS.len()];
        for ((place, name), text) in self.places.iter().zip(COLUMNS).zip(&mut texts) {
            let cell = place.and_then(|n| cells.get(n)).map_or(&[][..], Vec::as_slice);
            let cell = std::str::from_utf8(cell).map_err(|_| ("not_utf8", format!("{name} is not UTF-8")))?;
            bare(cell.trim()).clone_into(text);
        }
        row(texts)
    }
}

#[derive(Clone, Copy)]
enum Column {
    Date = 0,
    Status = 2,
    Name = 3,
    Id = 4,
}

fn row(
    [date, time, status, name, id, confidence, live, session]: [String; COLUMNS.len()],
) -> Result<(Row, Option<String>), Rejected> {
    let date = Date::strptime("%Y-%m-%d", &date)
        .map_err(|_| ("bad_date", format!("Date is {}, not such as 2026-03-10", shown(&date))))?;
    let status = Status::parse(&status.to_ascii_lowercase()).ok_or_else(|| {
        let known: Vec<_> = Status::ALL.iter().map(|status| status.as_str()).collect();
        ("bad_status", format!("Status is {}, not one of {}", shown(&status), known.join(", ")))
    })?;
    let time = match time.as_str() {
        "" if status.is_there() => {
            return Err(("bad_time", format!("Time is missing of a day that was {}", status.as_str())));
        }
        "" => None,
        text => {
            Some(time_of(text).ok_or_else(|| ("bad_time", format!("Time is {}, not such as 09:15:00", shown(text))))?)
        }
    };
    let name =
        blink_proto::http::name::parse(&name).map_err(|why| ("bad_name", format!("Name {why}")))?.unwrap_or_default();
    if name.is_empty() && id.is_empty() {
        return Err(("nobody", "neither Name nor ID says who it was".to_owned()));
    }
    if id.chars().count() > MAX_ID_CHARS || id.chars().any(char::is_control) {
        return Err((
            "bad_id",
            format!("ID must have at most {MAX_ID_CHARS} characters, and none that cannot be seen"),
        ));
    }
    let confidence = match confidence.trim_end_matches('%').trim_end() {
        "" => None,
        text => Some(
            percent(text)
                .ok_or_else(|| ("bad_confidence", format!("Confidence is {}, not from 0 to 100", shown(text))))?,
        ),
    };
    let live = match live.to_ascii_lowercase().as_str() {
        "yes" | "true" => true,
        "no" | "false" | "" => false,
        _ => return Err(("bad_liveness", format!("Liveness_Verified is {}, neither Yes nor No", shown(&live)))),
    };
    let parsed = Uuid::parse_str(&session).ok();
    let note = (parsed.is_none() && !session.is_empty())
        .then(|| format!("Session_ID {} is no UUID: it is left out", shown(&session)));
    Ok((Row { date, time, status, name: name.to_owned(), id, confidence, live, session: parsed }, note))
}

/// A cell as a message shows it: cut, and without anything that is not seen.
fn shown(text: &str) -> String {
    let cut: String = text.chars().take(40).collect();
    format!("{cut:?}")
}

/// `09:15:00`, `9:15`, and what spreadsheets make of them: `9:15 AM`, `9:15:00 pm`.
fn time_of(text: &str) -> Option<Time> {
    let upper = text.to_ascii_uppercase();
    let (clock, half) =
        match upper.strip_suffix("AM").map(|t| (t, 0)).or_else(|| upper.strip_suffix("PM").map(|t| (t, 12))) {
            Some((clock, half)) => (clock.trim_end(), Some(half)),
            None => (upper.as_str(), None),
        };
    let mut parts = clock.split(':');
    let mut number = || -> Option<i8> {
        let digits = parts.next()?;
        (matches!(digits.len(), 1 | 2) && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok())?
    };
    let (mut hour, minute) = (number()?, number()?);
    let second = if clock.matches(':').count() == 1 { 0 } else { number()? };
    if parts.next().is_some() {
        return None;
    }
    if let Some(half) = half {
        hour = matches!(hour, 1..=12).then_some(hour % 12 + half)?;
    }
    // A leap second is the last one of its minute.
    Time::new(hour, minute, second.min(if second == 60 { 59 } else { second }), 0).ok()
}

/// A whole number from 0 to 100; decimals are rounded.
fn percent(text: &str) -> Option<u8> {
    let value: f64 = text.parse().ok().filter(|value| (0.0..=100.0).contains(value))?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is from 0 to 100")]
    Some(value.round() as u8)
}
