//! Browsers keep the refresh token in a cookie that no script can read and that is sent to `/api/auth` only.
//!
//! A web page sends `X-WAW-Client: web`; then the refresh token is in no body, neither way. Another site cannot make a
//! browser use the cookie: it is `SameSite=Strict`, and it counts only together with the header, which a foreign page
//! may not send because no CORS answer ever allows it.

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time::Duration},
    http::header::HeaderName,
};
use blink_proto::Secret;

use super::tokens::SESSION_S;

/// The header that names the kind of client.
pub(crate) const CLIENT: HeaderName = HeaderName::from_static("x-waw-client");

/// The only path that browsers send the cookie to.
const PATH: &str = "/api/auth";

#[must_use]
pub(crate) fn is_web(req: &HttpRequest) -> bool {
    req.headers().get(CLIENT).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"web"))
}

/// A browser accepts a cookie with the prefix `__Secure-` only over HTTPS, so that nobody on the network can set one.
/// `__Host-` is not possible, because it requires the path `/`.
fn name(secure: bool) -> &'static str {
    if secure { "__Secure-waw_refresh" } else { "waw_refresh" }
}

/// The refresh token of the request's cookie. `secure` says that people reach this server over HTTPS.
#[must_use]
pub(crate) fn given(req: &HttpRequest, secure: bool) -> Option<Secret> {
    is_web(req).then(|| req.cookie(name(secure)))?.map(|cookie| Secret::new(cookie.value()))
}

#[must_use]
pub(crate) fn holding(token: &Secret, secure: bool) -> Cookie<'static> {
    cookie(token.expose().to_owned(), SESSION_S, secure)
}

/// An expired cookie: it makes the browser delete its refresh token.
#[must_use]
pub(crate) fn forgetting(secure: bool) -> Cookie<'static> {
    cookie(String::new(), 0, secure)
}

fn cookie(value: String, seconds: i64, secure: bool) -> Cookie<'static> {
    Cookie::build(name(secure), value)
        .path(PATH)
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(secure)
        .max_age(Duration::seconds(seconds))
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_for_signing_in_alone() {
        let plain = holding(&Secret::new("t"), false).to_string();
        assert_eq!(plain, "waw_refresh=t; HttpOnly; SameSite=Strict; Path=/api/auth; Max-Age=5184000");
        let secure = holding(&Secret::new("t"), true).to_string();
        assert_eq!(
            secure,
            "__Secure-waw_refresh=t; HttpOnly; SameSite=Strict; Secure; Path=/api/auth; Max-Age=5184000"
        );
        assert!(
            forgetting(true).to_string().starts_with("__Secure-waw_refresh=; ")
                && forgetting(true).max_age().unwrap().is_zero()
        );
    }
}
