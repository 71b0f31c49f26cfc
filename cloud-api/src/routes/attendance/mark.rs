//! `POST /api/attendance/mark-attendance`: a face is recognised, found alive, and marked.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Bytes, Data, Payload},
};
use blink_proto::faces::{
    ClipReport, Encoding, FrameMark, MAX_PICTURE_BYTES, MAX_RECORDING_BYTES, PictureFault, Purpose,
};
use uuid::Uuid;

use super::{Decided, alternatives, only_own, unreadable};
use crate::{
    attendance::{
        challenge::Challenge,
        decide::{Seen, decide},
        gallery::Match,
        liveness::{self, Mode, Reason},
        magic::{self, Kind},
        record::{Record, Source, Status},
        times,
    },
    clock,
    db::{
        attendance::{
            challenges::{self, Given},
            people::{self, PersonRow},
            records, trail,
        },
        conn::Conn,
        id::{self, Id},
    },
    domain::time::{CLOCKS_DIFFER_MS, UtcMs},
    error::{ApiError, ApiResult},
    faces::{ReadError, Recording},
    http::{
        multipart::{self, FileField, Form},
        to_its_end,
    },
    principal::Principal,
    state::State,
};

const PICTURE: FileField =
    FileField { names: &["image", "frame"], most: 1, max_bytes: MAX_PICTURE_BYTES, max_total: MAX_PICTURE_BYTES };
const FRAMES: FileField = FileField {
    names: &["frames[]", "frames"],
    most: blink_proto::faces::MAX_FRAMES,
    max_bytes: MAX_PICTURE_BYTES,
    max_total: MAX_RECORDING_BYTES,
};
const VIDEO: FileField =
    FileField { names: &["video"], most: 1, max_bytes: MAX_RECORDING_BYTES, max_total: MAX_RECORDING_BYTES };

/// The form of a mark, for the API's description. One of picture, frames and video is given.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it describes a form, which the handler reads field by field")]
pub(crate) struct MarkForm {
    /// A picture; `frame` is the same. It never proves liveness.
    #[schema(value_type = Option<String>, format = Binary)]
    image: Option<String>,
    /// The pictures of a recording, in order.
    #[schema(value_type = Option<Vec<String>>)]
    #[schema(rename = "frames[]")]
    frames: Option<Vec<String>>,
    /// When each of them was taken: a JSON list, in milliseconds.
    timestamps_ms: Option<String>,
    /// A recording as MP4, MOV, WebM or AVI.
    #[schema(value_type = Option<String>, format = Binary)]
    video: Option<String>,
    /// The challenge that the recording answers.
    challenge_id: Option<Uuid>,
    /// A session of the caller's choice, kept with the record.
    session_id: Option<Uuid>,
}

enum Sent {
    Picture(Bytes),
    Recording(Recording),
}

/// Be marked by face.
#[utoipa::path(
    post,
    path = "/api/attendance/mark-attendance",
    tag = "attendance",
    request_body(content = inline(MarkForm), content_type = "multipart/form-data"),
    responses((status = 200, body = blink_proto::http::MarkResponse), (status = 429)),
)]
pub(crate) async fn mark(who: Principal, req: HttpRequest, payload: Payload, state: Data<State>) -> ApiResult {
    state.limits.marks(who.user)?;
    // The moment that counts is the one at which the person was there, however long reading takes.
    let at = state.clock.now();
    let mut form = multipart::read(&req, payload, &state.desk.uploads, &[PICTURE, FRAMES, VIDEO]).await?;
    let mut wrong = std::collections::BTreeMap::new();
    let mut uuid = |form: &mut Form, name: &str| -> Option<Uuid> {
        let parsed = form
            .text(name)
            .and_then(|text| text.map(|text| text.trim().parse().map_err(|_| "must be a UUID".to_owned())).transpose());
        parsed.unwrap_or_else(|why| {
            wrong.insert(name.to_owned(), why);
            None
        })
    };
    let (session_id, challenge_id) = (uuid(&mut form, "session_id"), uuid(&mut form, "challenge_id"));
    if !wrong.is_empty() {
        return Err(ApiError::invalid(wrong));
    }
    let sent = sent(&mut form)?;
    let caller = who.clone();
    to_its_end(async move {
        let tried = carry_out(&caller, &state, sent, challenge_id, session_id, at).await;
        drop(form);
        Ok(HttpResponse::Ok().json(tried?.answer(&caller, &state, session_id)))
    })
    .await
}

