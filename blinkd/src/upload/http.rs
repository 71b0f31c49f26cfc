//! The HTTP client of cloud-api, on ureq and rustls, with every time-out set.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};

use blink_proto::{
    Problem, Secret,
    http::{
        ConsentChange, ConsentKind, Consents, DeviceRequest, Erase, ErrorEnvelope, LoginRequest, MinutesByDevice,
        OAuthError, OwnMinutes, RefreshRequest, RegisterRequest, SyncRequest, SyncResponse, TokenResponse,
    },
    ipc::RemotePage,
    problem::code,
};
use flate2::{Compression, write::GzEncoder};
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use ureq::{
    Agent, Body,
    http::Response,
    tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem},
};

use super::{
    BaseUrl, DeviceAnswer, DeviceStart, MinutesOf, NetError, PageOf, Server, ServerConsent, failure::net_error,
};

/// The grant type of RFC 8628, 3.4.
const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// The largest response body that is read.
const MAX_ANSWER_BYTES: u64 = 2 << 20;

#[derive(Debug)]
pub struct HttpServer {
    agent: Agent,
    base: BaseUrl,
}

impl HttpServer {
    /// A client of `base`, which trusts the authorities of the system and those in `ca_file`.
    pub fn new(base: BaseUrl, ca_file: Option<&Path>) -> Result<Self, Problem> {
        let roots = match ca_file {
            None => RootCerts::PlatformVerifier,
            Some(path) => RootCerts::new_with_certs(&with_private_authority(path)?),
        };
        let mut config = Agent::config_builder()
            .user_agent(concat!("blinkd/", env!("CARGO_PKG_VERSION")))
            .http_status_as_error(false)
            // A redirect could send a password elsewhere, so it is reported instead of followed.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            .timeout_resolve(Some(Duration::from_secs(5)))
            .timeout_connect(Some(Duration::from_secs(5)))
            .timeout_send_request(Some(Duration::from_secs(5)))
            .timeout_send_body(Some(Duration::from_secs(15)))
            .timeout_recv_response(Some(Duration::from_secs(15)))
            .timeout_recv_body(Some(Duration::from_secs(10)))
            .tls_config(TlsConfig::builder().root_certs(roots).build());
        if base.is_loopback() {
            config = config.proxy(None);
        }
        Ok(Self { agent: config.build().new_agent(), base })
    }

    /// The agent. Fails when the clock is before 1970, where rustls panics.
    fn agent(&self) -> Result<&Agent, NetError> {
        if Timestamp::now() < Timestamp::UNIX_EPOCH {
            return Err(NetError::Tls("this machine's clock is before 1970".to_owned()));
        }
        Ok(&self.agent)
    }

    fn get(&self, path: &str, access: Option<&Secret>) -> Result<Response<Body>, NetError> {
        self.get_with(path, Vec::new(), access)
    }

    fn get_with(
        &self,
        path: &str,
        query: Vec<(&'static str, String)>,
        access: Option<&Secret>,
    ) -> Result<Response<Body>, NetError> {
        let mut request = self.agent()?.get(self.base.join(path)).query_pairs(query);
        if let Some(access) = access {
            request = request.header("Authorization", format!("Bearer {}", access.expose()));
        }
        request.call().map_err(|error| net_error(&error))
    }

    fn post(&self, path: &str, access: Option<&Secret>, body: &impl Serialize) -> Result<Response<Body>, NetError> {
        let mut request = self.agent()?.post(self.base.join(path));
        if let Some(access) = access {
            request = request.header("Authorization", format!("Bearer {}", access.expose()));
        }
        request.send_json(body).map_err(|error| net_error(&error))
    }
}

/// The authorities of the system and of the file at `path`.
fn with_private_authority(path: &Path) -> Result<Vec<Certificate<'static>>, Problem> {
    let wrong = |why: &str| {
        let fix = "Name a PEM file with the authority's certificate in ca_file.";
        Problem::new(code::BAD_CA_FILE, format!("The ca_file {} cannot be used: {why}.", path.display()), fix)
    };
    let pem = fs::read(path).map_err(|error| wrong(&error.to_string()))?;
    let mut certificates = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|error| wrong(&error.to_string()))? {
            certificates.push(certificate.to_owned());
        }
    }
    if certificates.is_empty() {
        return Err(wrong("it holds no certificate"));
    }
    let system = rustls_native_certs::load_native_certs();
    certificates.extend(system.certs.iter().map(|der| Certificate::from_der(der).to_owned()));
    Ok(certificates)
}

