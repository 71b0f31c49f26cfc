//! An enrolment's record: the person, what was read of their face, their consent, and the link to an account.

use std::sync::Arc;

use actix_web::{http::StatusCode, web::Bytes};
use blink_proto::{
    faces::Encoding,
    http::{ConsentKind, Role},
};

use super::{ATTEMPTS, MOVED, moved, still_moving};
use crate::{
    attendance::gallery::LIMIT_DIFFERENT_FACES,
    db::{
        attendance::people::{self, Biometrics, DeskConsentRow, PersonRow},
        conn::Conn,
        id::{Id, User},
        users::{self, ConsentRow},
    },
    domain::time::UtcMs,
    error::ApiError,
    ledger::{EntryKind, Ledger},
    principal::Principal,
    routes::consents::BIOMETRIC_VERSION,
    state::{State, remember},
};

/// What was given beside the pictures.
#[derive(Clone)]
pub(crate) struct Given {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) email_key: Option<String>,
    pub(crate) force: bool,
}

/// Enrols a person with what was read of their face.
pub(crate) async fn store(
    who: Option<&Principal>,
    state: &State,
    given: Given,
    encodings: Vec<Encoding>,
    photo: Bytes,
) -> Result<PersonRow, ApiError> {
    let far = |a: &Encoding| encodings.iter().any(|b| a.distance(b) > LIMIT_DIFFERENT_FACES);
    if encodings.iter().any(far) {
        let message = "The pictures show different people: enrol one person at a time.";
        return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "different_faces", message));
    }
    let encodings = Arc::new(encodings);
    for _ in 0..ATTEMPTS {
        let seen = state.desk.faces.follow(&state.db, &state.desk.keys).await?;
        let (id, faces) = (given.id.clone(), encodings.clone());
        let same = state.desk.faces.search(move |gallery| gallery.same_face(&id, &faces).map(str::to_owned));
        if let Some(other) = same.await? {
            crate::metrics::duplicate_blocked();
            let mut error =
                ApiError::new(StatusCode::CONFLICT, "face_taken", "This face is enrolled under another id.");
            error.fields.insert("image".to_owned(), format!("is enrolled as {other}"));
            return Err(error);
        }
        let enrolment = Enrolment { given: given.clone(), photo: photo.clone(), encodings: encodings.clone(), seen };
        let whole = state.clone();
        let written = match who {
            Some(who) => {
                let write = move |conn: &mut Conn, who: &Principal| {
                    who.require(Role::Manager)?;
                    enrolment.write(conn, Some(who.user.into()), who.at, &whole)
                };
                who.write(state, write).await
            }
            None => written_by_the_operator(state, enrolment).await,
        };
        let person = match written {
            Err(e) if e.code == MOVED => continue,
            done => done?,
        };
        state.desk.catch_up(&state.db).await;
        state.db.scrub(who.map_or_else(|| state.clock.now(), |who| who.at)).await;
        return Ok(person);
    }
    Err(still_moving())
}

async fn written_by_the_operator(state: &State, enrolment: Enrolment) -> Result<PersonRow, ApiError> {
    let whole = state.clone();
    state.db.write(move |conn| enrolment.write(conn, None, whole.clock.now(), &whole)).await
}

struct Enrolment {
    given: Given,
    photo: Bytes,
    encodings: Arc<Vec<Encoding>>,
    /// The gallery's number at which the face was compared with all others.
    seen: i64,
}

