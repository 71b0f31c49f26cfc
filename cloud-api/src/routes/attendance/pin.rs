//! Being marked without a face: `POST /api/attendance/mark-pin` by PIN or by a code that the account page shows.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Payload},
};
use blink_proto::{Secret, http::DeskCode};
use uuid::Uuid;

use super::{Decided, attempt::write, only_own, people::not_at_the_desk};
use crate::{
    attendance::{
        decide::{Seen, decide},
        person,
        pin::{self, CODE_LIFE_S},
        record::{Record, Source},
    },
    auth::tokens,
    clock,
    db::{
        attendance::{
            people::{self, PersonRow},
            records, trail,
        },
        conn::Conn,
        id::{DeskPerson, Id},
    },
    domain::time::UtcMs,
    error::{ApiError, ApiResult},
    http::{body, to_its_end},
    principal::Principal,
    state::State,
};

/// Who somebody says they are, and what proves it.
pub(super) enum Claim {
    Pin { id: String, pin: Secret },
    Code(Id<DeskPerson>),
}

/// What is said where neither or both are given.
pub(super) const ONE_OF: &str = "give id and pin, or qr";

impl Claim {
    /// The claim of these fields, of which one kind must be given; `None` where none is.
    pub(super) fn of(
        state: &State,
        (id, pin, code): (Option<String>, Option<Secret>, Option<String>),
        at: UtcMs,
    ) -> Result<Option<Self>, ApiError> {
        match (id, pin, code) {
            (None, None, None) => Ok(None),
            (Some(id), Some(pin), None) => Ok(Some(Self::Pin { id, pin })),
            (None, None, Some(code)) => {
                let uid = tokens::verify_desk(&state.keys, tokens::DESK_CODE, code.trim(), at);
                Ok(Some(Self::Code(uid.ok_or_else(bad_code)?)))
            }
            _ => Err(ApiError::invalid_field("pin", ONE_OF)),
        }
    }

    /// Proves it, for a face that is compared with this person's alone.
    pub(super) async fn prove(self, who: &Principal, state: &State, at: UtcMs) -> Result<Id<DeskPerson>, ApiError> {
        let (id, pin) = match self {
            Self::Code(uid) => return Ok(uid),
            Self::Pin { id, pin } => (id, pin),
        };
        let (person, limits) = (proved(who, state, id, pin, at).await?, state.limits.clone());
        let (id, uid) = (person.id, person.uid);
        who.write(state, move |conn, who| limits.forget_pin(conn, &id, who.user)).await?;
        Ok(uid)
    }
}

/// Be marked by PIN, or by a code.
#[utoipa::path(
    post,
    path = "/api/attendance/mark-pin",
    tag = "attendance",
    request_body = blink_proto::http::PinMark,
    responses((status = 200, body = blink_proto::http::MarkResponse), (status = 403), (status = 429)),
)]
pub(crate) async fn mark(who: Principal, req: HttpRequest, payload: Payload, state: Data<State>) -> ApiResult {
    state.limits.marks(who.user)?;
    let at = state.clock.now();
    let mut fields = body::object(&req, payload).await?;
    let any = |text: &str| Ok::<_, String>(text.to_owned());
    let (id, given_pin) = (fields.optional_text("id", any), fields.optional_text("pin", pin::given_pin));
    let code = fields.optional_text("qr", any);
    let session_id =
        fields.optional_text("session_id", |text| text.parse::<Uuid>().map_err(|_| "must be a UUID".to_owned()));
    fields.finish()?;
    let claim = Claim::of(&state, (id, given_pin, code), at)?;
    let claim = claim.ok_or_else(|| ApiError::invalid_field("pin", ONE_OF))?;
    to_its_end(async move {
        let decided = match claim {
            Claim::Pin { id, pin } => by_pin(&who, &state, id, pin, session_id, at).await?,
            Claim::Code(uid) => by_code(&who, &state, uid, session_id, at).await?,
        };
        Ok(HttpResponse::Ok().json(decided.answer(&who, &state, session_id)))
    })
    .await
}

fn bad_code() -> ApiError {
    ApiError::forbidden("bad_code", "This code has ended or is wrong: show a new one from your account page.")
}

/// The answer for a wrong PIN, somebody without a PIN, and nobody alike.
fn wrong_pin() -> ApiError {
    ApiError::forbidden("wrong_pin", "Id and PIN do not belong together.")
}

pub(super) fn not_themself() -> ApiError {
    ApiError::forbidden("forbidden", "A member may mark only themself.")
}

