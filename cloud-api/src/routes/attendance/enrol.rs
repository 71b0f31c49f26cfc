//! `POST /api/attendance/register-user`: a face is taken in, with the consent of its person.

use std::collections::BTreeMap;

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Bytes, Data, Payload},
};
use blink_proto::{
    faces::{ENCODING_LENGTH, MAX_PICTURE_BYTES, PictureFault, Purpose},
    http::{RegisteredPerson, Role},
};

use super::{
    enrolment::{Given, store},
    image_path, unreadable,
};
use crate::{
    attendance::{
        magic::{self, Kind},
        person,
    },
    db::attendance::people::PersonRow,
    domain::account,
    error::{ApiError, ApiResult},
    faces::ReadError,
    http::{
        multipart::{self, FileField, Form},
        to_its_end,
    },
    principal::Principal,
    routes::consents::BIOMETRIC_VERSION,
    state::State,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proxies_let_the_largest_enrolment_through() {
        let largest = multipart::largest_body(&[PICTURES]);
        for (file, before, after) in
            [("nginx/cloud-api.conf", "client_max_body_size ", "m;"), ("docker/Caddyfile", "max_size ", "MiB")]
        {
            let path = format!("{}/../packaging/{file}", env!("CARGO_MANIFEST_DIR"));
            let text = std::fs::read_to_string(path).unwrap();
            let limit = text.split_once(before).and_then(|(_, rest)| rest.split_once(after)).unwrap().0;
            let limit = limit.parse::<usize>().unwrap() << 20;
            assert!(limit >= largest, "{file}: {limit} of {largest} bytes");
        }
    }
}
