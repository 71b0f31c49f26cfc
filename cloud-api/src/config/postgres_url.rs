//! Checks a PostgreSQL address (libpq's connection URI) before libpq does, because libpq's message about a malformed
//! one repeats a part of the password.

const DEFAULT_PORT: u16 = 5432;

/// The parts of an address, with escapes as they were written.
struct Parts<'a> {
    user: &'a str,
    password: &'a str,
    hosts: &'a str,
    database: &'a str,
    parameters: &'a str,
}

fn split(url: &str) -> Parts<'_> {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    // As in libpq, everything before an @ is user and password, unless a / comes before it.
    let (user_info, rest) = match rest.find(['@', '/']) {
        Some(at) if rest.as_bytes()[at] == b'@' => (&rest[..at], &rest[at + 1..]),
        _ => ("", rest),
    };
    let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
    let (address, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let (hosts, database) = address.split_once('/').unwrap_or((address, ""));
    Parts { user, password, hosts, database, parameters }
}

/// Says what is wrong with an address and how to write it, without repeating any of it.
pub(super) fn fault(url: &str) -> Option<String> {
    let parts = split(url);
    let (user, password) = (("user", parts.user), ("password", parts.password));
    for (name, part) in [user, password, ("host", parts.hosts), ("database", parts.database)] {
        if !escapes_are_whole(part) {
            return Some(format!("in the {name} a % begins no escape; write % as %25"));
        }
    }
    if parts.hosts.contains('@') || parts.database.contains(['@', '/']) {
        return Some("an @ or a / stands where none belongs; in the password write @ as %40 and / as %2F".to_owned());
    }
    if parts.hosts.split(',').any(|host| port_of(host).is_none()) {
        let why = "the port is no number from 1 to 65535; in the password write : / @ as %3A %2F %40";
        return Some(why.to_owned());
    }
    for pair in parts.parameters.split('&').filter(|pair| !pair.is_empty()) {
        let name = pair.split_once('=').map(|(name, _)| name);
        if !name.is_some_and(|name| !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')) {
            return Some("what follows the ? is not name=value; in the password write ? as %3F".to_owned());
        }
        if !escapes_are_whole(pair) {
            return Some("in what follows the ? a % begins no escape; write % as %25".to_owned());
        }
    }
    None
}

fn escapes_are_whole(part: &str) -> bool {
    part.split('%').skip(1).all(|rest| {
        let digits = rest.as_bytes();
        digits.len() >= 2 && digits[..2].iter().all(u8::is_ascii_hexdigit) && &digits[..2] != b"00"
    })
}

fn port_of(host: &str) -> Option<u16> {
    let after = host.rsplit_once(']').map_or(host, |(_, after)| after);
    match after.split_once(':') {
        None | Some((_, "")) => Some(DEFAULT_PORT),
        Some((_, port)) => port.parse().ok().filter(|port| *port > 0),
    }
}

pub(super) fn ports(url: &str) -> Vec<u16> {
    let parts = split(url);
    let given =
        parameter(parts.parameters, "port").map(|ports| ports.split(',').filter_map(|p| p.parse().ok()).collect());
    given.unwrap_or_else(|| parts.hosts.split(',').filter_map(port_of).collect())
}

fn parameter<'a>(parameters: &'a str, name: &str) -> Option<&'a str> {
    parameters.split('&').find_map(|pair| pair.split_once('=').filter(|(given, _)| *given == name)).map(|(_, v)| v)
}

/// Adds those parameters that the address does not have.
pub(super) fn with_defaults(url: &str, defaults: &[(&str, &str)]) -> String {
    let given = split(url).parameters;
    let mut url = url.to_owned();
    for (name, value) in defaults {
        if parameter(given, name).is_none() {
            url.push(if url.contains('?') && !split(&url).parameters.is_empty() { '&' } else { '?' });
            url.push_str(&format!("{name}={value}"));
        }
    }
    url
}

/// The address's secrets, which must never be shown: each as it was written, and decoded.
pub(super) fn secrets(url: &str) -> Vec<String> {
    let parts = split(url);
    let given =
        [Some(parts.password), parameter(parts.parameters, "password"), parameter(parts.parameters, "sslpassword")];
    let mut secrets = Vec::new();
    for secret in given.into_iter().flatten().filter(|secret| !secret.is_empty()) {
        let meant = form_urlencoded::parse(format!("x={}", secret.replace('+', "%2B")).as_bytes())
            .next()
            .map_or_else(String::new, |(_, meant)| meant.into_owned());
        secrets.extend([secret.to_owned(), meant]);
    }
    secrets
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("postgres://ada@db/blinks")]
    #[case("postgres://ada:p%40ss%25@db:5432/blinks?sslmode=verify-full&sslrootcert=/x/ca.pem")]
    #[case("postgres://postgres@/t_1?host=/tmp/x")]
    #[case("postgresql://[::1]:5433/x")]
    #[case("postgres://a,b:1234/x?user=ada%40corp")]
    #[case("postgres://ada:p?ss@db/x")]
    fn sound(#[case] url: &str) {
        assert_eq!(fault(url), None);
    }

    #[rstest]
    #[case("postgres://ada:S3cr%tPassw0rd@db/x", "%25")]
    #[case("postgres://odd:100%@db/x", "%25")]
    #[case("postgres://ada:S3cr@Passw0rd@db/x", "%40")]
    #[case("postgres://ada:S3cret/Passw0rd@db/x", "%2F")]
    #[case("postgres://ada:12/S3cret@db/x", "%40")]
    #[case("postgres://ada:12/S3cret/x@db/x", "%40")]
    #[case("postgres://ada:12/x?S3cret@db/x", "%3F")]
    #[case("postgres://db:S3cret/x", "port")]
    #[case("postgres://db:70000/x", "port")]
    #[case("postgres://db/x?password=S3cr%t", "%25")]
    fn faults_are_named_and_nothing_is_repeated(#[case] url: &str, #[case] says: &str) {
        let fault = fault(url).unwrap();
        assert!(fault.contains(says), "{fault}");
        assert!(!["S3c", "Passw0rd", "100", "70000"].iter().any(|secret| fault.contains(secret)), "{fault}");
    }

    #[test]
    fn parameters_are_added_once() {
        let defaults = [("connect_timeout", "5"), ("keepalives", "1")];
        let added = with_defaults("postgres://u:p?w@h/d", &defaults);
        assert_eq!(added, "postgres://u:p?w@h/d?connect_timeout=5&keepalives=1");
        let added = with_defaults("postgres://h/d?keepalives=0", &defaults);
        assert_eq!(added, "postgres://h/d?keepalives=0&connect_timeout=5");
    }

    #[test]
    fn ports_and_secrets() {
        assert_eq!(ports("postgres://a:1,b/x"), [1, 5432]);
        assert_eq!(ports("postgres:///x?host=/tmp&port=7"), [7]);
        assert_eq!(secrets("postgres://u:a%40b+c@h/d"), ["a%40b+c", "a@b+c"]);
    }
}
