//! People of the desk: seen, added without a face, and removed; their PINs, photos and biometrics.

use std::collections::BTreeMap;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{Data, Path, Payload, Query},
};
use blink_proto::http::{DeskPeople, DeskRemoval, Role};

use super::{
    enrolment::{account_of, id_taken, new_person, remember_link},
    no_such_person, person_id, shown,
};
use crate::{
    attendance::{person, pin},
    auth::tokens,
    db::{
        attendance::people::{self, PersonRow},
        conn::Conn,
    },
    domain::account,
    error::{ApiError, ApiResult},
    http::{body, page, to_its_end},
    ledger::EntryKind,
    principal::Principal,
    routes::consents,
    state::{Begun, State, Whom, remember_of_desk},
};

/// People of the desk, by id.
#[utoipa::path(
    get,
    path = "/api/attendance/people",
    tag = "attendance",
    params(("limit" = Option<u32>, Query, minimum = 1, maximum = 1_000, description = "items in a page; 100 if absent"), ("cursor" = Option<String>, Query, description = "next_cursor of the page before")),
    responses((status = 200, body = blink_proto::http::DeskPeople), (status = 403), (status = 422)),
)]
pub(crate) async fn list(who: Principal, query: Query<BTreeMap<String, String>>, state: Data<State>) -> ApiResult {
    who.require(Role::Manager)?;
    let limit = page::limit_of(&query)?;
    let after = query.get("cursor").cloned();
    let mut rows = state.db.read(move |conn| people::list(conn, after.as_deref(), page::to_read(limit))).await?;
    let next_cursor = page::cut(&mut rows, limit).map(|row| row.id.clone());
    let now = state.clock.now();
    let items = rows.iter().map(|row| shown(&state, row, now)).collect::<Result<_, _>>()?;
    Ok(HttpResponse::Ok().json(DeskPeople { items, next_cursor }))
}

/// Add a person without a face: they are marked by PIN, by code or by a manager.
#[utoipa::path(
    post,
    path = "/api/attendance/people",
    tag = "attendance",
    request_body = blink_proto::http::NewDeskPerson,
    responses((status = 201, body = blink_proto::http::DeskPerson), (status = 403), (status = 409)),
)]
pub(crate) async fn add(who: Principal, req: HttpRequest, payload: Payload, state: Data<State>) -> ApiResult {
    who.require(Role::Manager)?;
    let mut fields = body::object(&req, payload).await?;
    let name = fields.text("name", |text| account::name(text)?.ok_or_else(|| "is required".to_owned()));
    let email = fields.optional_text("email", account::Email::parse);
    let id = match fields.optional_text("id", person::id) {
        None if !fields.has("id") => name.as_deref().and_then(person::slug),
        given => given,
    };
    if id.is_none() && name.is_some() {
        fields.refuse::<()>("id", "is required: the name has no letter to make one of");
    }
    fields.finish()?;
    let (Some(name), Some(id)) = (name, id) else { return Err(ApiError::invalid_field("id", "is required")) };
    let whole = state.clone();
    let added = who.write(&state, move |conn, who| {
        who.require(Role::Manager)?;
        let user = email.as_ref().map(|email| account_of(conn, &email.key, &id)).transpose()?;
        if people::hold(conn, &id)?.is_some() {
            return Err(id_taken());
        }
        let person = new_person(id.clone(), name.clone(), user, &whole, who.at);
        people::insert(conn, &person).map_err(|e| if e.is_unique_violation() { id_taken() } else { e.into() })?;
        remember_link(&whole.ledger, None, &person, who.at)?;
        Ok(person)
    });
    Ok(HttpResponse::Created().json(shown(&state, &added.await?, state.clock.now())?))
}

/// Who I am at the desk.
#[utoipa::path(
    get,
    path = "/api/attendance/me",
    tag = "attendance",
    responses((status = 200, body = blink_proto::http::DeskPerson), (status = 404)),
)]
pub(crate) async fn me(who: Principal, state: Data<State>) -> ApiResult {
    let own = state.db.read(move |conn| people::by_user(conn, who.user.into())).await?;
    let own = own.ok_or_else(not_at_the_desk)?;
    Ok(HttpResponse::Ok().json(shown(&state, &own, state.clock.now())?))
}

