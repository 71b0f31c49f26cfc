//! HTTP plumbing that all endpoints share.
//!
//! - [`envelope`]: request ids, the error envelope, security headers, the log line
//! - [`body`]: small bodies, decompressed and bounded; [`upload`]: large ones; [`multipart`]: forms with files
//! - [`page`]: pages of a list; [`query`]: what a query asks
//! - [`people`]: errors as pages, for addresses that browsers open
//! - [`client`]: requests that this server makes itself
//! - [`resource`]: a path with its methods

pub(crate) mod body;
pub(crate) mod client;
pub(crate) mod envelope;
pub(crate) mod multipart;
pub(crate) mod page;
pub(crate) mod people;
pub(crate) mod query;
pub(crate) mod upload;

use std::{borrow::Cow, convert::Infallible};

use actix_web::{
    HttpRequest, Resource, Route,
    body::{MessageBody, SizedStream},
    guard,
    http::{
        Method, StatusCode,
        header::{ALLOW, HeaderValue, USER_AGENT},
    },
    web::{self, Bytes},
};
use futures_util::stream;

use crate::error::ApiError;

/// The program that a client says it is: at most 200 characters of its `User-Agent`; an empty one says nothing.
pub(crate) fn user_agent(req: &HttpRequest) -> Option<String> {
    let text = req.headers().get(USER_AGENT)?.to_str().ok()?.trim();
    (!text.is_empty()).then(|| text.chars().take(200).collect())
}

/// Runs `f` on the blocking pool, so that it does not hold up other requests.
pub(crate) async fn blocking<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
    web::block(f).await.map_err(|_| ApiError::internal("the work was cancelled"))
}

/// A large shared answer, sent in parts of 32 KiB: a connection copies only the part it sends next.
pub(crate) fn in_parts(bytes: Bytes) -> impl MessageBody + 'static {
    const PART_BYTES: usize = 32 << 10;
    let size = bytes.len() as u64;
    let parts = stream::unfold(bytes, |mut rest| {
        let part = rest.split_to(rest.len().min(PART_BYTES));
        std::future::ready((!part.is_empty()).then_some((Ok::<_, Infallible>(part), rest)))
    });
    SizedStream::new(size, parts)
}

/// A file that is embedded in the program, or was read from where it was built. The bytes are not copied: a client that reads
/// slowly would otherwise hold a megabyte of memory.
pub(crate) fn embedded_file(bytes: Cow<'static, [u8]>) -> impl MessageBody + 'static {
    in_parts(match bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    })
}

/// Runs `work` to its end even if the client hangs up, so that what it holds (turns, memory) is held until it is done.
pub(crate) async fn to_its_end<T: 'static>(
    work: impl Future<Output = Result<T, ApiError>> + 'static,
) -> Result<T, ApiError> {
    actix_web::rt::spawn(work).await.map_err(|_| ApiError::internal("the work was cancelled"))?
}

/// A path with its methods. Another method gets 405 with `Allow`; GET also answers HEAD.
pub(crate) fn resource(path: &str, methods: Vec<(Method, Route)>) -> Resource {
    let allow = methods.iter().map(|(m, _)| m.as_str()).collect::<Vec<_>>().join(", ");
    let mut resource = web::resource(path);
    for (method, route) in methods {
        resource = resource.route(match method {
            Method::GET => route.guard(guard::Any(guard::Get()).or(guard::Head())),
            other => route.method(other),
        });
    }
    resource.default_service(web::to(move || {
        let mut error = ApiError::from_status(StatusCode::METHOD_NOT_ALLOWED);
        error.headers.extend(HeaderValue::from_str(&allow).map(|value| (ALLOW, value)));
        std::future::ready(Err::<&'static str, _>(error))
    }))
}