/// Reads the body of a success, or the failure.
fn read<T: DeserializeOwned>(response: Response<Body>) -> Result<T, NetError> {
    let mut response = expect_success(response)?;
    let body = response.body_mut().with_config().limit(MAX_ANSWER_BYTES).read_to_vec();
    let body = body.map_err(|error| net_error(&error))?;
    parse(&body)
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, NetError> {
    let wrong = |error: serde_json::Error| {
        if is_page(body) { NetError::WebPage } else { NetError::Protocol(error.to_string()) }
    };
    serde_json::from_slice(body).map_err(wrong)
}

fn is_page(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"<")
}

fn expect_success(mut response: Response<Body>) -> Result<Response<Body>, NetError> {
    let status = response.status().as_u16();
    if response.status().is_success() {
        return Ok(response);
    }
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    if (300..400).contains(&status) {
        let to = header("location").unwrap_or_default();
        // Keeps only the address: the query and fragment may be long, or identify somebody.
        let place = to.split(['?', '#']).next().unwrap_or_default().chars().take(100).collect();
        return Err(NetError::Redirected(place));
    }
    let retry_after = header("retry-after").and_then(|text| wait(&text, Timestamp::now()));
    let body = response.body_mut().with_config().limit(64 << 10).read_to_vec().unwrap_or_default();
    let detail = serde_json::from_slice::<ErrorEnvelope>(&body).ok().map(|envelope| Box::new(envelope.error));
    Err(NetError::Status { status, detail, retry_after })
}

/// Parses an HTTP date such as `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7).
fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(text.trim()).ok().map(|date| date.timestamp())
}

/// The wait that `Retry-After` asks for, as seconds or a date (RFC 9110, 10.2.3); zero for a date in the past.
fn wait(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    Some(http_date(text)?.duration_since(now).try_into().unwrap_or_default())
}

fn gzip(request: &impl Serialize) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    serde_json::to_writer(&mut encoder, request)?;
    encoder.flush()?;
    encoder.finish()
}

impl Server for HttpServer {
    fn health(&self) -> Result<Option<Timestamp>, NetError> {
        let mut response = expect_success(self.get("/health", None)?)?;
        // A captive portal answers with a page and status 200 as well.
        let body = response.body_mut().with_config().limit(64 << 10).read_to_vec();
        if is_page(&body.map_err(|error| net_error(&error))?) {
            return Err(NetError::WebPage);
        }
        Ok(response.headers().get("date").and_then(|date| http_date(date.to_str().ok()?)))
    }

    fn register(&self, request: &RegisterRequest) -> Result<TokenResponse, NetError> {
        read(self.post("/api/auth/register", None, request)?)
    }

    fn login(&self, request: &LoginRequest) -> Result<TokenResponse, NetError> {
        read(self.post("/api/auth/login", None, request)?)
    }

    fn refresh(&self, request: &RefreshRequest) -> Result<TokenResponse, NetError> {
        read(self.post("/api/auth/refresh", None, request)?)
    }

    fn logout(&self, access: &Secret) -> Result<(), NetError> {
        expect_success(self.post("/api/auth/logout", Some(access), &json!({}))?).map(drop)
    }

    fn sync(&self, access: &Secret, request: &SyncRequest) -> Result<SyncResponse, NetError> {
        let body = gzip(request).map_err(|error| NetError::Protocol(error.to_string()))?;
        let response = self
            .agent()?
            .post(self.base.join("/api/blink/sync"))
            .header("Authorization", format!("Bearer {}", access.expose()))
            .header("Content-Type", "application/json")
            .header("Content-Encoding", "gzip")
            .send(&body[..]);
        read(response.map_err(|error| net_error(&error))?)
    }