pub(super) fn not_at_the_desk() -> ApiError {
    let message = "Your account is nobody's at the attendance desk: ask a manager to add you with your address.";
    ApiError::new(actix_web::http::StatusCode::NOT_FOUND, "not_at_the_desk", message)
}

/// A person's photo, for whoever has its signed path.
#[utoipa::path(
    get,
    path = "/api/attendance/people/{id}/photo",
    tag = "attendance",
    security(()),
    params(("id" = String, Path), ("sig" = String, Query, description = "from image_path; it ends after five minutes")),
    responses((status = 200, body = String, content_type = "image/jpeg"), (status = 403), (status = 404), (status = 429)),
)]
pub(crate) async fn photo(
    req: HttpRequest,
    id: Path<String>,
    query: Query<BTreeMap<String, String>>,
    state: Data<State>,
) -> ApiResult {
    state.limits.anonymous(state.peer(&req))?;
    let sig = query.get("sig").map_or("", String::as_str);
    let uid = tokens::verify_desk(&state.keys, tokens::PHOTO, sig, state.clock.now());
    let uid =
        uid.ok_or_else(|| ApiError::forbidden("bad_signature", "This address of a photo has ended or is wrong."))?;
    let id = person_id(&id)?;
    let read = move |conn: &mut Conn| -> Result<_, ApiError> {
        let person = people::by_uid(conn, uid)?.filter(|person| person.id == id);
        let Some(person) = person else { return Ok(None) };
        let sealed = people::photo(conn, &person.id)?;
        Ok(sealed.map(|sealed| (person, sealed)))
    };
    let (person, sealed) = state.db.read(read).await?.ok_or_else(ApiError::not_found)?;
    let photo = state.desk.keys.open_photo(&person, &sealed).map_err(|e| ApiError::internal(e.to_string()))?;
    let photo = photo.ok_or_else(ApiError::not_found)?;
    Ok(HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "image/jpeg")).body(photo))
}

/// The person, if this caller may change them: a manager anybody, a member themself.
fn held(conn: &mut Conn, who: &Principal, id: &str) -> Result<PersonRow, ApiError> {
    let person = people::hold(conn, id)?;
    let own = person.as_ref().is_some_and(|person| person.user_id == Some(who.user.into()));
    if !own {
        who.require(Role::Manager)?;
    }
    person.ok_or_else(no_such_person)
}

fn removal(counts: impl serde::Serialize) -> Result<DeskRemoval, ApiError> {
    let removed = serde_json::to_value(counts).and_then(serde_json::from_value);
    Ok(DeskRemoval { removed: removed.map_err(|e| ApiError::internal(e.to_string()))? })
}

/// Remove a person's face, which ends recognition; the other ways stay.
#[utoipa::path(
    delete,
    path = "/api/attendance/people/{id}/biometrics",
    tag = "attendance",
    params(("id" = String, Path)),
    responses((status = 200, body = blink_proto::http::DeskRemoval), (status = 403), (status = 404)),
)]
pub(crate) async fn forget_face(who: Principal, id: Path<String>, state: Data<State>) -> ApiResult {
    let (id, ledger) = (person_id(&id)?, state.ledger.clone());
    to_its_end(async move {
        let removed = who.write(&state, move |conn, who| {
            let person = held(conn, who, &id)?;
            let photos = i64::from(person.sealed_key.is_some());
            let withdrawn = people::withdraw(conn, &person, Some(who.user.into()), who.at)?;
            if let Some(user) = person.user_id {
                consents::face_removed(conn, &ledger, user, who.at)?;
            }
            if let Some(at) = withdrawn.at {
                remember_of_desk(&ledger, at, person.uid, EntryKind::DeskFaceRemoved)?;
            }
            Ok(BTreeMap::from([("desk_encodings", withdrawn.encodings as i64), ("desk_photos", photos)]))
        });
        let removed = removed.await?;
        state.desk.catch_up(&state.db).await;
        state.db.scrub(state.clock.now()).await;
        Ok(HttpResponse::Ok().json(removal(removed)?))
    })
    .await
}