impl Enrolment {
    /// Fails with [`MOVED`], and writes nothing, when the gallery has changed since the face was compared.
    /// `taken_by` has the person's consent; `None` is the operator at the machine.
    fn write(
        &self,
        conn: &mut Conn,
        taken_by: Option<Id<User>>,
        at: UtcMs,
        state: &State,
    ) -> Result<PersonRow, ApiError> {
        let given = &self.given;
        let user = match &given.email_key {
            None => None,
            Some(key) => Some(account_of(conn, key, &given.id)?),
        };
        let existing = people::hold(conn, &given.id)?;
        if existing.is_some() && !given.force {
            return Err(id_taken());
        }
        if people::next_version(conn)? != self.seen + 1 {
            return Err(moved());
        }
        let before = existing.as_ref().and_then(|person| person.user_id);
        let person = match existing {
            Some(person) => {
                people::rename(conn, &given.id, &given.name, user)?;
                PersonRow { name: given.name.clone(), user_id: user.or(person.user_id), ..person }
            }
            None => {
                let person = new_person(given.id.clone(), given.name.clone(), user, state, at);
                people::insert(conn, &person)?;
                person
            }
        };
        let sealed = state.desk.keys.seal(person.uid, &self.photo, &self.encodings);
        let sealed: Biometrics = sealed.map_err(|e| ApiError::internal(e.to_string()))?;
        people::put_biometrics(conn, &person, &sealed, self.seen + 1, at)?;
        let consent = DeskConsentRow {
            id: Id::fresh(),
            person: person.id.clone(),
            version: BIOMETRIC_VERSION.to_owned(),
            granted: true,
            at: people::newest_consent(conn, &person.id)?.map_or(at, |last| last.next_at(at)),
            taken_by,
        };
        people::record_consent(conn, &consent)?;
        if let Some(user) = person.user_id {
            consent_of_account(conn, &state.ledger, user, at)?;
        }
        remember_link(&state.ledger, before, &person, at)?;
        Ok(person)
    }
}

/// Notes in the ledger that a person was linked to an account, which they were not `before`.
pub(super) fn remember_link(
    ledger: &Ledger,
    before: Option<Id<User>>,
    person: &PersonRow,
    at: UtcMs,
) -> Result<(), ApiError> {
    match person.user_id.filter(|user| before != Some(*user)) {
        Some(user) => remember(ledger, at, user.into(), EntryKind::DeskLinked { desk: person.uid.0 }),
        None => Ok(()),
    }
}

/// A person without biometrics.
pub(super) fn new_person(id: String, name: String, user_id: Option<Id<User>>, state: &State, at: UtcMs) -> PersonRow {
    PersonRow {
        id,
        uid: Id::random(),
        user_id,
        name,
        enrolled_on: state.desk.day(at),
        registered_at: at,
        leaderboard: false,
        pin_hash: None,
        sealed_key: None,
        changed_in: 0,
    }
}

/// The account with this address, locked. 409 when it is another person's at the desk.
pub(super) fn account_of(conn: &mut Conn, email_key: &str, id: &str) -> Result<Id<User>, ApiError> {
    let user = users::by_email_key(conn, email_key)?;
    let user = user.ok_or_else(|| ApiError::invalid_field("email", "is the address of no account here"))?;
    let user = users::hold(conn, user.id)?.ok_or_else(ApiError::not_found)?;
    if people::by_user(conn, user.id)?.is_some_and(|person| person.id != id) {
        let message = "This account is another person's at the desk.";
        return Err(ApiError::new(StatusCode::CONFLICT, "account_taken", message));
    }
    Ok(user.id)
}

pub(super) fn id_taken() -> ApiError {
    ApiError::new(StatusCode::CONFLICT, "id_taken", "There is a person with this id: choose another, or replace them.")
}

/// A consent that was taken at the desk is in the account's history too, where its owner can withdraw it.
fn consent_of_account(conn: &mut Conn, ledger: &Ledger, user: Id<User>, at: UtcMs) -> Result<(), ApiError> {
    let kind = ConsentKind::Biometric.as_str();
    let earlier = users::newest_consents(conn, user)?.into_iter().find(|row| row.kind == kind);
    if earlier.as_ref().is_some_and(|row| row.granted && row.version == BIOMETRIC_VERSION) {
        return Ok(());
    }
    let row = ConsentRow {
        id: Id::fresh(),
        user_id: user,
        kind: kind.to_owned(),
        version: BIOMETRIC_VERSION.to_owned(),
        granted: true,
        at: earlier.map_or(at, |row| row.next_at(at)),
    };
    users::record_consent(conn, &row)?;
    let entry = EntryKind::Consent { kind: row.kind, version: row.version, granted: true };
    remember(ledger, row.at, user.into(), entry)
}