    fn consent(&self, access: &Secret) -> Result<Option<ServerConsent>, NetError> {
        match read::<Consents>(self.get("/api/user/me/consents", Some(access))?) {
            Ok(consents) => Ok(consents.last(ConsentKind::Tracking).map(ServerConsent::from)),
            Err(error) if matches!(error.status(), Some(404 | 405)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn put_consent(&self, access: &Secret, granted: bool, version: &str) -> Result<(), NetError> {
        let body = ConsentChange {
            kind: ConsentKind::Tracking,
            granted,
            version: Some(version.to_owned()),
            earlier_minutes: None,
        };
        let request = self
            .agent()?
            .put(self.base.join("/api/user/me/consents"))
            .header("Authorization", format!("Bearer {}", access.expose()));
        match request.send_json(&body).map_err(|error| net_error(&error)).and_then(expect_success) {
            Err(error) if matches!(error.status(), Some(404 | 405)) => Ok(()),
            other => other.map(drop),
        }
    }

    fn minutes(&self, access: &Secret, of: &PageOf) -> Result<RemotePage, NetError> {
        read(self.get_with("/api/user/me/blinks", of.query(), Some(access))?)
    }

    fn own_minutes(&self, access: &Secret, of: &MinutesOf) -> Result<OwnMinutes, NetError> {
        read(self.get_with("/api/user/me/minutes", of.query(), Some(access))?)
    }

    fn minutes_by_device(&self, access: &Secret, of: &MinutesOf) -> Result<MinutesByDevice, NetError> {
        read(self.get_with("/api/user/me/minutes/devices", of.selection(), Some(access))?)
    }

    fn erase_account(&self, access: &Secret, password: Option<&Secret>) -> Result<Value, NetError> {
        let body = Erase { password: password.cloned() };
        let request = self
            .agent()?
            .delete(self.base.join("/api/user/me"))
            .header("Authorization", format!("Bearer {}", access.expose()))
            // ureq refuses a body on DELETE unless told to, because some servers ignore it.
            .force_send_body();
        read(request.send_json(&body).map_err(|error| net_error(&error))?)
    }

    fn device_start(&self, name: &str) -> Result<DeviceStart, NetError> {
        read(self.post("/api/auth/device", None, &DeviceRequest { device_name: Some(name.to_owned()) })?)
    }

    fn device_token(&self, code: &Secret) -> Result<DeviceAnswer, NetError> {
        let form = [("grant_type", DEVICE_GRANT), ("device_code", code.expose())];
        let response = self.agent()?.post(self.base.join("/api/auth/device/token")).send_form(form);
        let mut response = response.map_err(|error| net_error(&error))?;
        if response.status().as_u16() != 400 {
            return read(response).map(|tokens| DeviceAnswer::Granted(Box::new(tokens)));
        }
        let body = response.body_mut().with_config().limit(64 << 10).read_to_vec().unwrap_or_default();
        let word = serde_json::from_slice::<OAuthError>(&body).map(|refusal| refusal.error).unwrap_or_default();
        match word.as_str() {
            "authorization_pending" => Ok(DeviceAnswer::Pending),
            "slow_down" => Ok(DeviceAnswer::SlowDown),
            "access_denied" => Ok(DeviceAnswer::Denied),
            "expired_token" | "invalid_grant" => Ok(DeviceAnswer::Expired),
            _ => Err(NetError::Protocol(format!("it refuses the sign-in with `{word}`"))),
        }
    }
}

/// Returns the constructor of clients that trust `ca_file`.
#[must_use]
pub fn connector(ca_file: Option<PathBuf>) -> super::Connect {
    Box::new(move |base| {
        let server = HttpServer::new(base.clone(), ca_file.as_deref())?;
        Ok(Box::new(server))
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("17", Some(17))]
    #[case(" 0 ", Some(0))]
    #[case("Sun, 06 Nov 1994 08:49:37 GMT", Some(37))]
    #[case("Sun, 06 Nov 1994 08:48:00 GMT", Some(0))]
    #[case("-5", None)]
    #[case("soon", None)]
    #[case("", None)]
    fn retry_after_is_seconds_or_a_date(#[case] text: &str, #[case] seconds: Option<u64>) {
        let now = "1994-11-06T08:49:00Z".parse().unwrap();
        assert_eq!(wait(text, now), seconds.map(Duration::from_secs));
    }

    #[test]
    fn a_ca_file_must_hold_a_certificate() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let base = || BaseUrl::parse("https://localhost", false).unwrap();
        assert_eq!(HttpServer::new(base(), Some(&path)).unwrap_err().code, "bad_ca_file");
        fs::write(&path, "-----BEGIN NONSENSE-----\n").unwrap();
        assert_eq!(HttpServer::new(base(), Some(&path)).unwrap_err().code, "bad_ca_file");
    }
}