/// Remove a person and all their records from the desk.
#[utoipa::path(
    delete,
    path = "/api/attendance/people/{id}",
    tag = "attendance",
    params(("id" = String, Path)),
    responses((status = 200, body = blink_proto::http::DeskRemoval), (status = 403), (status = 404)),
)]
pub(crate) async fn remove(who: Principal, id: Path<String>, state: Data<State>) -> ApiResult {
    who.require(Role::Manager)?;
    let (id, ledger, begun) = (person_id(&id)?, state.ledger.clone(), Begun::default());
    to_its_end(async move {
        let lines = begun.clone();
        let removed = who.write(&state, move |conn, who| {
            who.require(Role::Manager)?;
            let person = people::hold(conn, &id)?.ok_or_else(no_such_person)?;
            let removed = people::erase(conn, &person.id)?;
            lines.remember(&ledger, who.at, Whom::OfDesk(person.uid))?;
            Ok(removed)
        });
        let removed = removed.await.inspect_err(|_| state.take_back(&begun))?;
        state.desk.catch_up(&state.db).await;
        state.db.scrub(state.clock.now()).await;
        Ok(HttpResponse::Ok().json(removal(removed)?))
    })
    .await
}

/// Reads a body with a new PIN, and hashes it after `check`, because a hash takes one of the few turns that signing in
/// takes too. `None` removes the PIN.
async fn new_pin(
    who: &Principal,
    req: &HttpRequest,
    payload: Payload,
    state: &State,
    check: impl Fn(&mut Conn, &Principal) -> Result<(), ApiError> + Send + 'static,
) -> Result<Option<String>, ApiError> {
    state.limits.marks(who.user)?;
    let mut fields = body::object(req, payload).await?;
    let given = fields.nullable_text("pin", pin::new_pin);
    if given.is_none() && !fields.has("pin") {
        fields.refuse::<()>("pin", "is required; null removes it");
    }
    fields.finish()?;
    who.write(state, check).await?;
    match given.flatten() {
        Some(pin) => Ok(Some(state.passwords.hash(pin).await?)),
        None => Ok(None),
    }
}

/// Set my PIN.
#[utoipa::path(
    put,
    path = "/api/attendance/pin",
    tag = "attendance",
    request_body = blink_proto::http::NewPin,
    responses((status = 204), (status = 404)),
)]
pub(crate) async fn put_own_pin(who: Principal, req: HttpRequest, payload: Payload, state: Data<State>) -> ApiResult {
    let user = who.user;
    let own = move |conn: &mut Conn| people::by_user(conn, user.into())?.ok_or_else(not_at_the_desk);
    let hash = new_pin(&who, &req, payload, &state, move |conn, _| own(conn).map(drop)).await?;
    let set = who.write(&state, move |conn, _| {
        let own = own(conn)?;
        Ok(people::set_pin(conn, &own.id, hash.as_deref())?)
    });
    set.await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Set a person's PIN.
#[utoipa::path(
    put,
    path = "/api/attendance/people/{id}/pin",
    tag = "attendance",
    params(("id" = String, Path)),
    request_body = blink_proto::http::NewPin,
    responses((status = 204), (status = 403), (status = 404)),
)]
pub(crate) async fn put_pin(
    who: Principal,
    id: Path<String>,
    req: HttpRequest,
    payload: Payload,
    state: Data<State>,
) -> ApiResult {
    let id = person_id(&id)?;
    let wanted = id.clone();
    let hash = new_pin(&who, &req, payload, &state, move |conn, who| held(conn, who, &wanted).map(drop)).await?;
    let set = who.write(&state, move |conn, who| {
        let person = held(conn, who, &id)?;
        Ok(people::set_pin(conn, &person.id, hash.as_deref())?)
    });
    set.await?;
    Ok(HttpResponse::NoContent().finish())
}
