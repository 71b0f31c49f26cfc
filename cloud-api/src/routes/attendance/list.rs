//! Attendance as a list, page by page or as CSV: records, and the absences and unknown days that follow from them.

use std::{collections::BTreeSet, sync::Arc};

use actix_web::{HttpRequest, HttpResponse, web::Data};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use blink_proto::http::{AttendanceItem, AttendanceList, AttendanceSource, AttendanceStatus};
use jiff::civil::Date;

use super::{
    csv_answer, range,
    records::{correction, time_of},
    view::{self, Whom},
};
use crate::{
    attendance::{
        calendar::Calendar,
        course::{Outcome, walk},
        record::{Day, Record, Source, Status},
        records_csv::Row,
    },
    db::{
        DbError,
        attendance::lists::{self, After, Filter},
        conn::Conn,
    },
    domain::time::UtcMs,
    error::{ApiError, ApiResult},
    http::{page, query::Asked},
    principal::Principal,
    state::State,
};

/// The checked question.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    user: Option<String>,
    range: (Option<Date>, Option<Date>),
    status: Option<Status>,
    limit: usize,
    cursor: Option<Cursor>,
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Cursor {
    /// After this record.
    Record(After),
    /// After this person's day.
    Derived(Date, String),
}

impl Cursor {
    fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(match self {
            Self::Record(after) => format!("r/{}/{}/{}", after.day, after.at.0, after.id.0),
            Self::Derived(date, person) => format!("d/{date}/{person}"),
        })
    }

    fn decode(text: &str) -> Option<Self> {
        let plain = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let parts: Vec<&str> = plain.splitn(4, '/').collect();
        match parts[..] {
            ["r", day, at, id] => {
                // A time beyond the calendar is not one that this server gave.
                let at = UtcMs(at.parse().ok()?);
                (UtcMs::from(at.timestamp()) == at).then_some(())?;
                Some(Self::Record(After { day: day.parse().ok()?, at, id: id.parse().ok()? }))
            }
            ["d", date, person] => Some(Self::Derived(date.parse().ok()?, person.to_owned())),
            _ => None,
        }
    }
}

impl Ask {
    fn read(query: &str) -> Result<Self, ApiError> {
        let mut asked = Asked::read(query)?;
        let ask = Self {
            user: asked.text("user"),
            range: view::range(&mut asked),
            status: asked.take("status", Status::parse, "must be present, late, absent or unknown"),
            limit: asked.take("limit", page::limit, page::LIMIT_RULE).unwrap_or(page::DEFAULT_LIMIT),
            cursor: asked.take("cursor", Cursor::decode, page::CURSOR_RULE),
        };
        let derived = ask.is_derived();
        asked.take(
            "cursor",
            |_| (matches!(ask.cursor, Some(Cursor::Derived(..))) == derived).then_some(()),
            "was made for another status",
        );
        asked.finish()?;
        Ok(ask)
    }

    /// Whether days count that nobody recorded.
    fn is_derived(&self) -> bool {
        matches!(self.status, Some(Status::Absent | Status::Unknown))
    }
}

/// What a page is reckoned with.
#[derive(Clone)]
pub(super) struct Reckoning {
    pub(super) calendar: Arc<Calendar>,
    pub(super) now: UtcMs,
    pub(super) keep_from: UtcMs,
}

impl Reckoning {
    pub(super) fn of(state: &State) -> Self {
        let now = state.clock.now();
        Self { calendar: state.desk.config.calendar.clone(), now, keep_from: state.keep_from(now) }
    }
}

/// A day of a person, recorded or not.
pub(super) struct Found {
    id: String,
    name: String,
    day: Day,
    status: Status,
    record: Option<Record>,
}

