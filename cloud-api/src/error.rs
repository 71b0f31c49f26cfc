//! The error of a request: a status, a code, a sentence, and the fields at fault. [`crate::http::envelope`] turns it
//! into the JSON envelope with the request's id.
//!
//! The internal reason is kept apart in `cause`, which is logged but never sent to the client.

use std::{collections::BTreeMap, fmt};

use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
};

use crate::{
    db::{DbError, MaybeRetry},
    domain::fields::WrongFields,
    failure::chain,
};

#[derive(Debug)]
pub struct ApiError {
    pub status: StatusCode,
    /// A stable identifier for programs.
    pub code: &'static str,
    pub message: String,
    /// The fields at fault, each with the reason.
    pub fields: BTreeMap<String, String>,
    /// Extra headers of the answer.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The internal reason, for the log only.
    pub cause: Option<String>,
    retryable: bool,
}

pub(crate) type ApiResult<T = HttpResponse> = Result<T, ApiError>;

impl ApiError {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            fields: BTreeMap::new(),
            headers: Vec::new(),
            cause: None,
            retryable: false,
        }
    }

    #[must_use]
    pub fn invalid(fields: BTreeMap<String, String>) -> Self {
        let mut error = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "Some fields are missing or wrong.");
        error.fields = fields;
        error
    }

    pub fn invalid_field(name: &str, why: impl Into<String>) -> Self {
        Self::invalid(BTreeMap::from([(name.to_owned(), why.into())]))
    }

    /// 401 for a missing, invalid or expired access token.
    #[must_use]
    pub fn unauthenticated() -> Self {
        let mut error = Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthenticated",
            "A valid access token is needed: sign in, or refresh the session.",
        );
        error.headers.push((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
        error
    }

    pub fn forbidden(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, message)
    }

    #[must_use]
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is nothing at this address.")
    }

    pub fn too_large(message: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
    }

    /// 500. The cause is only logged.
    pub fn internal(cause: impl Into<String>) -> Self {
        let message = "The server failed. Try again; if it stays so, tell its operator the request id.";
        let mut error = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message);
        error.cause = Some(cause.into());
        error
    }

    /// 503 with `Retry-After`. The cause is only logged.
    pub fn unavailable(cause: impl Into<String>) -> Self {
        let message = "The database cannot be used now. Try again in a moment.";
        let mut error = Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message);
        error.headers.push((header::RETRY_AFTER, HeaderValue::from_static("5")));
        error.cause = Some(cause.into());
        error
    }

    /// 503 `busy` with `Retry-After`: others take the place of this request.
    pub(crate) fn busy(message: &str) -> Self {
        let mut error = Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message);
        error.headers.push((header::RETRY_AFTER, HeaderValue::from_static("5")));
        error
    }

    /// The error for a status that a library answered without an [`ApiError`].
    #[must_use]
    pub fn from_status(status: StatusCode) -> Self {
        let (code, message) = match status {
            StatusCode::NOT_FOUND => return Self::not_found(),
            StatusCode::UNAUTHORIZED => return Self::unauthenticated(),
            StatusCode::METHOD_NOT_ALLOWED => ("method_not_allowed", "This address does not answer that method."),
            StatusCode::PAYLOAD_TOO_LARGE => ("too_large", "The request is too large."),
            StatusCode::REQUEST_TIMEOUT => ("timeout", "The request took too long to arrive."),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => ("unsupported_media_type", "Send application/json."),
            s if s.is_server_error() => return Self::internal(format!("a library answered {s}")),
            _ => ("bad_request", "The request cannot be understood."),
        };
        Self::new(status, code, message)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status.as_u16(), self.code)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    /// The answer has no body here; [`crate::http::envelope`] adds it.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status)
    }
}

impl From<WrongFields> for ApiError {
    fn from(wrong: WrongFields) -> Self {
        Self::invalid(wrong.0)
    }
}

impl From<DbError> for ApiError {
    fn from(e: DbError) -> Self {
        let retryable = e.is_retryable();
        let mut error = if e.is_outage() { Self::unavailable(chain(&e)) } else { Self::internal(chain(&e)) };
        error.retryable = retryable;
        error
    }
}

impl MaybeRetry for ApiError {
    fn is_retryable(&self) -> bool {
        self.retryable
    }
}
