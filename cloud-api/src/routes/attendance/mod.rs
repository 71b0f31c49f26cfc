//! The attendance desk's endpoints.
//!
//! - [`enrol`]: a person's face is taken in; [`enrolment`]: what is stored of it; [`people`]: people, their PINs, photos and removal
//! - [`challenge`], [`mark`], [`pin`]: being marked, by face, by PIN and by code; [`attempt`]: the decision on a face
//! - [`records`]: what managers record and correct; [`export`]: all of a person, for their export
//! - [`list`], [`csv_answer`]: who was there when; [`analytics`]: figures; [`view`], [`range`]: what they share
//! - [`transfer`]: records from a CSV file; [`leaderboard`]: whether one is seen there

pub(crate) mod analytics;
mod attempt;
pub(crate) mod challenge;
mod csv_answer;
pub(crate) mod enrol;
pub(crate) mod enrolment;
pub(crate) mod export;
pub(crate) mod leaderboard;
pub(crate) mod list;
pub(crate) mod mark;
pub(crate) mod people;
pub(crate) mod pin;
mod range;
pub(crate) mod records;
pub(crate) mod transfer;
mod view;

use actix_web::http::{
    StatusCode,
    header::{self, HeaderValue},
};
use blink_proto::{
    UserId,
    http::{DeskPerson, MarkResponse, Role},
};
use jiff::civil::Time;

use crate::{
    attendance::{
        decide::{Decision, Outcome},
        liveness::{Mode, Reason},
        record::{Day, Record, Source},
    },
    auth::tokens,
    db::{
        attendance::people::PersonRow,
        conn::Conn,
        id::{DeskPerson as Uid, Id},
    },
    domain::time::UtcMs,
    error::ApiError,
    faces::ReadError,
    metrics,
    principal::Principal,
    state::State,
};

/// The error of faces that cannot be read now. Every other way is open.
fn unreadable(e: &ReadError) -> ApiError {
    let (code, message, retry_s) = match e {
        ReadError::Busy => ("busy", "Too many faces wait to be read. Try again in a moment.", "2"),
        ReadError::Failed(_) => {
            ("face_reading_failed", "Reading the face failed. Try again, or take another way.", "1")
        }
        ReadError::Unavailable(_) | ReadError::Fault(_) => {
            ("attendance_unavailable", "Faces cannot be read now: be marked by PIN, by code, or by a manager.", "30")
        }
    };
    let mut error = ApiError::new(StatusCode::SERVICE_UNAVAILABLE, code, message);
    error.headers.push((header::RETRY_AFTER, HeaderValue::from_static(retry_s)));
    if *e != ReadError::Busy {
        error.cause = Some(e.to_string());
    }
    error
}

/// How often a face is compared again when the gallery changed meanwhile.
const ATTEMPTS: usize = 4;

/// The code by which a transaction says that the gallery has changed since a face was compared. No caller sees it.
const MOVED: &str = "moved";

fn moved() -> ApiError {
    ApiError::new(StatusCode::CONFLICT, MOVED, "Others were enrolled meanwhile.")
}

fn still_moving() -> ApiError {
    ApiError::busy("Others are enrolled at the same moment. Try again.")
}

/// 404 for an id of nobody.
fn no_such_person() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "no_such_person", "There is nobody with this id at the desk.")
}

/// A path to a person's photo, for a few minutes.
fn image_path(state: &State, id: &str, uid: Id<Uid>, now: UtcMs) -> Result<String, ApiError> {
    let sig = tokens::desk(&state.keys, tokens::PHOTO, uid, now).map_err(|e| ApiError::internal(e.to_string()))?;
    let id: String = form_urlencoded::byte_serialize(id.as_bytes()).collect();
    Ok(format!("/api/attendance/people/{id}/photo?sig={}", sig.expose()))
}

fn shown(state: &State, person: &PersonRow, now: UtcMs) -> Result<DeskPerson, ApiError> {
    let has_biometrics = person.sealed_key.is_some();
    // The face of a demonstration's recording has no photo.
    let has_photo = has_biometrics && state.demo.is_none();
    let image_path = has_photo.then(|| image_path(state, &person.id, person.uid, now)).transpose()?;
    Ok(DeskPerson {
        id: person.id.clone(),
        name: person.name.clone(),
        user_id: person.user_id.map(|id| id.0),
        enrolled_on: person.enrolled_on.0,
        has_biometrics,
        has_pin: person.pin_hash.is_some(),
        image_path,
    })
}

/// A person's pseudonym in the log.
fn pseudonym(state: &State, person: &PersonRow) -> String {
    state.keys.pseudonym(UserId(person.uid.0))
}