/// Who was there when: everybody for managers, oneself for members. As CSV, whole, for Accept: text/csv.
#[utoipa::path(
    get,
    path = "/api/attendance/get-attendance",
    tag = "attendance",
    params(("user" = Option<String>, Query, description = "a person's id at the desk, an account's id, or me; members see themselves alone"), ("date_from" = Option<String>, Query, description = "the first day"), ("date_to" = Option<String>, Query, description = "the last day"), ("status" = inline(Option<blink_proto::http::AttendanceStatus>), Query, description = "absent and unknown days count although nobody recorded them"), ("limit" = Option<u32>, Query, minimum = 1, maximum = 1_000, description = "items in a page; 100 if absent"), ("cursor" = Option<String>, Query, description = "next_cursor of the page before")),
    responses((status = 200, content((AttendanceList = "application/json"), (String = "text/csv"))), (status = 403), (status = 404), (status = 422), (status = 429)),
)]
pub(crate) async fn records(who: Principal, req: HttpRequest, state: Data<State>) -> ApiResult {
    let ask = Ask::read(req.query_string())?;
    if csv_answer::is_wanted(&req) {
        return csv_answer::stream(who, ask, state).await;
    }
    let reckoning = Reckoning::of(&state);
    let list = state
        .read_for(who.user, move |conn| -> Result<AttendanceList, ApiError> {
            let (found, next) = page(conn, &who, &ask, &reckoning)?;
            Ok(AttendanceList {
                items: items(conn, found, &reckoning.calendar)?,
                next_cursor: next.map(|next| next.encode()),
            })
        })
        .await?;
    Ok(HttpResponse::Ok().json(list))
}

/// A page, and where the next one begins.
fn page(
    conn: &mut Conn,
    who: &Principal,
    ask: &Ask,
    reckoning: &Reckoning,
) -> Result<(Vec<Found>, Option<Cursor>), ApiError> {
    let (whom, _) = view::whom(conn, who, ask.user.as_deref())?;
    if matches!(whom, Whom::Nobody) {
        return Ok((Vec::new(), None));
    }
    // One more than a page is read, to know whether another page follows.
    let mut found = if ask.is_derived() { derived(conn, &whom, ask, reckoning)? } else { recorded(conn, &whom, ask)? };
    let next = page::cut(&mut found, ask.limit).map(|last| match &last.record {
        Some(record) if !ask.is_derived() => Cursor::Record(After::of(record)),
        _ => Cursor::Derived(last.day.0, last.id.clone()),
    });
    Ok((found, next))
}

