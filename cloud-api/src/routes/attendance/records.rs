//! What managers record and correct. Each change is in the trail that the person sees.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path, Payload},
};
use blink_proto::http::{AttendanceRecord, RecordCorrection, Role};
use jiff::civil::Time;

use super::no_such_person;
use crate::{
    attendance::{
        calendar::Calendar,
        person,
        record::{Day, Record, Source, Status},
    },
    clock,
    db::{
        attendance::{
            people::{self, PersonRow},
            records,
            trail::{self, CorrectionRow},
        },
        conn::Conn,
    },
    domain::{fields::Fields, time::UtcMs},
    error::{ApiError, ApiResult},
    http::body,
    principal::Principal,
    state::State,
};

/// Longest reason of a correction, in characters.
const MAX_REASON: usize = 500;

fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    match text.chars().count() {
        0 => Err("is required: the person sees it".to_owned()),
        1..=MAX_REASON if !text.chars().any(|c| c.is_control() && c != '\n') => Ok(text.to_owned()),
        1..=MAX_REASON => Err("must hold no control characters".to_owned()),
        _ => Err(format!("must have at most {MAX_REASON} characters")),
    }
}

fn status(text: &str) -> Result<Status, String> {
    Status::parse(text).ok_or_else(|| "must be present, late, absent or unknown".to_owned())
}

fn time(text: &str) -> Result<Time, String> {
    let parsed = ["%H:%M", "%H:%M:%S"].iter().find_map(|format| Time::strptime(*format, text).ok());
    parsed.ok_or_else(|| "must be a time such as 09:15".to_owned())
}

fn day(text: &str) -> Result<Day, String> {
    let day: Day = text.parse().map_err(|_| "must be a day such as 2026-03-10".to_owned())?;
    if day.0.year() < 1970 { Err("must be after 1969".to_owned()) } else { Ok(day) }
}

fn reason_of(fields: &mut Fields) -> Option<String> {
    fields.text("reason", reason)
}

/// Record somebody's day.
#[utoipa::path(
    post,
    path = "/api/attendance/records",
    tag = "attendance",
    request_body = blink_proto::http::NewRecord,
    responses((status = 201, body = blink_proto::http::AttendanceRecord), (status = 403), (status = 404), (status = 409)),
)]
pub(crate) async fn add(who: Principal, req: HttpRequest, payload: Payload, state: Data<State>) -> ApiResult {
    who.require(Role::Manager)?;
    let now = state.clock.now();
    let today = state.desk.day(now);
    let mut fields = body::object(&req, payload).await?;
    let id = fields.text("id", person::id);
    let day = fields.optional_text("date", day);
    let time = fields.optional_text("time", time);
    let status = fields.optional_text("status", status);
    let reason = reason_of(&mut fields);
    if day.is_some_and(|day| day > today) {
        fields.refuse::<()>("date", "must not be in the future");
    }
    fields.finish()?;
    let (Some(id), Some(reason)) = (id, reason) else { return Err(ApiError::invalid_field("id", "is required")) };
    let day = day.unwrap_or(today);
    let calendar = &state.desk.config.calendar;
    let at = match time {
        None if day == today => now,
        time => calendar.instant(day.0, time.unwrap_or(calendar.starts)),
    };
    let status = status.unwrap_or_else(|| state.desk.arrival(at));
    let whole = state.clone();
    let added = who.write(&state, move |conn, who| {
        who.require(Role::Manager)?;
        let person = people::hold_shared(conn, &id)?.ok_or_else(no_such_person)?;
        let record = Record {
            id: clock::fresh_uuid(),
            person: person.id.clone(),
            day,
            at,
            status,
            confidence: None,
            liveness_verified: false,
            session_id: None,
            source: Source::Manager,
        };
        if !records::insert(conn, &record)? {
            let message = "This day has a record already: correct that one.";
            return Err(ApiError::new(StatusCode::CONFLICT, "already_recorded", message));
        }
        trail::correct(conn, (None, Some(&record)), who.user.into(), who.at, &reason)?;
        read(conn, &whole, &person, &record)
    });
    Ok(HttpResponse::Created().json(added.await?))
}

