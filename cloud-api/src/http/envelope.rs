//! Gives each request an id, and each answer its security headers and its log line. A failed answer gets the common
//! error envelope, whether a handler, an extractor or the router refused the request.

use std::time::Instant;

use actix_web::{
    Error, HttpMessage as _, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{self, HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
};
use blink_proto::http::{ErrorDetail, ErrorEnvelope};

use super::people;
use crate::{clock, error::ApiError, metrics};

/// The person of a request, for the log. It cannot be turned back into them without the server's keys.
#[derive(Clone, Debug)]
pub(crate) struct Pseudonym(pub String);

/// Marks an error that must keep its own form, such as that of RFC 8628.
pub(crate) struct OwnForm;

/// Whether people reach this server over HTTPS, including through a proxy that ends TLS.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Https(pub bool);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Pages may load only what this server serves, and no site may frame them.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The outermost middleware: it also sees what routing and extractors refuse.
pub(crate) async fn around(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let request_id = clock::fresh_uuid().to_string();
    let secure = req.app_config().secure() || req.app_data::<Https>().is_some_and(|https| https.0);
    let mut res = next.call(req).await?.map_into_boxed_body();
    let failed = res.status().is_client_error() || res.status().is_server_error();
    if failed && res.response().extensions().get::<OwnForm>().is_none() {
        res = enveloped(res, &request_id);
    }
    set_headers(res.headers_mut(), &request_id, secure);
    let req = res.request();
    let pattern = req.match_pattern();
    let (route, status, took) = (pattern.as_deref().unwrap_or("-"), res.status().as_u16(), started.elapsed());
    metrics::request(route, req.method().as_str(), status, took);
    tracing::info!(
        request_id,
        method = %req.method(),
        route,
        status,
        elapsed_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        person = req.extensions().get::<Pseudonym>().map(|p| p.0.as_str()),
        "request"
    );
    Ok(res)
}

fn enveloped(res: ServiceResponse<BoxBody>, request_id: &str) -> ServiceResponse<BoxBody> {
    let from_library;
    let error = match res.response().error().and_then(|e| e.as_error::<ApiError>()) {
        Some(error) => error,
        None => {
            from_library = ApiError::from_status(res.status());
            &from_library
        }
    };
    if let Some(cause) = &error.cause {
        tracing::error!(request_id, code = error.code, cause, "a request failed");
    }
    let mut answer = HttpResponse::build(error.status);
    for (name, value) in &error.headers {
        answer.insert_header((name.clone(), value.clone()));
    }
    let answer = if people::is_for_people(res.request()) {
        people::page(answer, &error.message, request_id)
    } else {
        answer.json(ErrorEnvelope {
            error: ErrorDetail {
                code: error.code.to_owned(),
                message: error.message.clone(),
                fields: (!error.fields.is_empty()).then(|| error.fields.clone()),
                request_id: request_id.to_owned(),
            },
        })
    };
    res.into_response(answer)
}

fn set_headers(headers: &mut HeaderMap, request_id: &str, secure: bool) {
    // Headers set by a handler stay: pages may be cached, and Swagger UI needs inline styles.
    let mut set = |name: HeaderName, value: &'static str| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    // Answers are about one person, so no cache may keep them.
    set(header::CACHE_CONTROL, "no-store");
    if secure {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, id);
    }
}
