//! `POST /api/attendance/register-user`: a face is taken in, with the consent of its person.

use std::{collections::BTreeMap, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Bytes, Data, Payload},
};
use blink_proto::{
    faces::{ENCODING_LENGTH, Encoding, MAX_PICTURE_BYTES, PictureFault, Purpose},
    http::{ConsentKind, RegisteredPerson, Role},
};

use super::{ATTEMPTS, MOVED, image_path, moved, still_moving, unreadable};
use crate::{
    attendance::{
        gallery::LIMIT_DIFFERENT_FACES,
        magic::{self, Kind},
        person,
    },
    db::{
        attendance::people::{self, Biometrics, DeskConsentRow, PersonRow},
        conn::Conn,
        id::{Id, User},
        users::{self, ConsentRow},
    },
    domain::{account, time::UtcMs},
    error::{ApiError, ApiResult},
    faces::ReadError,
    http::{
        multipart::{self, FileField, Form},
        to_its_end,
    },
    ledger::{EntryKind, Ledger},
    principal::Principal,
    routes::consents::BIOMETRIC_VERSION,
    state::{State, remember},
};

/// The most pictures of one enrolment.
const MOST_PICTURES: usize = 5;

const PICTURES: FileField = FileField {
    names: &["image", "webcam_frame"],
    most: MOST_PICTURES,
    max_bytes: MAX_PICTURE_BYTES,
    max_total: MOST_PICTURES * MAX_PICTURE_BYTES,
};

/// The form of an enrolment, for the API's description.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it describes a form, which the handler reads field by field")]
pub(crate) struct EnrolmentForm {
    /// What the person is called.
    name: String,
    /// One to five pictures of the person alone; `webcam_frame` is the same.
    #[schema(value_type = Vec<String>)]
    image: Vec<String>,
    /// The person's id at the desk; made from the name if absent.
    id: Option<String>,
    /// The address of an account to link.
    email: Option<String>,
    /// true replaces the biometrics of the person with this id.
    force: Option<bool>,
    /// true: the person has agreed to the text of this version.
    consent: bool,
    /// The version of the biometric text that was shown.
    consent_version: String,
}

/// What was given beside the pictures.
#[derive(Clone)]
pub(crate) struct Given {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) email_key: Option<String>,
    pub(crate) force: bool,
}

/// Enrol a person's face, with their consent.
#[utoipa::path(
    post,
    path = "/api/attendance/register-user",
    tag = "attendance",
    request_body(content = inline(EnrolmentForm), content_type = "multipart/form-data"),
    responses((status = 201, body = blink_proto::http::RegisteredPerson), (status = 409), (status = 429)),
)]
pub(crate) async fn enrol(who: Principal, req: HttpRequest, payload: Payload, state: Data<State>) -> ApiResult {
    who.require(Role::Manager)?;
    state.limits.marks(who.user)?;
    let mut form = multipart::read(&req, payload, &state.desk.uploads, &[PICTURES]).await?;
    let (given, pictures) = given(&mut form)?;
    to_its_end(async move {
        let person = carry_out(Some(&who), &state, given, pictures).await;
        drop(form);
        Ok(HttpResponse::Created().json(registered(&state, person?)?))
    })
    .await
}

fn registered(state: &State, person: PersonRow) -> Result<RegisteredPerson, ApiError> {
    Ok(RegisteredPerson {
        image_path: image_path(state, &person.id, person.uid, state.clock.now())?,
        name: person.name,
        id: person.id,
        registered_at: person.registered_at.timestamp(),
        embedding_dim: u32::try_from(ENCODING_LENGTH).unwrap_or(u32::MAX),
    })
}

/// Enrols a person for the operator at the machine, who has the person's consent.
pub(crate) async fn at_the_machine(
    state: &State,
    name: &str,
    force: bool,
    pictures: Vec<Bytes>,
) -> Result<PersonRow, ApiError> {
    let name = account::name(name).map_err(|why| ApiError::invalid_field("name", why))?;
    let name = name.ok_or_else(|| ApiError::invalid_field("name", "is required"))?;
    let no_letter = || ApiError::invalid_field("name", "has no letter to make an id of");
    let id = person::slug(&name).ok_or_else(no_letter)?;
    carry_out(None, state, Given { id, name, email_key: None, force }, pictures).await
}