/// Correct a record; the person sees what was changed and why.
#[utoipa::path(
    patch,
    path = "/api/attendance/records/{id}",
    tag = "attendance",
    params(("id" = String, Path)),
    request_body = blink_proto::http::RecordChange,
    responses((status = 200, body = blink_proto::http::AttendanceRecord), (status = 403), (status = 404)),
)]
pub(crate) async fn change(
    who: Principal,
    id: Path<String>,
    req: HttpRequest,
    payload: Payload,
    state: Data<State>,
) -> ApiResult {
    who.require(Role::Manager)?;
    let mut fields = body::object(&req, payload).await?;
    let status = fields.optional_text("status", status);
    let time = fields.optional_text("time", time);
    let reason = reason_of(&mut fields);
    if status.is_none() && time.is_none() && !fields.has("status") && !fields.has("time") {
        fields.refuse::<()>("status", "give a status, a time, or both");
    }
    fields.finish()?;
    let Some(reason) = reason else { return Err(ApiError::invalid_field("reason", "is required")) };
    let id = id.parse().map_err(|_| ApiError::not_found())?;
    let whole = state.clone();
    let changed = who.write(&state, move |conn, who| {
        who.require(Role::Manager)?;
        let before = records::hold(conn, id)?.ok_or_else(ApiError::not_found)?;
        let person = people::by_id(conn, &before.person)?.ok_or_else(ApiError::not_found)?;
        let at = time.map_or(before.at, |time| whole.desk.config.calendar.instant(before.day.0, time));
        let after = Record { at, status: status.unwrap_or(before.status), ..before.clone() };
        records::change(conn, &before, &after)?;
        trail::correct(conn, (Some(&before), Some(&after)), who.user.into(), who.at, &reason)?;
        read(conn, &whole, &person, &after)
    });
    Ok(HttpResponse::Ok().json(changed.await?))
}

fn read(conn: &mut Conn, state: &State, person: &PersonRow, record: &Record) -> Result<AttendanceRecord, ApiError> {
    Ok(shown(state, person, record, &trail::corrections_of(conn, &person.id, Some(record.day))?))
}

/// A record with those of the person's corrections that are of its day.
pub(super) fn shown(
    state: &State,
    person: &PersonRow,
    record: &Record,
    corrections: &[CorrectionRow],
) -> AttendanceRecord {
    let calendar = &state.desk.config.calendar;
    let corrections = corrections.iter().filter(|row| row.day == record.day);
    AttendanceRecord {
        record_id: record.id,
        id: person.id.clone(),
        name: person.name.clone(),
        date: record.day.0,
        time: calendar.arrival(record.at).time,
        status: record.status.as_str().to_owned(),
        confidence: record.confidence,
        liveness_verified: record.liveness_verified,
        session_id: record.session_id,
        source: record.source.as_str().to_owned(),
        corrections: corrections.map(|row| correction(row.clone(), calendar)).collect(),
    }
}

/// The time on the wall of somebody who was there.
pub(super) fn time_of(status: Status, at: UtcMs, calendar: &Calendar) -> Option<Time> {
    status.is_there().then(|| calendar.arrival(at).time)
}

pub(super) fn correction(row: CorrectionRow, calendar: &Calendar) -> RecordCorrection {
    let wall =
        |word: &Option<String>, at: Option<UtcMs>| time_of(word.as_deref().and_then(Status::parse)?, at?, calendar);
    RecordCorrection {
        at: row.at.timestamp(),
        made_by: row.made_by.map(|id| id.0),
        time_before: wall(&row.status_before, row.at_before),
        time_after: wall(&row.status_after, row.at_after),
        status_before: row.status_before,
        status_after: row.status_after,
        reason: row.reason,
    }
}