fn unsupported(what: &str) -> ApiError {
    let message = format!("{what}: {}", PictureFault::Unsupported.advice());
    ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message)
}

/// The one picture or recording of a form.
fn sent(form: &mut Form) -> Result<Sent, ApiError> {
    let (mut picture, frames, mut video) = (form.files("image"), form.files("frames[]"), form.files("video"));
    let mut given_times = form.texts("timestamps_ms");
    given_times.extend(form.texts("timestamps_ms[]"));
    let given = usize::from(!picture.is_empty()) + usize::from(!frames.is_empty()) + usize::from(!video.is_empty());
    if given != 1 {
        return Err(ApiError::invalid_field("image", "give one of image, frames[] and video"));
    }
    if let Some(picture) = picture.pop() {
        return match magic::kind(&picture) {
            Some(Kind::Picture) => Ok(Sent::Picture(picture)),
            _ => Err(unsupported("image")),
        };
    }
    if let Some(video) = video.pop() {
        return match magic::kind(&video) {
            Some(Kind::Video) => Ok(Sent::Recording(Recording::Video(video))),
            _ => Err(unsupported("video")),
        };
    }
    if frames.iter().any(|frame| magic::kind(frame) != Some(Kind::Picture)) {
        return Err(unsupported("frames[]"));
    }
    let times = times::parse(&given_times).map_err(|why| ApiError::invalid_field("timestamps_ms", why))?;
    if times.len() != frames.len() {
        return Err(ApiError::invalid_field("timestamps_ms", "must give one time for each frame"));
    }
    let mut all = Vec::with_capacity(frames.iter().map(Bytes::len).sum());
    let mut marks = Vec::with_capacity(frames.len());
    for (frame, at_ms) in frames.iter().zip(times) {
        all.extend_from_slice(frame);
        marks.push(FrameMark { bytes: u32::try_from(frame.len()).unwrap_or(u32::MAX), at_ms });
    }
    Ok(Sent::Recording(Recording::Frames(all.into(), marks)))
}

/// What was read of a picture or recording.
#[derive(Clone)]
enum Read {
    Nothing(Reason),
    Picture(Encoding),
    Recording(Encoding, Arc<ClipReport>),
}

/// The reason of a fault that the person can do something about at the desk; the others are faults of the file.
fn reason(fault: PictureFault) -> Result<Reason, ApiError> {
    Ok(match fault {
        PictureFault::NoFace
        | PictureFault::TooSmall
        | PictureFault::TooBlurred
        | PictureFault::TurnedAway
        | PictureFault::PartialFace => Reason::NoFace,
        PictureFault::SeveralFaces => Reason::SeveralFaces,
        PictureFault::TooDark => Reason::TooDark,
        PictureFault::TooFewFrames => Reason::TooFewFrames,
        PictureFault::TooLarge => return Err(ApiError::too_large(fault.advice())),
        PictureFault::Unreadable | PictureFault::Unsupported | PictureFault::BadTimes | PictureFault::SizesDiffer => {
            return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, fault.code(), fault.advice()));
        }
    })
}

async fn read(state: &State, sent: Sent) -> Result<Result<Read, ReadError>, ApiError> {
    let read = match sent {
        Sent::Picture(picture) => {
            let still = state.desk.reader.still(picture, Purpose::Recognition).await;
            still.map(|still| Read::Picture(still.report.encoding))
        }
        Sent::Recording(recording) => {
            state.desk.reader.clip(recording).await.map(|clip| match liveness::face_of(&clip) {
                Some(face) => Read::Recording(face, Arc::new(clip)),
                None => Read::Nothing(Reason::NoFace),
            })
        }
    };
    match read {
        Err(ReadError::Fault(fault)) => Ok(Ok(Read::Nothing(reason(fault)?))),
        other => Ok(other),
    }
}

