//! The address of the database. Diesel itself would open a file named `postgres:typo`; here a typo is an error.

use std::{fmt, path::PathBuf, str::FromStr};

use super::postgres_url;

#[derive(Clone, PartialEq, Eq)]
pub enum Target {
    Sqlite(PathBuf),
    /// A libpq URL. It may hold a password, so it must never be shown.
    Postgres(String),
}

#[derive(Debug, thiserror::Error)]
#[error("DATABASE_URL must be sqlite:PATH or postgres://USER@HOST/NAME{0}")]
pub struct BadTarget(String);

impl Target {
    #[must_use]
    pub fn sqlite_path(&self) -> Option<&PathBuf> {
        match self {
            Self::Sqlite(path) => Some(path),
            Self::Postgres(_) => None,
        }
    }

    /// The address for libpq, with time-outs that end a connection whose peer does not answer. Parameters in the
    /// address win over these.
    #[must_use]
    pub fn postgres_url(&self) -> Option<String> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(url) => Some(postgres_url::with_defaults(url, GIVE_UP)),
        }
    }

    #[must_use]
    pub fn postgres_ports(&self) -> Vec<u16> {
        match self {
            Self::Sqlite(_) => Vec::new(),
            Self::Postgres(url) => postgres_url::ports(url),
        }
    }

    /// Replaces this address's secrets in a text by `***`.
    #[must_use]
    pub fn without_secrets(&self, text: &str) -> String {
        let secrets = match self {
            Self::Sqlite(_) => Vec::new(),
            Self::Postgres(url) => postgres_url::secrets(url),
        };
        secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "***"))
    }
}

/// Connecting may take 5 s. Sent data must be acknowledged within 15 s (given in milliseconds). A silent peer is probed
/// after 10 s and given up 15 s later.
const GIVE_UP: &[(&str, &str)] = &[
    ("connect_timeout", "5"),
    ("tcp_user_timeout", "15000"),
    ("keepalives", "1"),
    ("keepalives_idle", "10"),
    ("keepalives_interval", "5"),
    ("keepalives_count", "3"),
];

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
            Self::Postgres(_) => f.write_str("Postgres(..)"),
        }
    }
}

impl FromStr for Target {
    type Err = BadTarget;

    fn from_str(url: &str) -> Result<Self, BadTarget> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return match postgres_url::fault(url) {
                Some(fault) => Err(BadTarget(format!(": {fault}"))),
                None => Ok(Self::Postgres(url.to_owned())),
            };
        }
        if let Some(rest) = url.strip_prefix("sqlite:") {
            let path = rest.strip_prefix("//").unwrap_or(rest);
            return match path {
                "" => Err(BadTarget("; the path after sqlite: is empty".to_owned())),
                ":memory:" => Err(BadTarget("; a database in memory would lose every minute".to_owned())),
                path if path.contains('?') => Err(BadTarget("; a path takes no ? and no options after it".to_owned())),
                path if path == "~" || path.starts_with("~/") => {
                    Err(BadTarget("; ~ is the shell's: write the whole path".to_owned()))
                }
                path if path.starts_with("file:") => Err(BadTarget("; leave out file:".to_owned())),
                path => Ok(Self::Sqlite(PathBuf::from(path))),
            };
        }
        let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
        Err(BadTarget(if scheme.is_empty() { String::new() } else { format!(", not {scheme}:") }))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("sqlite:/var/lib/x.db", "/var/lib/x.db")]
    #[case("sqlite:///var/lib/x.db", "/var/lib/x.db")]
    #[case("sqlite:x.db", "x.db")]
    fn a_file(#[case] url: &str, #[case] path: &str) {
        assert_eq!(url.parse::<Target>().unwrap(), Target::Sqlite(path.into()));
    }

    #[rstest]
    #[case("")]
    #[case("sqlite:")]
    #[case("sqlite::memory:")]
    #[case("postgres:typo")]
    #[case("sqlite:///data/q.db?mode=rwc")]
    #[case("sqlite:~/x.db")]
    #[case("sqlite:file:/x.db")]
    #[case("postgres://ada:S3cr%t@db/x")]
    #[case("mysql://x")]
    #[case("/just/a/path.db")]
    fn a_typo_is_an_error(#[case] url: &str) {
        assert!(url.parse::<Target>().is_err());
    }

    #[test]
    fn debug_shows_no_password() {
        let target: Target = "postgres://ada:hunter2@db/blinks".parse().unwrap();
        assert!(!format!("{target:?}").contains("hunter2"));
    }
}
