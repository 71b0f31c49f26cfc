//! The address of the database. Diesel alone would open a file called `postgres:typo`; here a typo is an error.

use std::{fmt, path::PathBuf, str::FromStr};

/// A database address.
#[derive(Clone, PartialEq, Eq)]
pub enum Target {
    /// A file.
    Sqlite(PathBuf),
    /// A libpq URL. It may hold a password: never shown.
    Postgres(String),
}

/// An address that names no database.
#[derive(Debug, thiserror::Error)]
#[error("DATABASE_URL must be sqlite:PATH or postgres://USER@HOST/NAME{0}")]
pub struct BadTarget(String);

impl Target {
    /// The file of an embedded database.
    #[must_use]
    pub fn sqlite_path(&self) -> Option<&PathBuf> {
        match self {
            Self::Sqlite(path) => Some(path),
            Self::Postgres(_) => None,
        }
    }
}

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
            return Ok(Self::Postgres(url.to_owned()));
        }
        if let Some(rest) = url.strip_prefix("sqlite:") {
            let path = rest.strip_prefix("//").unwrap_or(rest);
            return match path {
                "" => Err(BadTarget("; the path after sqlite: is empty".to_owned())),
                ":memory:" => Err(BadTarget("; a database in memory would lose every minute".to_owned())),
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