/// Reads the path's id of a person. 404 for one that nobody can have.
fn person_id(path: &str) -> Result<String, ApiError> {
    crate::attendance::person::id(path).map_err(|_| no_such_person())
}

/// The ways that are open to this caller when one failed.
fn alternatives(who: &Principal, own: Option<&PersonRow>) -> Vec<String> {
    let is_member = who.role == Role::Member;
    let pin = !is_member || own.is_some_and(|own| own.pin_hash.is_some());
    let qr = !is_member || own.is_some();
    let ways = [("pin", pin), ("qr", qr), ("manager", true)];
    ways.iter().filter(|(_, open)| *open).map(|(way, _)| (*way).to_owned()).collect()
}

/// What came of a try.
struct Decided {
    decision: Decision,
    /// The person who was recognised.
    person: Option<PersonRow>,
    confidence: Option<u8>,
    alive: bool,
    /// The record that is there now.
    record: Option<Record>,
    source: Source,
    day: Day,
    at: UtcMs,
    alternatives: Vec<String>,
}

impl Decided {
    /// The answer, after the decision was counted and logged.
    fn answer(self, who: &Principal, state: &State, session_id: Option<uuid::Uuid>) -> MarkResponse {
        self.count(state, session_id);
        let Self { decision, person, confidence, alive, record, source, day, at, alternatives } = self;
        let refused = decision.reason.is_some();
        // A stranger with somebody's picture does not learn here whose it is.
        let may_know = !refused || who.role >= Role::Manager || is_own(who, person.as_ref());
        let person = person.filter(|_| may_know);
        let at = record.as_ref().filter(|_| decision.outcome == Outcome::AlreadyMarked).map_or(at, |record| record.at);
        let time = state.desk.config.calendar.arrival(at).time;
        let name = person.as_ref().map(|person| person.name.clone());
        let message = message(&decision, name.as_deref(), time, confidence, (source, state.desk.config.liveness));
        MarkResponse {
            name,
            id: person.as_ref().map(|person| person.id.clone()),
            date: day.0,
            time,
            status: decision.outcome.as_str().to_owned(),
            confidence: confidence.filter(|_| may_know),
            liveness_verified: alive && !refused,
            session_id,
            message,
            reason: decision.reason.map(|reason| reason.as_str().to_owned()),
            alternatives: if refused { alternatives } else { Vec::new() },
        }
    }

    fn count(&self, state: &State, session_id: Option<uuid::Uuid>) {
        let Decision { outcome, reason, .. } = self.decision;
        match outcome {
            Outcome::Present | Outcome::Late => metrics::attendance_marked(),
            Outcome::AlreadyMarked => metrics::duplicate_blocked(),
            Outcome::LivenessFailed => metrics::liveness_failed(reason.map_or("", Reason::as_str)),
            Outcome::Unknown => {}
        }
        tracing::info!(
            session = session_id.map(|id| id.to_string()),
            person = self.person.as_ref().map(|person| pseudonym(state, person)),
            decision = outcome.as_str(),
            reason = reason.map(Reason::as_str),
            confidence = self.confidence,
            liveness = self.alive,
            source = self.source.as_str(),
            day = %self.day,
            "attendance"
        );
    }
}

fn is_own(who: &Principal, person: Option<&PersonRow>) -> bool {
    person.is_some_and(|person| person.user_id == Some(who.user.into()))
}

fn message(
    decision: &Decision,
    name: Option<&str>,
    time: Time,
    confidence: Option<u8>,
    (source, mode): (Source, Mode),
) -> String {
    let name = name.unwrap_or("");
    let time = time.strftime("%-I:%M %p");
    match decision.outcome {
        Outcome::Unknown => "Not recognized".to_owned(),
        Outcome::LivenessFailed => "Liveness failed".to_owned(),
        Outcome::AlreadyMarked => format!("{name} is marked since {time}"),
        Outcome::Present | Outcome::Late => {
            let how = match (source, confidence) {
                (Source::Pin, _) => "by PIN".to_owned(),
                (Source::Qr, _) => "by code".to_owned(),
                (_, confidence) => {
                    let liveness = if mode == Mode::Off { "off" } else { "OK" };
                    format!("Confidence {}%, Liveness {liveness}", confidence.unwrap_or(0))
                }
            };
            format!("{name} {time}, {how}")
        }
    }
}

/// The caller's own person, which is all that a member may mark. `None` for others, who may mark anybody.
fn only_own(conn: &mut Conn, who: &Principal) -> Result<Option<Option<PersonRow>>, ApiError> {
    if who.role != Role::Member {
        return Ok(None);
    }
    Ok(Some(crate::db::attendance::people::by_user(conn, who.user.into())?))
}