async fn carry_out(
    who: &Principal,
    state: &State,
    sent: Sent,
    challenge_id: Option<Uuid>,
    session_id: Option<Uuid>,
    at: UtcMs,
) -> Result<Decided, ApiError> {
    let read = match read(state, sent).await? {
        Ok(read) => read,
        Err(e) => {
            note_own_try(who, state, at).await?;
            return Err(unreadable(&e));
        }
    };
    state.desk.faces.follow(&state.db, &state.desk.keys).await?;
    let whole = state.clone();
    let try_of = move |conn: &mut Conn, who: &Principal| {
        let given = Try { read: &read, challenge_id: challenge_id.map(Id::new), session_id, at };
        given.decide(conn, who, &whole)
    };
    who.write(state, try_of).await
}

/// A member's own try that could not even be read makes their day unknown.
async fn note_own_try(who: &Principal, state: &State, at: UtcMs) -> Result<(), ApiError> {
    let day = state.desk.day(at);
    who.write(state, move |conn, who| {
        if let Some(Some(own)) = only_own(conn, who)? {
            trail::refused(conn, &own.id, day, "unavailable", at)?;
        }
        Ok(())
    })
    .await
}

struct Try<'a> {
    read: &'a Read,
    challenge_id: Option<Id<id::Challenge>>,
    session_id: Option<Uuid>,
    at: UtcMs,
}

impl Try<'_> {
    fn decide(&self, conn: &mut Conn, who: &Principal, state: &State) -> Result<Decided, ApiError> {
        let own = only_own(conn, who)?;
        let mode = state.desk.config.liveness;
        // The challenge is used up by every try, so that nobody tries one twice.
        let challenge = self.use_challenge(conn, who, mode)?;
        let alive = match self.read {
            Read::Nothing(reason) => Err(*reason),
            Read::Picture(_) if mode == Mode::Off => Ok(()),
            Read::Picture(_) => Err(Reason::StillPicture),
            Read::Recording(_, clip) => match &challenge {
                Err(reason) => Err(*reason),
                Ok(given) => self.judge(mode, clip, given.as_ref()),
            },
        };
        let (seen, person) = self.recognise(conn, state, own.as_ref())?;
        let (day, arrival) = (state.desk.day(self.at), state.desk.arrival(self.at));
        let today = match &person {
            Some(person) => records::of_day(conn, &person.id, day)?,
            None => None,
        };
        let confidence = match seen {
            Seen::Person { confidence, .. } => Some(confidence),
            _ => None,
        };
        let mut decision = decide(&seen, alive, today.as_ref(), arrival);
        let mut record = today;
        if let Some(person) = person.as_ref().filter(|_| decision.marks) {
            let new = Record {
                id: clock::fresh_uuid(),
                person: person.id.clone(),
                day,
                at: self.at,
                status: arrival,
                confidence,
                liveness_verified: mode != Mode::Off,
                session_id: self.session_id,
                source: Source::Face,
            };
            let written = write(conn, who, record.as_ref(), new)?;
            // Somebody else marked the same day since it was read.
            decision = decide(&seen, alive, written.before.as_ref(), arrival);
            record = Some(written.record);
        }
        if let Some(reason) = decision.reason {
            // Of a face that is nobody's nothing is kept: only whose try it surely was has a day that is unknown.
            let whose = person.as_ref().or(own.as_ref().and_then(Option::as_ref));
            if let Some(person) = whose {
                trail::refused(conn, &person.id, day, reason.as_str(), self.at)?;
            }
        }
        let alternatives = alternatives(who, own.as_ref().and_then(Option::as_ref));
        let alive = alive.is_ok() && mode != Mode::Off;
        Ok(Decided {
            decision,
            person,
            confidence,
            alive,
            record,
            source: Source::Face,
            day,
            at: self.at,
            alternatives,
        })
    }

    /// The challenge that this recording answers. `Ok(None)` where none is needed.
    fn use_challenge(
        &self,
        conn: &mut Conn,
        who: &Principal,
        mode: Mode,
    ) -> Result<Result<Option<Given>, Reason>, ApiError> {
        let Some(id) = self.challenge_id else {
            return Ok(if mode == Mode::Challenge { Err(Reason::ChallengeExpired) } else { Ok(None) });
        };
        let Some(given) = challenges::of_session(conn, id, who.session)? else {
            return Ok(Err(Reason::ChallengeExpired));
        };
        if !challenges::use_up(conn, id, who.session)? {
            return Ok(Err(Reason::ChallengeUsed));
        }
        let over = self.at > given.expires_at || self.at.plus(CLOCKS_DIFFER_MS) < given.made_at;
        Ok(if over { Err(Reason::ChallengeExpired) } else { Ok(Some(given)) })
    }

    fn judge(&self, mode: Mode, clip: &ClipReport, given: Option<&Given>) -> Result<(), Reason> {
        if mode == Mode::Challenge
            && let Some(given) = given
        {
            // A recording that is longer than the time since its challenge began before it.
            let since = self.at.0.saturating_sub(given.made_at.0);
            if i64::from(clip.duration_ms) > since.saturating_add(LATENESS_MS) {
                return Err(Reason::ChallengeExpired);
            }
        }
        let challenge: Option<&Challenge> = given.map(|given| &given.challenge);
        liveness::judge(mode, clip, challenge)
    }

    /// Who the face is. The person stays until the transaction ends.
    fn recognise(
        &self,
        conn: &mut Conn,
        state: &State,
        own: Option<&Option<PersonRow>>,
    ) -> Result<(Seen, Option<PersonRow>), ApiError> {
        let face = match self.read {
            Read::Nothing(reason) => return Ok((Seen::Nobody(*reason), None)),
            Read::Picture(face) | Read::Recording(face, _) => face,
        };
        let found = state.desk.faces.with(|gallery| match own {
            None => gallery.find(face),
            Some(None) => Match::Nobody,
            Some(Some(own)) => match gallery.verify(&own.id, face) {
                Some(confidence) => Match::Person { id: own.id.clone(), confidence },
                None => Match::Nobody,
            },
        });
        let (id, confidence) = match found {
            Match::Nobody => return Ok((Seen::Stranger, None)),
            Match::Ambiguous => return Ok((Seen::Two, None)),
            Match::Person { id, confidence } => (id, confidence),
        };
        // Another replica may have erased the person a moment ago.
        match people::hold_shared(conn, &id)?.filter(|person| person.sealed_key.is_some()) {
            Some(person) => Ok((Seen::Person { id, confidence }, Some(person))),
            None => Ok((Seen::Stranger, None)),
        }
    }
}

