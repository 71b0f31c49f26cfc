//! cloud-api as a trait, so that tests need no network, and the ways in which a call can fail.

use std::time::Duration;

use blink_proto::ipc::RemotePage;
use blink_proto::{
    Problem, Secret,
    http::{
        Consent, ErrorDetail, LoginRequest, MinutesByDevice, OwnMinutes, RefreshRequest, RegisterRequest, SyncRequest,
        SyncResponse, TokenResponse,
    },
    problem::code,
    text,
};
use jiff::Timestamp;
use serde_json::Value;

use super::{BaseUrl, DeviceAnswer, DeviceStart, MinutesOf, PageOf};

/// The account's consent to tracking as its server has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerConsent {
    pub granted: bool,
    /// When it was given or withdrawn, if the server says.
    pub at: Option<Timestamp>,
}

impl From<&Consent> for ServerConsent {
    fn from(consent: &Consent) -> Self {
        Self { granted: consent.granted, at: Some(consent.at) }
    }
}

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NetError {
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    #[error("the server does not answer in time")]
    TimedOut,
    /// The server's certificate is not trusted, or there is no common TLS version.
    #[error("the secure connection failed: {0}")]
    Tls(String),
    #[error("the server does not speak TLS at that address")]
    NoTls,
    /// A status other than success.
    #[error("the server answered {status}")]
    Status {
        status: u16,
        /// The error envelope, if the body was one.
        detail: Option<Box<ErrorDetail>>,
        /// The wait that `Retry-After` asks for.
        retry_after: Option<Duration>,
    },
    /// The answer cannot be parsed: it is not cloud-api.
    #[error("the server's answer cannot be read: {0}")]
    Protocol(String),
    /// The answer is an HTML page, as from a captive portal.
    #[error("a web page came instead of the server's answer")]
    WebPage,
    /// A redirect, which is not followed because a password could be taken there.
    #[error("the server sends us to {0}, which is not followed")]
    Redirected(String),
    /// Even a single minute is refused with 413, by the server or a proxy before it.
    #[error("the server, or a proxy before it, refuses even a single minute as too large")]
    TakesNothing,
    /// There are no tokens, or the server has ended the session.
    #[error("the session has ended")]
    SessionEnded,
}

impl NetError {
    /// The HTTP status, where there was an answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The wait that the server asks for.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The code in the error envelope.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Status { detail: Some(detail), .. } => Some(&detail.code),
            _ => None,
        }
    }

    /// Whether the server itself refuses the token. A 401 without the server's error envelope is a proxy's, which does
    /// not know the session.
    #[must_use]
    pub fn is_unauthorised(&self) -> bool {
        self.status() == Some(401) && self.code().is_some()
    }

    /// Whether trying again may help, because the fault may be temporary or lie between us and the server.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::TimedOut | Self::WebPage | Self::Redirected(_) => true,
            _ => matches!(self.status(), Some(408 | 429 | 500..)),
        }
    }

    /// The problem as it is shown to the person.
    #[must_use]
    pub fn problem(&self) -> Problem {
        let message = format!("{}.", text::capitalised(&self.to_string()));
        match self {
            Self::Unreachable(_) => Problem::new(
                code::SERVER_UNREACHABLE,
                message,
                "Check the network and the server's address; minutes are kept and sent later.",
            ),
            Self::TimedOut => {
                Problem::new(code::SERVER_TIMEOUT, message, "Check the network; minutes are kept and sent later.")
            }
            Self::Tls(_) => Problem::new(
                code::TLS_FAILED,
                message,
                "Check the server's certificate and this machine's clock; name a private authority with ca_file.",
            ),
            Self::NoTls => Problem::new(
                code::TLS_FAILED,
                message,
                "Ask the server's operator for its https:// address; on this machine it may be http://.",
            ),
            Self::WebPage => Problem::new(
                code::WEB_PAGE,
                message,
                "Sign in to this network in a browser if it asks for that, or check the server's address; minutes are \
                 kept and sent later.",
            ),
            Self::Redirected(_) => Problem::new(
                code::REDIRECTED,
                message,
                "Sign in to this network in a browser if it asks for that; if the server has moved, sign in at its new \
                 address.",
            ),
            Self::TakesNothing => Problem::new(
                code::TOO_LARGE,
                message,
                "Tell the server's operator: requests of up to 8 MB must be let through; minutes are kept and sent later.",
            ),
            Self::Protocol(_) => Problem::new(code::WRONG_SERVER, message, "Check the server's address."),
            Self::SessionEnded => Problem::new(
                code::NOT_SIGNED_IN,
                "The server has ended this session; minutes are kept until you sign in again.",
                "Run `blinkctl login`; if the account was erased, `blinkctl register` makes a new one.",
            ),
            Self::Status { status, detail, .. } => from_status(*status, detail.as_deref()),
        }
    }
}

