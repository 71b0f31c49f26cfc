//! Reads forms with files. The whole form is bounded before it is read, and so are its parts; pictures are held in memory
//! alone.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use actix_multipart::Multipart;
use actix_web::{
    HttpRequest,
    http::{
        StatusCode,
        header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE},
    },
    web::{Bytes, Payload},
};
use futures_util::{TryStreamExt as _, stream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{body, upload};
use crate::error::ApiError;

/// Longest time that a form may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(90);

/// The most parts: the frames of the longest recording, and some fields.
const MOST_PARTS: usize = 1_300;

/// The largest field that is no file.
const MAX_TEXT_BYTES: usize = 64 << 10;

/// What the boundaries and heads of the parts may take beside the files.
const OVERHEAD_BYTES: usize = 1 << 20;

/// The files of one field.
#[derive(Clone, Copy)]
pub(crate) struct FileField {
    /// Its names: clients differ in them.
    pub names: &'static [&'static str],
    pub most: usize,
    /// The largest file, and the most that all of them take together.
    pub max_bytes: usize,
    pub max_total: usize,
}

/// A form that has arrived, with its share of the memory.
pub(crate) struct Form {
    texts: BTreeMap<String, Vec<String>>,
    files: BTreeMap<&'static str, Vec<Bytes>>,
    /// Kept until the pictures have been read.
    _share: OwnedSemaphorePermit,
}

impl Form {
    /// The files of a field, by the first of its names.
    pub(crate) fn files(&mut self, name: &'static str) -> Vec<Bytes> {
        self.files.remove(name).unwrap_or_default()
    }

    /// All values of a text field.
    pub(crate) fn texts(&mut self, name: &str) -> Vec<String> {
        self.texts.remove(name).unwrap_or_default()
    }

    /// A text that may be absent or empty; both give `None`.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, String> {
        let mut given = self.texts(name);
        if given.len() > 1 {
            return Err("must be given once".to_owned());
        }
        Ok(given.pop().filter(|text| !text.trim().is_empty()))
    }
}

/// The largest body of a form with these files.
pub(crate) fn largest_body(fields: &[FileField]) -> usize {
    fields.iter().map(|field| field.max_total).max().unwrap_or(0) + OVERHEAD_BYTES
}

/// Reads a form with these files. 413 for more or larger ones, 415 for another type of body, 503 while the memory for
/// pictures is taken.
pub(crate) async fn read(
    req: &HttpRequest,
    payload: Payload,
    memory: &Arc<Semaphore>,
    fields: &[FileField],
) -> Result<Form, ApiError> {
    let is =
        |name, wanted: fn(&str) -> bool| req.headers().get(name).is_none_or(|value| value.to_str().is_ok_and(wanted));
    let form = req.headers().contains_key(CONTENT_TYPE)
        && is(CONTENT_TYPE, |kind| kind.trim_start().to_ascii_lowercase().starts_with("multipart/form-data"));
    if !form || !is(CONTENT_ENCODING, |encoding| encoding.eq_ignore_ascii_case("identity")) {
        let message = "Send multipart/form-data, not compressed.";
        return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message));
    }
    let limit = largest_body(fields);
    let length = req.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    // All of it at once, so that no two forms wait for each other's memory.
    let share = upload::take(memory, length.unwrap_or(limit).min(limit)).await?;
    let receiving = body::receive(upload::paced(payload), limit, async |_| Ok(()));
    let received = tokio::time::timeout(ARRIVAL, receiving).await;
    let bytes = received.map_err(|_| ApiError::from_status(StatusCode::REQUEST_TIMEOUT))??;
    let (texts, files) = parts(req, bytes, fields).await?;
    Ok(Form { texts, files, _share: share })
}

type Parts = (BTreeMap<String, Vec<String>>, BTreeMap<&'static str, Vec<Bytes>>);

async fn parts(req: &HttpRequest, body: Vec<u8>, fields: &[FileField]) -> Result<Parts, ApiError> {
    let whole = stream::once(std::future::ready(Ok(Bytes::from(body))));
    let mut parts = Multipart::new(req.headers(), whole);
    let (mut texts, mut files) = (BTreeMap::<String, Vec<String>>::new(), BTreeMap::<&str, Vec<Bytes>>::new());
    let mut count = 0;
    while let Some(mut part) = parts.try_next().await.map_err(|e| broken(&e))? {
        count += 1;
        if count > MOST_PARTS {
            return Err(ApiError::too_large(format!("The form has more than {MOST_PARTS} parts.")));
        }
        let name = part.name().unwrap_or_default().to_owned();
        let field = fields.iter().find(|field| field.names.contains(&name.as_str()));
        let limit = field.map_or(MAX_TEXT_BYTES, |field| field.max_bytes);
        let mut bytes = Vec::new();
        while let Some(chunk) = part.try_next().await.map_err(|e| broken(&e))? {
            if bytes.len() + chunk.len() > limit {
                return Err(too_large(&name, limit));
            }
            bytes.extend_from_slice(&chunk);
        }
        match field {
            Some(field) => {
                let own = files.entry(field.names[0]).or_default();
                let total = own.iter().map(Bytes::len).sum::<usize>() + bytes.len();
                if own.len() == field.most {
                    return Err(ApiError::too_large(format!("{name} may be given {} times at most.", field.most)));
                }
                if total > field.max_total {
                    return Err(too_large(&name, field.max_total));
                }
                own.push(Bytes::from(bytes));
            }
            None => {
                let text = String::from_utf8(bytes).map_err(|_| ApiError::invalid_field(&name, "must be UTF-8"))?;
                texts.entry(name).or_default().push(text);
            }
        }
    }
    Ok((texts, files))
}

fn too_large(name: &str, limit: usize) -> ApiError {
    let limit = if limit < 1 << 20 { format!("{} KB", limit >> 10) } else { format!("{} MB", limit >> 20) };
    ApiError::too_large(format!("{name} is larger than {limit}."))
}

fn broken(e: &dyn std::fmt::Display) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "bad_multipart", format!("The form cannot be read: {e}."))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use blink_proto::example;
    use futures_util::FutureExt as _;

    use super::*;

    const FACES: FileField = FileField { names: &["images", "image"], most: 2, max_bytes: 100, max_total: 150 };

    /// Any bytes are a form within its limits, or an error.
    #[test]
    fn fuzz_forms() {
        let part = |name: &str, text: &str| {
            format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"a.png\"\r\n\r\n{text}\r\n")
        };
        let whole = format!("{}{}{}--x--\r\n", part("name", "Ada"), part("images", "1234"), part("image", "5678"));
        bolero::check!().for_each(|bytes: &[u8]| {
            let kind = (CONTENT_TYPE, "multipart/form-data; boundary=x");
            let req = TestRequest::post().insert_header(kind).to_http_request();
            for body in [bytes.to_vec(), example::spliced(whole.as_bytes(), bytes)] {
                let parts = parts(&req, body, &[FACES]).now_or_never().expect("all of it is there");
                let Ok((_, files)) = parts else { continue };
                for files in files.values() {
                    assert!(
                        files.len() <= FACES.most && files.iter().map(Bytes::len).sum::<usize>() <= FACES.max_total
                    );
                }
            }
        });
    }
}
