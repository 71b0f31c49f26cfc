//! A server's base URL, checked before anything is sent there.

use std::{fmt, net::IpAddr};

use blink_proto::{Problem, problem::code};
use http::Uri;

/// `https://host[:port][/path]`, or `http://` to this machine; never with a trailing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    text: String,
    loopback: bool,
}

impl BaseUrl {
    /// Parses `text`. Plain `http://` to another machine is refused unless `insecure`.
    pub fn parse(text: &str, insecure: bool) -> Result<Self, Problem> {
        let shown = without_password(text);
        let wrong = |why: &str| {
            let fix = "Give a server as https://host, with a port or path if it has one.";
            Problem::new(code::BAD_SERVER, format!("`{shown}` is not a server's address: {why}."), fix)
        };
        let uri: Uri = text.trim().parse().map_err(|_| wrong("it cannot be read"))?;
        let scheme = uri.scheme_str().ok_or_else(|| wrong("it does not begin with https://"))?;
        let authority = uri.authority().ok_or_else(|| wrong("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("it holds a name or password"));
        }
        let port = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
        if !port.is_empty() && authority.port_u16().is_none_or(|port| port == 0) {
            return Err(wrong("its port is none of 1 to 65535"));
        }
        if uri.query().is_some() {
            return Err(wrong("it holds a query"));
        }
        let loopback = is_loopback(authority.host());
        match scheme {
            "https" => {}
            "http" if loopback || insecure => {}
            "http" => {
                return Err(Problem::new(
                    code::INSECURE_SERVER,
                    format!("`{shown}` would send everything unencrypted."),
                    "Use https://, or start blinkd with --insecure if you must.",
                ));
            }
            _ => return Err(wrong("it is neither https:// nor http://")),
        }
        let text = format!("{scheme}://{}{}", authority.as_str().to_ascii_lowercase(), uri.path());
        Ok(Self { text: text.trim_end_matches('/').to_owned(), loopback })
    }

    /// Whether the server runs on this machine, in which case no proxy is used.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }

    /// The URL of `path`, which begins with a slash.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.text)
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The text without what stands before an `@`, which may be a password.
pub fn without_password(text: &str) -> String {
    text.rsplit_once('@').map_or_else(|| text.to_owned(), |(_, shown)| format!("…@{shown}"))
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost") || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://Blinks.Example/", "https://blinks.example")]
    #[case("https://blinks.example:8443/waw/", "https://blinks.example:8443/waw")]
    #[case("http://127.0.0.1:8080", "http://127.0.0.1:8080")]
    #[case("http://localhost:8080/", "http://localhost:8080")]
    #[case("http://[::1]:8080", "http://[::1]:8080")]
    fn a_server_is_taken(#[case] text: &str, #[case] shown: &str) {
        let url = BaseUrl::parse(text, false).unwrap();
        assert_eq!(url.to_string(), shown);
        assert_eq!(url.join("/health"), format!("{shown}/health"));
    }

    #[rstest]
    #[case("http://blinks.example", "insecure_server")]
    #[case("http://192.168.1.4:8080", "insecure_server")]
    #[case("http://localhost.example", "insecure_server")]
    #[case("blinks.example", "bad_server")]
    #[case("ftp://blinks.example", "bad_server")]
    #[case("https://ada:secret@blinks.example", "bad_server")]
    #[case("https://blinks.example/?a=b", "bad_server")]
    #[case("http://127.0.0.1:99999", "bad_server")]
    #[case("https://blinks.example:65536/waw", "bad_server")]
    #[case("https://[::1]:0", "bad_server")]
    #[case("https://blinks.example:", "bad_server")]
    #[case("", "bad_server")]
    fn others_are_refused(#[case] text: &str, #[case] code: &str) {
        assert_eq!(BaseUrl::parse(text, false).unwrap_err().code, code);
    }

    #[rstest]
    #[case("https://ada:Secret99@blinks.example", "`…@blinks.example`")]
    #[case("https://ada:Sec@ret99@blinks.example", "`…@blinks.example`")]
    #[case("ada:Secret99@blinks.example", "`…@blinks.example`")]
    #[case("https://ada:Secret99@ blinks", "`…@ blinks`")]
    fn no_password_is_quoted(#[case] text: &str, #[case] shown: &str) {
        let problem = BaseUrl::parse(text, false).unwrap_err();
        assert!(problem.message.contains(shown) && !problem.to_string().contains("ret99"), "{problem}");
    }

    #[test]
    fn insecure_is_a_choice() {
        assert!(BaseUrl::parse("http://blinks.example", true).is_ok());
    }
}