fn given(form: &mut Form) -> Result<(Given, Vec<Bytes>), ApiError> {
    let mut wrong = BTreeMap::new();
    let mut refuse = |name: &str, why: &str| drop(wrong.insert(name.to_owned(), why.to_owned()));
    let mut text = |form: &mut Form, name: &'static str| match form.text(name) {
        Ok(text) => text,
        Err(why) => {
            refuse(name, &why);
            None
        }
    };
    let [name, id, email, force, consent, version] =
        ["name", "id", "email", "force", "consent", "consent_version"].map(|name| text(form, name));
    let name = match name.as_deref().map(account::name) {
        None | Some(Ok(None)) => {
            refuse("name", "is required");
            None
        }
        Some(Err(why)) => {
            refuse("name", &why);
            None
        }
        Some(Ok(name)) => name,
    };
    let id = match (id, name.as_deref()) {
        (Some(id), _) => person::id(&id).map_err(|why| refuse("id", &why)).ok(),
        (None, Some(name)) => {
            let slug = person::slug(name);
            if slug.is_none() {
                refuse("id", "is required: the name has no letter to make one of");
            }
            slug
        }
        (None, None) => None,
    };
    let email_key = match email.as_deref().map(account::Email::parse) {
        None => None,
        Some(Ok(email)) => Some(email.key),
        Some(Err(why)) => {
            refuse("email", &why);
            None
        }
    };
    let flag = |text: Option<&str>| match text.map(str::trim) {
        None | Some("false" | "0") => Ok(false),
        Some("true" | "1") => Ok(true),
        Some(_) => Err("must be true or false"),
    };
    let force = flag(force.as_deref()).map_err(|why| refuse("force", why)).unwrap_or(false);
    if flag(consent.as_deref()) != Ok(true) {
        refuse("consent", "must be true: without the person's consent no face is enrolled");
    }
    match version.as_deref().map(str::trim) {
        Some(BIOMETRIC_VERSION) => {}
        None => refuse("consent_version", "is required"),
        Some(_) => refuse("consent_version", "is not the version of the text at /api/consents"),
    }
    let pictures = form.files("image");
    if pictures.is_empty() {
        refuse("image", "is required");
    }
    match (id, name) {
        (Some(id), Some(name)) if wrong.is_empty() => Ok((Given { id, name, email_key, force }, pictures)),
        _ => Err(ApiError::invalid(wrong)),
    }
}

/// The error of a picture that cannot be enrolled, with the fault's code and what to do.
fn refused(fault: PictureFault, n: usize, of: usize) -> ApiError {
    let mut error = ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, fault.code(), fault.advice());
    let which = if of > 1 { format!("picture {} of {of}", n + 1) } else { "the picture".to_owned() };
    error.fields.insert("image".to_owned(), format!("{which}: {}", fault.code()));
    error
}

/// Without `who` it is the operator at the machine who enrols.
async fn carry_out(
    who: Option<&Principal>,
    state: &State,
    given: Given,
    pictures: Vec<Bytes>,
) -> Result<PersonRow, ApiError> {
    let of = pictures.len();
    let (mut encodings, mut photo) = (Vec::with_capacity(of), None);
    for (n, picture) in pictures.into_iter().enumerate() {
        if magic::kind(&picture) != Some(Kind::Picture) {
            let mut error = refused(PictureFault::Unsupported, n, of);
            error.status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(error);
        }
        match state.desk.reader.still(picture, Purpose::Enrolment).await {
            Ok(still) => {
                encodings.push(still.report.encoding);
                photo.get_or_insert(still.photo);
            }
            Err(ReadError::Fault(fault)) => return Err(refused(fault, n, of)),
            Err(e) => return Err(unreadable(&e)),
        }
    }
    store(who, state, given, encodings, photo.unwrap_or_default()).await
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