/// Whose id and PIN these are.
async fn proved(who: &Principal, state: &State, id: String, pin: Secret, at: UtcMs) -> Result<PersonRow, ApiError> {
    // Nobody's id is counted too, so that neither answer nor time tells whose id there is.
    let id = person::id(&id).unwrap_or_default();
    let (limits, wanted) = (state.limits.clone(), id.clone());
    // Each guess is counted before it is judged: guesses in parallel gain nothing.
    let counted = who.write(state, move |conn, who| {
        let may = match only_own(conn, who)? {
            Some(own) => own.is_some_and(|own| own.id == wanted),
            None => true,
        };
        limits.count_pin(conn, &wanted, (who.user, may), who.at)?;
        let person = people::by_id(conn, &wanted)?;
        Ok((person.filter(|_| may), may))
    });
    let (person, may) = counted.await?;
    let hash = person.as_ref().and_then(|person| person.pin_hash.clone());
    let right = state.passwords.verify(pin, hash).await?;
    if let Some(person) = person.filter(|_| right) {
        return Ok(person);
    }
    if may {
        let day = state.desk.day(at);
        who.write(state, move |conn, _| Ok(trail::refused_if_known(conn, &id, day, "wrong_pin", at)?)).await?;
    }
    Err(wrong_pin())
}

async fn by_pin(
    who: &Principal,
    state: &State,
    id: String,
    pin: Secret,
    session_id: Option<Uuid>,
    at: UtcMs,
) -> Result<Decided, ApiError> {
    let person = proved(who, state, id, pin, at).await?;
    let (whole, limits) = (state.clone(), state.limits.clone());
    let marked = who.write(state, move |conn, who| {
        let now = people::hold_shared(conn, &person.id)?;
        let now = now.filter(|now| now.pin_hash == person.pin_hash).ok_or_else(wrong_pin)?;
        limits.forget_pin(conn, &now.id, who.user)?;
        decided(conn, who, &whole, now, Source::Pin, (session_id, at))
    });
    marked.await
}

async fn by_code(
    who: &Principal,
    state: &State,
    uid: Id<DeskPerson>,
    session_id: Option<Uuid>,
    at: UtcMs,
) -> Result<Decided, ApiError> {
    let whole = state.clone();
    let marked = who.write(state, move |conn, who| {
        let person = people::by_uid(conn, uid)?.ok_or_else(bad_code)?;
        if only_own(conn, who)?.is_some_and(|own| own.is_none_or(|own| own.uid != uid)) {
            return Err(not_themself());
        }
        let person = people::hold_shared(conn, &person.id)?.ok_or_else(bad_code)?;
        decided(conn, who, &whole, person, Source::Qr, (session_id, at))
    });
    marked.await
}

fn decided(
    conn: &mut Conn,
    who: &Principal,
    state: &State,
    person: PersonRow,
    source: Source,
    (session_id, at): (Option<Uuid>, UtcMs),
) -> Result<Decided, ApiError> {
    let (day, arrival) = (state.desk.day(at), state.desk.arrival(at));
    let seen = Seen::Person { id: person.id.clone(), confidence: 100 };
    let today = records::of_day(conn, &person.id, day)?;
    let mut decision = decide(&seen, Ok(()), today.as_ref(), arrival);
    let mut record = today;
    if decision.marks {
        let new = Record {
            id: clock::fresh_uuid(),
            person: person.id.clone(),
            day,
            at,
            status: arrival,
            confidence: None,
            liveness_verified: false,
            session_id,
            source,
        };
        let written = write(conn, who, record.as_ref(), new)?;
        decision = decide(&seen, Ok(()), written.before.as_ref(), arrival);
        record = Some(written.record);
    }
    Ok(Decided {
        decision,
        person: Some(person),
        confidence: None,
        alive: false,
        record,
        source,
        day,
        at,
        alternatives: Vec::new(),
    })
}

/// A code that marks me, for a minute.
#[utoipa::path(
    get,
    path = "/api/attendance/code",
    tag = "attendance",
    responses((status = 200, body = blink_proto::http::DeskCode), (status = 404)),
)]
pub(crate) async fn code(who: Principal, state: Data<State>) -> ApiResult {
    let now = state.clock.now();
    let own = state.db.read(move |conn| people::by_user(conn, who.user.into())).await?;
    let own = own.ok_or_else(not_at_the_desk)?;
    let code = tokens::desk(&state.keys, tokens::DESK_CODE, own.uid, now);
    let code = code.map_err(|e| ApiError::internal(e.to_string()))?;
    let expires_at = now.plus(CODE_LIFE_S * 1_000).timestamp();
    Ok(HttpResponse::Ok().json(DeskCode { code: code.expose().to_owned(), expires_at }))
}