fn from_status(status: u16, detail: Option<&ErrorDetail>) -> Problem {
    let fields = detail.and_then(|detail| detail.fields.as_ref());
    let said = detail.map_or_else(
        || format!("The server answered {status}."),
        |detail| {
            let fields =
                fields.into_iter().flatten().map(|(field, why)| format!(" {field}: {why}.")).collect::<String>();
            format!("{}{fields}", detail.message)
        },
    );
    let word = detail.map_or_else(|| format!("http_{status}"), |detail| detail.code.clone());
    let fix = match status {
        403 if word == code::WRONG_PASSWORD => "Give the account's password; nothing was erased.",
        403 if word == code::FRESH_SIGN_IN_REQUIRED => "Give the password, or sign in anew first.",
        401 if detail.is_none() => {
            "Ask who runs the proxy or network before the server; minutes are kept and sent later."
        }
        401 => "Check the e-mail address and the password.",
        403 => "Ask the server's operator, or see your account's consents.",
        404 | 405 => "Check the server's address.",
        409 => "Sign in instead with `blinkctl login`, or use another e-mail address.",
        413 => "Nothing needs doing: less is sent at once.",
        422 if word == code::TOO_MANY_DEVICES => {
            "Take machines that you no longer use off the account's list, then run `blinkctl sync`; minutes are kept."
        }
        422 => "Correct what the server names.",
        429 => "Wait a little; it is tried again by itself.",
        500.. => "The server has a problem of its own; minutes are kept and sent later.",
        _ => "Check the server's address and version.",
    };
    Problem::new(word, said, fix)
}

/// The calls to cloud-api. Each returns within the time-outs.
pub trait Server: Send {
    /// `GET /health`: tells cheaply whether the server is back. Returns its `Date`, if the answer has one.
    fn health(&self) -> Result<Option<Timestamp>, NetError>;

    /// `POST /api/auth/register`.
    fn register(&self, request: &RegisterRequest) -> Result<TokenResponse, NetError>;

    /// `POST /api/auth/login`.
    fn login(&self, request: &LoginRequest) -> Result<TokenResponse, NetError>;

    /// `POST /api/auth/refresh`. Status 401 with an error envelope ends the session.
    fn refresh(&self, request: &RefreshRequest) -> Result<TokenResponse, NetError>;

    /// `POST /api/auth/logout`.
    fn logout(&self, access: &Secret) -> Result<(), NetError>;

    /// `POST /api/blink/sync`. If it fails, nothing counts as acknowledged.
    fn sync(&self, access: &Secret, request: &SyncRequest) -> Result<SyncResponse, NetError>;

    /// `GET /api/user/me/consents`; `None` from a server that does not record consent.
    fn consent(&self, access: &Secret) -> Result<Option<ServerConsent>, NetError>;

    /// `PUT /api/user/me/consents`.
    fn put_consent(&self, access: &Secret, granted: bool, version: &str) -> Result<(), NetError>;

    /// `GET /api/user/me/blinks`, grouped by minute.
    fn minutes(&self, access: &Secret, of: &PageOf) -> Result<RemotePage, NetError>;

    /// `GET /api/user/me/minutes`.
    fn own_minutes(&self, access: &Secret, of: &MinutesOf) -> Result<OwnMinutes, NetError>;

    /// `GET /api/user/me/minutes/devices`.
    fn minutes_by_device(&self, access: &Secret, of: &MinutesOf) -> Result<MinutesByDevice, NetError>;

    /// `DELETE /api/user/me`; returns the receipt. If it fails, nothing was erased, unless the answer was lost.
    fn erase_account(&self, access: &Secret, password: Option<&Secret>) -> Result<Value, NetError>;

    /// `POST /api/auth/device`, with this machine's name.
    fn device_start(&self, name: &str) -> Result<DeviceStart, NetError>;

    /// `POST /api/auth/device/token`. A person who has not confirmed yet is an answer, not an error.
    fn device_token(&self, code: &Secret) -> Result<DeviceAnswer, NetError>;
}

pub type Connect = Box<dyn Fn(&BaseUrl) -> Result<Box<dyn Server>, Problem> + Send>;
