//! `POST /api/attendance/mark-attendance`: a face is recognised, found alive, and marked.

use std::{collections::BTreeMap, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Bytes, Data, Payload},
};
use blink_proto::faces::{FrameMark, MAX_PICTURE_BYTES, MAX_RECORDING_BYTES, PictureFault, Purpose};
use uuid::Uuid;

use super::{
    ATTEMPTS, Decided, MOVED,
    attempt::{Attempt, Read},
    only_own,
    pin::Claim,
    still_moving, unreadable,
};
use crate::{
    attendance::{
        liveness::{self, Mode, Reason},
        magic::{self, Kind},
        pin, times,
    },
    db::{
        attendance::{challenges, trail},
        id::{DeskPerson, Id},
    },
    domain::time::UtcMs,
    error::{ApiError, ApiResult},
    faces::{ReadError, Recording},
    http::{
        multipart::{self, FileField, Form},
        to_its_end, upload,
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
    /// Who it is, with their PIN: the face is then compared with theirs alone.
    id: Option<String>,
    pin: Option<String>,
    /// The same by the code that the account page shows.
    qr: Option<String>,
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
    let turn = state.limits.upload_turn(who.user).await?;
    let arriving = state.limits.arrival_turn(state.peer(&req), upload::is_small(&req)).await?;
    let mut form = multipart::read(&req, payload, &state.desk.uploads, &[PICTURE, FRAMES, VIDEO]).await?;
    drop(arriving);
    let received = state.clock.now();
    let mut wrong = BTreeMap::new();
    let [session_id, challenge_id, id, given_pin, code] =
        ["session_id", "challenge_id", "id", "pin", "qr"].map(|name| match form.text(name) {
            Ok(text) => text,
            Err(why) => {
                wrong.insert(name.to_owned(), why);
                None
            }
        });
    let mut uuid = |name: &str, text: Option<String>| {
        let parsed = text.map(|text| text.trim().parse::<Uuid>());
        parsed.transpose().unwrap_or_else(|_| {
            wrong.insert(name.to_owned(), "must be a UUID".to_owned());
            None
        })
    };
    let (session_id, challenge_id) = (uuid("session_id", session_id), uuid("challenge_id", challenge_id));
    if !wrong.is_empty() {
        return Err(ApiError::invalid(wrong));
    }
    let given_pin = given_pin.and_then(|text| pin::given_pin(text.trim()).ok());
    let sent = sent(&mut form)?;
    let claim = Claim::of(&state, (id, given_pin, code), at)?;
    let caller = who.clone();
    to_its_end(async move {
        let claimed = match claim {
            Some(claim) => Some(claim.prove(&caller, &state, at).await?),
            None => None,
        };
        let asked = Asked { challenge_id, claimed, session_id };
        let tried = carry_out(&caller, &state, sent, asked, (at, received)).await;
        drop((form, turn));
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
        PictureFault::Unreadable
        | PictureFault::Unsupported
        | PictureFault::BadShape
        | PictureFault::BadTimes
        | PictureFault::SizesDiffer => {
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

/// What comes with the picture or recording.
struct Asked {
    challenge_id: Option<Uuid>,
    claimed: Option<Id<DeskPerson>>,
    session_id: Option<Uuid>,
}

async fn carry_out(
    who: &Principal,
    state: &State,
    sent: Sent,
    Asked { challenge_id, claimed, session_id }: Asked,
    (at, received): (UtcMs, UtcMs),
) -> Result<Decided, ApiError> {
    let read = match read(state, sent).await? {
        Ok(read) => read,
        Err(e) => {
            note_unread(who, state, &e, at).await?;
            return Err(unreadable(&e));
        }
    };
    let (mode, session) = (state.desk.config.liveness, who.session);
    let challenge = match challenge_id.map(Id::new) {
        Some(id) => {
            let given = state.db.read(move |conn| challenges::of_session(conn, id, session)).await?;
            given.map(Some).ok_or(Reason::ChallengeExpired)
        }
        None if mode == Mode::Challenge => Err(Reason::ChallengeExpired),
        None => Ok(None),
    };
    let attempt = Attempt::new(mode, read, challenge, claimed, session_id, (at, received));
    for _ in 0..ATTEMPTS {
        let compared = attempt.compare(who, state).await?;
        let (attempt, whole) = (attempt.clone(), state.clone());
        match who.write(state, move |conn, who| attempt.decide(conn, who, &whole, &compared)).await {
            Err(e) if e.code == MOVED => {}
            done => return done,
        }
    }
    Err(still_moving())
}

/// A try that could not even be read makes the day unknown: a member's own, or everybody's where it was at a desk, because
/// nobody knows whose it was. That too many wait is no such try: whoever waits is told to try again at once.
async fn note_unread(who: &Principal, state: &State, error: &ReadError, at: UtcMs) -> Result<(), ApiError> {
    let (day, busy) = (state.desk.day(at), *error == ReadError::Busy);
    who.write(state, move |conn, who| {
        match only_own(conn, who)? {
            Some(Some(own)) => trail::refused(conn, &own.id, day, "unavailable", at)?,
            None if !busy => trail::no_desk(conn, day, at)?,
            Some(None) | None => {}
        }
        Ok(())
    })
    .await
}
