//! Browsers keep the refresh token where no script can read it: in a cookie that only sign-in addresses of this site get.
//!
//! A page says `X-WAW-Client: web`. Then the refresh token is in no body, neither way. Another site cannot make a browser
//! use the cookie: it is `SameSite=Strict`, and without the header, which a foreign page may not send (no CORS answer
//! ever allows it), the cookie counts for nothing.

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time::Duration},
    http::header::HeaderName,
};
use blink_proto::Secret;

use super::tokens::SESSION_S;

/// The header in which a client says what it is.
pub(crate) const CLIENT: HeaderName = HeaderName::from_static("x-waw-client");

/// Where the cookie goes, and nowhere else.
const PATH: &str = "/api/auth";

/// Whether a request comes from a page.
#[must_use]
pub(crate) fn is_web(req: &HttpRequest) -> bool {
    req.headers().get(CLIENT).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"web"))
}

/// A browser takes a cookie with the prefix only from HTTPS, so that nobody on the way can plant one. `__Host-` would ask
/// for the path `/`.
fn name(secure: bool) -> &'static str {
    if secure { "__Secure-waw_refresh" } else { "waw_refresh" }
}

/// The refresh token that a page's browser sent along; `secure` where people reach this server by HTTPS.
#[must_use]
pub(crate) fn given(req: &HttpRequest, secure: bool) -> Option<Secret> {
    is_web(req).then(|| req.cookie(name(secure)))?.map(|cookie| Secret::new(cookie.value()))
}

/// The cookie that holds `token`.
#[must_use]
pub(crate) fn holding(token: &Secret, secure: bool) -> Cookie<'static> {
    cookie(token.expose().to_owned(), SESSION_S, secure)
}

/// The cookie that makes a browser forget its token.
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