/// A recording's times are a camera's and a client's, which differ from the server's clock by this much in a recording.
const LATENESS_MS: i64 = 1_000;

pub(super) struct Written {
    /// The record that was there, if it stays.
    pub before: Option<Record>,
    /// The record that is there now.
    pub record: Record,
}

/// Writes a mark. Where the day has a record that says that the person was there, it stays; one that says that they were
/// not is replaced, and the trail says so.
pub(super) fn write(
    conn: &mut Conn,
    who: &Principal,
    known: Option<&Record>,
    new: Record,
) -> Result<Written, ApiError> {
    let there = match known {
        None if records::insert(conn, &new)? => return Ok(Written { before: None, record: new }),
        None => records::of_day(conn, &new.person, new.day)?,
        Some(known) => Some(known.clone()),
    };
    let there = there.ok_or_else(|| ApiError::internal("a record was removed while it was read"))?;
    let Some(there) = records::hold(conn, Id::new(there.id))? else {
        return Err(ApiError::internal("a record was removed while it was read"));
    };
    if there.status.is_there() {
        return Ok(Written { before: Some(there.clone()), record: there });
    }
    let new = Record { id: there.id, ..new };
    records::change(conn, &there, &new)?;
    trail::correct(conn, (Some(&there), Some(&new)), who.user.into(), who.at, "marked at the desk")?;
    debug_assert!(new.status == Status::Present || new.status == Status::Late);
    Ok(Written { before: None, record: new })
}