impl Ask {
    pub(super) fn in_steps(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// The page after this cursor.
    pub(super) fn after(&self, cursor: &str) -> Self {
        Self { cursor: Cursor::decode(cursor), ..self.clone() }
    }
}

/// The rows of a page as CSV, and the cursor of the next one.
pub(super) fn csv_page(
    conn: &mut Conn,
    who: &Principal,
    ask: &Ask,
    reckoning: &Reckoning,
) -> Result<(Vec<Row>, Option<String>), ApiError> {
    let (found, next) = page(conn, who, ask, reckoning)?;
    let rows = found.into_iter().map(|found| row(found, &reckoning.calendar)).collect();
    Ok((rows, next.map(|next| next.encode())))
}

fn row(found: Found, calendar: &Calendar) -> Row {
    let Found { id, name, day, status, record } = found;
    match record {
        Some(record) => Row { status, ..Row::of(&record, name, calendar) },
        None => Row { date: day.0, time: None, status, name, id, confidence: None, live: false, session: None },
    }
}

fn recorded(conn: &mut Conn, whom: &Whom, ask: &Ask) -> Result<Vec<Found>, DbError> {
    let filter =
        Filter { person: whom.id().map(str::to_owned), from: ask.range.0, to: ask.range.1, status: ask.status };
    let after = match &ask.cursor {
        Some(Cursor::Record(after)) => Some(after),
        _ => None,
    };
    let found = lists::page(conn, &filter, after, page::to_read(ask.limit))?.into_iter();
    let found = found.map(|(record, name)| Found {
        id: record.person.clone(),
        name,
        day: record.day,
        status: record.status,
        record: Some(record),
    });
    Ok(found.collect())
}

/// Days that went so, also where nobody recorded them: newest first, of a day by the people's ids.
fn derived(conn: &mut Conn, whom: &Whom, ask: &Ask, reckoning: &Reckoning) -> Result<Vec<Found>, DbError> {
    let (wanted, status) = match ask.status {
        Some(Status::Absent) => (Outcome::Absent, Status::Absent),
        _ => (Outcome::Unknown, Status::Unknown),
    };
    let after = match &ask.cursor {
        Some(Cursor::Derived(date, person)) => Some((*date, person.as_str())),
        _ => None,
    };
    let to = match (after, ask.range.1) {
        (Some((date, _)), Some(to)) => Some(date.min(to)),
        (Some((date, _)), None) => Some(date),
        (None, to) => to,
    };
    let moments = (reckoning.now, reckoning.keep_from);
    let range = range::read(conn, &reckoning.calendar, whom.id(), (ask.range.0, to), moments)?;
    let mut people: Vec<_> = range.people.iter().collect();
    people.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    // The last days and the first people of them; of the rest only as many as a page holds are kept.
    let mut best = std::collections::BinaryHeap::new();
    for (n, person) in people.iter().enumerate() {
        walk(&range.window, person.enrolled, range.months_of(person), |place, facts, outcome, _| {
            let key = (std::cmp::Reverse(place), n);
            let is_before = after.is_some_and(|(date, id)| facts.date == date && person.id.as_str() <= id);
            let has_room = best.len() <= ask.limit || best.peek().is_some_and(|worst| key < *worst);
            if outcome == wanted && !is_before && has_room {
                best.push(key);
                if best.len() > ask.limit + 1 {
                    best.pop();
                }
            }
        });
    }
    let places: Vec<_> = best.into_sorted_vec();
    let days = places.iter().map(|(place, _)| Day(range.window.days[place.0].date)).collect();
    let ids = places.iter().map(|(_, n)| people[*n].id.clone()).collect();
    let mut records = lists::of_days(conn, &ids, &days, status)?;
    let found = places.into_iter().map(|(place, n)| {
        let (day, person) = (Day(range.window.days[place.0].date), people[n]);
        let record = records.remove(&(person.id.clone(), day));
        Found { id: person.id.clone(), name: person.name.clone(), day, status, record }
    });
    Ok(found.collect())
}

fn items(conn: &mut Conn, found: Vec<Found>, calendar: &Calendar) -> Result<Vec<AttendanceItem>, DbError> {
    let people: BTreeSet<String> = found.iter().map(|found| found.id.clone()).collect();
    let days: BTreeSet<Day> = found.iter().map(|found| found.day).collect();
    let mut corrections = lists::corrections(conn, &people, &days)?;
    let item = |found: Found| {
        let corrected = corrections.remove(&(found.id.clone(), found.day)).unwrap_or_default();
        let record = found.record;
        AttendanceItem {
            record_id: record.as_ref().map(|record| record.id),
            time: record.as_ref().and_then(|record| time_of(record.status, record.at, calendar)),
            confidence: record.as_ref().and_then(|record| record.confidence),
            liveness_verified: record.as_ref().is_some_and(|record| record.liveness_verified),
            session_id: record.as_ref().and_then(|record| record.session_id),
            source: record.as_ref().map(|record| source(record.source)),
            id: found.id,
            name: found.name,
            date: found.day.0,
            status: status(found.status),
            corrections: corrected.into_iter().map(|row| correction(row, calendar)).collect(),
        }
    };
    Ok(found.into_iter().map(item).collect())
}

fn status(status: Status) -> AttendanceStatus {
    match status {
        Status::Present => AttendanceStatus::Present,
        Status::Late => AttendanceStatus::Late,
        Status::Absent => AttendanceStatus::Absent,
        Status::Unknown => AttendanceStatus::Unknown,
    }
}

fn source(source: Source) -> AttendanceSource {
    match source {
        Source::Face => AttendanceSource::Face,
        Source::Pin => AttendanceSource::Pin,
        Source::Qr => AttendanceSource::Qr,
        Source::Manager => AttendanceSource::Manager,
        Source::Import => AttendanceSource::Import,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use rstest::rstest;

    use super::*;
    use crate::db::id::Id;

    #[test]
    fn cursors_come_back() {
        let after = After { day: Day(date(2026, 3, 10)), at: UtcMs(1_773_136_500_000), id: Id::random() };
        for cursor in [Cursor::Record(after), Cursor::Derived(date(2026, 3, 10), "a.b-c".to_owned())] {
            assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
        }
    }

    #[rstest]
    #[case("x")]
    #[case("d/2026-03-10")]
    #[case("r/2026-03-10/9223372036854775807/67e55044-10b1-426f-9247-bb680e5fe0c8")]
    #[case("r/2026-13-10/0/67e55044-10b1-426f-9247-bb680e5fe0c8")]
    fn foreign_cursors_are_none(#[case] text: &str) {
        assert_eq!(Cursor::decode(&URL_SAFE_NO_PAD.encode(text)), None);
        assert_eq!(Cursor::decode(text), None);
    }
}
